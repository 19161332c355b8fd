"""Segments: the journal's new rows, and configuration and runbooks when they changed, as one object.

The bytes are described in docs/control-plane.md; a stand-alone script reads them.
"""

import base64
import binascii
import json
import secrets as entropy
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from drorch import __version__
from drorch.core.document import rfc3339
from drorch.core.errors import DrorchError
from drorch.core.plane import FOLDER, Point
from drorch.core.terms import TermBegun, told_term
from drorch.journal.chain import Row
from drorch.journal.increments import Increment, Numbered, Request
from drorch.journal.statements import REVISION
from drorch.sealing.vault import NotOpened, seal, unseal

FORMAT = 1

#: What stands between the columns of a row and the event it makes.
_COLUMNS = Row.__slots__


@dataclass(frozen=True, slots=True)
class Files:
    """Configuration (`drorch.yaml`) and runbooks (`runbooks/…`) by their paths.

    `digest` tells two states of them apart; `left_out` names what was too large.
    """

    content: Mapping[str, bytes]
    digest: str
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment, opened."""

    stream: str
    number: int
    made_at: datetime
    version: str
    revision: str
    organization: str
    after: Point
    until: Point
    ledger: str
    events: tuple[Numbered, ...] = field(repr=False)
    posted: tuple[Request, ...] = ()
    files: Mapping[str, bytes] | None = None
    left_out: tuple[str, ...] = ()
    instance: str = ""
    term: int = 0

    def joins(self, point: Point) -> bool:
        """Whether it goes on from there: the same history, and nothing missing between."""
        if point.n == self.after.n:
            return point.hash == self.after.hash
        return point.n == 0 == self.after.n or any(
            n == point.n and row.hash == point.hash for n, row in self.events
        )


class NewerState(DrorchError):
    """What a newer version of drorch has written."""


def vault_folder(plane: str, vault: str) -> str:
    """Where everything lies that one passphrase opens, below a region's prefix."""
    return f"{FOLDER}/{plane}/{vault}"


def segment_name(plane: str, vault: str, stream: str, number: int) -> str:
    """An object's name below a region's prefix; it is sealed in.

    No name is given twice: what a process that was killed, or was waited for no longer, sends late
    is written over nothing.
    """
    own = entropy.token_hex(4)
    return f"{vault_folder(plane, vault)}/segments/{stream}/{number:010}-{own}"


def number_of(name: str) -> int:
    """A segment's number, of its name."""
    return int(name.rsplit("/", 1)[1].partition("-")[0])


def sealed_segment(
    key: bytes,
    name: str,
    found: Increment,
    *,
    made_at: datetime,
    organization: str,
    files: Files | None,
    term: TermBegun,
) -> bytes:
    """A segment's bytes."""
    stream = name.rsplit("/", 2)[1]
    document = {
        "format": FORMAT,
        "stream": stream,
        "number": number_of(name),
        "made_at": rfc3339(made_at),
        "version": __version__,
        "revision": REVISION,
        "organization": organization,
        "after": [found.after.n, found.after.hash],
        "until": [found.until.n, found.until.hash],
        "ledger": found.ledger,
        "events": [[n, *(getattr(row, c) for c in _COLUMNS)] for n, row in found.events],
        "posted": [list(one) for one in found.posted],
        "files": None,
        "instance": term.instance,
        "term": told_term(term),
    }
    if files is not None:
        packed = {p: base64.b64encode(c).decode() for p, c in sorted(files.content.items())}
        document |= {"files": packed, "left_out": list(files.left_out)}
    return seal(key, name, json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode())


def opened_segment(key: bytes, name: str, sealed: bytes) -> Segment:
    """A segment; NotOpened if it is none of this vault under this name, NewerState.

    A newer version is believed only of what is sealed rightly: anybody who may write into a bucket
    could say so.
    """
    try:
        plain = unseal(key, name, sealed)
        document = json.loads(plain)
        if document["format"] != FORMAT or document["revision"] > REVISION:
            raise newer_state(str(document["version"]))
        return _segment(name, document)
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise NotOpened("it is sealed rightly, but cannot be read") from error


def newer_state(version: str) -> NewerState:
    """The error for what a newer version has written."""
    return NewerState(
        f"the control plane was written by drorch {version}, and this is {__version__}",
        "recover with that version of drorch, or a newer one",
    )


def _segment(name: str, document: Mapping[str, Any]) -> Segment:
    files = document["files"]
    return Segment(
        stream=str(document["stream"]),
        number=number_of(name),
        made_at=datetime.fromisoformat(document["made_at"]),
        version=str(document["version"]),
        revision=str(document["revision"]),
        organization=str(document["organization"]),
        after=Point(*document["after"]),
        until=Point(*document["until"]),
        ledger=str(document["ledger"]),
        events=tuple((int(n), Row(*row)) for n, *row in document["events"]),
        posted=tuple((str(r), str(k), str(b)) for r, k, b in document["posted"]),
        files=None if files is None else {p: base64.b64decode(c) for p, c in files.items()},
        left_out=tuple(document.get("left_out", ())),
        instance=str(document.get("instance", "")),
        term=int(document.get("term", 0)),
    )
