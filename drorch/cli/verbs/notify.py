"""`drorch notify`: the channels over which people are told."""

import click

from drorch.cli.session import Session
from drorch.cli.tables import show_table
from drorch.cli.verb import Verbs
from drorch.cli.words import one_line
from drorch.core.errors import ExitCode


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
        session.emit(
            [{"channel": d.channel, "told": d.done, "message": d.why, "hint": d.hint} for d in told]
        )
    else:
        show_table(
            session,
            ("channel", "told", "message"),
            [(d.channel, "yes" if d.done else "no", one_line(d.why)) for d in told],
            empty="",
        )
        for lost in (d for d in told if d.hint):
            session.say(f"hint: {lost.channel}: {one_line(lost.hint)}")
    return int(ExitCode.GOOD if all(d.done for d in told) else ExitCode.FAILED)
