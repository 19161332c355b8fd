"""What lies in a region of control planes, opened by a passphrase."""

import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from drorch.adapters.clock import SystemClock
from drorch.app.plane.posts import Keys, Post
from drorch.app.plane.presence import presence_folder
from drorch.app.plane.segments import NewerState, Segment, newer_state, opened_segment, vault_folder
from drorch.app.plane.whole import Manifest
from drorch.core.errors import DrorchError, ResticError, StorageError, UsageError
from drorch.core.model import Region
from drorch.core.plane import FOLDER
from drorch.core.terms import Sighting
from drorch.journal.statements import REVISION
from drorch.restic.client import Restic
from drorch.restic.repository import RepositoryAddress, repository_url
from drorch.restic.results import Snapshot
from drorch.sealing.vault import (
    LARGEST,
    LARGEST_KEY,
    NewerFormat,
    NotOpened,
    WrongPassphrase,
    open_vault,
)
from drorch.storage.bucket import Bucket
from drorch.storage.faults import OF_ONE_OBJECT, Cause
from drorch.storage.folders import folders
from drorch.storage.layout import CONFIG

#: How many segments are read at once.
_HANDS = 16

#: In so many vaults a passphrase is tried at once: each takes 64 MiB and a third of a second of a processor.
_TRIED_AT_ONCE = 4

#: So many vaults whose keys are lost are looked into with restic, which takes seconds for each.
_KEYLESS = 4

#: Of so many that do not open it is asked when they were begun: anybody who may write can make more.
_DATED = 50

_NOT_GIVEN = frozenset({Cause.CREDENTIALS, Cause.REFUSED})

#: Why one object cannot be read; a store whose disk is bad says so of what lay there, for ever.
_OF_ONE_OBJECT = OF_ONE_OBJECT | {Cause.SERVER_ERROR}

#: What editors put before a text, and pages between words.
_UNSEEN = "\ufeff\u00a0\u200b"

#: How many flaws are named.
NAMED = 5


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole state in a region's repository."""

    snapshot: Snapshot
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Opened:
    """One vault of one region: whole states, newest first, and segments by stream, in order.

    `flaws` say what of it could not be used, and why; `present` are daemons that told of themselves.
    `shut_since` is when a later vault was begun there that the passphrase does not open.
    """

    bucket: Bucket = field(repr=False)
    address: RepositoryAddress = field(repr=False)
    plane: str
    wholes: tuple[Whole, ...]
    streams: Mapping[str, tuple[Segment, ...]]
    flaws: tuple[str, ...]
    present: tuple[Sighting, ...] = ()
    shut_since: datetime | None = None

    @property
    def organization(self) -> str:
        """Whose control plane it says it is."""
        named = (one.organization for stream in self.streams.values() for one in stream)
        return next(named, "")


def look(bucket: Bucket, passphrase: str, restic: Restic, plane: str = "") -> list[Opened]:
    """Every vault of the region's control plane that the passphrase opens, with what is in it.

    `plane` names which, where there are several. Raises UsageError where there is none, or more than
    one, or none opens; NewerState; StorageError of a region that cannot be read.
    """
    try:
        planes = folders(bucket, f"{FOLDER}/")
    except StorageError as error:
        if error.cause != "no-bucket":
            raise
        region = bucket.region
        raise UsageError(
            f"there is no bucket {region.bucket} at {region.endpoint}", "check --bucket"
        ) from None
    found = [p for p in planes if p.startswith(plane)]
    if not found:
        raise _none(bucket.region, plane, planes)
    if len(found) > 1:
        raise _several(bucket, found, passphrase)
    vaults = _vaults(bucket, found[0], passphrase)
    opened = [_opened(bucket, found[0], v, key, passphrase, restic) for v, key in vaults.opened]
    for name in vaults.keyless[:_KEYLESS]:
        opened += _by_restic(bucket, found[0], name, passphrase, restic)
    if not opened:  # a key that was changed looks as if the passphrase were wrong
        for name in vaults.shut[:_KEYLESS]:
            opened += _by_restic(bucket, found[0], name, passphrase, restic)
    if not opened:
        raise vaults.unopened(bucket.region, passphrase)
    since = _shut_since(bucket, found[0], vaults) if vaults.opened else None
    return [replace(o, flaws=(*vaults.flaws, *o.flaws), shut_since=since) for o in opened]


@dataclass(frozen=True, slots=True)
class _Vaults:
    """A control plane's vaults: those that the passphrase opens, with their keys; `keyless` are those
    whose keys are missing or damaged, `shut` those that it does not open.
    """

    opened: list[tuple[str, bytes]] = field(default_factory=list, repr=False)
    keyless: list[str] = field(default_factory=list)
    shut: list[str] = field(default_factory=list)
    flaws: list[str] = field(default_factory=list)
    errors: list[DrorchError | NotOpened] = field(default_factory=list)

    @property
    def word(self) -> str:
        """What is said of the control plane where there are several."""
        if self.opened:
            return "opens"
        return "does not open" if self.shut or not self.flaws else "its key is missing or damaged"

    def unopened(self, region: Region, passphrase: str) -> DrorchError:
        """Why nothing opens."""
        if any(isinstance(one, NewerFormat) for one in self.errors):
            return newer_state("newer than this one")
        for one in self.errors:
            if isinstance(one, StorageError) and one.cause in _NOT_GIVEN and not self.shut:
                return one
        return _unopened(region, passphrase, self.flaws if not self.shut else None)


