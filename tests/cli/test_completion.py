"""The scripts of `hold completion` in the shells that they are for."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from holdfast.cli.commands import COMMANDS
from holdfast.cli.completion import KINDS, SHELLS, SIGNALS
from holdfast.errors import InvalidSignal
from tests.support.hold import TIMEOUT, Hold
from tests.support.home import Home

pytestmark = pytest.mark.slow


def environ_with_hold(hold: Hold, directory: Path) -> dict[str, str]:
    """Return an environment in which `hold` is a program, as it is when it is installed."""
    programs = directory / "bin"
    programs.mkdir(exist_ok=True)
    program = programs / "hold"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m holdfast "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    path = f"{programs}{os.pathsep}{hold.environ['PATH']}"
    config = {"HOME": str(directory), "XDG_CONFIG_HOME": str(directory / "config")}
    return {**hold.environ, "PATH": path, **config}


def run(environ: dict[str, str], *words: str) -> list[str]:
    done = subprocess.run(
        words, env=environ, capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return sorted(line.partition("\t")[0] for line in done.stdout.splitlines())


def bash(environ: dict[str, str], line: str) -> list[str]:
    """Return what bash offers for a line, asked as it asks itself."""
    code = (
        'eval "$(hold completion bash)"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
        '_hold; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    return [each for each in run(environ, "bash", "-c", code, "bash", *line.split(" ")) if each]


def fish(environ: dict[str, str], line: str) -> list[str]:
    code = "hold completion fish | source; complete -C $argv[1]"
    return run(environ, "fish", "--no-config", "-c", code, line)


ZSH = r"""
autoload -Uz compinit; compinit -u -d $HOME/dump
eval "$(hold completion zsh)"
# What would be offered is printed instead.
compadd() {
    local -a given plain
    zparseopts -D -E l=given d:=given a=plain
    [[ $1 == -- ]] && shift
    if (( ${#plain} )); then print -l -- ${(P)1}; else print -l -- "$@"; fi
}
_files() { print files }
_command_names() { print commands }
_call_program() { shift; eval "$@" }
words=(${(s: :)1}); [[ $1 == *' ' ]] && words+=('')
CURRENT=${#words} PREFIX=${words[-1]}
_hold
"""


def zsh(environ: dict[str, str], line: str) -> list[str]:
    found = run(environ, "zsh", "-f", "-c", ZSH, "zsh", line)
    begun = line.rpartition(" ")[2]
    return [each for each in found if each.startswith(begun)]


ASK: dict[str, Callable[[dict[str, str], str], list[str]]] = {
    "bash": bash,
    "zsh": zsh,
    "fish": fish,
}


@pytest.mark.parametrize("shell", SHELLS)
def test_words_of_the_table_are_completed(hold: Hold, tmp_path: Path, shell: str) -> None:
    environ, ask = environ_with_hold(hold, tmp_path), ASK[shell]

    tops = {each.name.split()[0] for each in COMMANDS}
    assert {"kill"} == set(ask(environ, "hold ki"))
    assert tops <= set(ask(environ, "hold "))
    assert {"restart"} == set(ask(environ, "hold daemon rest"))
    assert {"--watch"} == set(ask(environ, "hold ls --w"))
    assert {"--takeover"} == set(ask(environ, "hold kill a --tak"))
    assert {"json"} == set(ask(environ, "hold screen a --format j"))
    assert {"session.keep", "session.keep_for"} == set(ask(environ, "hold config show session.ke"))
    assert {"zsh"} == set(ask(environ, "hold completion z"))
    assert {"keys"} == set(ask(environ, "hold help key"))
    assert hold.processes() == [], "a completion starts no daemon"


@pytest.mark.parametrize("shell", SHELLS)
def test_sessions_and_signals_are_completed(hold: Hold, tmp_path: Path, shell: str) -> None:
    environ, ask = environ_with_hold(hold, tmp_path), ASK[shell]
    living = hold.start("-n", "build", "--", "sleep", "100")
    ended = hold.start("-n", "burnt", "--", "true")
    hold.run("wait", ended)

    assert ask(environ, "hold send bu") == ["build"]
    assert ask(environ, "hold kill build bu") == ["build"]
    assert ask(environ, "hold show bu") == ["build", "burnt"]
    assert ask(environ, f"hold send {living[:5]}") == [living]
    assert ask(environ, "hold signal build US") == ["USR1", "USR2"]
    if shell != "fish":  # which offers what a command takes, in whatever place
        assert ask(environ, "hold rename build bu") == []


def test_a_name_with_a_space_is_one_word_in_bash(hold: Hold, tmp_path: Path) -> None:
    hold.start("-n", "two words", "--", "sleep", "100")

    assert bash(environ_with_hold(hold, tmp_path), "hold send tw") == ["two\\ words"]


@pytest.mark.parametrize(
    ("shell", "begin"),
    [
        ("bash", "bash --norc --noprofile"),
        ("zsh", "zsh -f"),
        ("fish", "fish --no-config"),
    ],
)
def test_the_tab_key_completes(hold: Hold, tmp_path: Path, shell: str, begin: str) -> None:
    environ = environ_with_hold(hold, tmp_path) | {"TERM": "xterm", "PS1": "ready> "}
    hold.start("-n", "build-server", "--", "sleep", "100")
    child = pexpect.spawn(begin, env=environ, timeout=TIMEOUT, dimensions=(24, 120))
    load = (
        "hold completion fish | source" if shell == "fish" else f'eval "$(hold completion {shell})"'
    )
    child.sendline(f"{load}; echo loa''ded")
    child.expect("loaded")

    child.send("hold ki\tbuild-s\t --no\t")
    child.expect("build-server")
    child.expect("--now")
    child.send("\r")

    child.expect_exact("\n")
    child.sendline("echo do''ne")
    child.expect("done")
    child.close(force=True)
    assert hold.sessions() == []


def test_the_signals_are_those_that_a_daemon_takes(hold: Hold) -> None:
    with Home(hold.home).client() as client:
        from holdfast.protocol.messages import Signal  # noqa: PLC0415 - for this alone

        session = hold.start("--", "sleep", "100")
        with pytest.raises(InvalidSignal) as caught:
            client.call(Signal(session=session, signal="NONE"))

    assert set(SIGNALS.split(",")) == set(caught.value.known.replace(" ", "").split(","))
    assert KINDS["SIGNAL"] == SIGNALS
