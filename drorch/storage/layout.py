"""How restic lays a repository out in a bucket, and what follows from the names.

From restic's design.rst: the name of every file except `config` is the lower-case hexadecimal
SHA-256 of its content. `locks/` and `tmp/` are nobody else's business.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from drorch.core.errors import StorageError
from drorch.storage.bucket import Bucket
from drorch.storage.faults import Cause, not_understood

#: The one object that is not named by its content.
CONFIG = "config"

#: Where restic keeps its locks.
LOCKS = "locks"

_ID = re.compile(r"[0-9a-f]{64}")


class Kind(StrEnum):
    """The kinds of objects that are named by their content."""

    KEYS = "keys"
    DATA = "data"
    INDEX = "index"
    SNAPSHOTS = "snapshots"


@dataclass(frozen=True, slots=True)
class Named:
    """An object named by its content: `digest` is its SHA-256 (32 bytes), `size` in bytes."""

    kind: Kind
    digest: bytes
    size: int

    @property
    def id(self) -> str:
        """Its id as restic writes it."""
        return self.digest.hex()

    @property
    def name(self) -> str:
        """Its name below the repository's folder."""
        folder = f"data/{self.id[:2]}" if self.kind is Kind.DATA else self.kind.value
        return f"{folder}/{self.id}"

    def is_of(self, content: bytes) -> bool:
        """Whether the content is what the name says."""
        return hashlib.sha256(content).digest() == self.digest


def repository_of(path: str) -> str:
    """The repository's folder of one of its objects, both below the region's prefix."""
    *above, last = path.split("/")
    if last == CONFIG:
        return "/".join(above)
    sharded = above[-2:-1] == [Kind.DATA] and len(above[-1]) == 2
    return "/".join(above[:-2] if sharded else above[:-1])


def is_id(name: str, content: bytes | None = None) -> bool:
    """Whether restic would name an object so: 64 digits; and with a content, for that content."""
    if _ID.fullmatch(name) is None:
        return False
    return content is None or hashlib.sha256(content).hexdigest() == name


def listed(
    bucket: Bucket, repository: str, kind: Kind, *, part: str = "", after: str = ""
) -> Iterator[Named]:
    """The repository's objects of one kind as the region has them now, in the order of names.

    With `part` (`data/4f`) only those in that folder, with `after` only those after that name
    (below the repository's folder). What does not bear a name that restic would give it is passed
    over. As nothing proves a listing, one whose name is as long as if it did is looked at: if it is
    not there, its name came damaged, and StorageError is raised.
    """
    folder = repository.rstrip("/") + "/"
    beyond = f"{folder}{after}" if after else ""
    for entry in bucket.list_objects(f"{folder}{part or kind}/", after=beyond):
        found = named_in(kind, entry.name.removeprefix(folder), entry.size)
        if found is not None:
            yield found
        elif _nearly(kind, entry.name.removeprefix(folder)) and bucket.head(entry.name) is None:
            raise not_understood(bucket.region, f"list {kind}")


def _nearly(kind: Kind, name: str) -> bool:
    return len(name) == len(Named(kind, bytes(32), 0).name)


def named_in(kind: Kind, name: str, size: int) -> Named | None:
    """What a name below the repository's folder says; None if restic would not give it to that kind."""
    last = name.rsplit("/", 1)[-1]
    if not _ID.fullmatch(last):
        return None
    found = Named(kind, bytes.fromhex(last), size)
    return found if found.name == name else None


def resolve_snapshot(bucket: Bucket, repository: str, short: str) -> str:
    """The full 64-digit id of the only snapshot that begins so.

    `repository` is the repository's folder below the region's prefix, such as `datasets/ehr`.
    Raises StorageError with cause `no-snapshot` or `ambiguous-snapshot`.
    """
    listing = bucket.list_objects(f"{repository.rstrip('/')}/snapshots/{short}")
    found = [entry.name.rsplit("/", 1)[-1] for entry in listing]
    if len(found) == 1:
        return found[0]
    says = f"{len(found)} snapshots begin" if found else "no snapshot begins"
    raise StorageError(
        f"region {bucket.region.name}: {says} with {short}",
        "give more digits of its id" if found else "see `drorch snapshots list`",
        Cause.AMBIGUOUS if found else Cause.NO_SNAPSHOT,
    )
