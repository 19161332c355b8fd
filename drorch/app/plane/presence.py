"""Presences: what living daemons of one control plane tell of themselves in every region.

The bytes are described in docs/control-plane.md. They are sealed with the vault's key: whoever may
only write into a bucket can plant none, but can delete them, or put an older one back.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from drorch import __version__
from drorch.app.plane.segments import vault_folder
from drorch.core.document import rfc3339
from drorch.core.plane import Point
from drorch.core.terms import Presence
from drorch.sealing.vault import NotOpened, seal, unseal

FORMAT = 1

#: No presence is larger, in bytes: ours have a few hundred.
LARGEST = 1 << 16


def presence_folder(plane: str, vault: str) -> str:
    """Where they lie, below a region's prefix."""
    return f"{vault_folder(plane, vault)}/present/"


def sealed_presence(key: bytes, name: str, told: Presence) -> bytes:
    """A presence's bytes, for the object of this name."""
    document = {
        "format": FORMAT,
        "version": __version__,
        "instance": told.instance,
        "term": told.term,
        "since": rfc3339(told.since),
        "host": told.host,
        "began_at": rfc3339(told.began_at),
        "at": rfc3339(told.at),
        "count": told.count,
        "until": [told.until.n, told.until.hash],
        "back": told.back,
        "stopped": told.stopped,
    }
    return seal(key, name, json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode())


def opened_presence(key: bytes, name: str, sealed: bytes) -> Presence:
    """A presence; NotOpened if it is none of this vault under this name."""
    try:
        return _presence(name, json.loads(unseal(key, name, sealed)))
    except (ValueError, KeyError, TypeError) as error:
        raise NotOpened("it is sealed rightly, but cannot be read") from error


def _presence(name: str, document: Mapping[str, Any]) -> Presence:
    """Of a newer format, too: what later versions add does not take away what is read here."""
    return Presence(
        name=name.rsplit("/", 1)[1],
        instance=str(document["instance"]),
        term=int(document["term"]),
        since=datetime.fromisoformat(document["since"]),
        host=str(document["host"]),
        began_at=datetime.fromisoformat(document["began_at"]),
        at=datetime.fromisoformat(document["at"]),
        until=Point(*document["until"]),
        back=bool(document["back"]),
        stopped=bool(document["stopped"]),
        count=int(document["count"]),
    )