def _vaults(bucket: Bucket, plane: str, passphrase: str) -> _Vaults:
    found = _Vaults()
    for vault, key in _tried(bucket, plane, passphrase):
        match key:
            case bytes():
                found.opened.append((vault, key))
            case WrongPassphrase():
                found.shut.append(vault)
            case NotOpened():  # or somebody planted it: another may open all the same
                found.errors.append(key)
                found.keyless.extend([] if isinstance(key, NewerFormat) else [vault])
                found.flaws.append(f"{_key_name(plane, vault)}: {key}")
            case StorageError():
                found.errors.append(key)
                found.keyless.append(vault)
                gone = key.cause == Cause.NO_OBJECT
                told = f"{_key_name(plane, vault)} is missing" if gone else key.message
                found.flaws.append(told)
            case None:
                pass
    return found


def _shut_since(bucket: Bucket, plane: str, vaults: _Vaults) -> datetime | None:
    """When the last vault was begun that does not open, if that was after those that do: the password
    was changed since. Older ones lie there for good.
    """

    def begun(names: Iterable[str]) -> Iterator[datetime]:
        for name in names:
            with suppress(StorageError):
                entry = bucket.head(_key_name(plane, name))
                if entry is not None:
                    yield entry.modified

    last = max(begun(vaults.shut[:_DATED]), default=None)
    if last is None or any(one >= last for one in begun(name for name, _ in vaults.opened)):
        return None
    return last


def _holds_records(bucket: Bucket, plane: str, vault: str) -> bool:
    """Whether a vault holds more than presences: a daemon or a claim tells of itself before the first
    copy brings the vault's key, and nothing is damaged then.
    """
    here = presence_folder(plane, vault)
    lies = folders(bucket, f"{vault_folder(plane, vault)}/")
    return any(f"{vault_folder(plane, vault)}/{name}/" != here for name in lies)


def _tried(
    bucket: Bucket, plane: str, passphrase: str
) -> list[tuple[str, bytes | NotOpened | StorageError | None]]:
    """By vault its key, or why there is none; None if nothing is to be opened. StorageError of a region
    that cannot be read.
    """

    def key(vault: str) -> bytes | NotOpened | StorageError | None:
        try:
            return open_vault(bucket.get(_key_name(plane, vault), most=LARGEST_KEY), passphrase)
        except NotOpened as error:
            return error
        except StorageError as error:
            if error.cause not in _OF_ONE_OBJECT:
                raise
            empty = error.cause == Cause.NO_OBJECT and not _holds_records(bucket, plane, vault)
            return None if empty else error

    vaults = folders(bucket, f"{FOLDER}/{plane}/")
    pool = ThreadPoolExecutor(_TRIED_AT_ONCE)
    try:
        return list(zip(vaults, pool.map(key, vaults), strict=True))
    finally:  # whoever ends it early does not wait for hundreds
        pool.shutdown(cancel_futures=True)


def _key_name(plane: str, vault: str) -> str:
    return f"{vault_folder(plane, vault)}/key"


def _opened(
    bucket: Bucket, plane: str, vault: str, key: bytes, passphrase: str, restic: Restic
) -> Opened:
    segments, damaged = _segments(bucket, f"{vault_folder(plane, vault)}/segments/", key)
    address = _address(bucket, plane, vault, passphrase)
    wholes, trouble = _wholes(bucket, _repository(plane, vault), address, restic)
    post = Post(bucket, plane, Keys({vault: key}, str))
    told = (*damaged, *trouble)
    present: tuple[Sighting, ...] = ()
    try:
        present = tuple(post.of_vault(vault, SystemClock().now().at))
    except StorageError as error:
        if error.cause not in _OF_ONE_OBJECT:
            raise
        told = (*told, error.message)
    return Opened(bucket, address, plane, tuple(wholes), segments, told, present)


def _by_restic(
    bucket: Bucket, plane: str, vault: str, passphrase: str, restic: Restic
) -> list[Opened]:
    """A vault whose key is lost: nothing that is sealed opens, but whole states do, whose repository
    has the passphrase itself for its password.
    """
    address = _address(bucket, plane, vault, passphrase)
    wholes, _ = _wholes(bucket, _repository(plane, vault), address, restic)
    told = (
        f"{_key_name(plane, vault)} does not open the segments beside it: whole states do without"
    )
    return [Opened(bucket, address, plane, tuple(wholes), {}, (told,))] if wholes else []


