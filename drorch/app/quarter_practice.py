"""A quarter's services, drills by schedule, and what practice did not reach."""

from collections.abc import Iterator, Mapping, Sequence

from drorch.app.proving import Proof, proof_of, standings
from drorch.app.quarter_runs import Told, first_drills
from drorch.app.quarter_seen import QuarterSeen
from drorch.core.model import Service
from drorch.core.names import Outcome, RunKind
from drorch.core.quarter_datasets import DatasetQuarter
from drorch.core.quarter_drills import (
    Coverage,
    DrillSchedule,
    RunbookQuarter,
    ServiceQuarter,
)
from drorch.core.quarter_practice import Practised, covered, trends
from drorch.core.verification import Reason


def services_of(seen: QuarterSeen, told: Told) -> list[ServiceQuarter]:
    """Those of the configuration, and then those that the quarter's drills name beside."""
    configured = seen.program.configuration.services
    named = (drill.service for drill in told.drills if drill.service)
    gone = dict.fromkeys(name for name in named if name not in configured)
    return [
        *(_service(seen, told, one, configured=True) for one in configured.values()),
        *(_service(seen, told, Service(name), configured=False) for name in gone),
    ]


def _service(
    seen: QuarterSeen, told: Told, service: Service, *, configured: bool
) -> ServiceQuarter:
    own = [one for one in told.practised if _is_of(one, service)]
    trend = trends(own, seen.quarter, seen.zone, seen.begins)
    now = trend[-1]
    rows = (r for r in seen.drills if service.runbook and r.name == service.runbook and r.outcome)
    last = [*(row.started_at for row in rows), *(one.started_at for one in own if one.outcome)]
    return ServiceQuarter(
        service=service.name,
        configured=configured,
        tier=service.tier,
        runbook=service.runbook,
        datasets=service.datasets,
        rto=service.objectives.rto,
        rpo=service.objectives.rpo,
        mtpd=service.objectives.mtpd,
        drilled=now.drills,
        passed=now.passed,
        failed=now.failed,
        aborted=now.aborted,
        measured_rto=now.rto,
        measured_rpo=now.rpo,
        last_drill_at=max(last, default=None),
        trend=trend if any(one.drills for one in trend) else (),
    )


def _is_of(drill: Practised, service: Service) -> bool:
    """A drill belongs to the service its plan names, or that names its runbook."""
    if drill.service:
        return drill.service == service.name
    return service.runbook is not None and drill.runbook == service.runbook


def schedules_of(seen: QuarterSeen) -> list[DrillSchedule]:
    """The drills that are to happen by themselves, and those that the quarter had slots of."""
    configured = seen.program.configuration.drills
    services = seen.program.configuration.services.values()
    found = []
    for drill in configured.values():
        service = next((s.name for s in services if s.runbook == drill.runbook), None)
        work = seen.work(RunKind.DRILL, drill.name, drill.schedule)
        found.append(
            DrillSchedule(drill.name, drill.runbook, service, configured=True, drills=work)
        )
    for job in seen.works:
        kind, _, name = job.partition(":")
        if kind == RunKind.DRILL.value and name not in configured:
            work = seen.work(RunKind.DRILL, name, None)
            found.append(DrillSchedule(name, None, None, configured=False, drills=work))
    return found


def coverage_of(
    seen: QuarterSeen,
    told: Told,
    services: Sequence[ServiceQuarter],
    datasets: Sequence[DatasetQuarter],
) -> Coverage:
    """What was never drilled or restored, and how far each runbook is proven."""
    first = first_drills(seen)
    named = {s.service: s.runbook for s in services if s.runbook}
    ever = {name: first[runbook] for name, runbook in named.items() if runbook in first}
    for one in told.practised:
        if one.service and one.outcome not in (None, Outcome.ABORTED.value):
            ever.setdefault(one.service, one.started_at)
    configured = [d.dataset for d in datasets if d.configured]
    never = tuple(d for d in configured if not _restored_ever(seen, told, d))
    now = {r.dataset for r in told.restores if r.verdict == "pass"}
    return Coverage(
        since=seen.begins.astimezone(seen.zone).date() if seen.begins else None,
        tiers=covered(services, ever),
        never_restored=never,
        not_restored=tuple(d for d in configured if d not in now and d not in never),
        runbooks=tuple(_runbooks(seen, services)),
    )


def _restored_ever(seen: QuarterSeen, told: Told, dataset: str) -> bool:
    if dataset in told.restored:
        return True
    if any(
        stock.restore_tested_at is not None
        for (name, _), stock in seen.stocks.items()
        if name == dataset
    ):
        return True
    known = (seen.ended.get((kind.value, dataset)) for kind in _RESTORING)
    return any(one is not None and one[0].good for one in known)


_RESTORING = (RunKind.RESTORE, RunKind.RESTORE_TEST)


def _runbooks(seen: QuarterSeen, services: Sequence[ServiceQuarter]) -> Iterator[RunbookQuarter]:
    program = seen.program
    texts, known = program.runbooks.digests(), standings(program)
    drills = program.configuration.drills.values()
    named = [s.runbook for s in services if s.runbook] + [d.runbook for d in drills]
    counts = _counts(seen)
    for name in sorted({*texts, *named}):
        service = next((s for s in services if s.runbook == name), None)
        proof = proof_of(program, name, seen.now, texts, known)
        yield _runbook(proof, service, counts.get(name, 0))


def _counts(seen: QuarterSeen) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for row in seen.drills:
        if row.started_at >= seen.since and row.outcome is not None:
            found[row.name] = found.get(row.name, 0) + 1
    return found


def _runbook(proof: Proof, service: ServiceQuarter | None, drilled: int) -> RunbookQuarter:
    last, passed = proof.last, proof.passed
    changed = tuple(d.subject for d in proof.doubts if d.reason is Reason.CHANGED)
    return RunbookQuarter(
        runbook=proof.runbook,
        service=service.service if service else None,
        tier=service.tier if service else None,
        drilled=drilled,
        last_run=last.run if last else None,
        last_at=last.started_at if last else None,
        last_outcome=last.outcome.value if last and last.outcome else None,
        passed_at=passed.started_at if passed else None,
        changed=changed if passed else None,
        gone=tuple(d.subject for d in proof.doubts if d.reason is Reason.GONE),
    )
