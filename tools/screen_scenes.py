"""What `record_screens.py` records: programs, and what a person does in them."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Scene:
    """One recording: a program, and keys or new sizes, each after the screen was quiet."""

    name: str
    command: list[str]
    acts: list[bytes | tuple[int, int]] = field(default_factory=list)
    size: tuple[int, int] = (80, 24)
    patience: float = 4.0  # seconds after which the next act follows a program that never rests


BASH = ["bash", "--norc", "--noprofile", "-i"]
ZSH = ["zsh", "-f", "-i"]
FISH = ["fish", "--private", "--no-config"]
VIM = ["vim", "-u", "NONE", "-N", "-i", "NONE"]
COLORED_VIM = [*VIM, "-c", "syntax on", "-c", "set number hlsearch ruler laststatus=2"]
LESS = ["less", "-R"]
TMUX = ["tmux", "-f", "/dev/null", "-L", "scene", "new-session", *BASH]
UP, DOWN, RIGHT, LEFT, ESC = b"\x1b[A", b"\x1b[B", b"\x1b[C", b"\x1b[D", b"\x1b"


def shell(
    name: str, *lines: bytes, command: list[str] = BASH, size: tuple[int, int] = (80, 24)
) -> Scene:
    return Scene(name, command, [line + b"\r" for line in lines], size)


SCENES = [
    shell("bash_ls", b"ls -la --color=always", b"ls --color=always /usr/lib | head -50", b"false"),
    shell("bash_colors", b"for i in $(seq 0 255); do printf '\\e[48;5;%dm%4d\\e[m' $i $i; done; echo"),
    shell("bash_wrap", b"echo " + b"long words that go on and on " * 12, b"seq -s ' ' 1 400", size=(60, 20)),
    Scene("bash_edit", BASH, [b"echo one two three", b"\x01", b"\x1bf\x1bd", b"\x05 four", b"\x17", b"\r", UP, b"\x12two", b"\r"]),
    shell("bash_clear", b"seq 60", b"clear", b"echo after", b"printf '\\e[3J'", b"echo more"),
    shell("bash_flood", b"seq 1 1500", b"tput cols; tput lines"),
    shell("bash_title", b"printf '\\e]0;at work\\a'; printf '\\e]7;file://reef/tmp\\e\\\\'", b"printf '\\e]2;done\\e\\\\'"),
    Scene("bash_complete", BASH, [b"ls /usr/sh\t\t", b"\x15", b"cat no\t\t", b"\x03", b"echo $HO\t\r"]),
    Scene("bash_paste", BASH, [b"\x1b[200~echo pasted\necho two\x1b[201~", b"\r"]),
    shell("zsh_basic", b"echo hello", b"setopt", b"for i in a b c; do echo $i; done", command=ZSH),
    shell("zsh_prompts", b"PROMPT='%F{green}%n%f %~ %# ' RPROMPT='%F{red}%*%f'", b"true", b"echo no newline | tr -d '\\n'", command=ZSH),
    Scene("zsh_menu", ZSH, [b"autoload -U compinit; compinit -D; zstyle ':completion:*' menu select\r", b"ls /usr/\t", b"\t\t", RIGHT, b"\r", b"\x03"]),
    Scene("zsh_wrap", ZSH, [b"echo " + b"abcdefghij" * 15, b"\x01", b"\x05", b"\x7f" * 20, b"\r"], (50, 16)),
    shell("fish_basic", b"echo hello", b"ls /usr", b"false", command=FISH),
    Scene("fish_suggest", FISH, [b"echo a long line to remember\r", b"echo a", RIGHT, b"\r", b"ech", UP, UP, b"\x03"]),
    Scene("fish_pager", FISH, [b"ls /usr/\t", b"\t\t", DOWN, ESC, b"\x03"], (70, 18)),
    Scene("fish_wrap", FISH, [b"echo " + b"0123456789" * 14, b"\x01", b"\x05", b"\r"], (48, 14)),
    Scene("vim_open", [*COLORED_VIM, "code.py"], [b"\x06", b"G", b"gg", b"/def\r", b"n", b"n"]),
    Scene("vim_insert", [*VIM, "notes.txt"], [b"ihello world", b"\rsecond line", ESC, b"yyppp", b"u", b"\x12", b"ddp"]),
    Scene("vim_split", [*COLORED_VIM, "code.py"], [b":split\r", b":vsplit notes.txt\r", b"\x17w", b"\x17=", b":help\r", b":q\r"], (100, 30)),
    Scene("vim_visual", [*COLORED_VIM, "code.py"], [b"V5j", b">", b"\x16jjl", b"Ixx", ESC, b"gv", ESC]),
    Scene("vim_exit", BASH, [b"seq 30\r", b"vim -u NONE -N -i NONE notes.txt\r", b"Gonew", ESC, b":q!\r", b"echo back\r"]),
    Scene("vim_wide", [*VIM, "wide.txt"], [b"j", b"$", b"x", b"G", b"o\xe6\xbc\xa2\xe5\xad\x97", ESC, b"u"]),
    Scene("less_page", [*LESS, "text.txt"], [b" ", b" ", b"b", b"G", b"g", b"30\r"]),
    Scene("less_search", [*LESS, "text.txt"], [b"/reef\r", b"n", b"n", b"N", b"&water\r", b"h"]),
    Scene("less_color", [*LESS, "colored.txt"], [b" ", b"\x04", b"k", b"G", b"-S\r", RIGHT]),
    Scene("less_wrap", [*LESS, "wide.txt"], [b" ", b"j", b"j", b"G", b"k"], (40, 12)),
    Scene("less_exit", BASH, [b"seq 40\r", b"less text.txt\r", b" ", b"q", b"echo out\r"]),
    Scene("htop", ["htop", "--readonly", "-d", "5"], [DOWN, DOWN, b"t", b"h", b"q", b"q"], (100, 30)),
    Scene("htop_setup", ["htop", "--readonly", "-d", "5"], [b"S", DOWN, RIGHT, ESC, b"\\sh", ESC], (90, 24)),
    Scene("top", ["top", "-d", "1"], [b"1", b"c", b"z", b"x", b"q"], (90, 24)),
    Scene("top_wide", ["top", "-d", "1"], [b"V", b"t", b"m", b"e"], (140, 30)),
    Scene("watch", ["watch", "-n", "1", "-d", "-c", "ls -la --color=always; cat /proc/uptime"], [b"", b"", b""]),
    Scene("tmux_inside", TMUX, [b"echo in tmux\r", b"seq 40\r", b"\x02c", b"ls --color=always /usr\r", b"\x02p"]),
    Scene("tmux_split", TMUX, [b"\x02%", b"seq 20\r", b'\x02"', b"top -d 1\r", b"\x02o", b"echo left\r"], (100, 30)),
    Scene("tmux_copy", TMUX, [b"seq 200\r", b"\x02[", b"\x1b[5~", UP, UP, b"q", b"\x02:list-keys\r", b"q"]),
    Scene("tmux_exit", BASH, [b"seq 10\r", b"tmux -f /dev/null -L scene new 'sh -c \"echo in; sleep 1\"'\r", b"", b"", b"echo out\r"]),
    shell("git_log", b"git log --graph --oneline --color=always | cat", b"git log --stat -3 --color=always | cat"),
    Scene("git_pager", ["git", "log", "--graph", "-p", "--color=always"], [b" ", b" ", b"/sea\r", b"n", b"G", b"q"]),
    shell("git_diff", b"git diff --color=always HEAD~3 | cat", b"git status", b"git show --color-words --color=always | cat"),
    shell("cargo_bar", b"python3 play.py cargo"),
    shell("npm_spinner", b"python3 play.py npm"),
    shell("pip_bars", b"python3 play.py pip"),
    shell("apt_region", b"python3 play.py apt", b"echo after"),
    shell("docker_lines", b"python3 play.py docker", size=(90, 20)),
    shell("emoji", b"python3 play.py emoji"),
    shell("emoji_wrap", b"python3 play.py emoji", size=(23, 18)),
    shell("cjk", b"python3 play.py cjk"),
    shell("cjk_wrap", b"python3 play.py cjk", size=(31, 15)),
    shell("combining", b"python3 play.py combining"),
    shell("links", b"ls --hyperlink=always --color=always", b"python3 play.py links"),
    shell("styles", b"python3 play.py styles"),
    shell("truecolor", b"python3 play.py truecolor", size=(100, 24)),
    Scene("agent", ["python3", "play.py", "agent"]),
    Scene("agent_sync", ["python3", "play.py", "agent_sync"], size=(100, 32)),
    Scene("agent_tall", ["python3", "play.py", "agent"], size=(60, 12)),
    Scene("python_repl", ["python3", "-q"], [b"1+1\r", b"for i in range(30): print(i, 'x' * i)\r\r", b"import this\r", UP, b"\r"]),
    Scene("curses", ["python3", "play.py", "curses"], [b"a", b"b", b"c", b"q"]),
    Scene("man", ["man", "-P", "less", "./reef.1"], [b" ", b"/holds\r", b"G", b"q"]),
    Scene("resize_bash", BASH, [b"echo " + b"word " * 40 + b"\r", (60, 24), b"echo narrow\r", (100, 30), b"seq 40\r", (70, 20), b"echo end\r"]),
    Scene("resize_vim", [*COLORED_VIM, "code.py"], [b"G", (100, 30), b"gg", (50, 15), b"\x06", (80, 24)]),
    Scene("resize_less", [*LESS, "text.txt"], [b" ", (60, 20), b" ", (110, 35), b"b"]),
    Scene("resize_fish", FISH, [b"ls /usr\r", (60, 20), b"echo a\r", (90, 26), b"echo b\r"]),
    Scene("resize_htop", ["htop", "--readonly", "-d", "5"], [(70, 20), DOWN, (110, 32), b"t"]),
    Scene("resize_agent", ["python3", "play.py", "agent"], [(100, 30), b"", (60, 20)], patience=0.6),
    Scene("resize_tmux", TMUX, [b"\x02%", b"seq 30\r", (60, 20), b"echo a\r", (100, 30), b"echo b\r"]),
]  # fmt: skip
