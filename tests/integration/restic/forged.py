"""Snapshots that nobody made: sealed with a repository's own key, so that restic believes them.

Making one with restic costs a second, and a test of retention wants thousands.
"""

import base64
import hashlib
import json
import subprocess
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from drorch.restic.authentic import SealingKey


def forge(
    binary: Path, repository: Path, password: str, histories: Mapping[str, Sequence[datetime]]
) -> None:
    """Put snapshots into a local repository, as hosts of those names would have made them then."""
    key = _master_key(binary, repository, password)
    for host, times in histories.items():
        for time in times:
            snapshot = {
                "time": time.isoformat(),
                "tree": "0" * 64,
                "paths": ["/srv/ehr"],
                "hostname": host,
                "username": "root",
            }
            content = key.sealed(json.dumps(snapshot).encode())
            (repository / "snapshots" / hashlib.sha256(content).hexdigest()).write_bytes(content)


def _master_key(binary: Path, repository: Path, password: str) -> SealingKey:
    said = subprocess.run(
        [binary, "--no-cache", "-r", repository, "cat", "masterkey"],
        env={"RESTIC_PASSWORD": password, "HOME": str(repository)},
        check=True,
        capture_output=True,
    )
    found = json.loads(said.stdout)
    parts = (found["encrypt"], found["mac"]["k"], found["mac"]["r"])
    return SealingKey(*(base64.b64decode(text) for text in parts))
