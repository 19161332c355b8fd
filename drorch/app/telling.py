"""Use case `notify test`: does each configured channel reach anybody?"""

from collections.abc import Iterator
from datetime import timedelta

from drorch.app.program import Program
from drorch.core.errors import UsageError
from drorch.core.telling import Delivery, Message, Tone, as_exercise

#: How long one channel may take.
_LIMIT = timedelta(seconds=15)


def told_everybody(program: Program) -> Iterator[Delivery]:
    """What became of a message on each channel, dead man's switches included, one after the other.

    UsageError if there is none.
    """
    configuration = program.configuration
    channels = {(r.to, r.ping, r.command): r for r in configuration.notify}
    if not channels:
        raise UsageError(
            "no channel is configured",
            "write `notify:` into the configuration: docs/configuration.md",
        )
    name = configuration.organization or "drorch"
    message = as_exercise(
        Message(f"drorch: {name}", "drorch notify test: this channel works.", Tone.INFO),
        configuration.language,
    )
    for channel in channels.values():
        yield program.messenger.send(channel, message, _LIMIT)
