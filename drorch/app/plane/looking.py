"""What lies in a region of control planes, opened by a passphrase."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

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

_NOT_GIVEN = frozenset({Cause.CREDENTIALS, Cause.REFUSED})

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
    """

    bucket: Bucket = field(repr=False)
    address: RepositoryAddress = field(repr=False)
    plane: str
    wholes: tuple[Whole, ...]
    streams: Mapping[str, tuple[Segment, ...]]
    flaws: tuple[str, ...]
    present: tuple[Sighting, ...] = ()

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
    keys, flaws = _keys(bucket, found[0], passphrase)
    return [_opened(bucket, found[0], v, key, passphrase, restic, flaws) for v, key in keys]


def _keys(bucket: Bucket, plane: str, passphrase: str) -> tuple[list[tuple[str, bytes]], list[str]]:
    opened: list[tuple[str, bytes]] = []
    flaws: list[str] = []
    wrong, newer = 0, False
    refused: StorageError | None = None
    for vault, found in _tried(bucket, plane, passphrase):
        name = _key_name(plane, vault)
        match found:
            case bytes():
                opened.append((vault, found))
            case WrongPassphrase():
                wrong += 1
            case NewerFormat():  # or somebody planted it: another vault may open all the same
                newer = True
                flaws.append(f"{name}: {found}")
            case NotOpened():
                flaws.append(f"{name}: {found}")
            case StorageError():
                refused = refused or (found if found.cause in _NOT_GIVEN else None)
                gone = found.cause == Cause.NO_OBJECT
                flaws.append(f"{name} is missing" if gone else found.message)
            case None:
                pass
    if not opened and newer:
        raise newer_state("newer than this one")
    if not opened and refused is not None and not wrong:
        raise refused
    if not opened:
        raise _unopened(bucket.region, wrong, flaws)
    return opened, flaws


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
            if error.cause not in OF_ONE_OBJECT:
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
    bucket: Bucket,
    plane: str,
    vault: str,
    key: bytes,
    passphrase: str,
    restic: Restic,
    flaws: Sequence[str],
) -> Opened:
    folder = f"{vault_folder(plane, vault)}/repository"
    credentials = bucket.credentials
    address = RepositoryAddress(
        repository_url(bucket.region, folder),
        passphrase,
        credentials.access_key,
        credentials.secret_key,
        profile=credentials.profile,
        location=bucket.region.location,
    )
    segments, damaged = _segments(bucket, f"{vault_folder(plane, vault)}/segments/", key)
    wholes, trouble = _wholes(bucket, folder, address, restic)
    post = Post(bucket, plane, Keys({vault: key}, str))
    told = (*flaws, *damaged, *trouble)
    present: tuple[Sighting, ...] = ()
    try:
        present = tuple(post.of_vault(vault, SystemClock().now().at))
    except StorageError as error:
        if error.cause not in OF_ONE_OBJECT:
            raise
        told = (*told, error.message)
    return Opened(bucket, address, plane, tuple(wholes), segments, told, present)


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
            if error.cause not in OF_ONE_OBJECT:
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
        with suppress(DrorchError):
            told.append(
                f"{plane} ({'opens' if _opens(bucket, plane, passphrase) else 'does not open'})"
            )
    return UsageError(
        f"bucket {bucket.region.bucket} holds {len(planes)} control planes: {', '.join(told)}",
        "give the --prefix of yours, or name it with --plane",
    )


def _opens(bucket: Bucket, plane: str, passphrase: str) -> bool:
    try:
        return bool(_keys(bucket, plane, passphrase)[0])
    except UsageError:
        return False


def _unopened(region: Region, wrong: int, flaws: Sequence[str]) -> DrorchError:
    if wrong:
        return UsageError(
            f"the passphrase does not open the control plane in bucket {region.bucket}",
            "give the password that `control_plane.password` named when it was last copied",
        )
    named = "; ".join(flaws[:NAMED])
    return StorageError(
        f"the control plane in bucket {region.bucket} cannot be opened: {named or 'its key is gone'}",
        "recover from another region",
        "damaged",
        region.name,
    )


__all__ = ["NewerState", "Opened", "Whole", "look", "refuse_newer"]
