"""Rules about the repository itself: what it must not say, and what must be in it."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = sorted((ROOT / "locks").glob("*.txt"))

# Where packages come from is the business of whoever installs. Put together here, so that
# this file does not break its own rule.
REGISTRIES = [
    ".".join(parts)
    for parts in [
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("registry", "npmjs"),
        ("registry", "yarnpkg"),
        ("deb", "debian", "org"),
        ("security", "debian", "org"),
        ("archive", "ubuntu", "com"),
    ]
]
# The start of a path in somebody's home or workplace, and of where this tree stands, unless
# that is as common a word as /src.
PLACES = [
    r"/root",
    r"/work",
    r"/Users/\w+",
    *([re.escape(str(ROOT))] if len(ROOT.parts) > 2 else []),
]
MACHINE_PATH = re.compile(rf"(?<![\w.~/)}}*-])(?:{'|'.join(PLACES)})/")


def text_files() -> list[tuple[str, str]]:
    """Return name and text of every file that is, or is about to be, in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    names = [name for name in listed.stdout.decode().split("\0") if (ROOT / name).is_file()]
    # Bytes that are no text, as golden frames are not, still hold readable addresses.
    return [(name, (ROOT / name).read_text(errors="replace")) for name in names]


def lines_matching(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:120]}"
        for name, text in text_files()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_file_names_a_registry() -> None:
    assert lines_matching(re.compile("|".join(map(re.escape, REGISTRIES)))) == []


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    assert lines_matching(MACHINE_PATH) == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_holds_no_address(lock: Path) -> None:
    assert "://" not in lock.read_text()


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_pins_and_hashes_everything(lock: Path) -> None:
    entries = [entry for entry in re.split(r"\n(?=\S)", lock.read_text()) if entry[0] not in "#\n"]
    assert entries
    assert [e for e in entries if not re.match(r"\S+==\S+ [^\n]*\\\n +--hash=sha256:", e)] == []


def wanted(name: str) -> list[str]:
    """Return what pyproject.toml asks of a lock, without what a group includes."""
    if name == "run":
        return list(PROJECT["project"]["dependencies"])
    entries = [entry for entry in PROJECT["dependency-groups"][name] if isinstance(entry, str)]
    return entries + (PROJECT["build-system"]["requires"] if name == "build" else [])


@pytest.mark.parametrize("name", ["run", *PROJECT["dependency-groups"]])
def test_a_lock_is_what_the_project_asks_for(name: str) -> None:
    pins = dict(
        re.findall(r"^([\w.-]+)==(\S+)", (ROOT / f"locks/{name}.txt").read_text(), re.MULTILINE)
    )
    unmet = [
        text
        for text in wanted(name)
        if (want := Requirement(text)).name not in pins
        or not want.specifier.contains(pins[want.name])
    ]
    assert unmet == [], "run `make locks`"


def test_every_marker_is_registered(pytestconfig: pytest.Config) -> None:
    known = {re.split(r"[:(]", line)[0] for line in pytestconfig.getini("markers")}
    used = {
        marker
        for name, text in text_files()
        if name.startswith("tests/") and name.endswith(".py")
        for marker in re.findall(r"\bpytest\.mark\.(\w+)", text)
    }
    assert used - known == set()


def test_every_marker_of_ours_is_explained_to_contributors() -> None:
    ours = [line.split(":")[0] for line in PROJECT["tool"]["pytest"]["ini_options"]["markers"]]
    guide = (ROOT / "CONTRIBUTING.md").read_text()
    assert [marker for marker in ours if f"`{marker}`" not in guide] == []


def test_make_alone_lists_every_target() -> None:
    targets = re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    done = subprocess.run(["make", "-s"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert [line.split()[1] for line in done.stdout.splitlines()] == targets


def test_every_target_is_phony() -> None:
    """A file called `test` must not stop `make test`."""
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^([a-z][\w-]*):", makefile, re.MULTILINE)
    phony = re.findall(r"^\.PHONY: (.*)", makefile, re.MULTILINE)
    assert " ".join(phony).split() == targets


def test_the_licence_is_the_one_the_project_names() -> None:
    licence = (ROOT / "LICENSE").read_text()
    assert PROJECT["project"]["license"] == "Apache-2.0"
    assert "Apache License\n                           Version 2.0, January 2004" in licence
    assert "END OF TERMS AND CONDITIONS" in licence
