"""Use cases around object locks: extend them, and see how they stand."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from drorch.app.alarm import alarm
from drorch.app.program import Program
from drorch.app.seen import Seen
from drorch.core.alarms import AlarmWord
from drorch.core.document import rfc3339
from drorch.core.durations import format_duration
from drorch.core.facts import Known, Locked
from drorch.core.locking import Horizon, Lapse, interval, lapse
from drorch.core.model import Dataset, ObjectLock
from drorch.core.plan import Plan
from drorch.core.policy import compile_lock_extend, compile_lock_extend_records
from drorch.core.values import Value


def extensions(program: Program, names: Sequence[str], region: str | None) -> list[Plan]:
    """The plans that extend locks in every region that has them (or the one named): of the
    datasets named; else of all that lie there, and of drorch's own records.

    Raises UsageError if there is no lock to extend.
    """
    configuration = program.configuration
    wanted = [program.region(region).name] if region else list(configuration.regions)
    if names:
        return [
            compile_lock_extend(program.dataset(n).name, wanted if region else (), configuration)
            for n in dict.fromkeys(names)
        ]
    records = compile_lock_extend_records(wanted, configuration)
    locked = {str(step.arguments["region"]) for step in records.steps}
    plans = [
        compile_lock_extend(dataset.name, there, configuration)
        for dataset in configuration.datasets.values()
        if (there := [r for r in dataset.regions if r in locked])
    ]
    return [*plans, records]


def horizons(seen: Seen, dataset: Dataset) -> dict[str, str]:
    """By region, until when at least all that the dataset needs there is locked, as was found when
    locks were last extended.
    """
    found = seen.facts(Locked, dataset.name)
    return {k.fact.region: rfc3339(k.fact.until) for k in found if k.fact.until is not None}


def alarms(seen: Seen, dataset: Dataset) -> Iterator[dict[str, Value]]:
    """What is wrong with the locks of the dataset's objects, as was found when they were last
    extended. Regions that hold nothing of it are left out.
    """
    regions = seen.program.configuration.regions
    found = {k.fact.region: k for k in seen.facts(Locked, dataset.name)}
    for name in dataset.regions:
        lock = regions[name].object_lock
        if lock is None or seen.stock(dataset, name).newest_at is None:
            continue
        known = found.get(name)
        yield from _lapsed(dataset.name, name, lock, known, seen.now)
        if known and known.fact.missing:
            yield _deleted(dataset, known)


def record_alarms(seen: Seen) -> Iterator[dict[str, Value]]:
    """The same for drorch's own records, in regions in which some were ever locked."""
    for known in seen.facts(Locked, ""):
        region = seen.program.configuration.regions.get(known.fact.region)
        if region is not None and region.object_lock is not None:
            yield from _lapsed("", region.name, region.object_lock, known, seen.now)


def _lapsed(
    dataset: str, region: str, lock: ObjectLock, known: Known[Locked] | None, now: datetime
) -> Iterator[dict[str, Value]]:
    """One alarm, if the locks are not as they should be; without a dataset, those of records."""
    horizon = Horizon(known.fact.until, known.recorded_at) if known else None
    found, since = lapse(lock, horizon, now)
    end = f" {horizon.until:%Y-%m-%d %H:%M} UTC" if horizon and horizon.until else ""
    says = {
        Lapse.NEVER_EXTENDED: "were never extended, and lapse",
        Lapse.UNLOCKED: "are missing: something is not locked at all",
        Lapse.LAPSED: f"have lapsed, the first of them on{end}",
        Lapse.LAPSING: f"lapse from{end} on: nobody extended them in time",
    }
    if found is not Lapse.GOOD:
        only = f"--dataset {dataset} " if dataset else ""
        yield alarm(
            AlarmWord(f"lock.{found}"),
            f"{dataset or 'records'} in {region}",
            since,
            f"the object locks of {dataset or 'records'} in {region} {says[found]}",
            f"now, and then at least every {format_duration(interval(lock))}: "
            f"drorch lock-extend {only}--region {region}",
        )


def _deleted(dataset: Dataset, known: Known[Locked]) -> dict[str, Value]:
    region, missing = known.fact.region, known.fact.missing
    named = ", ".join(snapshot[:8] for snapshot in missing)
    return alarm(
        AlarmWord.COPY_DELETED,
        f"{dataset.name} in {region}",
        known.recorded_at,
        f"snapshots of {dataset.name} were deleted from {region} behind drorch's back: {named}",
        f"find out who did it, then: drorch rewind --region {region} --dataset {dataset.name} "
        "--to TIME",
    )
