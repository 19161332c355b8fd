"""`alarm.tell`: one channel is told of alarms, and what it was told of is put on record.

The record is made when the message has been handed over: whoever dies in between tells it again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from drorch.actions.arguments import Arguments, make_action
from drorch.actions.patience import Stopped, limit_of
from drorch.actions.telling import handed_over
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.alarms import AlarmTold, ChannelTried
from drorch.core.codec import decode
from drorch.core.telling import Channel, Delivery, Message, Tone, channels
from drorch.core.values import Result, Value, errored, failed, passed
from drorch.ports import Call, Tools

_LIMIT = timedelta(seconds=15)


def _tell(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    name = arguments.text("channel")
    channel = next((c for c in channels(tools.configuration.notify) if c.name == name), None)
    if channel is None:
        return failed("no-channel", f"no channel {name!r} is configured", "see `notify:`")
    redact = tools.secrets.redact
    message = Message(
        redact(arguments.text("title", "drorch")),
        redact(arguments.text("message", "")),
        Tone(arguments.text("tone", Tone.INFO)),
    )
    limit = limit_of(_LIMIT, call.timeout)
    try:
        delivery = handed_over(call, tools, channel.rule, message, limit)
    except Stopped as error:
        return errored("cancelled", f"stopped while telling: {error}")
    known = tried(tools, channel, delivery, first=call.attempt == 1)
    outputs: dict[str, Value] = {"channel": name, "told": delivery.done}
    if not delivery.done:
        return failed(
            "not-told", f"{name}: {delivery.why}", delivery.hint, outputs=outputs, facts=(known,)
        )
    told = tuple(decode(AlarmTold, one) for one in _listed(call.arguments.get("told")))
    return passed(outputs, facts=(*told, known))


def _listed(value: Value) -> Sequence[Mapping[str, Value]]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return ()
    return [one for one in value if isinstance(one, Mapping)]


def tried(tools: Tools, channel: Channel, delivery: Delivery, *, first: bool) -> ChannelTried:
    """What is known of the channel now; several attempts of one run count as one."""
    if delivery.done:
        return ChannelTried(channel.name)
    facts = tools.knowledge.facts(ChannelTried, "")
    before = next((k.fact for k in facts if k.fact.channel == channel.name), None)
    failing = ChannelTried(channel.name, delivery.why, delivery.hint)
    if before is None or not before.why:
        return replace(failing, failing_since=tools.clock.now().at, times=1)
    times = before.times + 1 if first else max(1, before.times)
    return replace(failing, failing_since=before.failing_since, times=times)


ALARM_TELL = make_action(
    ActionSpec(
        "alarm.tell",
        "Tell one channel of alarms, and put on record what it was told; used by the daemon",
        (
            Parameter("channel", Kind.TEXT, doc="as the configuration's `notify:` names it"),
            Parameter("title", Kind.TEXT, required=False, doc="default: drorch"),
            Parameter("message", Kind.TEXT, required=False, doc="plain text"),
            Parameter("tone", Kind.TEXT, required=False, doc="default info", choices=tuple(Tone)),
            Parameter("told", Kind.LIST, required=False, doc="what is then known to be told"),
        ),
        ("channel", "told"),
        repeatable=True,
    ),
    _tell,
)
