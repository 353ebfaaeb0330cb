"""What a folder holds: pages to serve, or a program that serves them. Starts nothing."""

import json
from dataclasses import dataclass
from pathlib import Path

from holdfast.errors import InvalidArgument

VITE_CONFIGS = ("vite.config.js", "vite.config.ts", "vite.config.mjs", "vite.config.mts")
# The file that a package manager leaves says which one the project uses.
MANAGERS = (
    ("pnpm-lock.yaml", "pnpm"),
    ("yarn.lock", "yarn"),
    ("bun.lock", "bun"),
    ("bun.lockb", "bun"),
)
PORT_FLAGS = ("vite", "astro")  # they know no PORT, and these take --port


@dataclass(frozen=True, kw_only=True)
class Pages:
    """A folder of files that we serve."""

    root: Path


@dataclass(frozen=True, kw_only=True)
class Script:
    """A program that serves, on a port of our choice if it listens to us."""

    root: Path
    argv: tuple[str, ...]
    takes_port: bool = True
    port_flags: tuple[str, ...] = ()
    """What comes before the number of the port, for programs that do not read PORT."""

    def command(self, port: int) -> tuple[str, ...]:
        """Return the words that start it on *port*."""
        if not self.port_flags:
            return self.argv
        return (*self.argv, *self.port_flags, str(port), "--strictPort")


def kind_of(path: str, program: list[str]) -> Pages | Script:
    """Return what is to be shown; raise InvalidArgument and say what could be."""
    root = Path(path).expanduser().absolute()
    if root.is_file() and root.name == "index.html":
        root = root.parent
    if not root.is_dir():
        problem = "is no folder" if root.exists() else "is not there"
        raise _refused(path, problem, "give a folder, or nothing for the one you are in")
    if program:
        return Script(root=root, argv=tuple(program), takes_port=False)
    if script := _script_in(root):
        return script
    if (root / "index.html").is_file():
        return Pages(root=root)
    raise _refused(
        path,
        "has no index.html, no dev script in package.json and no vite.config",
        "add one, or write the command that serves it: `hold dev PATH -- COMMAND`",
    )


def _script_in(root: Path) -> Script | None:
    manager = next((name for file, name in MANAGERS if (root / file).exists()), "npm")
    package = root / "package.json"
    dev = _dev_script(package)
    if dev:
        words = dev.split()
        # npm hands on what follows two dashes; the others hand on everything.
        dashes = ("--",) if manager == "npm" else ()
        knows_flags = words[0] in PORT_FLAGS and not {"&&", ";", "|", "&", "||"} & set(words)
        flags = (*dashes, "--port") if knows_flags else ()
        return Script(root=root, argv=(manager, "run", "dev"), port_flags=flags)
    if any((root / name).is_file() for name in VITE_CONFIGS):
        own = root / "node_modules" / ".bin" / "vite"
        argv = (str(own),) if own.exists() else ("npx", "vite")
        return Script(root=root, argv=argv, port_flags=("--port",))
    return None


def _dev_script(package: Path) -> str:
    try:
        said = json.loads(package.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        problem = f"cannot be read: {error}"
        raise _refused(str(package), problem, "mend it, or write `-- COMMAND`") from error
    scripts = said.get("scripts") if isinstance(said, dict) else None
    dev = scripts.get("dev") if isinstance(scripts, dict) else None
    return dev.strip() if isinstance(dev, str) else ""


def _refused(value: str, problem: str, remedy: str) -> InvalidArgument:
    return InvalidArgument(argument="PATH", value=value, problem=problem, remedy=remedy)
