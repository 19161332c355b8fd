"""Which jobs a configuration asks for, how often, and which of their slots are due."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drorch.core.jobs import Due, Gap, Job, JobKind, account, again_at, jobs_of
from drorch.core.model import (
    Configuration,
    Dataset,
    DrillSchedule,
    LockMode,
    ObjectLock,
    Region,
    Service,
    Verify,
)
from drorch.core.schedules import Every, parse_schedule, shortest_gap
from drorch.core.settings import DaemonSettings, Keep, Quarterly, Reports
from drorch.core.slots import slots_between

TORONTO = ZoneInfo("America/Toronto")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=TORONTO).astimezone(UTC)


def region(name: str, keep_days: int = 0) -> Region:
    lock = ObjectLock(LockMode.COMPLIANCE, keep_days * DAY) if keep_days else None
    return Region(name, f"http://{name}.example", "drorch", "CA-QC", object_lock=lock)


def of(dataset: Dataset | None = None, *regions: Region, **more) -> Configuration:
    return Configuration(
        Path("/etc/drorch"),
        regions={one.name: one for one in regions or (region("mtl"),)},
        datasets={dataset.name: dataset} if dataset else {},
        **more,
    )


EHR = Dataset("ehr-db", "key", "mtl", paths=(Path("/srv/ehr"),))


def only(**changes) -> Job:
    """The one job of a dataset with these settings, beside the report."""
    job, report = jobs_of(of(replace(EHR, **changes)))
    assert report.kind is JobKind.REPORT
    return job


def test_nothing_is_asked_for_where_nothing_has_a_schedule():
    assert jobs_of(of(EHR)) == ()


def test_every_kind_of_job_has_its_reason():
    everything = replace(
        EHR,
        schedule="*/15 * * * *",
        keep=Keep(daily=7),
        verify=Verify(check="weekly", scrub="30d", restore_test="monthly"),
    )
    jobs = jobs_of(
        of(
            everything,
            region("mtl", keep_days=30),
            services={"ehr": Service("ehr", runbook="move")},
            drills={"ehr-quarterly": DrillSchedule("ehr-quarterly", "move", "quarterly")},
        )
    )
    assert [job.name for job in jobs] == [
        "backup:ehr-db",
        "check:ehr-db",
        "scrub:ehr-db",
        "retention:ehr-db",
        "lock-extend:ehr-db",
        "restore-test:ehr-db",
        "lock-extend",
        "drill:ehr-quarterly",
        "readiness",
        "report:quarter",
    ]
    assert [job.text for job in jobs][:4] == [
        "*/15 * * * *",
        "weekly",
        "daily at 01:00",
        "daily at 04:00",
    ]


def test_the_report_comes_where_anything_is_scheduled_at_the_very_time_that_is_asked_for():
    asked = Reports(Quarterly(day=28, at="23:05"))
    *_, job = jobs_of(of(replace(EHR, schedule="daily"), reports=asked))
    assert (job.name, job.text) == ("report:quarter", "quarterly on day 28 at 23:05")
    assert job.spread == timedelta()
    assert job.next_slot(at("2026-12-31T12:00"), TORONTO) == at("2027-01-28T23:05")
    assert job.next_slot(at("2027-01-28T23:05"), TORONTO) == at("2027-04-28T23:05")


def test_preconditions_are_looked_at_if_there_is_a_runbook_to_rely_on():
    assert jobs_of(of(services={"ehr": Service("ehr")})) == ()
    job, _ = jobs_of(
        of(
            services={"ehr": Service("ehr", runbook="move")},
            daemon=DaemonSettings(readiness="every 6h"),
        )
    )
    assert (job.kind, job.name, job.schedule) == (JobKind.READINESS, "readiness", Every(6 * HOUR))


@pytest.mark.parametrize(
    ("age", "every"),
    [
        ("30d", 27 * DAY),
        ("11d", 9 * DAY),
        ("10d", 9 * DAY),
        ("7d", timedelta(days=6, hours=7, minutes=12)),
        ("1d", timedelta(hours=21, minutes=36)),
        ("0s", timedelta(seconds=1)),
        ("every 30d", 30 * DAY),
    ],
)
def test_an_age_is_kept_by_doing_it_sooner(age, every):
    assert only(verify=Verify(check=age)).schedule == Every(every)
    assert only(verify=Verify(restore_test=age)).schedule == Every(every)


@pytest.mark.parametrize(
    ("scrub", "wanted"),
    [
        ("30d", "daily at 01:00"),
        ("weekly", "daily at 01:00"),
        ("every 12h", "every 10h48m"),
        ("1d", "every 21h36m"),
    ],
)
def test_a_scrub_is_daily_work_whatever_age_it_keeps(scrub, wanted):
    assert only(verify=Verify(scrub=scrub)).schedule == parse_schedule(wanted)


@pytest.mark.parametrize(
    ("keep", "prune", "wanted"),
    [
        (Keep(daily=7), None, "daily at 04:00"),
        (Keep(daily=7), "weekly on sun at 03:30", "daily at 03:30"),
        (Keep(daily=7), "0 */6 * * *", "0 */6 * * *"),
        (Keep(daily=7), "0 3,15 * * mon", "0 3,15 * * *"),
        (Keep(within=30 * DAY), "30d", "daily at 04:00"),
        (Keep(last=1), "every 12h", "every 12h"),
        (Keep(), "weekly on sun at 03:30", "weekly on sun at 03:30"),
        (Keep(), "30d", "every 27d"),
    ],
)
def test_retention_is_daily_at_the_time_of_pruning(keep, prune, wanted):
    assert only(keep=keep, prune=prune).schedule == parse_schedule(wanted)


def test_locks_are_extended_before_they_need_it_where_there_are_any():
    long, short = region("mtl", keep_days=60), region("qc", keep_days=20)
    *jobs, _ = jobs_of(of(replace(EHR, primary="mtl"), long, short, region("tor")))
    assert [(job.name, job.schedule) for job in jobs] == [
        ("lock-extend:ehr-db", Every(13 * DAY)),
        ("lock-extend", Every(timedelta(days=4, hours=12))),
    ]
    assert jobs[0].text == "every 15d"


def test_jobs_of_one_time_are_spread_and_a_job_always_alike():
    names = [f"set-{n}" for n in range(500)]
    many = of(drills={"all": DrillSchedule("all", "move", "daily")})
    many = replace(many, datasets={n: replace(EHR, name=n, schedule="daily", verify=Verify(check="weekly")) for n in names})  # fmt: skip
    jobs = jobs_of(many)
    assert jobs == jobs_of(many)
    backups = [job.spread for job in jobs if job.kind is JobKind.BACKUP]
    checks = [job.spread for job in jobs if job.kind is JobKind.CHECK]
    assert max(backups) < timedelta(minutes=10)
    assert len(set(backups)) > 300
    assert timedelta(hours=3) < max(checks) < 4 * HOUR
    assert [job.spread for job in jobs if job.kind is JobKind.DRILL] == [timedelta()]


@pytest.mark.parametrize(
    ("schedule", "most"),
    [
        ("every 10s", timedelta(seconds=1)),
        ("*/15 * * * *", timedelta(seconds=90)),
        ("0 9,10 * * mon", timedelta(minutes=6)),
    ],
)
def test_no_job_waits_longer_than_a_tenth_of_its_shortest_distance(schedule, most):
    many = replace(of(), datasets={str(n): replace(EHR, name=str(n), schedule=schedule) for n in range(200)})  # fmt: skip
    spreads = {job.spread for job in jobs_of(many)}
    assert timedelta() <= min(spreads) <= max(spreads) <= most


@pytest.mark.parametrize(
    ("text", "shortest"),
    [
        ("every 7h", 7 * HOUR),
        ("hourly", HOUR),
        ("daily", DAY),
        ("0 1,23 * * *", 2 * HOUR),
        ("weekly", 7 * DAY),
        ("0 3 * * mon,wed", 2 * DAY),
        ("0 4,6 1 * *", 2 * HOUR),
        ("monthly", 28 * DAY),
        ("0 0 29 2 *", 1461 * DAY),
    ],
)
def test_the_shortest_time_between_two_slots(text, shortest):
    assert shortest_gap(parse_schedule(text)) == shortest


# --- what is due

NIGHTLY = replace(only(schedule="daily at 02:30"), spread=timedelta(minutes=5))


def test_nothing_is_due_before_its_time():
    slot = at("2026-11-23T02:30")
    assert account(NIGHTLY, slot, at("2026-11-24T02:29"), TORONTO) is None
    assert NIGHTLY.next_slot(slot, TORONTO) == at("2026-11-24T02:30")


def test_a_slot_is_due_from_its_time_on_and_starts_spread():
    due = account(NIGHTLY, at("2026-11-23T02:30"), at("2026-11-24T02:30"), TORONTO)
    assert due == Due(NIGHTLY, at("2026-11-24T02:30"), at("2026-11-24T02:35"))
    assert due.late_from == due.start_at + DAY / 10
    assert account(NIGHTLY, due.slot, at("2026-11-24T12:00"), TORONTO) is None


def test_after_a_time_without_anybody_the_newest_is_due_and_the_others_are_missed():
    due = account(NIGHTLY, at("2026-11-20T02:30"), at("2026-11-24T12:00"), TORONTO)
    assert due is not None
    assert due.slot == at("2026-11-24T02:30")
    assert due.missed == Gap(at("2026-11-21T02:30"), at("2026-11-23T02:30"), 3)
    one = account(NIGHTLY, at("2026-11-22T02:30"), at("2026-11-24T12:00"), TORONTO)
    assert one is not None
    assert one.missed == Gap(at("2026-11-23T02:30"), at("2026-11-23T02:30"), 1)


def test_a_clock_that_was_set_back_makes_nothing_due_twice():
    assert account(NIGHTLY, at("2026-11-24T02:30"), at("2026-11-20T12:00"), TORONTO) is None


def test_years_without_anybody_are_counted():
    often = replace(NIGHTLY, schedule=parse_schedule("*/15 * * * *"))
    due = account(often, at("2024-01-01T00:00"), at("2026-01-01T00:07"), TORONTO)
    assert due is not None
    assert due.slot == at("2026-01-01T00:00")
    assert due.missed is not None
    assert due.missed.count == 731 * 96 - 1
    assert due.missed.last == at("2025-12-31T23:45")


def test_what_happens_often_is_late_after_seconds():
    often = replace(NIGHTLY, schedule=parse_schedule("every 10s"), spread=timedelta())
    due = account(often, at("2026-11-24T02:00:00"), at("2026-11-24T02:00:11"), TORONTO)
    assert due is not None
    assert due.late_from == at("2026-11-24T02:00:15")


@given(
    st.sampled_from(["*/15 * * * *", "hourly", "30 2 * * *", "0 1-3 * * *", "every 7h", "every 36h", "weekly"]),
    st.sampled_from(["America/Toronto", "Australia/Lord_Howe", "Europe/Paris", "UTC"]),
    st.sampled_from(["2026-03-06", "2026-03-28", "2026-04-04", "2026-10-24", "2026-10-31", "2028-02-28"]),
    st.lists(st.integers(1, 4000), min_size=1, max_size=30),
)  # fmt: skip
@settings(deadline=None)
def test_whenever_somebody_looks_each_slot_is_accounted_for_once(text, zone, day, waits):
    """Looked at after so many minutes each time; what is not fired then is missed."""
    place, since = ZoneInfo(zone), datetime.fromisoformat(day).replace(tzinfo=UTC)
    job = replace(NIGHTLY, schedule=parse_schedule(text))
    accounted, now, told = since, since, []
    for wait in waits:
        now += timedelta(minutes=wait)
        due = account(job, accounted, now, place)
        if due is None:
            continue
        gap = [] if due.missed is None else list(slots_between(job.schedule, accounted, due.missed.last, place))  # fmt: skip
        if due.missed is not None:
            assert (gap[0], gap[-1], len(gap)) == (due.missed.first, due.missed.last, due.missed.count)  # fmt: skip
        told += [*gap, due.slot]
        accounted = due.slot
    assert told == list(slots_between(job.schedule, since, now, place))


# --- what failed


def test_what_failed_is_tried_again_once_it_was_due_twice_as_long_within_an_hour():
    ended, tries = at("2026-11-24T02:31"), []
    for _ in range(9):
        again = again_at(NIGHTLY, ended, TORONTO)
        assert again is not None
        tries.append((again - ended) // timedelta(minutes=1))
        ended = again + timedelta(minutes=1)  # and it failed again
    assert tries == [5, 7, 15, 31, 60, 60, 60, 60, 60]


def test_what_its_next_slot_does_sooner_is_not_tried_again():
    often = replace(NIGHTLY, schedule=parse_schedule("*/15 * * * *"))
    assert again_at(often, at("2026-11-24T02:03"), TORONTO) == at("2026-11-24T02:08")
    assert again_at(often, at("2026-11-24T02:11"), TORONTO) is None
    assert again_at(NIGHTLY, at("2026-11-24T02:00"), TORONTO) is None
