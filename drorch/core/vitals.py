"""How the program itself stands, and what it has done: what metrics and health are told from. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from drorch.core.durations import format_duration
from drorch.core.moment import Moment, elapsed
from drorch.core.names import Outcome, RunKind
from drorch.core.values import Value

#: A loop that has not turned for so long is stuck: what it waits for is always shorter.
STUCK = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class DaemonState:
    """How the daemon stands at this moment.

    `turned` is when its loop last came round. `missing` says what still has to be done before it
    is ready, `troubles` what keeps it from its work (the journal cannot be opened, say), `held` who
    does that work instead: sentences.
    `configuration` is the digest of what is in force since `configured_at`; `refused_at` is when a
    newer text of it was found wrong, None if there is none.
    """

    at: Moment
    started: Moment
    turned: Moment
    jobs: int = 0
    queued: int = 0
    running: int = 0
    parallel: int = 0
    missing: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    configuration: str = ""
    configured_at: datetime | None = None
    refused_at: datetime | None = None

    @property
    def unhealthy(self) -> tuple[str, ...]:
        """Why it is not well; empty: it is."""
        silent = elapsed(self.turned, self.at)
        stuck = f"the loop has not turned for {format_duration(silent)}"
        return (stuck, *self.troubles) if silent > STUCK else self.troubles

    @property
    def unready(self) -> tuple[str, ...]:
        """Why nothing should be expected of it yet; empty: it is at work."""
        return (*self.missing, *self.held, *self.unhealthy)


@dataclass(frozen=True, slots=True)
class EndedRuns:
    """The runs of one kind, name and outcome that have ended: how many, and the newest of them."""

    kind: RunKind
    name: str
    outcome: Outcome
    count: int
    started_at: datetime
    finished_at: datetime


@dataclass(frozen=True, slots=True)
class Counted:
    """What runs and slots have come to, up to an entry of the journal's ledger.

    `slots` counts by kind of job and by fate (fired, late, missed).
    """

    entry: int | None = None
    runs: tuple[EndedRuns, ...] = ()
    slots: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def with_more(self, since: "Counted") -> "Counted":
        """Together with what has come since."""
        slots = dict(self.slots)
        for key, count in since.slots.items():
            slots[key] = slots.get(key, 0) + count
        return Counted(since.entry, added(self.runs, since.runs), slots)


def added(known: Iterable[EndedRuns], since: Iterable[EndedRuns]) -> tuple[EndedRuns, ...]:
    """Both counted together; the newest run is the one that ended last."""
    found: dict[tuple[RunKind, str, Outcome], EndedRuns] = {}
    for one in (*known, *since):
        key = (one.kind, one.name, one.outcome)
        other = found.get(key, one)
        newest = max(one, other, key=lambda ended: ended.finished_at)
        count = one.count if other is one else one.count + other.count
        found[key] = replace(newest, count=count)
    return tuple(found.values())


@dataclass(frozen=True, slots=True)
class Overview:
    """What was known at one moment.

    `posture` is the document of `status --json`; `untold` says of each channel how many messages in
    a row it has not taken.
    """

    at: datetime
    posture: Mapping[str, Value]
    counted: Counted = field(default_factory=Counted)
    untold: Mapping[str, int] = field(default_factory=dict)
