"""Who is told what and when: each alarm once for each time to remind, over once, whatever dies."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from drorch.core.alarms import ALL, Alarm, AlarmTold, AlarmWord, ChannelTried
from drorch.core.facts import Known
from drorch.core.lifecycle import RETRY_WITHIN, failing, may_call, telling
from drorch.core.settings import NotifyRule
from drorch.core.telling import Channel, channels

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PAUSE = 5 * MINUTE
START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
BREACHED = Alarm("rpo.breached", "docs in mtl", START, "too old", "back it up")
OWED = Alarm("copy.owed", "docs in qc", START, "owed", "replicate")
FAILED = Alarm("run.failed", "restore of docs", START, "it failed", "look", once=True)


class Told:
    """A channel and what the journal knows of it; `looks` is a look of the daemon."""

    def __init__(self, *words: str, name: str = "oncall") -> None:
        self.channel = Channel(name, NotifyRule((), to=name), frozenset(words or (ALL,)), PAUSE)
        self.now = START
        self.told: dict[tuple[str, str], Known[AlarmTold]] = {}
        self.tried: Known[ChannelTried] | None = None
        self.sent: list[tuple[datetime, list, list, list]] = []

    def looks(self, *alarms: Alarm, after=MINUTE, fails=False, dies=False):
        """After a time: what was said, in short; None if nothing."""
        self.now += after
        known = list(self.told.values())
        found = telling(self.channel, alarms, known, self.tried, self.now, DAY)
        if found is None:
            return None
        if fails:
            before = self.tried.fact if self.tried and self.tried.fact.why else None
            since = before.failing_since if before else self.now
            times = before.times + 1 if before else 1
            fact = ChannelTried(self.channel.name, "refused", "look", since, times)
            self.tried = Known(fact, self.now)
            return None
        said = (
            [a.what for a in found.new],
            [a.what for a in found.again],
            [a.what for a in found.cleared],
        )
        if dies:  # sent, and nobody was left to write it down
            return said
        self.sent.append((self.now, *said))
        self.tried = Known(ChannelTried(self.channel.name), self.now)
        for fact in found.told:
            self.told[fact.what, fact.subject] = Known(fact, self.now)
        return said


def new(*words):
    return (list(words), [], [])


def over(*words):
    return ([], [], list(words))


def test_an_alarm_is_told_once_again_after_a_day_and_when_it_is_over():
    told = Told()
    assert told.looks() is None
    assert told.looks(BREACHED) == new("rpo.breached")
    assert told.looks(BREACHED) is None
    assert told.looks(BREACHED, after=DAY - 2 * MINUTE) is None
    assert told.looks(BREACHED, after=MINUTE) == ([], ["rpo.breached"], [])
    assert told.looks(BREACHED, after=HOUR) is None
    assert told.looks(after=HOUR) == over("rpo.breached")
    assert told.looks(after=DAY) is None
    assert told.looks(BREACHED) == new("rpo.breached")


def test_what_happens_within_the_pause_goes_together_gravest_first():
    told = Told()
    assert told.looks(OWED) == new("copy.owed")
    late = Alarm("slot.late", "backup:docs", None, "late")
    assert told.looks(OWED, late) is None
    assert told.looks(OWED, late, BREACHED) is None
    assert told.looks(late, BREACHED, after=3 * MINUTE) == (
        ["rpo.breached", "slot.late"],
        [],
        ["copy.owed"],
    )


def test_only_words_of_the_rule_are_told():
    told = Told("copy.owed")
    assert told.looks(BREACHED) is None
    assert told.looks(BREACHED, OWED) == new("copy.owed")
    told.channel = Channel("oncall", NotifyRule(()), frozenset({"rpo.breached"}), PAUSE)
    assert told.looks(after=HOUR) is None


def test_what_flaps_is_told_ever_more_seldom():
    """An hour of every-minute flapping, then a day of it: some messages, not a thousand."""
    told = Told()
    for minute in range(24 * 60):
        told.looks(*([BREACHED] if minute % 2 else []))
    assert 4 < len(told.sent) < 16
    for _ in range(13 * 60):
        told.looks(BREACHED)
    assert not told.told["rpo.breached", "docs in mtl"].fact.cleared


def test_what_happened_once_is_told_once_and_never_over():
    told = Told()
    assert told.looks(FAILED) == new("run.failed")
    assert told.looks(FAILED, after=2 * DAY) is None
    assert told.looks(after=DAY) is None
    later = Alarm("run.failed", "restore of docs", START + HOUR, "again", once=True)
    assert told.looks(later) == new("run.failed")


def test_a_failing_channel_is_tried_ever_more_seldom_and_told_that_it_works_again():
    told = Told()
    tries = []
    for minute in range(6 * 60):
        before = told.tried
        told.looks(BREACHED, fails=True)
        if told.tried is not before:
            tries.append(minute)
    assert tries[:5] == [0, 5, 15, 35, 75]
    assert all(b - a <= RETRY_WITHIN / MINUTE for a, b in pairwise(tries))
    assert told.looks(after=HOUR) == ([], [], [])
    assert told.looks(after=HOUR) is None


def test_a_failing_channel_is_an_alarm_told_over_the_others():
    told, other = Told(), Told(name="chat")
    told.looks(BREACHED, fails=True)
    (alarm,) = failing([told.tried], [told.channel, other.channel])
    assert (alarm.what, alarm.subject) == ("channel.failing", "oncall")
    assert "refused" in alarm.message
    assert other.looks(alarm) == new("channel.failing")
    assert told.looks(alarm, BREACHED, after=HOUR) == new("rpo.breached")
    assert list(failing([told.tried], [told.channel])) == []
    assert other.looks(after=HOUR) == over("channel.failing")


def test_a_clock_that_is_set_back_silences_nobody():
    told = Told()
    told.looks(BREACHED, after=365 * DAY)
    told.now = START
    assert told.looks(BREACHED) == ([], ["rpo.breached"], [])
    assert told.looks(OWED, BREACHED, after=PAUSE) == new("copy.owed")


def test_a_dead_mans_switch_is_called_unless_what_it_watches_is_wrong():
    switch = Channel("switch", NotifyRule((), ping="switch"), frozenset({"rpo.breached"}), PAUSE)
    assert switch.switch
    assert may_call(switch, [OWED], None, START)
    assert not may_call(switch, [BREACHED], None, START)
    called = Known(ChannelTried("switch"), START)
    assert not may_call(switch, [], called, START + MINUTE)
    assert may_call(switch, [], called, START + PAUSE)


def test_rules_for_one_channel_go_together_and_programs_are_told_apart():
    rules = (
        NotifyRule(("run.failed",), to="oncall", pause=HOUR),
        NotifyRule(("rpo.breached",), to="oncall", pause=MINUTE),
        NotifyRule(("all",), command=("bin/page", "dr")),
        NotifyRule(("all",), command=("bin/page", "dba")),
    )
    oncall, first, second = channels(rules)
    assert (oncall.words, oncall.pause) == ({"run.failed", "rpo.breached"}, MINUTE)
    assert first.name != second.name
    assert first.name.startswith("page#")
    assert [c.name for c in channels(rules[:3])] == ["oncall", "page"]


ALARMS = [BREACHED, OWED, Alarm(AlarmWord.KEY_OLD, "docs", None, "old")]
STEPS = st.lists(
    st.tuples(
        st.sets(st.sampled_from(ALARMS)),
        st.sampled_from([MINUTE, PAUSE, HOUR, 9 * HOUR, DAY]),
        st.sampled_from(["goes", "goes", "fails", "dies"]),
    ),
    max_size=40,
)


@given(STEPS, st.sets(st.sampled_from(ALARMS)))
def test_whatever_dies_each_alarm_is_told_as_it_stands(steps, last):
    told = Told()
    for alarms, after, how in steps:
        told.looks(*alarms, after=after, fails=how == "fails", dies=how == "dies")
    for _ in range(3 * 24 * 60):
        told.looks(*last)
    told.looks(*last, after=MINUTE)
    stand = {key for key, known in told.told.items() if not known.fact.cleared}
    assert stand == {(a.what, a.subject) for a in last}
    _told_in_turn(told)


def _told_in_turn(told: Told) -> None:
    """Of what came through: pauses are kept, raised and over alternate, none is repeated early."""
    moments = [at for at, *_ in told.sent]
    assert all(b - a >= PAUSE for a, b in pairwise(moments))
    for what in {a.what for a in ALARMS}:
        standing, last = False, None
        for at, fresh, again, cleared in told.sent:
            assert not (what in fresh and standing)
            assert not ((what in again or what in cleared) and not standing)
            assert not (what in again and at - last < DAY)
            if what in fresh + again + cleared:
                standing, last = what not in cleared, at
