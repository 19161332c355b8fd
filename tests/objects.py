"""What lies in a region's repository, looked at behind its server's back."""

import hashlib
import re
from pathlib import Path

_ID = re.compile(r"[0-9a-f]{64}")
_KINDS = ("keys", "data", "index", "snapshots")


def objects(repository: Path) -> dict[str, Path]:
    """Everything that restic names by its content: its name below the repository, its file.

    Without what an rclone that is still being sent something has not put in its place yet.
    """
    files = (p for kind in _KINDS for p in (repository / kind).rglob("[!.]*") if p.is_file())
    return {str(p.relative_to(repository)): p for p in files}


def damaged(repository: Path) -> list[str]:
    """Objects that are not what their names say, and names that restic does not give."""
    found = objects(repository)
    return [n for n, p in found.items() if not _ID.fullmatch(p.name) or _hash(p) != p.name]


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
