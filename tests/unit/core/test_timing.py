"""RTA, RPA, whose time it was, the critical path and the exit code, from folded facts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from drorch.core.axis import Axis
from drorch.core.errors import ExitCode
from drorch.core.events import AttemptLost, RunTaken
from drorch.core.model import Objectives
from drorch.core.names import Mode, OnFailure, Phase, RunKind, Verdict
from drorch.core.runbook import Retry
from drorch.core.timing import Timing, exit_code, time_run
from tests.fakes.runs import (
    DATABASE,
    DOCUMENTS,
    OWNER,
    TALES,
    Tale,
    aborted_drill,
    backup_with_owed_copy,
    failed_drill,
    late_drill,
    passed_drill,
    plan,
    step,
    taken_over_failover,
    waiting_failover,
)


def timed(tale: Tale, now: float = 0.0) -> Timing:
    return time_run(tale.state, tale.moment(now))


def seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else round(duration.total_seconds(), 3)


def test_a_drill_counts_from_its_first_step_to_the_last_pass_of_verify() -> None:
    timing = timed(passed_drill())
    assert seconds(timing.rto.actual) == 16.57
    assert timing.rto.met is True
    assert (seconds(timing.machine), seconds(timing.person)) == (16.57, 0.0)


def test_a_failover_counts_from_its_declaration() -> None:
    timing = timed(taken_over_failover())
    assert seconds(timing.rto.actual) == 95.0 + 1303.1


def test_a_declaration_does_not_count_for_a_drill() -> None:
    tale = Tale(plan(step("only")), declared=-500.0).do(1.0, 3.0, "only").finish(3.1)
    assert seconds(timed(tale).rto.actual) == 2.0


def test_without_verify_the_end_of_the_last_step_counts_not_cleanup() -> None:
    steps = (step("a"), step("sweep", Phase.CLEANUP))
    tale = Tale(plan(*steps)).do(1.0, 4.0, "a").do(4.0, 60.0, "sweep").finish(60.0)
    assert seconds(timed(tale).rto.actual) == 3.0


def test_a_step_that_begins_with_a_question_starts_the_clock() -> None:
    steps = (step("go", do="approve", person=True), step("act", needs=("go",)))
    tale = Tale(plan(*steps)).ask(1.0, "go", "approve", "Go?").answer(11.0, "go", "ann")
    timing = timed(tale.do(11.0, 14.0, "act").finish(14.0))
    assert seconds(timing.rto.actual) == 13.0
    assert (seconds(timing.machine), seconds(timing.person)) == (3.0, 10.0)


def test_rpa_is_the_start_minus_the_oldest_restored_snapshot() -> None:
    timing = timed(passed_drill())
    assert seconds(timing.rpo.actual) == 212.0
    assert timing.rpo.met is True


def test_rpa_of_a_failover_counts_back_from_the_declaration() -> None:
    assert seconds(timed(taken_over_failover()).rpo.actual) == 212.0 - 95.0


def test_rpa_is_never_below_zero() -> None:
    fresh = {**DOCUMENTS, "snapshot_at": "2026-11-23T03:00:30Z"}
    tale = Tale(plan(step("r", do="restore"))).do(0.1, 1.0, "r", outputs=fresh).finish(1.0)
    assert seconds(timed(tale).rpo.actual) == 0.0


def test_a_failed_restore_is_not_what_the_run_rests_on() -> None:
    steps = (
        step("old", do="restore", on_failure=OnFailure.CONTINUE),
        step("new", do="restore"),
        step("age", Phase.VERIFY, "snapshot.age"),
    )
    tale = Tale(plan(*steps)).do(0.1, 1.0, "old", verdict=Verdict.FAIL, outputs=DOCUMENTS)
    tale.do(0.1, 2.0, "new", outputs=DATABASE)
    tale.do(2.1, 2.2, "age", outputs={"snapshot_at": "2020-01-01T00:00:00Z"}).finish(2.3)
    assert seconds(timed(tale).rpo.actual) == 119.0


def test_rpa_of_a_replica_is_the_last_transaction_it_replayed() -> None:
    lag = {"database": "h:5432/ehr", "data_at": "2026-11-23T02:59:00Z"}
    promoted = {"database": "h:5432/ehr", "data_at": "2026-11-23T02:59:40Z"}
    steps = (step("lag", do="postgres.lag"), step("promote", do="postgres.promote"))
    tale = Tale(plan(*steps)).do(0.1, 1.0, "lag", outputs=lag)
    assert seconds(timed(tale).rpo.actual) == 60.0
    tale.do(1.0, 2.0, "promote", outputs=promoted).finish(2.0)
    assert seconds(timed(tale).rpo.actual) == 20.0


def test_rpa_of_two_replicas_is_the_older_ones() -> None:
    steps = (step("one", do="postgres.promote"), step("other", do="postgres.promote"))
    tale = Tale(plan(*steps))
    tale.do(0.1, 1.0, "one", outputs={"database": "a", "data_at": "2026-11-23T02:59:00Z"})
    tale.do(0.1, 1.0, "other", outputs={"database": "b", "data_at": "2026-11-23T02:59:50Z"})
    assert seconds(timed(tale.finish(1.0)).rpo.actual) == 60.0


def test_a_lag_that_is_only_a_precondition_is_nothing_the_run_rests_on() -> None:
    looked = step("lag", Phase.PRECONDITIONS, "postgres.lag")
    tale = Tale(plan(looked, step("work"))).do(
        0.1, 0.2, "lag", outputs={"database": "a", "data_at": "2026-11-23T02:00:00Z"}
    )
    assert timed(tale.do(0.2, 1.0, "work").finish(1.0)).rpo.actual is None


def test_a_backup_has_neither_rta_nor_rpa_nor_their_targets() -> None:
    timing = timed(backup_with_owed_copy())
    assert (timing.rto.target, timing.rto.actual, timing.rto.met) == (None, None, None)
    assert (timing.rpo.target, timing.rpo.actual, timing.rpo.met) == (None, None, None)
    assert timing.objectives_met is None
    assert seconds(timing.machine) == 13.59


def test_a_failed_run_has_no_rta_and_has_missed_its_rto() -> None:
    timing = timed(failed_drill())
    assert timing.rto.actual is None
    assert timing.rto.met is False
    assert seconds(timing.rpo.actual) == 212.0
    assert timing.rpo.met is None
    assert timing.slack is None


def test_a_failed_run_with_old_data_has_missed_its_rpo_too() -> None:
    objectives = Objectives(rpo=timedelta(seconds=10))
    steps = (step("r", do="restore"), step("v", Phase.VERIFY, check=True))
    tale = Tale(plan(*steps, objectives=objectives)).do(0.1, 1.0, "r", outputs=DOCUMENTS)
    tale.do(1.1, 1.2, "v", verdict=Verdict.FAIL).finish(1.3)
    assert timed(tale).rpo.met is False


def test_an_aborted_run_says_nothing() -> None:
    timing = timed(aborted_drill())
    assert (timing.rto.actual, timing.rto.met, timing.rpo.met) == (None, None, None)
    assert timing.objectives_met is None


def test_both_objectives_missed() -> None:
    timing = timed(late_drill())
    assert (timing.rto.met, timing.rpo.met, timing.objectives_met) == (False, False, False)


def test_a_run_under_way_is_measured_until_now() -> None:
    timing = timed(waiting_failover(), 20.0)
    assert timing.rto.actual is None
    assert timing.rto.met is None
    assert (seconds(timing.machine), seconds(timing.person)) == (9.2, 10.8)


def test_a_run_under_way_misses_its_rto_when_the_time_is_up() -> None:
    assert timed(waiting_failover(), 3600.0).rto.met is None
    assert timed(waiting_failover(), 3600.1).rto.met is False


def test_rta_is_known_while_cleanup_goes_on() -> None:
    steps = (step("a"), step("sweep", Phase.CLEANUP))
    tale = Tale(plan(*steps)).do(1.0, 4.0, "a").start(4.0, "sweep")
    assert seconds(timed(tale, 100.0).rto.actual) == 3.0


def test_nothing_begun_is_no_time_at_all() -> None:
    tale = Tale(plan(step("look", Phase.PRECONDITIONS, check=True), step("act")))
    tale.do(0.1, 0.2, "look", verdict=Verdict.FAIL).skip(0.3, "act", "a precondition failed")
    timing = timed(tale.finish(0.4))
    assert timing.window is None
    assert timing.critical_path == ()
    assert timing.rto.actual is None


def test_people_are_waited_for_only_while_nothing_runs_or_is_to_run_again() -> None:
    steps = (step("go", do="approve", person=True), step("try"), step("end", needs=("go", "try")))
    tale = Tale(plan(*steps)).ask(0.0, "go", "approve", "Go?")
    tale.do(0.0, 2.0, "try", verdict=Verdict.ERROR, cause="x")
    tale.answer(10.0, "go", "ann")
    tale.skip(10.0, "end", "x").finish(10.0)
    assert seconds(timed(tale).person) == 8.0


def test_a_wait_for_a_retry_is_machine_time() -> None:
    steps = (step("go", do="approve", person=True), step("try", retry=Retry(attempts=2)))
    tale = Tale(plan(*steps)).ask(0.0, "go", "approve", "Go?")
    tale.do(0.0, 2.0, "try", verdict=Verdict.ERROR, cause="x").retry(2.0, "try", 5.0)
    tale.do(7.0, 8.0, "try").answer(10.0, "go", "ann").finish(10.0)
    timing = timed(tale)
    assert (seconds(timing.machine), seconds(timing.person)) == (8.0, 2.0)


@pytest.mark.parametrize("name", TALES)
def test_machine_and_people_add_up_to_the_window(name: str) -> None:
    timing = timed(TALES[name](), 50.0)
    assert timing.window is not None
    assert timing.machine + timing.person == timing.window.length


def test_a_reboot_and_a_clock_set_back_do_not_shorten_the_run() -> None:
    tale = Tale(plan(step("a", repeatable=True))).start(1.0, "a")
    tale.reboot("boot-2", wall_offset=-3600.0)
    axis_before = Axis.of(tale.state).at(tale.state.steps["a"].attempts[0].started)
    tale.tell(30.0, RunTaken(OWNER, "ann")).tell(30.0, AttemptLost("a", 1))
    tale.do(31.0, 33.0, "a").finish(33.0)
    timing = timed(tale)
    assert axis_before == 1.0
    # What passed between the boots cannot be known; what passed within each of them can.
    assert seconds(timing.rto.actual) == 3.0


def test_the_critical_path_goes_through_the_need_that_ended_last() -> None:
    assert timed(passed_drill()).critical_path == (
        "restore-database",
        "start-ehr",
        "ehr-answers",
        "patients-are-all-there",
    )


def test_the_critical_path_of_a_failover_begins_with_its_preconditions() -> None:
    assert timed(taken_over_failover()).critical_path[:2] == ("survivor-answers", "go-ahead")


def test_slack_is_how_much_later_a_step_could_have_ended() -> None:
    slack = timed(passed_drill()).slack
    assert slack is not None
    assert seconds(slack["restore-database"]) == 0.0
    # It could have ended when start-ehr's other need did, and a hundredth was lost between.
    assert seconds(slack["restore-documents"]) == 5.75
    assert "undo-start-ehr" not in slack


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("passed-drill", ExitCode.GOOD),
        ("late-drill", ExitCode.OBJECTIVE_MISSED),
        ("failed-drill", ExitCode.FAILED),
        ("aborted-drill", ExitCode.ABORTED),
        ("waiting-failover", ExitCode.WAITING_FOR_PERSON),
        ("backup-copy-owed", ExitCode.GOOD),
        ("taken-over-failover", ExitCode.GOOD),
    ],
)
def test_exit_codes(name: str, code: ExitCode) -> None:
    assert exit_code(TALES[name]().state) is code


def test_a_run_left_in_the_middle_was_interrupted() -> None:
    assert exit_code(Tale(plan(step("a"))).start(0.1, "a").state) is ExitCode.INTERRUPTED


def test_a_restore_for_real_is_timed_from_its_first_step() -> None:
    restore = replace(plan(step("r", do="restore")), kind=RunKind.RESTORE, mode=Mode.LIVE)
    tale = Tale(restore).do(2.0, 5.0, "r", outputs=DOCUMENTS).finish(5.1)
    timing = timed(tale)
    assert seconds(timing.rto.actual) == 3.0
    assert seconds(timing.rpo.actual) == 212.0
