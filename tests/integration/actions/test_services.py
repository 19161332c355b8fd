"""`service.start` and `service.stop` with real processes."""

import os
from pathlib import Path

import pytest

from drorch.actions.services import START, STOP
from drorch.core.names import Verdict
from drorch.ports import Cancellation, ServiceProcess

#: A service is found by its run and step: of another worker's tests none may be taken for ours.
RUN = f"run-{os.getpid()}"


def stop(place, result):
    return place.do(STOP, service=result.outputs["service"], grace="1s")


def test_started_and_stopped(place, commands):
    result = place.do(START, command=["sh", "-c", "echo up; env; exec sleep 1000"], env={"A": "1"})
    assert result.verdict is Verdict.PASS
    service = ServiceProcess(**result.outputs["service"])
    assert commands.service_alive(service)
    assert result.outputs["pid"] == service.pid
    log = Path(result.outputs["log"])
    assert log == place.folder / "logs" / "run-1" / "a-step-1.log"
    assert {"up", "A=1", "DRORCH_RUN=run-1", "DRORCH_STEP=a-step"} <= set(log.read_text().split())
    stopped = stop(place, result)
    assert (stopped.verdict, stopped.outputs) == (Verdict.PASS, {"stopped": True})
    assert not commands.service_alive(service)
    again = stop(place, result)
    assert (again.verdict, again.outputs) == (Verdict.PASS, {"stopped": False})


def test_one_that_dies_at_once_is_a_failure(place):
    result = place.do(START, command=["sh", "-c", "echo address in use >&2; exit 1"], log="my.log")
    assert (result.verdict, result.cause) == (Verdict.FAIL, "died")
    assert result.message.endswith(": address in use")
    assert str(place.folder / "my.log") in result.hint


def test_not_startable(place):
    result = place.do(START, command=["no-such-program"])
    assert (result.verdict, result.cause) == (Verdict.FAIL, "not-started")


def test_cancelled_while_settling_leaves_nothing(place, commands):
    cancel = Cancellation()
    cancel.cancel("abort")
    mark = place.folder / "pid"
    result = place.do(
        START,
        command=["sh", "-c", f"echo $$ > {mark}; exec sleep 1000"],
        settle="30s",
        cancel=cancel,
    )
    assert (result.verdict, result.cause) == (Verdict.ERROR, "cancelled")
    if mark.exists() and mark.read_text().strip():
        assert not Path(f"/proc/{int(mark.read_text())}/cwd").exists()


@pytest.mark.parametrize(
    "service", [None, "123", {"pid": 1, "started": 2, "boot": "x"}, {"pid": 5}]
)
def test_only_what_service_start_gives_is_stopped(place, service):
    result = place.do(STOP, service=service)
    assert (result.verdict, result.cause) == (Verdict.FAIL, "argument")


def test_a_service_whose_starter_died_is_found_again_not_started_twice(place, commands):
    mark = place.folder / "starts"
    command = ["sh", "-c", f"echo start >> {mark}; exec sleep 1000"]
    first = place.do(START, run=RUN, command=command)
    again = place.do(START, run=RUN, command=command, attempt=2)
    assert again.outputs["service"] == first.outputs["service"]
    assert mark.read_text().splitlines() == ["start"]
    stop(place, first)
    third = place.do(START, run=RUN, command=command, attempt=3)
    assert third.outputs["pid"] != first.outputs["pid"]
    stop(place, third)


def test_a_service_of_another_run_or_step_is_not_taken_for_this_one(place):
    other = place.do(START, command=["sleep", "1000"], run=f"{RUN}-2")
    beside = place.do(START, command=["sleep", "1000"], run=RUN, step="b-step")
    mine = place.do(START, command=["sleep", "1000"], run=RUN, attempt=2)
    pids = {r.outputs["pid"] for r in (other, beside, mine)}
    assert len(pids) == 3
    for result in (other, beside, mine):
        stop(place, result)
