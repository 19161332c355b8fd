"""What happens by itself and when: the jobs that a configuration asks for, and which slot of a job
is due. Pure.

Each slot of a job comes to be accounted for once: fired, late, or missed (core/events.py). After a
time in which nothing was fired a job catches up with its newest slot; all before it are missed.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from functools import lru_cache

from drorch.core.durations import format_duration, parse_duration
from drorch.core.locking import interval
from drorch.core.model import Configuration, Dataset
from drorch.core.schedules import (
    Calendar,
    Every,
    Schedule,
    parse_cron,
    parse_schedule,
    promised_age,
    shortest_gap,
)
from drorch.core.settings import Keep
from drorch.core.slots import count_between, newest_slot, next_slot

_DAY = timedelta(days=1)

_EVERY_DAY = parse_cron("* * * * *")

#: When work happens that the configuration gives no time of day for.
RETENTION, SCRUB = "daily at 04:00", "daily at 01:00"

#: A start is late by no less than this.
_AT_ONCE = timedelta(seconds=5)

#: Slots may be accounted for up to so much later than a clock shows: another machine's is ahead. That
#: time is waited for. What is later still was recorded by a clock that lied: stores refuse whoever's
#: clock is further off.
LIE = timedelta(minutes=15)

#: A failed backup is tried again after this at the soonest and at the latest.
_SOONEST, _LATEST = timedelta(minutes=5), timedelta(hours=1)

#: As in schedules that people write.
_MOST_OFTEN = timedelta(seconds=1)


class JobKind(StrEnum):
    """What a job does; each slot of it is a run of that kind."""

    BACKUP = "backup"
    CHECK = "check"
    SCRUB = "scrub"
    RETENTION = "retention"
    LOCK_EXTEND = "lock-extend"
    RESTORE_TEST = "restore-test"
    READINESS = "readiness"
    DRILL = "drill"
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class Job:
    """Something that happens by a schedule.

    `subject` is the dataset, or the drill, or which report; empty: every runbook's preconditions, or the locks of
    drorch's own records. `text` is the schedule or age in words. Every slot is fired
    `spread` after its time, so that jobs of one time do not all start at once.
    """

    kind: JobKind
    subject: str
    text: str
    schedule: Schedule
    spread: timedelta

    @property
    def name(self) -> str:
        """The name that the journal keeps slots by: `backup:ehr-db`, `readiness`."""
        return _name(self.kind, self.subject)

    def next_slot(self, after: datetime, zone: tzinfo) -> datetime:
        """The first slot after a moment; aware UTC."""
        return next_slot(self.schedule, after, zone)


@dataclass(frozen=True, slots=True)
class Gap:
    """Slots of a job, one after the other, that nothing was fired for."""

    first: datetime
    last: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Due:
    """A slot to fire, not before `start_at`; `missed` are those before it that nobody accounted for."""

    job: Job
    slot: datetime
    start_at: datetime
    missed: Gap | None = None

    @property
    def late_from(self) -> datetime:
        """A start after this is a late one."""
        return self.start_at + max(_gap(self.job.schedule) / 10, _AT_ONCE)


def account(job: Job, accounted: datetime, now: datetime, zone: tzinfo) -> Due | None:
    """What is due of a job whose slots up to `accounted` are accounted for; None: nothing yet."""
    first = job.next_slot(accounted, zone)
    if first > now:
        return None
    slot = newest_slot(job.schedule, now, zone)
    gap = None if slot == first else _gap_between(job, first, slot, zone)
    return Due(job, slot, slot + job.spread, gap)


def _gap_between(job: Job, first: datetime, slot: datetime, zone: tzinfo) -> Gap:
    """The slots from the first on, without the last."""
    instant = timedelta(microseconds=1)
    last = newest_slot(job.schedule, slot - instant, zone)
    return Gap(first, last, count_between(job.schedule, first - instant, last, zone))


def parted(job: Job, gap: Gap, borders: Iterable[datetime], zone: tzinfo) -> Iterator[Gap]:
    """The same slots in parts of which none reaches over a border: one begins there, or later."""
    instant = timedelta(microseconds=1)
    after = gap.first - instant
    for border in (*sorted(b for b in borders if gap.first < b <= gap.last), gap.last + instant):
        until = border - instant
        if count := count_between(job.schedule, after, until, zone):
            first = job.next_slot(after, zone)
            yield Gap(first, newest_slot(job.schedule, until, zone), count)
        after = until


def again_at(job: Job, ended_at: datetime, zone: tzinfo) -> datetime | None:
    """When a job is tried again whose run failed and ended then: once it has been due for twice as
    long, between five minutes and an hour later. None: its next slot comes sooner.
    """
    been_due = ended_at - newest_slot(job.schedule, ended_at, zone)
    again = ended_at + min(max(been_due, _SOONEST), _LATEST)
    return again if again < job.next_slot(ended_at, zone) else None


def jobs_of(configuration: Configuration) -> tuple[Job, ...]:
    """Everything that is to happen by itself, by datasets, then drills and what concerns all. Where
    there is anything, its report comes by itself as well.
    """
    found = tuple(_jobs(configuration))
    return (*found, _report(configuration)) if found else ()


def _jobs(configuration: Configuration) -> Iterator[Job]:
    for dataset in configuration.datasets.values():
        yield from _jobs_of_dataset(dataset, configuration)
    yield from _lock_extension("", tuple(configuration.regions), configuration)
    for drill in configuration.drills.values():
        schedule = parse_schedule(drill.schedule)
        yield Job(JobKind.DRILL, drill.name, drill.schedule, schedule, timedelta())
    if configuration.drills or any(s.runbook for s in configuration.services.values()):
        yield _job(JobKind.READINESS, "", configuration.daemon.readiness)


def _report(configuration: Configuration) -> Job:
    """The quarterly report, at the very time that was asked for."""
    asked = configuration.reports.quarterly
    text = f"quarterly on day {asked.day} at {asked.at}"
    return Job(JobKind.REPORT, "quarter", text, parse_cron(asked.cron), timedelta())


def _jobs_of_dataset(dataset: Dataset, configuration: Configuration) -> Iterator[Job]:
    name, verify = dataset.name, dataset.verify
    if dataset.schedule is not None:
        yield _job(JobKind.BACKUP, name, dataset.schedule)
    if verify.check is not None:
        yield _job(JobKind.CHECK, name, verify.check)
    if verify.scrub is not None:
        yield _job(JobKind.SCRUB, name, *_scrubs(verify.scrub))
    if dataset.prune is not None or dataset.keep != Keep():
        yield _retention(dataset)
    yield from _lock_extension(name, dataset.regions, configuration)
    if verify.restore_test is not None:
        yield _job(JobKind.RESTORE_TEST, name, verify.restore_test)


def _job(kind: JobKind, subject: str, text: str, schedule: Schedule | None = None) -> Job:
    wanted = schedule or _schedule(text)
    return Job(kind, subject, text, wanted, _spread(kind, subject, wanted))


@lru_cache(maxsize=16_384)
def _schedule(text: str) -> Schedule:
    """A schedule, or an age that is to be kept."""
    try:
        age = parse_duration(text)
    except ValueError:
        return parse_schedule(text)
    return _keeping(age)


def _keeping(age: timedelta) -> Every:
    """Often enough that nothing becomes older: at nine tenths, and in whole days where that is long."""
    often = age * 9 / 10
    return Every(max(often if age <= 10 * _DAY else _DAY * (often // _DAY), _MOST_OFTEN))


@lru_cache(maxsize=1_024)
def _scrubs(text: str) -> tuple[str, Schedule]:
    """A scrub is the day's share of the work that keeps the promise; of a shorter one all of it."""
    age = promised_age(text)
    return (text, _keeping(age)) if age <= _DAY else (SCRUB, _schedule(SCRUB))


