"""What every journal promises of slots: each is accounted for once, in order, or nothing is recorded."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import pytest

from drorch.core.errors import ExitCode, SlotGone
from drorch.core.events import (
    ConfigurationTaken,
    Event,
    JobsSeen,
    SlotsMissed,
    SlotTaken,
)
from drorch.core.names import SlotFate
from drorch.core.posture import SlotRow
from drorch.ports import Journal
from tests.fakes.facts import DAWN, begun, finished, stamped, started

EHR, DOCS = "backup:ehr-db", "backup:ehr-documents"


def hour(number: float) -> datetime:
    return DAWN + timedelta(hours=number)


def record(journal: Journal, *events: Event) -> str:
    """Record events with the start of a run of their own; its id."""
    run = f"run-{len(journal.rows())}"
    journal.begin(run, stamped(started(run), *events, finished()), lambda _: None)
    return run


def refused(journal: Journal, *events: Event) -> SlotGone:
    """Try to record what cannot be: nothing of it is there afterwards."""
    before: tuple[Sequence[SlotRow], Mapping[str, datetime], int]
    before = journal.slots(), journal.accounted(), len(journal.rows())
    with pytest.raises(SlotGone) as caught:
        record(journal, *events)
    assert (journal.slots(), journal.accounted(), len(journal.rows())) == before
    return caught.value


def test_a_slot_is_fired_and_accounted_for(journal: Journal) -> None:
    run = record(journal, SlotTaken(EHR, hour(1)))
    assert journal.accounted() == {EHR: hour(1)}
    assert journal.slots() == [SlotRow(EHR, hour(1), hour(1), 1, SlotFate.FIRED, "", run)]


def test_a_late_one_and_those_missed_before_it_say_why(journal: Journal) -> None:
    gap = SlotsMissed(EHR, hour(1), hour(3), 3, "no daemon was there")
    run = record(journal, gap, SlotTaken(EHR, hour(4), late=True, why="mtl had no room"))
    assert journal.accounted() == {EHR: hour(4)}
    assert journal.slots() == [
        SlotRow(EHR, hour(4), hour(4), 1, SlotFate.LATE, "mtl had no room", run),
        SlotRow(EHR, hour(1), hour(3), 3, SlotFate.MISSED, "no daemon was there", run),
    ]


@pytest.mark.parametrize(
    "events",
    [
        [SlotTaken(EHR, hour(4))],
        [SlotTaken(EHR, hour(3))],
        [SlotTaken(EHR, hour(3.5))],
        [SlotsMissed(EHR, hour(4), hour(4), 1, "again")],
        [SlotsMissed(EHR, hour(4), hour(6), 3, "overlapping")],
        [SlotsMissed(EHR, hour(1), hour(9), 9, "around")],
        [SlotTaken(DOCS, hour(9)), SlotTaken(EHR, hour(4))],
        [SlotTaken(EHR, hour(5)), SlotTaken(EHR, hour(5))],
        [SlotTaken(EHR, hour(6)), SlotsMissed(EHR, hour(5), hour(5), 1, "the wrong way round")],
        [SlotsMissed(EHR, hour(5), hour(7), 3, "over"), SlotTaken(EHR, hour(7))],
        [JobsSeen((DOCS,), hour(8)), SlotTaken(DOCS, hour(8))],
    ],
)
def test_what_is_accounted_for_is_not_accounted_for_again(
    journal: Journal, events: list[Event]
) -> None:
    record(journal, SlotsMissed(EHR, hour(1), hour(3), 3, "no daemon"), SlotTaken(EHR, hour(4)))
    gone = refused(journal, *events)
    assert gone.exit_code is ExitCode.ALREADY_RUNNING
    assert "is accounted for already" in gone.message
    record(journal, SlotTaken(EHR, hour(5)))
    assert journal.accounted() == {EHR: hour(5)}


def test_a_gap_that_is_none_is_refused(journal: Journal) -> None:
    for wrong in (
        SlotsMissed(EHR, hour(2), hour(1), 1, ""),
        SlotsMissed(EHR, hour(1), hour(2), 0, ""),
    ):
        with pytest.raises(ValueError, match="are no gap"):
            record(journal, wrong)
    assert (journal.slots(), journal.accounted(), journal.rows()) == ([], {}, [])


def test_jobs_that_are_new_count_from_when_they_were_seen(journal: Journal) -> None:
    record(journal, SlotTaken(EHR, hour(1)))
    record(journal, JobsSeen((EHR, DOCS, DOCS), hour(5)))
    assert journal.accounted() == {EHR: hour(1), DOCS: hour(5)}
    record(journal, JobsSeen((DOCS, EHR), hour(9)), JobsSeen((), hour(9)))
    assert journal.accounted() == {EHR: hour(1), DOCS: hour(5)}
    assert len(journal.slots()) == 1


def test_slots_that_a_lying_clock_accounted_for_are_not_waited_for(journal: Journal) -> None:
    """A little ahead may be another machine's clock, and is waited for; years ahead never come."""
    first = record(journal, SlotTaken(EHR, hour(20_000)), SlotTaken(DOCS, hour(0.25)))
    record(journal, JobsSeen((EHR, DOCS), hour(0)))
    assert journal.accounted() == {EHR: hour(0), DOCS: hour(0.25)}
    refused(journal, SlotTaken(EHR, hour(0)))
    record(journal, SlotTaken(EHR, hour(1)))
    again = record(journal, SlotTaken(EHR, hour(20_000)))
    assert [slot.run for slot in journal.slots(job=EHR, since=hour(20_000))] == [again, first]
    refused(journal, SlotTaken(EHR, hour(20_000)))


