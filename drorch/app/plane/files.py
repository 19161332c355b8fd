"""What of the control plane is files: the configuration, the runbooks, and public keys that it names.
Secrets are none of it.
"""

import hashlib
from pathlib import Path

from drorch.app.plane.segments import Files
from drorch.core.model import Configuration

CONFIGURATION = "drorch.yaml"
RUNBOOKS = "runbooks"

#: Runbooks, and how they are tested.
_SUFFIXES = frozenset({".yaml", ".yml"})

#: A runbook is a few thousand bytes long.
_LARGEST = 1 << 20


def files_of(configuration: Configuration) -> Files | None:
    """The configuration's file and its runbooks, as they lie there now; None if the file is no more
    what was loaded: a half-written one would be no help to anybody.

    Runbooks that cannot be read or are too large are left out, and named.
    """
    found: dict[str, bytes] = {}
    left_out: list[str] = []
    for name, path in _wanted(configuration):
        try:
            if path.stat().st_size > _LARGEST:
                left_out.append(name)
                continue
            found[name] = path.read_bytes()
        except OSError:
            left_out.append(name)
    text = found.get(CONFIGURATION, b"").decode("utf-8-sig", "replace")
    if hashlib.sha256(text.encode()).hexdigest() != configuration.digest:
        return None
    digest = hashlib.sha256()
    for name, content in sorted(found.items()):
        digest.update(f"{len(name)} {name} {len(content)} ".encode() + content)
    return Files(found, digest.hexdigest(), tuple(left_out))


def _wanted(configuration: Configuration) -> list[tuple[str, Path]]:
    wanted = [(CONFIGURATION, configuration.file)] if configuration.file is not None else []
    there = sorted(p for p in configuration.runbooks.glob("*") if p.suffix in _SUFFIXES)
    return [
        *wanted,
        *((f"{RUNBOOKS}/{path.name}", path) for path in there),
        *_public_keys(configuration),
    ]


def _public_keys(configuration: Configuration) -> list[tuple[str, Path]]:
    """Files of public keys, as the configuration has them: those below its folder."""
    folder = configuration.folder
    named = [Path(one) for one in configuration.evidence.public_keys if "\n" not in one]
    return [(str(p.relative_to(folder)), p) for p in named if p.is_relative_to(folder)]
