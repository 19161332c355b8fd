"""Programs to compare with, each installed when first needed into bench/.venvs, by pip."""

import subprocess
import sys
import venv
from pathlib import Path

from bench.figures import LeftOut

_FOLDER = Path(__file__).parent / ".venvs"


def programs_of(package: str, requirement: str) -> Path:
    """The folder of a package's programs. Raises LeftOut when it cannot be installed."""
    name = f"{package}-py{sys.version_info.major}.{sys.version_info.minor}"
    folder = _FOLDER / name
    done = folder / "installed"
    if not (done.is_file() and done.read_text(encoding="utf-8") == requirement):
        _install(folder, requirement)
        done.write_text(requirement, encoding="utf-8")
    return folder / "bin"


def _install(folder: Path, requirement: str) -> None:
    print(f"installing {requirement} for comparison", file=sys.stderr)
    venv.create(folder, clear=True, with_pip=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    done = subprocess.run(
        [*pip, "install", "-q", requirement], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise LeftOut(f"{requirement} could not be installed: {last[0]}")
