"""What attempts learn beside copies: which snapshots and keys are ours, gone, held or strange, and
which parts of a region were proven. Each is kept until a newer one of the same place says otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeAlias, TypeVar

from drorch.core.alarms import AlarmTold, ChannelTried, RunEnded
from drorch.core.corrective import Corrective
from drorch.core.guard import Figures
from drorch.core.kit_made import KitMade
from drorch.core.reported import ReportSent
from drorch.core.staleness import Seen
from drorch.core.terms import OtherSeen, TermBegun


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A tombstone: the snapshot (64 digits) was forgotten, and holds nowhere any more."""

    dataset: str
    snapshot: str
    reason: str


@dataclass(frozen=True, slots=True)
class Held:
    """A snapshot (64 digits) that retention must keep, or (`released`) need keep no longer."""

    dataset: str
    snapshot: str
    reason: str
    by: str
    released: bool = False


@dataclass(frozen=True, slots=True)
class KeyKnown:
    """A key (64 digits) of the dataset's repository in a region; all mirrors share one repository.

    `secret` names the secret that opened it when this was recorded, where one did.
    """

    dataset: str
    region: str
    key: str
    label: str = ""
    secret: str = ""


@dataclass(frozen=True, slots=True)
class KeyRevoked:
    """A tombstone: the key (64 digits) was removed, and must not come back from any region.

    `region` is the first of those that held its repository.
    """

    dataset: str
    key: str
    reason: str
    region: str = ""


@dataclass(frozen=True, slots=True)
class KeyRemoved:
    """A revoked key was deleted in a region, or is not there."""

    dataset: str
    region: str
    key: str


@dataclass(frozen=True, slots=True)
class Rotation:
    """A repository has a key for a new password; `old` go once the dataset uses it, or (`done`) went.

    `region` is the first of those that hold the repository.
    """

    dataset: str
    region: str
    new: str
    old: tuple[str, ...]
    done: bool = False


@dataclass(frozen=True, slots=True)
class BackupFigures:
    """What a backup came to, in one of the slots that are taken in turn."""

    dataset: str
    slot: int
    figures: Figures


@dataclass(frozen=True, slots=True)
class Guarded:
    """A backup that was suspicious: nothing from before it (`at`) may expire until it is `accepted`.

    `snapshot` has 64 digits, `why` is a sentence's end, `by` accepted it.
    """

    dataset: str
    snapshot: str
    at: datetime
    why: str
    accepted: bool = False
    by: str = ""


@dataclass(frozen=True, slots=True)
class LocksSeen:
    """restic's locks that stood in a region and had not been refreshed for long; empty: none did."""

    dataset: str
    region: str
    locks: tuple[Seen, ...] = ()


