"""A quarter's datasets: their work, and how old each copy became."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from drorch.app.quarter_seen import QuarterSeen
from drorch.core.events import RunStarted
from drorch.core.model import Dataset
from drorch.core.names import RunKind
from drorch.core.quarter_ages import Ages, ages
from drorch.core.quarter_datasets import CopyQuarter, DatasetQuarter, Standing


def datasets_of(seen: QuarterSeen) -> list[DatasetQuarter]:
    """Those of the configuration in its order, and then those it has no more but the quarter had."""
    configured = seen.program.configuration.datasets
    found = [_configured(seen, dataset) for dataset in configured.values()]
    others = {
        *seen.places,
        *(job.partition(":")[2] for job in seen.works if job.startswith("backup:")),
        *(one.name for one in seen.runs if one.kind is RunKind.BACKUP),
    }
    gone = (name for name in sorted(others) if name not in configured)
    return [*found, *(_left(seen, name) for name in gone if _concerned(seen, name))]


def _concerned(seen: QuarterSeen, name: str) -> bool:
    """Whether the quarter had anything of a dataset that the configuration has no more."""
    held = (seen.stocks.get((name, region)) for region in seen.places.get(name, ()))
    return seen.ran(name) or any(s is not None and s.newest_at is not None for s in held)


def _configured(seen: QuarterSeen, dataset: Dataset) -> DatasetQuarter:
    name, verify = dataset.name, dataset.verify
    first = seen.span.first_run(RunKind.BACKUP, name)
    last = seen.span.last_run(RunKind.BACKUP, name)
    entered = last is None or (first is not None and first[0] >= seen.since)
    services = seen.program.configuration.services.values()
    return DatasetQuarter(
        dataset=name,
        standing=Standing.ENTERED if entered else Standing.STAYED,
        configured=True,
        tier=dataset.tier,
        site=dataset.site,
        services=tuple(s.name for s in services if name in s.datasets),
        rpo=dataset.objectives.rpo,
        residency=dataset.residency,
        first_at=first[0] if first and last else None,
        last_at=last[0] if last else None,
        backups=seen.work(RunKind.BACKUP, name, dataset.schedule),
        checks=seen.work(RunKind.CHECK, name, verify.check),
        scrubs=seen.work(RunKind.SCRUB, name, verify.scrub),
        restore_tests=seen.work(RunKind.RESTORE_TEST, name, verify.restore_test),
        copies=_judged(_copies(seen, name, dataset)),
    )


def _left(seen: QuarterSeen, name: str) -> DatasetQuarter:
    """Of a dataset that the configuration has no more: what its last backup's plan still tells."""
    first = seen.span.first_run(RunKind.BACKUP, name)
    last = seen.span.last_run(RunKind.BACKUP, name)
    entered = first is not None and first[0] >= seen.since
    rpo = _promised(seen, last[1]) if last else None
    until = last[0] if last else seen.since
    return DatasetQuarter(
        dataset=name,
        standing=Standing.CAME_AND_WENT if entered else Standing.LEFT,
        configured=False,
        tier=None,
        site=None,
        services=(),
        rpo=rpo,
        residency=(),
        first_at=first[0] if first else None,
        last_at=last[0] if last else None,
        backups=seen.work(RunKind.BACKUP, name, None),
        checks=seen.work(RunKind.CHECK, name, None),
        scrubs=seen.work(RunKind.SCRUB, name, None),
        restore_tests=seen.work(RunKind.RESTORE_TEST, name, None),
        copies=tuple(
            _copy(seen, name, region, "left", rpo, until) for region in seen.places.get(name, ())
        ),
    )


def _promised(seen: QuarterSeen, run: str) -> timedelta | None:
    started = next(iter(seen.program.journal.read(run))).event
    return started.plan.objectives.rpo if isinstance(started, RunStarted) else None


def _copies(seen: QuarterSeen, name: str, dataset: Dataset) -> Iterator[CopyQuarter]:
    modes = {copy.region: copy.mode.value for copy in dataset.copies}
    rpo = dataset.objectives.rpo
    for region in dataset.regions:
        role = modes.get(region, "primary")
        yield _copy(seen, name, region, role, rpo, seen.until)
    for region in seen.places.get(name, ()):
        if region not in dataset.regions:
            yield _copy(seen, name, region, "left", None, seen.until)


def _judged(copies: Iterator[CopyQuarter]) -> tuple[CopyQuarter, ...]:
    """One that never held anything, while others did, is not what was promised."""
    known = tuple(copies)
    held = any(copy.worst_age is not None for copy in known)
    return tuple(
        replace(copy, rpo_met=False)
        if held and copy.first_at is None and copy.rpo is not None
        else copy
        for copy in known
    )


def _copy(
    seen: QuarterSeen, name: str, region: str, role: str, rpo: timedelta | None, until: datetime
) -> CopyQuarter:
    first = seen.places.get(name, {}).get(region)
    points = [point for point in seen.points(name, region) if point[0] < until]
    before = first is not None and first < seen.since
    found = ages(points, seen.borders, until, rpo, held_before=before)
    newest = points[-1][1] if points else None
    stock = seen.stocks.get((name, region))
    known = seen.program.configuration.regions.get(region)
    return CopyQuarter(
        region=region,
        role=role,
        jurisdiction=known.jurisdiction if known else None,
        rpo=rpo,
        rpo_met=_met(found, rpo),
        worst_age=found.worst,
        worst_at=found.worst_at,
        over_rpo=found.over,
        without=found.without,
        broken_at=found.broken_at,
        days=tuple(found.days),
        first_at=first if first is not None and first < seen.until else None,
        newest_at=newest,
        age=max(timedelta(), until - newest) if newest else None,
        owed=stock is not None and stock.owed_at is not None,
        owed_since=stock.owed_since if stock else None,
        verified_at=stock.verified_at if stock else None,
        restore_tested_at=stock.restore_tested_at if stock else None,
    )


def _met(found: Ages, rpo: timedelta | None) -> bool | None:
    if rpo is None or (found.worst is None and not found.without):
        return None
    return not found.over and not found.without
