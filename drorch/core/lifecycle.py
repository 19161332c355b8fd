"""Which alarms are told over a channel now: those that are new, go on too long, or are over. Pure.

What was told stands in the journal, so that nothing is told twice because a process died, and
nothing is forgotten. Between two messages over a channel lies its pause: what happens meanwhile
goes together, and what comes and goes meanwhile is told as it stands then.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from drorch.core.alarms import Alarm, AlarmTold, AlarmWord, ChannelTried, Severity
from drorch.core.facts import Known
from drorch.core.telling import Channel

#: What and subject.
Key: TypeAlias = tuple[str, str]

#: A channel that fails is tried again at least so often, whatever its pause.
RETRY_WITHIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Telling:
    """What one channel is told in one message, gravest first. `standing` counts the other alarms
    that it was told of and that go on; `failing_since`: since when it took nothing.
    """

    channel: str
    new: tuple[Alarm, ...] = ()
    again: tuple[Alarm, ...] = ()
    cleared: tuple[AlarmTold, ...] = ()
    standing: int = 0
    failing_since: datetime | None = None
    told: tuple[AlarmTold, ...] = ()


def telling(
    channel: Channel,
    alarms: Sequence[Alarm],
    told: Sequence[Known[AlarmTold]],
    tried: Known[ChannelTried] | None,
    now: datetime,
    remind: timedelta,
) -> Telling | None:
    """What the channel is to be told now; None: nothing, or not yet.

    `told` and `tried` are what is known of this channel, `remind` is after how long a lasting
    alarm is told again. `told` of the answer is what is known once it is told.
    """
    if not _may_speak(channel, tried, now):
        return None
    known = {(k.fact.what, k.fact.subject): k for k in told}
    wanted = {(a.what, a.subject): a for a in alarms if _concerns(channel, a)}
    marks = {
        key: mark
        for key in {**wanted, **known}
        if (mark := _mark(channel, key, wanted, known, now, remind)) is not None
    }
    failing = tried.fact.failing_since if tried is not None and tried.fact.why else None
    if not marks and failing is None:
        return None
    raised = {key: wanted[key] for key, mark in marks.items() if not mark.cleared}
    lasting = {key for key, alarm in raised.items() if _stands(known, key) and not alarm.once}
    again = [raised[key] for key in lasting]
    new = [alarm for key, alarm in raised.items() if key not in lasting]
    still = [key for key in wanted if key not in marks and _stands(known, key)]
    return Telling(
        channel.name,
        tuple(sorted(new, key=_gravest)),
        tuple(sorted(again, key=_gravest)),
        tuple(mark for mark in marks.values() if mark.cleared),
        sum(not wanted[key].once for key in still),
        failing,
        tuple(marks.values()),
    )


def _may_speak(channel: Channel, tried: Known[ChannelTried] | None, now: datetime) -> bool:
    if tried is None or tried.recorded_at > now:  # a clock lied
        return True
    wait = channel.pause
    if tried.fact.why:
        wait = min(
            max(RETRY_WITHIN, wait), wait * float(2 ** min(16, max(0, tried.fact.times - 1)))
        )
    return now - tried.recorded_at >= wait


def _concerns(channel: Channel, alarm: Alarm) -> bool:
    """Whether the channel wants to know; that it fails itself, it need not be told."""
    its_own = alarm.what == AlarmWord.CHANNEL_FAILING and alarm.subject == channel.name
    return channel.wants(alarm.what) and not its_own


def _mark(
    channel: Channel,
    key: Key,
    wanted: Mapping[Key, Alarm],
    known: Mapping[Key, Known[AlarmTold]],
    now: datetime,
    remind: timedelta,
) -> AlarmTold | None:
    """What is known of the alarm once it is told; None: there is nothing to tell of it now."""
    alarm, before = wanted.get(key), known.get(key)
    if before is None:
        return _raised(channel, alarm, 1) if alarm else None
    fact, age = before.fact, now - before.recorded_at
    if age < timedelta():  # a clock lied: told at a time that is still to come counts for nothing
        age = remind
    if alarm is None:
        over = not fact.cleared and not fact.once and channel.wants(fact.what)
        return replace(fact, cleared=True) if over and age >= _hold(channel, fact, remind) else None
    if alarm.once:
        return _raised(channel, alarm, 1) if fact.since != alarm.since else None
    if fact.cleared:
        if age >= remind:
            return _raised(channel, alarm, 1)
        return (
            _raised(channel, alarm, fact.times + 1) if age >= _hold(channel, fact, remind) else None
        )
    return fact if age >= remind else None


def _raised(channel: Channel, alarm: Alarm, times: int) -> AlarmTold:
    return AlarmTold(
        channel.name, alarm.what, alarm.subject, alarm.since, times, cleared=False, once=alarm.once
    )


def _hold(channel: Channel, told: AlarmTold, remind: timedelta) -> timedelta:
    """How long what was told of an alarm stands, whatever it does: the longer, the more it flaps."""
    return min(remind / 2, channel.pause * float(2 ** min(16, told.times - 1)))


def _stands(known: Mapping[Key, Known[AlarmTold]], key: Key) -> bool:
    return key in known and not known[key].fact.cleared


def _gravest(alarm: Alarm) -> tuple[bool, str, str]:
    return alarm.severity is not Severity.CRITICAL, alarm.what, alarm.subject


def may_call(
    channel: Channel,
    alarms: Sequence[Alarm],
    tried: Known[ChannelTried] | None,
    now: datetime,
) -> bool:
    """Whether a dead man's switch is called after a good run: nothing that it watches is wrong."""
    wrong = any(channel.wants(alarm.what) for alarm in alarms)
    return not wrong and _may_speak(channel, tried, now)


def failing(tried: Sequence[Known[ChannelTried]], channels: Sequence[Channel]) -> Iterator[Alarm]:
    """An alarm for each channel that takes no messages."""
    there = {channel.name for channel in channels}
    for known in tried:
        fact = known.fact
        if fact.why and fact.channel in there:
            yield Alarm(
                AlarmWord.CHANNEL_FAILING,
                fact.channel,
                fact.failing_since,
                f"messages over {fact.channel} do not go out: {fact.why}",
                f"{fact.hint}; then try it: drorch notify test" if fact.hint else _TRY,
            )


_TRY = "see to it, then try it: drorch notify test"
