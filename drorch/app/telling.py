"""Use case `notify test`: does each configured channel reach anybody?"""

from collections.abc import Iterator
from datetime import timedelta

from drorch.app.program import Program
from drorch.core.errors import UsageError
from drorch.core.telling import Channel, Delivery, Message, Tone, as_exercise, channels

#: How long one channel may take.
_LIMIT = timedelta(seconds=15)


def told_everybody(program: Program) -> Iterator[tuple[Channel, Delivery]]:
    """Each channel, and what became of a message on it, dead man's switches included, one after
    the other. UsageError if there is none.
    """
    configuration = program.configuration
    if not configuration.channels:
        raise UsageError(
            "no channel is configured",
            "write `notify:` into the configuration: docs/notifications.md",
        )
    name = configuration.organization or "drorch"
    message = as_exercise(
        Message(f"drorch: {name}", "drorch notify test: this channel works.", Tone.INFO),
        configuration.language,
    )
    for channel in channels(configuration.channels):
        yield channel, program.messenger.send(channel.rule, message, _LIMIT)
