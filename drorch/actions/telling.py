"""`notify`: a message to people from within a runbook, over the configured channels.

A dead mail server is likely on the day of a disaster, and must not stop a recovery: what could
not be told is a finding, unless the step says that somebody has to be reached.
"""

from collections.abc import Sequence
from datetime import timedelta

from drorch.actions.arguments import Arguments, make_action
from drorch.actions.patience import OutOfTime, Stopped, in_time, limit_of, pause
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.names import Mode
from drorch.core.settings import NotifyRule
from drorch.core.telling import (
    Delivery,
    Message,
    Tone,
    as_exercise,
    channel_named,
    for_people,
)
from drorch.core.values import Finding, Result, Value, errored, failed, passed
from drorch.ports import Call, Tools

_LIMIT = timedelta(seconds=15)
_ATTEMPTS = 3
_DELAY = timedelta(seconds=3)


def _notify(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    channels = _channels(arguments, tools)
    message = Message(
        tools.secrets.redact(arguments.text("title", "drorch")),
        tools.secrets.redact(f"{arguments.text('message')}\n\n{call.run} · {call.step}"),
        Tone(arguments.text("tone", Tone.INFO)),
    )
    if call.mode is Mode.DRILL:
        message = as_exercise(message, tools.configuration.language)
    limit = limit_of(arguments.duration("timeout", _LIMIT), call.timeout)
    attempts = max(1, arguments.integer("attempts", _ATTEMPTS))
    delay = arguments.duration("delay", _DELAY)
    try:
        told = [_told(call, tools, one, message, limit, (attempts, delay)) for one in channels]
    except Stopped as error:
        return errored("cancelled", f"stopped while telling: {error}")
    return _result(told, required=arguments.boolean("required", default=False))


def _channels(arguments: Arguments, tools: Tools) -> Sequence[NotifyRule]:
    """The one named, else all that reach people."""
    if arguments.has("to"):
        return [NotifyRule((), to=arguments.text("to"))]
    return for_people(tools.configuration.notify)


def _told(
    call: Call,
    tools: Tools,
    channel: NotifyRule,
    message: Message,
    limit: timedelta,
    patience: tuple[int, timedelta],
) -> Delivery:
    """Try one channel, `patience` times with so long between; raises Stopped."""
    attempts, delay = patience
    for attempt in range(1, attempts + 1):
        told = handed_over(call, tools, channel, message, limit)
        if told.done or attempt == attempts:
            break
        if not pause(call.cancel, delay):
            raise Stopped(call.cancel.reason or "cancelled")
    return told


def handed_over(
    call: Call, tools: Tools, channel: NotifyRule, message: Message, limit: timedelta
) -> Delivery:
    """Try one channel once, for no longer than `limit`; raises Stopped."""
    try:
        return in_time(call.cancel, limit, lambda: tools.messenger.send(channel, message, limit))
    except OutOfTime:
        seconds = f"{limit.total_seconds():g}"
        return Delivery(channel_named(channel), f"it did not take the message within {seconds} s")


def _result(told: Sequence[Delivery], *, required: bool) -> Result:
    reached = [one.channel for one in told if one.done]
    lost = [one for one in told if not one.done]
    outputs: dict[str, Value] = {
        "reached": reached,
        "not_reached": [one.channel for one in lost],
    }
    findings = tuple(
        Finding("notify.undelivered", one.channel, f"nobody was told: {one.why}", one.hint)
        for one in lost
    )
    if not told:
        findings = (
            Finding(
                "notify.undelivered",
                "notify",
                "nobody was told: no channel is configured",
                "write `notify:` into the configuration, or name a secret by `to:`",
            ),
        )
    if required and not reached:
        why = findings[0].message
        return failed("not-told", why, findings[0].hint, outputs=outputs, findings=findings)
    message = f"told: {', '.join(reached)}" if reached else "nobody was told"
    return passed(outputs, message=message, findings=findings)


NOTIFY = make_action(
    ActionSpec(
        "notify",
        "Tell people something; what could not be delivered is a finding",
        (
            Parameter("message", Kind.TEXT, doc="plain text; in a drill it says that it is one"),
            Parameter("title", Kind.TEXT, required=False, doc="default: drorch"),
            Parameter(
                "to",
                Kind.SECRET,
                required=False,
                doc="the secret that holds an Apprise URL; default: every `to` and `command` of "
                "the configuration's `notify:`",
            ),
            Parameter("tone", Kind.TEXT, required=False, doc="default info", choices=tuple(Tone)),
            Parameter(
                "attempts",
                Kind.INTEGER,
                required=False,
                doc="for each channel, default 3",
                minimum=1,
            ),
            Parameter("delay", Kind.DURATION, required=False, doc="between them, default 3s"),
            Parameter("timeout", Kind.DURATION, required=False, doc="of each, default 15s"),
            Parameter("required", Kind.BOOLEAN, required=False, doc="fail if no channel took it"),
        ),
        ("reached", "not_reached"),
        repeatable=True,
    ),
    _notify,
)
