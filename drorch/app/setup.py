"""Use case `init`: a folder to start from."""

import os
import re
import secrets as entropy
from pathlib import Path

from drorch.adapters.evidence import make_private, write_durably
from drorch.app.keyring import new_pair
from drorch.app.shipped import shipped
from drorch.config.load import load_configuration
from drorch.core.errors import DrorchError, UsageError
from drorch.core.values import Value

#: A repository password: 256 bits, in letters that survive being written down.
_PASSWORD_BYTES = 32


def initialise_folder(folder: Path) -> dict[str, Value]:
    """Write drorch.yaml, a repository password and the key that seals evidence (0600), its public
    half, and the runbooks into `folder`.

    Raises UsageError if there is a configuration already, or can be no folder; nothing there is ever
    overwritten. DrorchError where something cannot be written: it may be tried again.
    """
    folder = folder.absolute()
    configuration = folder / "drorch.yaml"
    if os.path.lexists(configuration):
        raise UsageError(
            f"{configuration} is there already",
            "edit it, or name an empty folder: drorch init FOLDER",
        )
    made_folder(folder, "drorch init FOLDER")
    try:
        written = _written(folder, configuration)
    except OSError as error:
        raise DrorchError(
            f"{error.filename or folder} cannot be written: {error.strerror}",
            "see that it can be written and has room; then run drorch init again",
        ) from error
    load_configuration(configuration)
    return {"folder": str(folder), "written": [str(configuration), *map(str, written)]}


def made_folder(folder: Path, how: str) -> None:
    """Make it, if it is not there; UsageError where it cannot be. `how` is the command that names it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{folder} cannot be made: {error.strerror}"
        raise UsageError(message, f"name another folder: {how}") from None


def _written(folder: Path, configuration: Path) -> list[Path]:
    make_private(folder / "secrets")
    written = [
        *_password(folder / "secrets" / "repo-key"),
        *new_pair(folder / "secrets" / "evidence-key"),
        *_runbooks(folder / "runbooks"),
    ]
    # The last: while it is not there, all may be tried again.
    write_durably(configuration, (shipped("configs") / "starter.yaml").read_bytes())
    configuration.chmod(0o644)
    return written


def _password(path: Path) -> list[Path]:
    if path.exists():
        return []
    write_durably(path, entropy.token_urlsafe(_PASSWORD_BYTES).encode() + b"\n")
    return [path]


#: What the first drills need: a copy that is restored, and drorch's own records that come back.
_RUNBOOKS = ("restore-test.yaml", "control-plane-lost.yaml")

#: What of a ready runbook is the lab's: who owns it, and inputs that name what only the lab has.
_OF_THE_LAB = re.compile(r"^owner: .*\n|default: (?:qc|ehr-documents), ", re.MULTILINE)


def _runbooks(folder: Path) -> list[Path]:
    folder.mkdir(exist_ok=True)
    written = []
    for name in _RUNBOOKS:
        if not (folder / name).exists():
            ready = (shipped("runbooks") / name).read_text(encoding="utf-8")
            own = _OF_THE_LAB.sub("", ready).replace("default: ehr-failover", 'default: ""')
            write_durably(folder / name, own.encode())
            written.append(folder / name)
    return written