def _repository(plane: str, vault: str) -> str:
    return f"{vault_folder(plane, vault)}/repository"


def _address(bucket: Bucket, plane: str, vault: str, passphrase: str) -> RepositoryAddress:
    credentials = bucket.credentials
    return RepositoryAddress(
        repository_url(bucket.region, _repository(plane, vault)),
        passphrase,
        credentials.access_key,
        credentials.secret_key,
        profile=credentials.profile,
        location=bucket.region.location,
    )


def _segments(
    bucket: Bucket, folder: str, key: bytes
) -> tuple[dict[str, tuple[Segment, ...]], list[str]]:
    names = [entry.name for entry in bucket.list_objects(folder)]

    def read(name: str) -> Segment | str:
        try:
            return opened_segment(key, name, bucket.get(name, most=LARGEST))
        except NotOpened as error:
            return f"{name}: {error}"
        except StorageError as error:
            if error.cause not in _OF_ONE_OBJECT:
                raise
            return f"{name} is gone" if error.cause == Cause.NO_OBJECT else error.message

    with ThreadPoolExecutor(_HANDS) as pool:
        found = list(pool.map(read, names))
    streams: dict[str, list[Segment]] = {}
    for one in found:
        if isinstance(one, Segment):
            streams.setdefault(one.stream, []).append(one)
    ordered = {s: tuple(sorted(many, key=_place)) for s, many in streams.items()}
    gaps = [flaw for stream in ordered.values() for flaw in _gaps(folder, stream)]
    return ordered, [*(one for one in found if isinstance(one, str)), *gaps]


def _place(segment: Segment) -> tuple[int, int]:
    """Of two with one number, of which one was sent late, the one that goes further comes last."""
    return (segment.number, segment.until.n)


def _gaps(folder: str, stream: Sequence[Segment]) -> list[str]:
    """Numbers that are missing between two that are there."""
    there = {one.number for one in stream}
    missing = [n for n in range(min(there), max(there)) if n not in there]
    return [f"{folder}{stream[0].stream}/{n:010} is missing or damaged" for n in missing]


def _wholes(
    bucket: Bucket, folder: str, address: RepositoryAddress, restic: Restic
) -> tuple[list[Whole], list[str]]:
    try:
        if bucket.head(f"{folder}/{CONFIG}") is None:
            if next(iter(bucket.list_objects(f"{folder}/")), None) is None:
                return [], []
            return [], [f"{folder}/{CONFIG} is missing: no whole state can be read"]
        snapshots = restic.snapshots(address, locks=False)
    except StorageError as error:
        if error.cause not in _OF_ONE_OBJECT:
            raise
        return [], [error.message]
    except ResticError as error:
        return [], [f"{folder}: {error.message}"]
    told = [(one, Manifest.told(one.tags)) for one in snapshots]
    wholes = [Whole(one, manifest) for one, manifest in told if manifest is not None]
    return sorted(wholes, key=lambda w: w.manifest.made_at, reverse=True), []


def refuse_newer(whole: Whole) -> None:
    """NewerState if a newer version made it."""
    if whole.manifest.revision > REVISION:
        raise newer_state("newer than this one")


def _none(region: Region, plane: str, planes: Sequence[str]) -> UsageError:
    where = f"{region.endpoint}, bucket {region.bucket}" + (
        f", prefix {region.prefix}" if region.prefix else ""
    )
    if plane and planes:
        return UsageError(
            f"no control plane {plane} lies in {where}", f"there is: {', '.join(planes)}"
        )
    return UsageError(
        f"no control plane lies in {where}",
        "check --bucket and --prefix; `drorch replicate --control-plane` puts one there",
    )


def _several(bucket: Bucket, planes: Sequence[str], passphrase: str) -> UsageError:
    told = []
    for plane in planes:
        with suppress(StorageError):
            told.append(f"{plane} ({_vaults(bucket, plane, passphrase).word})")
    return UsageError(
        f"bucket {bucket.region.bucket} holds {len(planes)} control planes: {', '.join(told)}",
        "give the --prefix of yours, or name it with --plane",
    )


def _unopened(region: Region, passphrase: str, flaws: Sequence[str] | None) -> DrorchError:
    """Nothing opens, because of these flaws; None: the passphrase is a wrong one."""
    if flaws is None:
        seen = passphrase.strip(f"{_UNSEEN}{string.whitespace}")
        typed = (
            ""
            if seen == passphrase
            else "; this one begins or ends with what is not seen: a blank, say"
        )
        return UsageError(
            f"the passphrase does not open the control plane in bucket {region.bucket}",
            f"give the password that `control_plane.password` named when it was last copied{typed}",
        )
    named = "; ".join(flaws[:NAMED])
    return StorageError(
        f"the control plane in bucket {region.bucket} cannot be opened: {named or 'its key is gone'}",
        "recover from another region",
        "damaged",
        region.name,
    )


__all__ = ["NewerState", "Opened", "Whole", "look", "refuse_newer"]
