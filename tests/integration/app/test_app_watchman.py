"""What `status` says of the daemon, by what it left beside the state."""

from datetime import timedelta

import pytest

from drorch.adapters.lease import Lease
from drorch.app.alarm import alarm
from drorch.app.program import Program
from drorch.app.watchman import SILENCE, status
from drorch.core.alarms import AlarmWord
from drorch.core.document import rfc3339
from drorch.core.model import Configuration


@pytest.fixture
def program(tmp_path):
    return Program(Configuration(folder=tmp_path, state="sqlite:///var/drorch.db"), {})


def said(program, *, ago=timedelta(), **more):
    now = program.clock.now().at
    return {
        "pid": 4711,
        "host": "ehr-1",
        "started_at": rfc3339(now - timedelta(days=3)),
        "at": rfc3339(now - ago),
        "stopped_at": None,
        "alarms": [],
        **more,
    }


def words(found):
    return [one["what"] for one in found["alarms"]]


def test_who_never_had_a_daemon_hears_nothing_of_one(program):
    found = status(program)
    assert found["daemon"] is None
    assert found["alarms"] == []


def test_a_living_daemon_and_what_only_it_knows_of_are_shown(program):
    lost = alarm(AlarmWord.REGION_LOST, "qc", None, "qc does not answer", "look")
    with Lease(program.configuration.work) as lease:
        lease.say(said(program, alarms=[lost]))
        found = status(program)
    assert found["daemon"]["alive"]
    assert found["daemon"]["pid"] == 4711
    assert found["alarms"] == [lost]


def test_one_that_is_gone_is_the_first_alarm_and_what_it_knew_is_not_believed(program):
    lost = alarm(AlarmWord.REGION_LOST, "qc", None, "qc does not answer", "look")
    with Lease(program.configuration.work) as lease:
        lease.say(said(program, alarms=[lost]))
    (found,) = status(program)["alarms"]
    assert (found["what"], found["subject"]) == ("daemon.down", "daemon on ehr-1")
    assert "is gone" in found["message"]
    assert not status(program)["daemon"]["alive"]


def test_one_that_was_stopped_is_missed_since_then(program):
    stopped = rfc3339(program.clock.now().at - timedelta(hours=2))
    with Lease(program.configuration.work) as lease:
        lease.say(said(program, stopped_at=stopped))
    (found,) = status(program)["alarms"]
    assert (found["since"], "was stopped" in found["message"]) == (stopped, True)


def test_one_that_hangs_is_told_though_it_lives(program):
    with Lease(program.configuration.work) as lease:
        lease.say(said(program, ago=SILENCE - timedelta(minutes=1)))
        assert words(status(program)) == []
        lease.say(said(program, ago=SILENCE + timedelta(minutes=1)))
        assert words(status(program)) == ["daemon.down"]


def test_who_went_over_to_another_scheduler_is_not_reminded_for_ever(program):
    with Lease(program.configuration.work) as lease:
        lease.say(said(program))
    with Lease(program.configuration.work) as lease:
        lease.unsay()
    found = status(program)
    assert (found["daemon"], found["alarms"]) == (None, [])


@pytest.mark.parametrize("odd", [{"at": 7}, {"at": "soon"}, {"alarms": "none"}, {"alarms": [1]}])
def test_odd_words_are_passed_over(program, odd):
    with Lease(program.configuration.work) as lease:
        lease.say({**said(program), **odd})
        assert words(status(program)) == []
