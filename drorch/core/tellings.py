"""The plan that tells people about alarms: a step for each channel, side by side. Pure."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from drorch.core.alarms import AlarmTold
from drorch.core.codec import encode
from drorch.core.lifecycle import Telling
from drorch.core.model import Configuration
from drorch.core.names import Mode, OnFailure, Phase, RunKind
from drorch.core.plan import Plan, PlannedStep
from drorch.core.render import literal
from drorch.core.runbook import Retry
from drorch.core.telling import Message
from drorch.core.values import Value

#: The name of runs that tell people.
NAME = "telling"

#: How often a channel is tried in one run, and how long a step may take.
RETRY = Retry(attempts=3, delay=timedelta(seconds=5))
TIMEOUT = timedelta(minutes=1)


def compile_tell(
    messages: Sequence[tuple[Telling, Message]],
    calls: Sequence[str],
    configuration: Configuration,
    *,
    retry: Retry,
) -> Plan:
    """The plan that hands each channel its message, and calls the dead man's switches of these
    names. A channel that fails stops no other.
    """
    steps = (
        *(_tell(telling, message, retry) for telling, message in messages),
        *(_call(name, retry) for name in calls),
    )
    return Plan(
        kind=RunKind.TELL,
        name=NAME,
        mode=Mode.LIVE,
        subject=NAME,
        steps=steps,
        parallel=max(1, len(steps)),
        title="Tell people",
        organization=configuration.organization,
        timezone=configuration.timezone,
        configuration_digest=configuration.digest,
    )


def _tell(telling: Telling, message: Message, retry: Retry) -> PlannedStep:
    return PlannedStep(
        f"tell-{telling.channel}",
        Phase.STEPS,
        "alarm.tell",
        {
            "channel": telling.channel,
            "title": literal(message.title),
            "message": literal(message.body),
            "tone": message.tone.value,
            "told": [_literally(one) for one in telling.told],
        },
        repeatable=True,
        on_failure=OnFailure.ISOLATE,
        retry=retry,
        timeout=TIMEOUT,
    )


def _call(channel: str, retry: Retry) -> PlannedStep:
    return PlannedStep(
        f"call-{channel}",
        Phase.STEPS,
        "alarm.tell",
        {"channel": channel},
        repeatable=True,
        on_failure=OnFailure.ISOLATE,
        retry=retry,
        timeout=TIMEOUT,
    )


def _literally(fact: AlarmTold) -> Mapping[str, Value]:
    """A fact as a value of a plan, in which its texts stand for themselves."""
    fields = encode(fact)
    assert isinstance(fields, Mapping)  # noqa: S101 - a dataclass is encoded as one
    return {k: literal(v) if isinstance(v, str) else v for k, v in fields.items()}
