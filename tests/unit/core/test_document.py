"""The run's document: the contract's keys in the contract's order, and what stands in them."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from drorch.core.document import rfc3339, run_document, seconds, without_steps
from drorch.core.events import ConfigurationTaken, JobsSeen, SlotsMissed, SlotTaken
from drorch.core.names import RunState
from tests.fakes.runs import (
    HEAD,
    TALES,
    Tale,
    aborted_drill,
    document_of,
    failed_drill,
    late_drill,
    passed_drill,
    plan,
    step,
    taken_over_failover,
    waiting_failover,
)

CONTRACT = [
    "run",
    "kind",
    "name",
    "mode",
    "state",
    "outcome",
    "dirty",
    "trigger",
    "by",
    "started_at",
    "finished_at",
    "objectives",
    "machine_s",
    "person_s",
    "critical_path",
    "steps",
    "findings",
    "journal_head",
]
STEP_CONTRACT = ["step", "phase", "status", "attempts", "elapsed_s", "outputs"]


@pytest.mark.parametrize("name", TALES)
def test_the_contract_comes_first_and_in_order(name: str) -> None:
    document = document_of(TALES[name]())
    assert list(document)[: len(CONTRACT)] == CONTRACT
    for told in document["steps"]:
        assert list(told)[: len(STEP_CONTRACT)] == STEP_CONTRACT
    assert list(document["objectives"]) == ["rto", "rpo"]
    assert list(document["objectives"]["rto"])[:3] == ["target_s", "actual_s", "met"]


@pytest.mark.parametrize("name", TALES)
def test_it_is_json_and_comes_back_the_same(name: str) -> None:
    document = document_of(TALES[name]())
    assert json.loads(json.dumps(document)) == document


def test_a_passed_drill_in_figures() -> None:
    document = document_of(passed_drill())
    assert document["started_at"] == "2026-11-23T03:00:00Z"
    assert document["finished_at"] == "2026-11-23T03:00:17.91Z"
    assert document["objectives"]["rto"] == {
        "target_s": 3600.0,
        "actual_s": 16.57,
        "met": True,
        "margin_s": 3583.43,
    }
    restored = document["steps"][1]
    assert (restored["status"], restored["attempts"], restored["elapsed_s"]) == ("passed", 1, 8.3)
    assert restored["outputs"]["files"] == 2000
    assert document["journal_head"] == f"sha256:{HEAD}"


def test_attempts_are_told_with_their_waits_and_evidence() -> None:
    database = document_of(passed_drill())["steps"][2]
    first, second = database["attempt_log"]
    assert (first["verdict"], first["cause"], first["wait_s"]) == (
        "error",
        "region-unreachable",
        5.0,
    )
    assert (second["verdict"], second["from_s"], second["wait_s"]) == ("pass", 7.9, None)
    assert second["evidence"][0]["name"] == "restore-database-2.json"
    assert database["elapsed_s"] == 13.86


def test_a_lost_attempt_and_what_a_person_said() -> None:
    start = next(s for s in document_of(taken_over_failover())["steps"] if s["step"] == "start-ehr")
    assert start["attempt_log"][0]["verdict"] == "lost"
    assert start["settled"][0]["happened"] is True
    assert start["questions"][0]["question"] == "settle"


def found(tale: Tale) -> list[tuple[str, str]]:
    return [(f["what"], f["subject"]) for f in document_of(tale)["findings"]]


def test_findings_gravest_first() -> None:
    assert found(failed_drill()) == [
        ("step.failed", "patients-are-all-there"),
        ("cleanup.failed", "undo-start-ehr"),
        ("objective.missed", "rto"),
        ("run.dirty", "ehr-failover"),
        ("step.not-tested", "go-ahead"),
    ]


def test_findings_of_a_run_that_went_on_and_was_late() -> None:
    assert found(late_drill())[:3] == [
        ("step.failed", "warm-cache"),
        ("objective.missed", "rto"),
        ("objective.missed", "rpo"),
    ]


def test_findings_of_a_run_that_changed_hands() -> None:
    assert found(taken_over_failover()) == [
        ("step.settled", "start-ehr"),
        ("run.taken-over", "ehr-failover"),
        ("clock.moved", "dr-quebec-1"),
    ]


def test_what_an_abort_stopped_is_no_finding() -> None:
    assert found(aborted_drill()) == [("step.not-tested", "go-ahead")]


def test_notices_of_the_plan_are_findings() -> None:
    tale = Tale(plan(step("a"), notices=("scripts cannot be looked into",))).do(0.1, 0.2, "a")
    assert found(tale.finish(0.3)) == [("plan.notice", "ehr-failover")]


def test_a_run_with_nothing_amiss_has_no_findings() -> None:
    assert found(Tale(plan(step("a"))).do(0.1, 0.2, "a").finish(0.3)) == []


def test_a_run_under_way() -> None:
    document = document_of(waiting_failover())
    assert (document["state"], document["outcome"]) == ("waiting-for-person", None)
    assert document["finished_at"] is None
    go_ahead = next(s for s in document["steps"] if s["step"] == "go-ahead")
    assert go_ahead["questions"][0]["to_s"] is None
    assert go_ahead["elapsed_s"] == 19.65


def test_left_behind_names_the_cleanup_that_failed() -> None:
    document = document_of(failed_drill())
    assert document["dirty"] is True
    assert document["left_behind"] == ["undo-start-ehr"]


def test_the_head_is_prefixed_once() -> None:
    tale = passed_drill()
    document = run_document(
        tale.state,
        run="r",
        journal_head=f"sha256:{HEAD}",
        state_word=RunState.FINISHED,
        now=tale.moment(20),
    )
    assert document["journal_head"] == f"sha256:{HEAD}"


def test_without_steps_leaves_the_rest() -> None:
    document = document_of(passed_drill())
    short = without_steps(document)
    assert "steps" not in short
    assert short["critical_path"] == document["critical_path"]


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(2026, 11, 23, 3, tzinfo=UTC), "2026-11-23T03:00:00Z"),
        (datetime(2026, 11, 23, 3, 0, 0, 120_999, tzinfo=UTC), "2026-11-23T03:00:00.12Z"),
        (datetime(2026, 11, 23, 3, 0, 0, 999, tzinfo=UTC), "2026-11-23T03:00:00Z"),
        (datetime(2026, 11, 22, 22, tzinfo=timezone(timedelta(hours=-5))), "2026-11-23T03:00:00Z"),
    ],
)
def test_times_are_utc_to_the_millisecond(at: datetime, text: str) -> None:
    assert rfc3339(at) == text


def test_seconds_are_rounded_to_the_millisecond() -> None:
    assert seconds(timedelta(microseconds=1_234_567)) == 1.235


def test_the_slot_a_run_was_due_for_and_what_was_missed_before_it() -> None:
    plain = document_of(passed_drill())
    assert (plain["slot"], plain["missed"], plain["jobs_seen"]) == (None, [], [])
    tale = passed_drill()
    due = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
    tale.tell(
        18.0, SlotsMissed("drill:ehr", due - timedelta(days=2), due - timedelta(days=1), 2, "away")
    )
    tale.tell(18.0, SlotTaken("drill:ehr", due, late=True, why="busy"))
    tale.tell(18.0, JobsSeen(("readiness",), due))
    tale.tell(18.0, ConfigurationTaken("drorch.yaml", "ab", "SIGHUP"))
    told = document_of(tale)
    assert told["slot"] == {
        "job": "drill:ehr",
        "due_at": "2026-11-23T03:00:00Z",
        "fate": "late",
        "why": "busy",
    }
    assert told["missed"] == [
        {
            "job": "drill:ehr",
            "first_at": "2026-11-21T03:00:00Z",
            "last_at": "2026-11-22T03:00:00Z",
            "count": 2,
            "why": "away",
        }
    ]
    assert told["jobs_seen"] == [{"since": "2026-11-23T03:00:00Z", "jobs": ["readiness"]}]
    assert told["configuration_taken"]["digest"] == "sha256:ab"
