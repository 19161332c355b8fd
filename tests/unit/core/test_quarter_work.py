"""What was due and done, and how a gap of missed slots over a border is divided."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drorch.core.names import Outcome, RunKind, SlotFate
from drorch.core.posture import SlotRow
from drorch.core.quarter_datasets import Missed, Work
from drorch.core.quarter_work import Counts, beside, share_of, total, works
from drorch.core.schedules import parse_schedule
from drorch.core.slots import slots_between
from drorch.core.spans import MissedCounted, RunsCounted, SlotsCounted

ZONE = ZoneInfo("America/Toronto")
HOUR, DAY, INSTANT = timedelta(hours=1), timedelta(days=1), timedelta(microseconds=1)
SINCE = datetime(2026, 10, 1, 4, tzinfo=UTC)
UNTIL = datetime(2027, 1, 1, 5, tzinfo=UTC)


def counts(**more: object) -> Counts:
    return Counts(SINCE, UNTIL, ZONE, **more)  # type: ignore[arg-type]


def gap(first: datetime, last: datetime, count: int, job: str = "backup:a") -> SlotRow:
    return SlotRow(job, first, last, count, SlotFate.MISSED, "it was down", "r1")


def test_slots_add_up_by_fate_and_outcome() -> None:
    slots = [
        SlotsCounted("backup:a", SlotFate.FIRED, Outcome.PASSED, 90),
        SlotsCounted("backup:a", SlotFate.FIRED, Outcome.FAILED, 4),
        SlotsCounted("backup:a", SlotFate.LATE, Outcome.ABORTED, 3),
        SlotsCounted("backup:a", SlotFate.LATE, None, 2),
        SlotsCounted("backup:a", SlotFate.MISSED, None, 7),
        SlotsCounted("check:a", SlotFate.FIRED, Outcome.PASSED, 1),
    ]
    missed = [MissedCounted("backup:a", "held up", 2), MissedCounted("backup:a", "down", 5)]
    found = works(counts(slots=slots, missed=missed))
    why = (Missed("down", 5), Missed("held up", 2))
    assert found["backup:a"] == Work("", 106, 94, 5, 7, 90, 7, 2, missed_why=why)
    assert found["check:a"] == Work("", 1, 1, done=1)


@pytest.mark.parametrize("border", [SINCE, UNTIL])
@pytest.mark.parametrize("text", ["hourly", "every 90m", "30 2 * * *", "weekly on sun at 03:00"])
def test_a_gap_over_a_border_is_divided_by_its_schedule(border: datetime, text: str) -> None:
    schedule = parse_schedule(text)
    slots = list(slots_between(schedule, border - 30 * DAY, border + 40 * DAY, ZONE))
    row = gap(slots[0], slots[-1], len(slots))
    inside = [at for at in slots if SINCE <= at < UNTIL]
    assert share_of(row, counts(schedules={"backup:a": schedule})) == (len(inside), False)
    found = works(counts(across=[row], schedules={"backup:a": schedule}))["backup:a"]
    assert found == Work("", len(inside), missed=len(inside), missed_why=(Missed("it was down", len(inside)),))  # fmt: skip


@given(
    st.integers(-(10**9), 10**9), st.integers(0, 10**7), st.integers(1, 60), st.integers(-99, 99)
)
def test_without_its_schedule_as_if_at_even_distances(
    first: int, length: int, count: int, micros: int
) -> None:
    begin = SINCE + timedelta(seconds=first / 100, microseconds=micros)
    end = begin if count == 1 else begin + timedelta(seconds=length, microseconds=count)
    row = gap(begin, end, count)
    steps = max(1, count - 1)
    micro = (end - begin) // INSTANT
    at = [begin + timedelta(microseconds=-(-micro * n // steps)) for n in range(count)]
    told, estimated = share_of(row, counts())
    assert told == sum(SINCE <= one < UNTIL for one in at)
    assert estimated or not told


def test_a_schedule_that_is_another_by_now_is_not_believed() -> None:
    row = gap(SINCE - HOUR, SINCE + HOUR, 5)
    schedules = {"backup:a": parse_schedule("hourly")}
    assert share_of(row, counts(schedules=schedules)) == (3, True)


def test_what_was_done_beside_the_schedule() -> None:
    runs = [
        RunsCounted(RunKind.BACKUP, "a", "schedule", Outcome.PASSED, 9, SINCE + DAY),
        RunsCounted(RunKind.BACKUP, "a", "operator", Outcome.PASSED, 2, SINCE + 2 * DAY),
        RunsCounted(RunKind.BACKUP, "a", "operator", Outcome.ABORTED, 1),
        RunsCounted(RunKind.BACKUP, "a", "operator", None, 1),
    ]
    done = beside(Work(due=9, done=9), runs)
    assert (done.by_hand, done.failed_by_hand, done.last_at) == (2, 1, SINCE + 2 * DAY)


def test_a_total_is_the_sum() -> None:
    one = Work("hourly", 3, 1, 1, 1, 2, 0, 0, 1, 0, SINCE, (Missed("x", 1),))
    other = Work("daily", 1, missed=1, last_at=UNTIL, missed_why=(Missed("x", 1),), estimated=True)
    both = total([one, other])
    assert both == Work("", 4, 1, 1, 2, 2, 0, 0, 1, 0, UNTIL, (Missed("x", 2),), estimated=True)
    assert total([]) == Work()