def _retention(dataset: Dataset) -> Job:
    """Snapshots go daily where `keep` has rules, at the time at which space is freed when it is due."""
    kind, name, prune = JobKind.RETENTION, dataset.name, dataset.prune
    if prune is None:
        return _job(kind, name, RETENTION)
    pruning = _schedule(prune)
    if dataset.keep != Keep() and isinstance(pruning, Calendar):
        daily = replace(_EVERY_DAY, hours=pruning.hours, minutes=pruning.minutes)
        return _job(kind, name, f"daily at the time of {prune}", daily)
    if dataset.keep == Keep() or (isinstance(pruning, Every) and pruning.interval < _DAY):
        return _job(kind, name, prune, pruning)
    return _job(kind, name, RETENTION)


def _lock_extension(
    subject: str, regions: tuple[str, ...], configuration: Configuration
) -> Iterator[Job]:
    """Where a region has an object lock: as often as the one with the shortest needs it."""
    locks = (configuration.regions[region].object_lock for region in regions)
    wanted = min((interval(lock) for lock in locks if lock is not None), default=None)
    if wanted is not None:
        text = f"every {format_duration(wanted)}"
        yield _job(JobKind.LOCK_EXTEND, subject, text, _keeping(wanted))


def _name(kind: JobKind, subject: str) -> str:
    return f"{kind}:{subject}" if subject else kind.value


def _spread(kind: JobKind, subject: str, schedule: Schedule) -> timedelta:
    """Always the same for the same job, so that the distances between its slots stay."""
    most = timedelta(minutes=10) if kind is JobKind.BACKUP else timedelta(hours=4)
    digest = hashlib.sha256(_name(kind, subject).encode()).digest()
    share = int.from_bytes(digest[:8]) / 2**64
    return timedelta(seconds=int(min(_gap(schedule) / 10, most).total_seconds() * share))


@lru_cache(maxsize=16_384)
def _gap(schedule: Schedule) -> timedelta:
    return shortest_gap(schedule)
