"""Promises of copies, from what the journal holds: kept, about to be broken, broken, kept again."""

from datetime import timedelta

import pytest

from drorch.core.alarms import RunEnded
from drorch.core.events import RunFinished, SlotsMissed, SlotTaken
from drorch.core.facts import KeyKnown
from drorch.core.names import Outcome, RunKind
from drorch.core.posture import CopyFactKind
from tests.integration.app.house import DAY, HOUR, MINUTE, House


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


@pytest.fixture
def far(house):
    """With a mirror, and no RPO."""
    house.region("qc")
    house.dataset["copies"] = {"qc": "mirror"}
    house.dataset["objectives"] = {}
    return house


def test_a_breach_is_foreseen_by_what_the_last_backups_took(house):
    house.back_up(1, took=12 * MINUTE)
    house.clock.advance(17 * MINUTE)
    assert house.alarms() == []
    house.clock.advance(2 * MINUTE)
    assert house.alarms() == [("rpo.foreseen", "docs in mtl")]
    (alarm,) = house.status()["alarms"]
    assert "19m old; promised are 30m, and a backup takes 12m" in alarm["message"]
    assert alarm["severity"] == "warning"
    house.clock.advance(12 * MINUTE)
    assert house.alarms() == [("rpo.breached", "docs in mtl")]
    for number in range(5):  # five quick ones, and the slow one counts no more
        house.back_up(2 + number, took=MINUTE)
    house.clock.advance(28 * MINUTE)
    assert house.alarms() == []
    house.clock.advance(2 * MINUTE)
    assert house.alarms() == [("rpo.foreseen", "docs in mtl")]


def test_a_copy_that_lags_behind_is_missed_after_an_hour(far):
    far.back_up(1, "mtl", "qc")
    far.clock.advance(DAY)
    far.back_up(2, "mtl")
    far.clock.advance(HOUR)
    assert far.alarms() == []
    far.clock.advance(MINUTE)
    assert far.alarms() == [("copies.too-few", "docs")]
    assert "1 of 2 regions; qc lacks it" in far.status()["alarms"][0]["message"]
    far.record(far.held(2, "qc", old=HOUR + MINUTE))
    assert far.alarms() == []


def test_what_is_left_outside_of_the_residency_is_told(far):
    far.region("bos", "US-MA")
    far.dataset["residency"] = ["CA-QC"]
    far.back_up(1, "mtl", "qc", "bos")
    assert far.alarms() == [("residency.broken", "docs in bos")]
    far.settings["regions"]["bos"]["transfer"] = {"assessment": "A-1", "agreement": "C-1"}
    assert far.alarms() == []


def test_a_check_that_is_too_old_is_told_until_one_passes(far):
    far.dataset["verify"] = {"check": "30d"}
    far.back_up(1, "mtl", "qc")
    far.clock.advance(30 * DAY)
    assert far.alarms() == []
    far.clock.advance(MINUTE)
    assert far.alarms() == [("check.overdue", "docs")]
    assert "never checked" in far.status()["alarms"][0]["message"]
    good = RunEnded("check", "docs", "run", good=True, outcome="passed")
    far.record(kind=RunKind.CHECK, ended=RunFinished(Outcome.PASSED, facts=(good,)))
    assert far.alarms() == []
    bad = RunEnded("check", "docs", "run", good=False, outcome="failed", why="check-qc: no")
    far.clock.advance(20 * DAY)
    far.record(kind=RunKind.CHECK, ended=RunFinished(Outcome.FAILED, facts=(bad,)))
    assert far.alarms() == [("run.failed", "check of docs")]
    far.clock.advance(11 * DAY)
    assert far.alarms() == [("check.overdue", "docs"), ("run.failed", "check of docs")]


def test_work_by_a_schedule_may_end_a_tenth_later(far):
    far.dataset["verify"] = {"restore_test": "weekly"}
    far.back_up(1, "mtl", "qc")
    far.record(far.held(1, "qc", fact=CopyFactKind.RESTORE_TESTED))
    far.clock.advance(timedelta(days=7.7))
    assert far.alarms() == []
    far.clock.advance(MINUTE)
    assert far.alarms() == [("restore-test.overdue", "docs")]
    assert "last restored for trial 7d 16h ago" in far.status()["alarms"][0]["message"]


def test_a_password_that_was_not_changed_for_long_is_told(far):
    far.dataset["verify"] = {"key": "365d"}
    far.back_up(1, "mtl", "qc")
    first = KeyKnown("docs", "mtl", "a" * 64, secret="key")
    far.record(facts=[first, KeyKnown("docs", "mtl", "b" * 64, "escrow", "safe")])
    far.clock.advance(365 * DAY)
    assert far.alarms() == []
    far.record(facts=[KeyKnown("docs", "mtl", "c" * 64, "escrow", "safe")])
    far.clock.advance(MINUTE)
    assert far.alarms() == [("key.old", "docs in mtl")]
    far.record(facts=[KeyKnown("docs", "mtl", "d" * 64, secret="key")])
    assert far.alarms() == []


def test_work_of_a_dataset_that_is_gone_concerns_nobody(far):
    far.back_up(1, "mtl", "qc")
    bad = RunEnded("backup", "former", "run", good=False, outcome="failed")
    far.record(name="former", ended=RunFinished(Outcome.FAILED, facts=(bad,)))
    assert far.alarms() == []


def test_what_a_replication_failed_to_bring_is_told_while_it_is_owed(far):
    far.record(far.held(1), far.held(1, "qc", fact=CopyFactKind.OWED))
    bad = RunEnded("replicate", "docs", "run", good=False, outcome="failed")
    far.record(kind=RunKind.REPLICATE, ended=RunFinished(Outcome.FAILED, facts=(bad,)))
    assert ("run.failed", "replicate of docs") in far.alarms()
    far.back_up(2, "mtl", "qc")
    assert far.alarms() == []


def taken(house, late=False):
    """The slot of now is taken."""
    due = house.clock.now().at
    return SlotTaken("backup:docs", due, late=late, why="four others ran" if late else "")


def test_work_that_begins_late_is_told_until_it_begins_in_time(far):
    far.record(far.held(1), far.held(1, "qc"), also=[taken(far)])
    far.clock.advance(HOUR)
    far.record(also=[taken(far, late=True)])
    assert far.alarms() == [("slot.late", "backup:docs")]
    assert "began late: four others ran" in far.status()["alarms"][0]["message"]
    far.clock.advance(HOUR)
    far.record(also=[taken(far)])
    assert far.alarms() == []


def test_missed_slots_are_told_for_a_day_whatever_follows(far):
    far.record(far.held(1), far.held(1, "qc"), also=[taken(far)])
    first = far.clock.now().at + HOUR
    far.clock.advance(5 * HOUR)
    held = SlotsMissed("backup:docs", first, first + 2 * HOUR, 3, "another was in charge")
    gap = SlotsMissed("backup:docs", first + 3 * HOUR, first + 3 * HOUR, 1, "the daemon was down")
    far.record(far.held(2), far.held(2, "qc"), also=[held, gap, taken(far)])
    (alarm,) = far.status()["alarms"]
    assert (alarm["what"], alarm["subject"], alarm["once"]) == ("slot.missed", "backup:docs", True)
    assert alarm["message"].startswith("4 slots of backup:docs from 2026-11-23T04:00:00Z to ")
    assert alarm["message"].endswith(
        " were missed: the daemon was down (1); another was in charge (3)"
    )
    far.clock.advance(DAY)
    assert far.alarms() == []
