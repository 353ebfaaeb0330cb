"""What users install: the wheel, alone with its locked dependencies in an empty environment."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import holdfast
from steps import UV_SETTINGS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]  # a slow registry is no failure of ours

ROOT = Path(__file__).resolve().parents[2]
VERSION = f"holdfast {holdfast.__version__}\n"


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """Run a command to its good end; return what it printed."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | UV_SETTINGS,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(kind: str, tree: Path, directory: Path) -> Path:
    """Build with the hashed tools of this environment, not with freshly fetched ones."""
    run(sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", directory, cwd=tree)
    (result,) = directory.iterdir()
    return result


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the programs of an environment that holds the wheel, its dependencies and no more."""
    environment = tmp_path_factory.mktemp("environment")
    programs = environment / "bin"
    run(sys.executable, "-m", "venv", "--without-pip", environment)
    python = programs / "python"
    uv = Path(sys.executable).parent / "uv"
    install: list[str | Path] = (
        [uv, "pip", "install", "--python", python]
        if uv.exists()
        else [sys.executable, "-m", "pip", "--python", python, "install"]
    )
    run(*install, "--require-hashes", "-r", ROOT / "locks/run.txt")
    run(*install, "--no-deps", wheel)
    return programs


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_module_runs_from_an_empty_environment(installed: Path, tmp_path: Path) -> None:
    assert run(installed / "python", "-I", "-m", "holdfast", "--version", cwd=tmp_path) == VERSION


@pytest.mark.parametrize("name", ["hold", "holdfast"])
def test_the_commands_run_from_an_empty_environment(
    installed: Path, tmp_path: Path, name: str
) -> None:
    assert run(installed / name, "--version", cwd=tmp_path) == VERSION


def test_the_wheel_is_typed(wheel: Path) -> None:
    assert "holdfast/py.typed" in contents(wheel)


def test_the_wheel_carries_its_licence(wheel: Path) -> None:
    licence = f"holdfast-{holdfast.__version__}.dist-info/licenses/LICENSE"
    assert contents(wheel)[licence] == (ROOT / "LICENSE").read_bytes()


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    own = f"holdfast-{holdfast.__version__}"
    manual = f"{own}.data/data/share/man/man1/"
    rooms = {name.split("/")[0] for name in contents(wheel) if not name.startswith(manual)}
    assert rooms == {"holdfast", f"{own}.dist-info"}
    assert f"{manual}hold.1" in contents(wheel)


def test_the_source_distribution_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    source = build("sdist", ROOT, tmp_path / "source")
    run(
        "tar", "-xf", source, "-C", tmp_path
    )  # tarfile has no safe way in common to 3.11.2 and 3.14
    tree = tmp_path / source.name.removesuffix(".tar.gz")
    assert contents(build("wheel", tree, tmp_path / "wheel")) == contents(wheel)
