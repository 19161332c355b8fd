"""`notify`: whom it tells, what an exercise says, and what a dead channel comes to."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from drorch.actions.alarms import ALARM_TELL
from drorch.actions.telling import NOTIFY
from drorch.core.alarms import AlarmTold, ChannelTried
from drorch.core.names import Mode, Verdict
from drorch.core.settings import NotifyRule
from tests.fakes.tools import Place
from tests.fakes.world import NoProcesses

RULES = (
    NotifyRule(("run.failed",), to="oncall"),
    NotifyRule(("rpo.breached",), to="oncall"),
    NotifyRule((), command=("bin/pager", "dr")),
    NotifyRule((), ping="switch"),
)


@pytest.fixture
def place(tmp_path):
    made = Place(tmp_path, NoProcesses(), {"oncall": "mailto://a", "chat": "slack://b"})
    configuration = replace(made.tools.configuration, notify=RULES, language="fr")
    made.tools = replace(made.tools, configuration=configuration)
    return made


def tell(place, mode=Mode.LIVE, **arguments):
    given = {"message": "The EHR is back", "title": "EHR", "delay": timedelta()} | arguments
    return place.do(NOTIFY, step="tell", run_mode=mode, **given)


def told(place):
    return [channel for channel, _ in place.messenger.told]


def test_everybody_is_told_once_and_no_dead_mans_switch(place):
    done = tell(place)
    assert done.verdict is Verdict.PASS
    assert told(place) == ["oncall", "pager"]
    assert done.outputs == {"reached": ["oncall", "pager"], "not_reached": []}
    (_, message), _ = place.messenger.told
    assert (message.title, message.tone) == ("EHR", "info")
    assert message.body == "The EHR is back\n\nrun-1 · tell"


def test_the_one_who_is_named_alone(place):
    tell(place, to="chat", tone="failure")
    assert told(place) == ["chat"]
    assert place.messenger.told[0][1].tone == "failure"


def test_an_exercise_says_so_in_the_configurations_language(place):
    tell(place, Mode.DRILL)
    (_, message), *_ = place.messenger.told
    assert message.title == "[EXERCICE] EHR"
    assert message.body.startswith("Ceci est un exercice. Il ne s'est rien passé.\n\nThe EHR")


def test_a_channel_that_comes_back_is_told_again(place):
    place.messenger.dead = {"oncall": 2}
    assert tell(place).findings == ()
    assert sorted(told(place)) == ["oncall", "pager"]


def test_a_dead_channel_is_a_finding_and_stops_nothing(place):
    """On the day of a disaster the mail server is dead, too."""
    place.messenger.dead = {"oncall": 99, "pager": 99}
    done = tell(place)
    assert (done.verdict, done.message) == (Verdict.PASS, "nobody was told")
    assert [(f.what, f.subject) for f in done.findings] == [
        ("notify.undelivered", "oncall"),
        ("notify.undelivered", "pager"),
    ]
    assert "connection refused" in done.findings[0].message
    assert place.messenger.dead == {"oncall": 96, "pager": 96}


def test_unless_somebody_must_be_reached(place):
    place.messenger.dead = {"oncall": 99}
    assert tell(place, required=True).verdict is Verdict.PASS
    place.messenger.dead = {"oncall": 99, "pager": 99}
    done = tell(place, required=True, attempts=1)
    assert (done.verdict, done.cause) == (Verdict.FAIL, "not-told")
    assert place.messenger.dead == {"oncall": 98, "pager": 98}


def test_without_a_channel_that_is_said(place):
    place.tools = replace(place.tools, configuration=replace(place.tools.configuration, notify=()))
    (finding,) = tell(place).findings
    assert "no channel is configured" in finding.message


def test_a_value_of_a_secret_is_not_sent(place):
    place.tools.secrets.get("chat")
    tell(place, message="see slack://b")
    assert "slack://b" not in place.messenger.told[0][1].body


def test_a_channel_that_does_not_take_a_message_in_time_is_on_record(place):
    """Of alarms: what was told, or since when a channel takes nothing."""
    hang = threading.Event()
    place.messenger.waits["oncall"] = hang
    told = [{"channel": "oncall", "what": "rpo.breached", "subject": "docs in mtl"}]
    late = place.do(ALARM_TELL, channel="oncall", told=told, step_timeout=timedelta(seconds=0.05))
    assert (late.verdict, late.cause) == (Verdict.FAIL, "not-told")
    assert "did not take the message within 0.05 s" in late.message
    (tried,) = late.facts
    assert (tried.channel, tried.times, tried.why != "") == ("oncall", 1, True)
    hang.set()
    good = place.do(ALARM_TELL, channel="oncall", told=told)
    assert good.facts == (
        AlarmTold("oncall", "rpo.breached", "docs in mtl"),
        ChannelTried("oncall"),
    )
    assert place.do(ALARM_TELL, channel="nobody").cause == "no-channel"
