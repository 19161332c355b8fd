"""What practice came to: each service over the quarters, and what was never drilled. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from drorch.core.names import Outcome
from drorch.core.quarter import Quarter
from drorch.core.quarter_drills import (
    DrillQuarter,
    Range,
    Reached,
    ServiceQuarter,
    TierCoverage,
    Trend,
)

#: How many quarters before its own a service's trend goes back.
BACK = 8


@dataclass(frozen=True, slots=True)
class Practised:
    """A drill in short: what a trend is made of. `service` is empty where the runbook names none."""

    runbook: str
    service: str
    started_at: datetime
    outcome: str | None
    rto: Reached
    rpo: Reached


def in_short(drill: DrillQuarter) -> Practised:
    """What a trend needs of a drill."""
    return Practised(
        drill.runbook, drill.service, drill.started_at, drill.outcome, drill.rto, drill.rpo
    )


def range_of(measured: Sequence[Reached]) -> Range:
    """Of the drills that passed, oldest first."""
    actual = [one.actual for one in measured if one.actual is not None]
    targets = [one.target for one in measured if one.target is not None]
    return Range(
        targets[-1] if targets else None,
        min(actual, default=None),
        max(actual, default=None),
        actual[-1] if actual else None,
        sum(one.met is True for one in measured),
        sum(one.met is False for one in measured),
    )


def trend_of(quarter: Quarter, drills: Sequence[Practised]) -> Trend:
    """The drills of a quarter, oldest first. What failed is counted, and measures nothing; that it
    missed its objective counts.
    """
    ended = [d for d in drills if d.outcome is not None]
    counts = {word: sum(d.outcome == word.value for d in ended) for word in Outcome}
    return Trend(
        str(quarter),
        len(ended),
        counts[Outcome.PASSED],
        counts[Outcome.FAILED],
        counts[Outcome.ABORTED],
        range_of([_proven(d, d.rto) for d in ended]),
        range_of([_proven(d, d.rpo) for d in ended]),
    )


def _proven(drill: Practised, reached: Reached) -> Reached:
    """An objective of a drill that did not pass measures nothing: what came back was not proven usable."""
    return reached if drill.outcome == Outcome.PASSED.value else replace(reached, actual=None)


def trends(
    drills: Iterable[Practised], quarter: Quarter, zone: tzinfo, begins: datetime | None
) -> tuple[Trend, ...]:
    """A service's quarters up to this one: from the first of the journal on, nine at the most."""
    by_quarter: dict[Quarter, list[Practised]] = {}
    for drill in sorted(drills, key=lambda one: one.started_at):
        by_quarter.setdefault(Quarter.of(drill.started_at, zone), []).append(drill)
    first = quarter if begins is None else Quarter.of(begins, zone)
    wanted = [quarter.moved(-back) for back in range(BACK, -1, -1)]
    return tuple(trend_of(q, by_quarter.get(q, [])) for q in wanted if q >= first or q == quarter)


def covered(
    services: Sequence[ServiceQuarter], ever: Mapping[str, datetime]
) -> tuple[TierCoverage, ...]:
    """The services by tier, those without one last. `ever` says when each was first drilled. A drill that
    was aborted says nothing about recovery, so it covers nothing.
    """
    tiers = sorted({s.tier for s in services}, key=lambda tier: (tier is None, tier or 0))
    return tuple(_tier(tier, [s for s in services if s.tier == tier], ever) for tier in tiers)


def _tier(
    tier: int | None, services: Sequence[ServiceQuarter], ever: Mapping[str, datetime]
) -> TierCoverage:
    def named(wanted: Iterable[ServiceQuarter]) -> tuple[str, ...]:
        return tuple(sorted(s.service for s in wanted))

    able = [s for s in services if s.runbook is not None or s.drilled]
    return TierCoverage(
        tier,
        len(services),
        drilled=named(s for s in able if _practised(s)),
        before=named(s for s in able if not _practised(s) and s.service in ever),
        never=named(s for s in able if not _practised(s) and s.service not in ever),
        no_runbook=named(s for s in services if s not in able),
    )


def _practised(service: ServiceQuarter) -> bool:
    return bool(service.passed + service.failed)
