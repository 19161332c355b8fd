"""The signed head of the ledger: that on a day the records of an organisation were these, and no fewer.

Its statement is `{format, organization, n, hash, at}`: the ledger had n entries, and the hash of the
last one covers all before it. Whoever holds one can tell a journal that was cut or rewritten since.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from drorch.core.codec import NotDecodable, canonical, decode, parse
from drorch.core.encoding import write_instant
from drorch.sealing.envelope import NotSealed, enveloped, unsealed
from drorch.sealing.keys import PrivateKey, PublicKey

#: What a file is called that holds one.
HEAD = "ledger-head.json"

FORMAT = "drorch-ledger-head-1"

#: The type of the statement.
TYPE = "application/vnd.drorch.ledger-head+json"


@dataclass(frozen=True, slots=True)
class Head:
    """Where the ledger ended at a time: number and hash (hex) of its last entry."""

    organization: str
    n: int
    hash: str
    at: datetime


def signed_head(head: Head, key: PrivateKey) -> bytes:
    """The head as a signed envelope, the bytes of a file."""
    statement = canonical(
        {
            "format": FORMAT,
            "organization": head.organization,
            "n": head.n,
            "hash": head.hash,
            "at": write_instant(head.at),
        }
    )
    return enveloped(statement, TYPE, key)


def head_of(envelope: bytes, trusted: Sequence[PublicKey]) -> Head:
    """The head that somebody trusted signed; NotSealed otherwise."""
    statement = unsealed(envelope, TYPE, trusted)
    try:
        value = parse(statement.payload)
        if not isinstance(value, dict) or value.pop("format", None) != FORMAT:
            raise NotSealed("it is of a format that is not known here")
        return decode(Head, value)
    except NotDecodable as error:
        raise NotSealed(f"it is no head of a ledger: {error}") from None
