"""Use case: people are told of what is wrong, once, again after a time, and when it is over.

The daemon calls it; what was told stands in the journal (core/lifecycle.py decides). A message
that went out and whose record did not come to be, because the process died or the disk was full,
is sent again: told twice rather than never.
"""

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from drorch.app import endings
from drorch.app.crying import calm, cry
from drorch.app.lives import life_of
from drorch.app.posture import alarms_of
from drorch.app.program import Program
from drorch.app.runs import Control, Request, RunView, carry_out, dropped, resume
from drorch.app.seen import Seen
from drorch.core.alarms import Alarm, AlarmTold, ChannelTried
from drorch.core.announcing import announcement
from drorch.core.errors import AlreadyRunning, ExitCode, FenceLost
from drorch.core.events import AbortRequested
from drorch.core.facts import Known
from drorch.core.lifecycle import Telling, may_call, telling
from drorch.core.names import RunKind
from drorch.core.runbook import Retry
from drorch.core.telling import Channel, Message, channels
from drorch.core.tellings import RETRY, compile_tell
from drorch.core.values import Value

Document = Mapping[str, Value]

__all__ = ["after_run", "attend", "calm", "cry"]

#: One telling at a time in this process: what was told is looked up before, and recorded after it.
_ALONE = threading.Lock()


def attend(
    program: Program,
    *,
    control: Control,
    extra: Sequence[Document] = (),
    retry: Retry = RETRY,
) -> RunView | None:
    """Look at what is wrong now and tell whoever is to be told: the run that did, None if nobody.

    `extra` are further alarms, as documents of `status`; `retry` says how often a channel is
    tried in one run. It never raises for what channels do; a telling that another process carries
    is left to it.
    """
    if not program.configuration.notify or control.stopping:
        return None
    with _ALONE:
        found = _Telling.of(program, _wrong(program, extra), retry)
        return found.carried(control, found.messages(), ())


def after_run(
    program: Program,
    view: RunView,
    *,
    control: Control,
    extra: Sequence[Document] = (),
    retry: Retry = RETRY,
) -> RunView | None:
    """What follows from a run that has ended: people are told if it ended badly; after a good
    one the dead man's switches are called, as long as nothing that they watch is wrong.
    """
    rules = channels(program.configuration.notify)
    good = view.exit_code is ExitCode.GOOD
    if control.stopping or (good and not any(channel.switch for channel in rules)):
        return None
    if not good:
        return attend(program, control=control, extra=extra, retry=retry)
    with _ALONE:
        found = _Telling.of(program, _wrong(program, extra, past=False), retry)
        return found.carried(control, (), found.calls())


@dataclass(frozen=True, slots=True)
class _Telling:
    """What is wrong, what was told of it, and who is to be told."""

    program: Program
    alarms: Sequence[Alarm]
    told: Mapping[str, Sequence[Known[AlarmTold]]]
    tried: Mapping[str, Known[ChannelTried]]
    now: datetime
    retry: Retry

    @classmethod
    def of(cls, program: Program, alarms: Sequence[Alarm], retry: Retry) -> "_Telling":
        """With what the journal knows."""
        told: dict[str, list[Known[AlarmTold]]] = {}
        for known in program.journal.facts(AlarmTold, ""):
            told.setdefault(known.fact.channel, []).append(known)
        tried = {k.fact.channel: k for k in program.journal.facts(ChannelTried, "")}
        return cls(program, alarms, told, tried, program.clock.now().at, retry)

    @property
    def channels(self) -> tuple[Channel, ...]:
        return channels(self.program.configuration.notify)

    def messages(self) -> list[tuple[Telling, Message]]:
        """What each channel that reaches people is to be told now."""
        found = (self._telling(channel) for channel in self.channels if not channel.switch)
        return [(one, self._message(one)) for one in found if one is not None]

    def calls(self) -> list[str]:
        """The dead man's switches that are called after a good run."""
        return [
            channel.name
            for channel in self.channels
            if channel.switch
            and may_call(channel, self.alarms, self.tried.get(channel.name), self.now)
        ]

    def carried(
        self, control: Control, messages: Sequence[tuple[Telling, Message]], calls: Sequence[str]
    ) -> RunView | None:
        """Tell; None if there is nothing to tell, or somebody else is telling."""
        self._end_left_open(control)
        if not messages and not calls:
            return None
        plan = compile_tell(messages, calls, self.program.configuration, retry=self.retry)
        try:
            return carry_out(self.program, plan, Request("daemon"), control=control)
        except AlreadyRunning:
            return None

    def _end_left_open(self, control: Control) -> None:
        """Tellings that a dead process left open, or this one, because the journal could not be
        written, say: what they had to tell may be over, and what stands is told by the next one.
        """
        for row in self.program.journal.rows(unfinished=True):
            if row.kind is RunKind.TELL and (dropped(self.program, row) or life_of(row) is False):
                word = AbortRequested("drorch", "what stands is told by the next one")
                with suppress(AlreadyRunning, FenceLost):  # another process has just done so
                    resume(self.program, row.run, control=control, word=word)

    def _telling(self, channel: Channel) -> Telling | None:
        return telling(
            channel,
            self.alarms,
            self.told.get(channel.name, ()),
            self.tried.get(channel.name),
            self.now,
            self.program.configuration.daemon.remind,
        )

    def _message(self, told: Telling) -> Message:
        configuration = self.program.configuration
        return announcement(
            told,
            configuration.organization,
            configuration.language,
            ZoneInfo(configuration.timezone),
        )


def _wrong(program: Program, extra: Sequence[Document], *, past: bool = True) -> list[Alarm]:
    """Everything that is wrong now, each once; with what happened lately, or without."""
    seen = Seen(program)
    documents = [*alarms_of(seen), *extra, *(endings.happened(seen) if past else ())]
    found = {(a.what, a.subject, a.once): a for a in map(_alarm, documents)}
    return list(found.values())


def _alarm(document: Document) -> Alarm:
    since = document.get("since")
    return Alarm(
        str(document["what"]),
        str(document["subject"]),
        datetime.fromisoformat(since) if isinstance(since, str) else None,
        str(document["message"]),
        str(document.get("hint") or ""),
        once=bool(document.get("once")),
    )