@dataclass(frozen=True, slots=True)
class Proven:
    """A part of a repository in a region was hashed against its names.

    `part` is the folder: `data/4f`, `index`, `snapshots`, `keys`; or `config`. `objects` and
    `bytes` count what was hashed in this turn. `damaged` names (below the repository's folder)
    what is not what its name says, or is not there though it should be. A turn that began at
    `began` and is not finished has come as far as the name `through`; a finished one has neither.
    `since` is the moment after which the whole part was hashed, None if it never was.
    """

    dataset: str
    region: str
    part: str
    objects: int
    bytes: int
    damaged: tuple[str, ...] = ()
    through: str = ""
    began: datetime | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """How much of a region was hashed on the local day `day` (2026-11-23), in bytes.

    `first_at` is when the region was scrubbed for the first time.
    """

    dataset: str
    region: str
    day: str
    bytes: int
    first_at: datetime


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An object that lies in a region, undamaged but not ours: it spreads to no other region.

    With `gone` it lies there no more, or turned out to be ours.
    """

    dataset: str
    region: str
    name: str
    why: str
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Locked:
    """Until when at least every object a live snapshot needs is locked in a region.

    None: something is not locked at all. `missing` are snapshots (64 digits, some of them) that
    the journal knew to be there and the region did not show. Without a dataset: drorch's records.
    """

    dataset: str
    region: str
    objects: int
    until: datetime | None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Retained:
    """Retention was applied to the repository that begins in this region, and left so many snapshots."""

    dataset: str
    region: str
    snapshots: int


@dataclass(frozen=True, slots=True)
class Pruned:
    """A region was freed of what no snapshot needs; `objects` and `bytes` are what it then held."""

    dataset: str
    region: str
    objects: int
    bytes: int


@dataclass(frozen=True, slots=True)
class PruneOwed:
    """A region still holds what was decided to be deleted, or (`paid`) no longer does.

    `lists` name the evidence that says what: RUN/FILE.
    """

    dataset: str
    region: str
    why: str
    lists: tuple[str, ...] = ()
    paid: bool = False


@dataclass(frozen=True, slots=True)
class Braked:
    """So much would have gone at once that nothing went, or (`lifted`) it has since been seen to."""

    dataset: str
    region: str
    why: str
    lifted: bool = False


@dataclass(frozen=True, slots=True)
class ServiceActive:
    """Where a service runs since a run moved it there for real; an empty `site` was not named.

    `failed_over` says that this is not home: a failback has not passed since.
    """

    service: str
    site: str
    run: str
    failed_over: bool


@dataclass(frozen=True, slots=True)
class ReadinessLooked:
    """A runbook's preconditions were looked at, by this run; `wrong` says what did not pass, `open`
    what could not be looked at.
    """

    runbook: str
    run: str
    wrong: tuple[str, ...] = ()
    open: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadinessProven:
    """Every precondition of a runbook passed, in this run, or was not needed."""

    runbook: str
    run: str


Fact: TypeAlias = (
    Forgotten
    | Held
    | KeyKnown
    | KeyRevoked
    | KeyRemoved
    | Rotation
    | LocksSeen
    | BackupFigures
    | Guarded
    | Proven
    | Scrubbed
    | Quarantined
    | Locked
    | Retained
    | Pruned
    | PruneOwed
    | Braked
    | ServiceActive
    | ReadinessLooked
    | ReadinessProven
    | RunEnded
    | AlarmTold
    | ChannelTried
    | Corrective
    | ReportSent
    | TermBegun
    | OtherSeen
    | KitMade
)

F = TypeVar("F", bound=Fact)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fact stands: a newer one of the same place takes it."""

    word: str
    dataset: str
    region: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Known(Generic[F]):
    """A fact that still stands, and when it was recorded."""

    fact: F
    recorded_at: datetime


#: The words under which facts are kept. They are never renamed: old journals hold them.
WORDS: Mapping[type, str] = {
    Forgotten: "snapshot.forgotten",
    Held: "snapshot.held",
    KeyKnown: "key.known",
    KeyRevoked: "key.revoked",
    KeyRemoved: "key.removed",
    Rotation: "key.rotation",
    LocksSeen: "locks.seen",
    BackupFigures: "backup.figures",
    Guarded: "backup.guarded",
    Proven: "part.proven",
    Scrubbed: "region.scrubbed",
    Quarantined: "object.quarantined",
    Locked: "region.locked",
    Retained: "retention.applied",
    Pruned: "region.pruned",
    PruneOwed: "prune.owed",
    Braked: "retention.braked",
    ServiceActive: "service.active",
    ReadinessLooked: "readiness.looked",
    ReadinessProven: "readiness.proven",
    RunEnded: "run.ended",
    AlarmTold: "alarm.told",
    ChannelTried: "channel.tried",
    Corrective: "action.corrective",
    ReportSent: "report.sent",
    TermBegun: "plane.term",
    OtherSeen: "plane.other",
    KitMade: "kit.made",
}


def place_of(fact: Fact) -> Place:
    """The place a fact takes."""
    word = WORDS[type(fact)]
    match fact:
        case (
            Forgotten(snapshot=subject)
            | Held(snapshot=subject)
            | Guarded(snapshot=subject)
            | KeyRevoked(key=subject)
        ):
            place = Place(word, fact.dataset, subject=subject)
        case BackupFigures(slot=slot):
            place = Place(word, fact.dataset, subject=f"{slot:02}")
        case (
            KeyKnown(region=region, key=subject)
            | KeyRemoved(region=region, key=subject)
            | Quarantined(region=region, name=subject)
        ):
            place = Place(word, fact.dataset, region, subject)
        case Proven(region=region, part=subject):
            place = Place(word, fact.dataset, region, subject)
        case (
            ServiceActive(service=subject)
            | ReadinessLooked(runbook=subject)
            | ReadinessProven(runbook=subject)
            | Corrective(id=subject)
            | OtherSeen(instance=subject)
        ):
            place = Place(word, "", subject=subject)
        case RunEnded(kind=region, name=subject) | ReportSent(channel=region, quarter=subject):
            place = Place(word, "", region, subject)
        case AlarmTold(channel=channel, what=what, subject=subject):
            place = Place(word, "", channel, f"{what} {subject}")
        case ChannelTried(channel=channel):
            place = Place(word, "", channel)
        case TermBegun() | KitMade():
            place = Place(word, "")
        case _:
            place = Place(word, fact.dataset, fact.region)
    return place
