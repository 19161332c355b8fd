"""Which restic this is, and what each version can do: one table, asked everywhere.

Knows the two forms of `restic version`, the versions that are refused, and how to remember the
answer by the binary's path, size and time of change, so that a backup starts restic once.
"""

import json
import re
import shutil
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from drorch.core.errors import ResticError
from drorch.ports import Cancellation, Command, Commands, Ended

_PROBE_TIMEOUT = timedelta(seconds=30)
_HINT = "install restic 0.14.0 or later (apt-get install restic, or https://restic.net)"


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A restic version."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


OLDEST: Final = Version(0, 14, 0)

#: Versions that cannot be driven by machine, and why.
REFUSED: Final[Mapping[Version, str]] = {
    Version(0, 19, 0): "it prints a progress bar into its JSON (restic#21866)",
}

#: The first version that can do it. Observed with 0.14.0, 0.18.0 and 0.19.1, the versions
#: between them by restic's changelog.
_SINCE: Final[Mapping[str, Version]] = {
    "json_init": Version(0, 15, 0),
    "full_snapshot_id": Version(0, 15, 0),
    "no_scan": Version(0, 15, 0),
    "retry_lock": Version(0, 16, 0),
    "json_restore": Version(0, 16, 0),
    "snapshot_summary": Version(0, 17, 0),
    "full_key_id": Version(0, 17, 0),
    "json_check": Version(0, 18, 0),
}


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What one version can do; the fields are the rows of the table above.

    `json_*`: the command speaks JSON. `full_snapshot_id`, `full_key_id`: 64 digits instead of
    the first 8. `no_scan`: `backup --no-scan`. `retry_lock`: `--retry-lock`.
    `snapshot_summary`: a snapshot keeps the counts and the times of its backup.
    """

    version: Version
    json_init: bool
    full_snapshot_id: bool
    no_scan: bool
    retry_lock: bool
    json_restore: bool
    snapshot_summary: bool
    full_key_id: bool
    json_check: bool


def capabilities(version: Version) -> Capabilities:
    """What `version` can do. Raises ResticError `unsupported-version` for one that is refused."""
    if version < OLDEST:
        message = f"restic {version} is too old: {OLDEST} is the oldest that works"
        raise ResticError(message, _HINT, "unsupported-version")
    if version in REFUSED:
        message = f"restic {version} cannot be used: {REFUSED[version]}"
        hint = "install any other version from 0.14.0 on, 0.19.1 for example"
        raise ResticError(message, hint, "unsupported-version")
    return Capabilities(version, **{name: version >= since for name, since in _SINCE.items()})


def parse_version(text: str) -> Version:
    """The version in what `restic version --json` printed: text before 0.17, JSON since.

    Raises ResticError `not-restic` if there is none.
    """
    match = re.search(r'(?:^restic |"version":\s*")(\d+)\.(\d+)\.(\d+)', text, re.MULTILINE)
    if match is None:
        message = f"this does not look like restic: {text.strip()[:100]!r}"
        raise ResticError(message, _HINT, "not-restic")
    major, minor, patch = map(int, match.groups())
    return Version(major, minor, patch)


def find_binary(name: str, environment: Mapping[str, str]) -> Path:
    """The resolved path of the restic program, found by PATH. Raises ResticError `not-found`."""
    found = shutil.which(name, path=environment.get("PATH", ""))
    if found is None:
        raise ResticError(f"there is no program {name!r}", _HINT, "restic-not-found")
    return Path(found).resolve()


class Versions:
    """Asks each binary for its version once, and remembers the answer across processes.

    The memory is `restic-versions.json` in `folder`; without a folder, in the process alone.
    A memory that cannot be read or written costs a process start, never an error.
    """

    def __init__(
        self, commands: Commands, folder: Path | None, environment: Mapping[str, str]
    ) -> None:
        self._commands = commands
        self._environment = environment
        self._file = None if folder is None else folder / "restic-versions.json"
        self._known: dict[str, Version] = {}
        self._lock = threading.Lock()

    def capabilities(self, binary: Path, cancel: Cancellation | None = None) -> Capabilities:
        """What the binary can do. Raises ResticError `not-restic`, `unsupported-version`."""
        key = _fingerprint(binary)
        with self._lock:
            version = self._known.get(key) or self._remembered(key)
            if version is None:
                version = self._ask(binary, cancel)
                self._remember(key, version)
            self._known[key] = version
        return capabilities(version)

    def _ask(self, binary: Path, cancel: Cancellation | None) -> Version:
        command = Command(
            (str(binary), "version", "--json"), self._environment, timeout=_PROBE_TIMEOUT
        )
        done = self._commands.run(command, cancel=cancel)
        if done.ended is Ended.CANCELLED:
            message = "interrupted while asking restic for its version"
            raise ResticError(message, "run the command again", "interrupted")
        if done.exit_code != 0:
            why = (done.stderr or done.stdout or done.message).strip()[:200]
            raise ResticError(f"{binary} version failed: {why}", _HINT, "not-restic")
        return parse_version(done.stdout)

    def _remembered(self, key: str) -> Version | None:
        return _versions_in(self._file).get(key)

    def _remember(self, key: str, version: Version) -> None:
        if self._file is None:
            return
        known = {k: str(v) for k, v in _versions_in(self._file).items()} | {key: str(version)}
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            new = self._file.with_suffix(".new")
            new.write_text(json.dumps(known, indent=1))
            new.replace(self._file)


def _fingerprint(binary: Path) -> str:
    try:
        found = binary.stat()
    except OSError as error:
        message = f"{binary} cannot be looked at: {error.strerror}"
        raise ResticError(message, _HINT, "restic-not-found") from error
    return f"{binary}:{found.st_size}:{found.st_mtime_ns}"


def _versions_in(file: Path | None) -> dict[str, Version]:
    if file is None:
        return {}
    try:
        known = json.loads(file.read_text())
        return {k: Version(*map(int, v.split("."))) for k, v in known.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
