"""What the quarter's figures say of each promise. Pure.

A promise is judged where the quarter can: `kept` is None where nothing was measured, and the reader
is told so. Words only state what was found; they draw no conclusion about any law.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from drorch.core.document import seconds
from drorch.core.durations import format_duration
from drorch.core.quarter_datasets import CopyQuarter, DatasetQuarter, Work
from drorch.core.quarter_document import PromiseQuarter
from drorch.core.quarter_drills import DrillQuarter, DrillSchedule, Reached, ServiceQuarter
from drorch.core.quarter_records import CopyPlace, Destruction, RestoreQuarter

_PROVES_NOTHING = "it did not pass: data that was not proven usable meets nothing"

#: How many runs a promise names.
_NAMED = 5


def promises_of(
    datasets: Sequence[DatasetQuarter],
    drills: Sequence[DrillQuarter],
    schedules: Sequence[DrillSchedule],
    services: Sequence[ServiceQuarter],
    places: Sequence[CopyPlace],
    restores: Sequence[RestoreQuarter],
) -> Iterator[PromiseQuarter]:
    """Every promise that the quarter's reader was given: those it cannot judge are among them."""
    for dataset in datasets:
        yield from _of_dataset(dataset)
    for schedule in schedules:
        if schedule.drills.promised or schedule.drills.due:
            yield _work("drill", schedule.drill, schedule.drills)
    for drill in drills:
        for word, reached in (("rto", drill.rto), ("drill-rpo", drill.rpo)):
            if reached.target is not None:
                yield _reached(word, drill, reached)
    for service in services:
        yield from _undrilled(service, drills)
    for place in places:
        if place.residency:
            yield _residency(place)
    yield from _destroyed(restores)


def _of_dataset(dataset: DatasetQuarter) -> Iterator[PromiseQuarter]:
    for copy in dataset.copies:
        if copy.rpo is not None:
            yield _rpo(dataset.dataset, copy)
    for word, work in works_of(dataset):
        if work.promised or work.due:
            yield _work(word, dataset.dataset, work)


def works_of(dataset: DatasetQuarter) -> tuple[tuple[str, Work], ...]:
    """What is done for a dataset by schedules, by the promise's word."""
    return (
        ("backup", dataset.backups),
        ("check", dataset.checks),
        ("scrub", dataset.scrubs),
        ("restore-test", dataset.restore_tests),
    )


def _rpo(dataset: str, copy: CopyQuarter) -> PromiseQuarter:
    why = ""
    if copy.rpo_met is None:
        why = "nothing is known to have lain there"
    elif copy.without:
        why = f"for {format_duration(copy.without)} nothing lay there"
    elif copy.over_rpo:
        why = f"for {format_duration(copy.over_rpo)} it was older than promised"
    return PromiseQuarter(
        "rpo",
        f"{dataset} in {copy.region}",
        _seconds(copy.rpo),
        _seconds(copy.worst_age),
        copy.rpo_met,
        why,
    )


def _work(word: str, subject: str, work: Work) -> PromiseQuarter:
    parts = [
        f"{work.missed} missed" if work.missed else "",
        f"{work.failed} failed" if work.failed else "",
    ]
    why = ", ".join(part for part in parts if part)
    kept = not why if work.due else None
    why = why if work.due else "none was due"
    return PromiseQuarter(word, subject, work.promised, f"{work.done}/{work.due}", kept, why)


def _reached(word: str, drill: DrillQuarter, reached: Reached) -> PromiseQuarter:
    why = ""
    if reached.met is None:
        failed = reached.actual is not None
        why = _PROVES_NOTHING if failed else "the drill did not measure it"
    elif not reached.met and reached.actual is None:
        why = "it was not recovered"
    return PromiseQuarter(
        word,
        drill.service or drill.runbook,
        _seconds(reached.target),
        _seconds(reached.actual),
        reached.met,
        why,
        (drill.run,),
    )


def _undrilled(service: ServiceQuarter, drills: Sequence[DrillQuarter]) -> Iterator[PromiseQuarter]:
    """What is promised for a service, and no drill of the quarter was held against."""
    own = [d for d in drills if d.service == service.service or _is_unnamed_of(d, service)]
    promised = (
        ("rto", service.rto, [drill.rto for drill in own]),
        ("drill-rpo", service.rpo, [drill.rpo for drill in own]),
    )
    for word, target, reached in promised:
        if target is not None and all(one.target is None for one in reached):
            yield PromiseQuarter(
                word, service.service, _seconds(target), "", None, _why_undrilled(service)
            )


def _is_unnamed_of(drill: DrillQuarter, service: ServiceQuarter) -> bool:
    return not drill.service and drill.runbook == service.runbook


def _why_undrilled(service: ServiceQuarter) -> str:
    if service.drilled:
        return "no drill was held against it"
    return "it was never drilled" if service.last_drill_at is None else "it was not drilled"


def key_promise(subject: str, wanted: timedelta, age: timedelta | None) -> PromiseQuarter:
    """That the password of a repository is changed often enough; `age` since it last was, if known."""
    kept = None if age is None else age <= wanted
    why = "when it was last changed is not known" if age is None else ""
    return PromiseQuarter("key", subject, _seconds(wanted), _seconds(age), kept, why)


def _residency(place: CopyPlace) -> PromiseQuarter:
    kept = None if place.inside is None else place.inside or place.papered
    why = "the region is not in the configuration any more" if place.inside is None else ""
    if place.inside is False:
        why = f"by {place.assessment} and {place.agreement}" if kept else "no assessment is named"
    return PromiseQuarter(
        "residency",
        f"{place.dataset} in {place.region}",
        ", ".join(place.residency),
        place.jurisdiction or "",
        kept,
        why,
    )


def _destroyed(restores: Sequence[RestoreQuarter]) -> Iterator[PromiseQuarter]:
    """Data that exercises brought back is to be gone when they end."""
    wanted = [r for r in restores if r.state in (Destruction.DESTROYED, Destruction.LEFT)]
    if not wanted:
        return
    left = [r.run for r in wanted if r.state is Destruction.LEFT]
    yield PromiseQuarter(
        "destruction",
        "",
        "",
        f"{len(wanted) - len(left)}/{len(wanted)}",
        not left,
        f"{len(left)} left" if left else "",
        tuple(dict.fromkeys(left))[:_NAMED],
    )


def _seconds(duration: timedelta | None) -> str:
    """`3600s`, `10.212s`; never in powers of ten."""
    return "" if duration is None else f"{seconds(duration):.3f}".rstrip("0").rstrip(".") + "s"
