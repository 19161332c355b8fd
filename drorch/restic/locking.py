"""Locks of restic's, written and read without restic, so that one may be held over several commands.

From restic's lock.go: a lock is a sealed JSON object in `locks/`, named like any other by its
hash. An exclusive one bears no other beside it. restic calls a lock stale once it is 30 minutes
old or its process is gone, but removes it only when it is told to.
"""

import json
import socket
from datetime import datetime, timedelta

from drorch.restic.authentic import NotGenuine, SealingKey
from drorch.restic.reading import read_lock
from drorch.restic.results import Lock

#: restic renews its own every 5 minutes; what is older than this is not to be relied on.
FRESH = timedelta(minutes=20)


def own_host() -> str:
    """What stands as the host in locks of drorch's own.

    To see whether a lock is stale, `restic unlock` sends SIGHUP to the process that it names on
    the same host, and restic alone takes no notice of that: it must not find us to be local.
    """
    return f"drorch@{socket.gethostname()}"


def exclusive_lock(key: SealingKey, *, now: datetime, user: str, pid: int) -> bytes:
    """An exclusive lock as restic writes them; two are never alike."""
    told = {
        "time": now.isoformat(),
        "exclusive": True,
        "hostname": own_host(),
        "username": user,
        "pid": pid,
    }
    return key.sealed(json.dumps(told).encode())


def open_lock(key: SealingKey, lock: str, sealed: bytes) -> Lock | None:
    """What a lock says; None if it is none of this repository's."""
    try:
        return read_lock(lock, {"exclusive": False, "username": "", **key.document(sealed)})
    except (NotGenuine, ValueError, TypeError, KeyError):
        return None
