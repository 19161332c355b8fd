"""A quarter's runs that are evidence, each read once: drills, restores, and what they found."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from drorch.app.quarter_seen import QuarterSeen
from drorch.core.exercises import EVIDENCE
from drorch.core.names import Outcome, RunKind
from drorch.core.posture import RunRow
from drorch.core.quarter_drills import DrillQuarter
from drorch.core.quarter_loss import LossDrill, loss_of
from drorch.core.quarter_practice import Practised, in_short
from drorch.core.quarter_records import FindingQuarter, RestoreQuarter, TargetPlace
from drorch.core.quarter_story import (
    DRILLS,
    drill_of,
    findings_of,
    restores_of,
    targets_of,
)


@dataclass(slots=True)
class Told:
    """What the runs tell; `practised` are the drills of the quarters before, too, oldest first.

    `restored` are the datasets that any of them brought back, `losses` the drills of the loss of
    drorch's own records.
    """

    drills: list[DrillQuarter] = field(default_factory=list)
    restores: list[RestoreQuarter] = field(default_factory=list)
    targets: list[TargetPlace] = field(default_factory=list)
    findings: list[FindingQuarter] = field(default_factory=list)
    practised: list[Practised] = field(default_factory=list)
    restored: set[str] = field(default_factory=set)
    losses: list[LossDrill] = field(default_factory=list)


def told_of(seen: QuarterSeen) -> Told:
    """Every run of the quarter that is evidence, and the drills before it."""
    told = Told()
    for row in seen.past_drills:
        story = seen.story(row)
        told.practised.append(in_short(drill_of(story)))
        told.losses += filter(None, [loss_of(story)])
        told.restored |= _brought(list(restores_of(story, seen.program.configuration)))
    for row in _evidence(seen):
        _take(seen, told, row)
    return told


def _evidence(seen: QuarterSeen) -> list[RunRow]:
    kinds = [kind for kind in RunKind if kind in EVIDENCE]
    return sorted(
        (row for kind in kinds for row in seen.span.rows(kind)),
        key=lambda row: (row.started_at, row.run),
    )


def _take(seen: QuarterSeen, told: Told, row: RunRow) -> None:
    story, configuration = seen.story(row), seen.program.configuration
    restores = list(restores_of(story, configuration))
    told.restores += restores
    told.restored |= _brought(restores)
    told.findings += findings_of(story, seen.until)
    if row.kind in DRILLS:
        drill = drill_of(story)
        told.drills.append(drill)
        told.practised.append(in_short(drill))
        told.losses += filter(None, [loss_of(story)])
    if row.kind is not RunKind.RESTORE:
        told.targets += targets_of(story, configuration)


def _brought(restores: Sequence[RestoreQuarter]) -> set[str]:
    return {one.dataset for one in restores if one.verdict == "pass"}


def first_drills(seen: QuarterSeen) -> dict[str, datetime]:
    """When each runbook was first drilled, or carried out, up to the quarter's end; aborted ones apart."""
    found: dict[str, datetime] = {}
    for row in seen.drills:
        if row.outcome not in (None, Outcome.ABORTED):
            found.setdefault(row.name, row.started_at)
    return found
