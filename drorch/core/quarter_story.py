"""What one run tells a quarter: the drill it was, what it brought back and where to, what became of
that, and what it found. Pure: read off the run's folded state.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from drorch.core.destroying import EXERCISES, REMOVES, covers, took_away
from drorch.core.document import head_of
from drorch.core.findings import all_findings
from drorch.core.jurisdictions import jurisdiction_within
from drorch.core.model import Configuration
from drorch.core.names import RunKind, StepStatus
from drorch.core.outcome import left_behind
from drorch.core.posture import RunRow
from drorch.core.quarter_drills import DrillQuarter, Reached
from drorch.core.quarter_records import Destruction, FindingQuarter, RestoreQuarter, TargetPlace
from drorch.core.state import RunFold, StepState
from drorch.core.timing import RESTORES, Measured, Timing

#: Runs that practise or carry out a runbook.
DRILLS = (RunKind.DRILL, RunKind.FAILOVER, RunKind.FAILBACK)


@dataclass(frozen=True, slots=True)
class Story:
    """A run of the quarter. `head` is the hash that its chain ends with."""

    row: RunRow
    state: RunFold
    timing: Timing
    head: str


def drill_of(story: Story) -> DrillQuarter:
    """The run as a drill, failover or failback."""
    row, state, timing = story.row, story.state, story.timing
    plan = state.plan
    restored = [r for r in _restored(state) if r.outputs]
    return DrillQuarter(
        run=row.run,
        kind=row.kind.value,
        runbook=plan.name,
        title=plan.title,
        service=plan.service,
        trigger=state.trigger,
        by=state.by,
        reason=state.reason,
        due_at=state.due_at,
        started_at=state.started.at,
        finished_at=state.finished_at.at if state.finished_at else None,
        outcome=state.finished.outcome.value if state.finished else None,
        dirty=bool(left_behind(state)),
        rto=_reached(timing.rto),
        rpo=_reached(timing.rpo),
        machine=timing.machine,
        person=timing.person,
        datasets=tuple(dict.fromkeys([*plan.datasets, *(_text(r, "dataset") for r in restored)])),
        regions=tuple(dict.fromkeys(_text(r, "region") for r in restored)),
        failed_step=state.failed_step or None,
        not_tested=tuple(
            s.plan.id
            for s in state.steps.values()
            if s.plan.skip and s.status is StepStatus.SKIPPED
        ),
        findings=sum(1 for _ in all_findings(state, timing)),
        exercise=kind.value if (kind := plan.exercise and plan.exercise.type) else "",
        runbook_digest=head_of(plan.runbook_digest) if plan.runbook_digest else None,
        journal_head=head_of(story.head),
    )


def _reached(measured: Measured) -> Reached:
    return Reached(measured.target, measured.actual, measured.met)


def _restored(state: RunFold) -> list[StepState]:
    """Steps that bring data back and were begun."""
    return [s for s in state.steps.values() if s.plan.do in RESTORES and s.attempts]


def _text(step: StepState, name: str) -> str:
    """What came out under that name, or else what was asked for."""
    found = step.outputs.get(name, step.attempts[-1].arguments.get(name, ""))
    return found if isinstance(found, str) else ""


def restores_of(story: Story, configuration: Configuration) -> Iterator[RestoreQuarter]:
    """An entry of the access log for each step that brought data back, or tried to."""
    state = story.state
    for step in _restored(state):
        outputs: Any = step.outputs
        region = _text(step, "region") or None
        known = configuration.regions.get(region or "")
        verdict = step.attempts[-1].verdict
        became, by, at = _became(state, step)
        yield RestoreQuarter(
            run=story.row.run,
            step=step.plan.id,
            kind=story.row.kind.value,
            trigger=state.trigger,
            by=state.by,
            purpose=_text(step, "purpose") or state.reason,
            dataset=_text(step, "dataset"),
            snapshot=outputs.get("snapshot"),
            snapshot_at=_instant(outputs.get("snapshot_at")),
            region=region,
            jurisdiction=known.jurisdiction if known else None,
            at=step.attempts[0].started.at,
            host=state.owner.host,
            to=outputs.get("path") or _text(step, "to"),
            files=outputs.get("files"),
            bytes=outputs.get("bytes"),
            verdict=verdict.value if verdict else None,
            state=became,
            destroyed_by=by,
            destroyed_at=at,
        )


def _instant(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None


def _became(state: RunFold, step: StepState) -> tuple[Destruction, str | None, datetime | None]:
    """What became of the data: what was to remove it, and when that was done."""
    if not step.passed:  # a restore is wholly there or not at all
        return Destruction.NOTHING, None, None
    path = _path(step, "path") or _path(step, "to")
    removals = [s for s in state.steps.values() if s.plan.do == REMOVES]
    for one in removals:
        at = _passed_after(one, step)
        if at is not None and took_away(one.outputs, _path(one, "path"), path):
            return Destruction.DESTROYED, one.plan.id, at
    by = next((one.plan.id for one in removals if _is_for(one, step, path)), None)
    if state.finished is None:
        return Destruction.OPEN, by, None
    wanted = by is not None or state.plan.kind in EXERCISES
    return (Destruction.LEFT if wanted else Destruction.KEPT), by, None


def _passed_after(removal: StepState, restored: StepState) -> datetime | None:
    """When a removal passed; None if it did not, or had made room before the data came."""
    if not removal.passed or removal.closed is None or restored.closed is None:
        return None
    return removal.closed.at if removal.closed.at >= restored.closed.at else None


def _is_for(step: StepState, restored: StepState, path: str) -> bool:
    """Whether a step is there to remove what another brought back: that path, or a folder above it."""
    return step.plan.undoes == restored.plan.id or covers(_path(step, "path"), path)


def _path(step: StepState, name: str) -> str:
    known = step.attempts[-1].arguments if step.attempts else step.plan.arguments
    found = step.outputs.get(name) or known.get(name)
    return found if isinstance(found, str) else ""


def targets_of(story: Story, configuration: Configuration) -> Iterator[TargetPlace]:
    """Where the run brought data back to, and whether the dataset may lie there."""
    plan = story.state.plan
    site = configuration.sites.get(plan.site)
    for step in _restored(story.state):
        dataset = configuration.datasets.get(_text(step, "dataset"))
        residency = dataset.residency if dataset else ()
        transfer = dataset.transfer if dataset else None
        yield TargetPlace(
            run=story.row.run,
            kind=story.row.kind.value,
            dataset=_text(step, "dataset"),
            host=story.state.owner.host,
            to=_path(step, "path") or _path(step, "to"),
            site=site.name if site else None,
            jurisdiction=site.jurisdiction if site else None,
            residency=residency,
            inside=jurisdiction_within(site.jurisdiction, residency) if site else None,
            assessment=transfer.assessment if transfer else None,
            agreement=transfer.agreement if transfer else None,
        )


def findings_of(story: Story, until: datetime) -> Iterator[FindingQuarter]:
    """What the run found, numbered as in its own report; it was found when the run ended, or began."""
    state = story.state
    found_at = (state.finished_at or state.started).at
    datasets = state.plan.datasets
    for number, (_, finding) in enumerate(all_findings(state, story.timing), 1):
        yield FindingQuarter(
            id=f"{story.row.run}/{number}",
            run=story.row.run,
            what=finding.what,
            subject=finding.subject,
            message=finding.message,
            hint=finding.hint,
            dataset=datasets[0] if len(datasets) == 1 else None,
            service=state.plan.service or None,
            found_at=found_at,
            age=max(until - found_at, timedelta()),
            action=None,
            closed=False,
        )
