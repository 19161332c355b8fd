"""Telling people that the journal fails: without it, so that who was told stands in memory alone."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from drorch.actions.patience import OutOfTime, in_time
from drorch.app.program import Program
from drorch.core.alarms import Alarm, AlarmTold, AlarmWord
from drorch.core.announcing import announcement
from drorch.core.lifecycle import Telling
from drorch.core.moment import Moment, elapsed
from drorch.core.telling import Channel, Delivery, Message, channels
from drorch.ports import Cancellation

#: How long one channel may take.
_LIMIT = timedelta(seconds=15)

#: The soonest that another trouble is told over a channel which was told of one.
_AGAIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Cried:
    """What became of the last cry over a channel: not `heard`, it failed; `over`: so was told."""

    at: Moment
    message: str
    heard: bool
    over: bool = False


_ALONE = threading.Lock()
_CRIED: WeakKeyDictionary[Program, dict[str, _Cried]] = WeakKeyDictionary()


def cry(program: Program, message: str, hint: str = "") -> Sequence[Delivery]:
    """Tell every channel that is told of `journal.failing`: at once, again after the time to
    remind, and of another trouble after an hour. What became of it, for a log; it never raises
    for what channels do.
    """
    with _ALONE:
        return list(_cried(program, message, hint))


def calm(program: Program) -> Sequence[Delivery]:
    """Tell those who heard a cry that the journal can be used again."""
    with _ALONE:
        return list(_calmed(program))


def _cried(program: Program, message: str, hint: str) -> Iterator[Delivery]:
    alarm = Alarm(AlarmWord.JOURNAL_FAILING, _subject(program), None, message, hint)
    cried = _CRIED.setdefault(program, {})
    for channel in _listening(program):
        before = cried.get(channel.name)
        if before is not None and not _is_due(program, channel, before, message):
            continue
        delivery = _told(program, channel, Telling(channel.name, new=(alarm,)))
        cried[channel.name] = _Cried(program.clock.now(), message, delivery.done)
        yield delivery


def _calmed(program: Program) -> Iterator[Delivery]:
    cried = _CRIED.setdefault(program, {})
    for channel in _listening(program):
        before = cried.get(channel.name)
        if before is None or before.over or not before.heard:
            continue
        over = AlarmTold(channel.name, AlarmWord.JOURNAL_FAILING, _subject(program))
        delivery = _told(program, channel, Telling(channel.name, cleared=(over,)))
        if delivery.done:
            cried[channel.name] = replace(before, over=True)
        yield delivery


def _is_due(program: Program, channel: Channel, before: _Cried, message: str) -> bool:
    since = elapsed(before.at, program.clock.now())
    if not before.heard:
        return since >= channel.pause
    same = before.message == message and not before.over
    return since >= (program.configuration.daemon.remind if same else _AGAIN)


def _listening(program: Program) -> Iterator[Channel]:
    for channel in channels(program.configuration.notify):
        if channel.wants(AlarmWord.JOURNAL_FAILING) and not channel.switch:
            yield channel


def _subject(program: Program) -> str:
    return program.owner.host


def _told(program: Program, channel: Channel, told: Telling) -> Delivery:
    configuration = program.configuration
    zone = ZoneInfo(configuration.timezone)
    said = announcement(told, configuration.organization, configuration.language, zone)
    redact = program.secrets.redact
    message = Message(redact(said.title), redact(said.body), said.tone)
    try:
        return in_time(
            Cancellation(), _LIMIT, lambda: program.messenger.send(channel.rule, message, _LIMIT)
        )
    except OutOfTime:
        seconds = f"{_LIMIT.total_seconds():g}"
        return Delivery(channel.name, f"it did not take the message within {seconds} s")
