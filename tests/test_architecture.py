"""The house keeps its shape: who may import whom, what is pure, how long things may be."""

import ast
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

SRC = Path(__file__).parents[1] / "src" / "holdfast"
FILE_LIMIT = 450  # lines
FUNCTION_LIMIT = 60  # lines

# package -> the packages of ours it may import, itself apart. What is absent may import nothing.
ALLOWED: dict[str, set[str]] = {
    # words
    "errors": set(),
    "types": set(),
    # pure
    "protocol": {"errors", "types"},
    "formats": {"errors", "types"},
    "session": {"errors", "types"},
    "marks": {"errors", "types"},
    # the keeper
    "keeper": set(),
    # drivers
    "store": {"errors", "types", "formats"},
    "config": {"errors", "types"},
    "metrics": {"errors", "types"},
    # sides
    "client": {"errors", "types", "protocol", "session", "config", "keeper"},
    "daemon": {
        "errors",
        "types",
        "protocol",
        "session",
        "marks",
        "formats",
        "store",
        "config",
        "metrics",
        "keeper",
    },
    "reader": {"errors", "types", "protocol", "session", "formats", "store", "config", "keeper"},
    # faces
    "terminal": {"errors", "types", "protocol", "config", "client"},
    "host": {"errors", "types", "protocol", "config", "metrics", "client"},
    "dev": {"errors", "types", "protocol", "config", "client", "marks"},
    "window": set(),
    # doors
    "cli": {
        "errors",
        "types",
        "protocol",
        "config",
        "client",
        "terminal",
        "host",
        "dev",
        "window",
        "keeper",
    },
    "__main__": {"cli"},
    # the library: names of `client`, for those outside
    "__init__": {"client"},
    "blocking": {"client"},
}
PURE = {"errors", "types", "protocol", "session", "marks", "formats"}
IO_MODULES = {
    "asyncio", "concurrent", "fcntl", "glob", "io", "logging", "multiprocessing", "os", "pathlib",
    "pty", "queue", "random", "resource", "secrets", "select", "selectors", "shutil", "signal",
    "socket", "sqlite3", "ssl", "subprocess", "tempfile", "termios", "threading", "time", "tty",
    "uuid", "uvloop",
}  # fmt: skip
IO_CALLS = {"open", "input", "print", "exec", "eval"}


class Import(NamedTuple):
    file: Path
    line: int
    module: str


def files() -> list[Path]:
    return sorted(SRC.rglob("*.py"))


def package_of(file: Path) -> str:
    parts = file.relative_to(SRC).parts
    return parts[0].removesuffix(".py")


