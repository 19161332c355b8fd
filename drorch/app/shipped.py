"""Where the runbooks and configurations lie that come with the program: wheel or source tree."""

from pathlib import Path

import drorch

_PACKAGE = Path(drorch.__file__).parent


def shipped(name: str) -> Path:
    """The folder `runbooks` or `configs`."""
    in_wheel = _PACKAGE / "share" / name
    return in_wheel if in_wheel.is_dir() else _PACKAGE.parent / name
