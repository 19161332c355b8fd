"""`drorch notify`: the channels over which people are told."""

from typing import Any

import click

from drorch.cli.session import Session
from drorch.cli.tables import Cell, show_table
from drorch.cli.verb import Verbs
from drorch.cli.words import one_line
from drorch.core.alarms import ALL, PASSED
from drorch.core.durations import format_duration
from drorch.core.errors import ExitCode
from drorch.core.telling import Channel, Delivery


@click.group(cls=Verbs, name="notify", help="Try the channels over which people are told.")
def command() -> None:
    """The group."""


@command.command("test", help="Send a message, marked as an exercise, over every channel.")
@click.pass_obj
def test(session: Session) -> int:
    """What became of it on each; 1 if a channel did not take it."""
    from drorch.app.telling import told_everybody

    told = list(told_everybody(session.program))
    if session.json:
        session.emit([_document(channel, delivery) for channel, delivery in told])
    else:
        show_table(
            session,
            ("channel", "by", "told of", "pause", "told", "message"),
            [
                (
                    channel.name,
                    _way(channel),
                    _words(channel),
                    format_duration(channel.pause),
                    Cell("yes", "green") if delivery.done else Cell("no", "bold red"),
                    one_line(delivery.why),
                )
                for channel, delivery in told
            ],
            empty="",
        )
        for channel, lost in told:
            if lost.hint:
                session.say(f"hint: {channel.name}: {one_line(lost.hint)}")
    return int(ExitCode.GOOD if all(d.done for _, d in told) else ExitCode.FAILED)


def _document(channel: Channel, delivery: Delivery) -> dict[str, Any]:
    return {
        "channel": channel.name,
        "by": _way(channel),
        "when": sorted(channel.words),
        "pause_s": channel.pause.total_seconds(),
        "told": delivery.done,
        "message": delivery.why,
        "hint": delivery.hint,
    }


def _way(channel: Channel) -> str:
    if channel.rule.command:
        return "command"
    return "ping" if channel.switch else "to"


def _words(channel: Channel) -> str:
    """What it is told of; of a dead man's switch, when it is called."""
    words = sorted(channel.words - {PASSED})
    if not channel.switch:
        return "everything" if ALL in channel.words else ", ".join(words) or "the quarterly report"
    unless = "anything is wrong" if ALL in channel.words else ", ".join(words)
    return "good runs" + (f", unless {unless}" if unless else "")