def imports(source: str, file: Path) -> list[Import]:
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [Import(file, node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found += [Import(file, node.lineno, name) for name in names]
    return found


def forbidden(found: Import) -> bool:
    """Whether an import crosses a wall of ALLOWED."""
    root, _, rest = found.module.partition(".")
    if root != "holdfast" or rest == "__version__":
        return False
    package, target = package_of(found.file), rest.partition(".")[0]
    return target != package and target not in ALLOWED.get(package, set())


def impure(found: Import) -> bool:
    return package_of(found.file) in PURE and found.module.partition(".")[0] in IO_MODULES


@pytest.mark.parametrize("file", files(), ids=lambda file: str(file.relative_to(SRC)))
def test_a_file_imports_only_what_its_layer_may(file: Path) -> None:
    crossed = [found for found in imports(file.read_text(), file) if forbidden(found)]

    assert crossed == []


@pytest.mark.parametrize("file", files(), ids=lambda file: str(file.relative_to(SRC)))
def test_a_pure_file_touches_nothing_outside(file: Path) -> None:
    if package_of(file) not in PURE:
        return
    source = file.read_text()
    called = [
        f"{file.name}:{node.lineno}: {node.func.id}()"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if node.func.id in IO_CALLS
    ]

    assert [found for found in imports(source, file) if impure(found)] + called == []


@pytest.mark.parametrize("file", files(), ids=lambda file: str(file.relative_to(SRC)))
def test_files_and_functions_stay_short(file: Path) -> None:
    source = file.read_text()
    functions = [
        f"{node.name}: {(node.end_lineno or 0) - node.lineno + 1} lines"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LIMIT
    ]

    assert len(source.splitlines()) <= FILE_LIMIT
    assert functions == []


# Guests, each in one file behind our words; web servers in one for each face that serves.
# What parses hostile bytes natively is one of them.
GUESTS = {
    "pyghostty": {"reader/library.py"},
    "zstandard": {"reader/checkpoints.py"},
    "socketio": {"host/wire.py"},
    "engineio": {"host/wire.py"},
    # Two servers that may not know each other: each has one file for what serves it.
    "uvicorn": {"host/server.py", "dev/web.py"},
    "starlette": {"host/app.py", "dev/web.py"},
    "watchfiles": {"dev/watching.py"},
    "h11": {"host/server.py", "dev/upstream.py"},
    "wsproto": {"dev/tunnel.py"},
    "PySide6": {"window/qt.py"},
    "shiboken6": {"window/qt.py"},
}


@pytest.mark.parametrize("guest", GUESTS)
def test_a_guest_is_known_in_one_file(guest: str) -> None:
    at_home = [
        str(file.relative_to(SRC))
        for file in files()
        for found in imports(file.read_text(), file)
        if found.module.partition(".")[0] == guest
    ]

    assert set(at_home) == GUESTS[guest]


def emitting(source: str) -> set[str]:
    """The functions in a file that send to a socket, or through the callable of the registry."""
    found = set()
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            called = [one.func for one in ast.walk(function) if isinstance(one, ast.Call)]
            names = [one.attr for one in called if isinstance(one, ast.Attribute)]
            through = [ast.unparse(one) for one in called if ast.unparse(one).endswith("wire.send")]
            if {"emit", "_emitter"} & {*names} or through:
                found.add(function.name)
    return found


def test_only_the_registry_tells_tabs_anything() -> None:
    """Who is still to be told, and by which epoch, is decided in one place: it has the one
    callable that reaches a socket, and nothing else in the host does."""
    told_by = {
        f"{file.stem}.{function}"
        for file in sorted((SRC / "host").rglob("*.py"))
        for function in emitting(file.read_text())
    }

    assert told_by == {"registry.tell", "host._emit"}
    assert "emit=self._emit" in (SRC / "host" / "host.py").read_text()


@pytest.mark.parametrize(
    "line",
    ["await server.emit('x')", "self.host.wire.send(one, 'x', {})", "self._emitter(a, b, c)"],
)
def test_whoever_tells_tabs_anything_is_seen(line: str) -> None:
    assert emitting(f"async def tell(self):\n    {line}") == {"tell"}


def test_every_package_has_its_row() -> None:
    assert {package_of(file) for file in files()} == set(ALLOWED)


def test_no_room_is_called_miscellaneous() -> None:
    vague = {"utils", "util", "helpers", "helper", "manager", "common", "base", "misc"}

    assert [file for file in files() if file.stem in vague or file.parent.name in vague] == []


@pytest.mark.parametrize(
    ("file", "line", "caught"),
    [
        ("protocol/codec.py", "from holdfast.config import load", forbidden),
        ("errors/peers.py", "import holdfast.protocol.codec", forbidden),
        ("config/load.py", "from holdfast.cli import main", forbidden),
        ("protocol/frames.py", "import socket", impure),
        ("types.py", "from os import path", impure),
        ("formats/timeline.py", "import time", impure),
        ("store/log.py", "from holdfast.config import paths", forbidden),
        ("errors/peers.py", "import asyncio.events", impure),
    ],
)
def test_the_walls_are_really_watched(file: str, line: str, caught: object) -> None:
    (found,) = imports(line, SRC / file)

    assert callable(caught)
    assert caught(found)


def test_the_names_of_modules_that_do_io_exist() -> None:
    assert IO_MODULES - {"uvloop"} <= set(sys.stdlib_module_names)