def test_a_configuration_accounts_for_nothing(journal: Journal) -> None:
    run = record(journal, ConfigurationTaken("/etc/drorch/drorch.yaml", "a" * 64, "it was changed"))
    assert (journal.slots(), journal.accounted()) == ([], {})
    assert [type(r.event).__name__ for r in journal.read(run)][1] == "ConfigurationTaken"


def test_slots_may_be_recorded_while_a_run_goes_on(journal: Journal) -> None:
    journal.begin("r", stamped(started("r"), begun()), lambda _: None)
    journal.append("r", 2, stamped(SlotTaken(EHR, hour(2))))
    assert journal.accounted() == {EHR: hour(2)}
    with pytest.raises(SlotGone):
        journal.append("r", 3, stamped(SlotTaken(EHR, hour(2))))
    assert journal.find("r").seq == 3


def test_slots_are_found_by_job_and_time_newest_first(journal: Journal) -> None:
    for number in range(1, 5):
        record(journal, SlotTaken(EHR, hour(number)), SlotTaken(DOCS, hour(number + 0.5)))
    record(journal, SlotsMissed(EHR, hour(5), hour(8), 4, "no daemon"))
    found = journal.slots()
    assert [slot.first_at for slot in found[:3]] == [hour(5), hour(4.5), hour(4)]
    assert len(found) == 9
    assert [s.first_at for s in journal.slots(job=EHR)] == [hour(n) for n in (5, 4, 3, 2, 1)]
    assert [s.job for s in journal.slots(since=hour(4))] == [EHR, DOCS, EHR]
    assert [s.first_at for s in journal.slots(job=EHR, since=hour(8))] == [hour(5)]
    assert [s.first_at for s in journal.slots(job=EHR, limit=2)] == [hour(5), hour(4)]
    assert journal.slots(since=hour(8.1)) == journal.slots(job="check:ehr-db") == []
    assert journal.slots(limit=1) == found[:1]
    record(journal, JobsSeen(("readiness",), hour(9)))
    newest = journal.newest_slots()
    assert set(newest) == {EHR, DOCS}
    assert (newest[EHR], newest[DOCS]) == (found[0], found[1])
