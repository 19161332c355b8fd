"""`drorch lab`: embedded S3 regions on loopback."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from drorch.cli.session import Session
from drorch.cli.tables import show_table
from drorch.cli.verb import Verbs
from drorch.cli.words import yes_no


@click.group(
    cls=Verbs, name="lab", help="Run embedded S3 regions on loopback, for trying and drills."
)
def command() -> None:
    """The group."""


@command.command("up", help="Serve every region of the configuration that lies on loopback.")
@click.pass_obj
def up(session: Session) -> None:
    """Harmless again."""
    from drorch.app import labs

    _told(session, labs.up(session.program))
    for region in labs.with_other_keys(session.program):
        session.tell(
            f"warning: {region.name}: the configuration's keys are not those of the lab",
            f"hint: name {region.id_file} and {region.secret_file.name} beside it as its secrets",
        )


@command.command("down", help="End the servers; what they hold stays.")
@click.pass_obj
def down(session: Session) -> None:
    """Harmless again."""
    from drorch.app import labs

    _told(session, labs.down(session.program))


@command.command("status", help="How each server stands.")
@click.pass_obj
def status(session: Session) -> None:
    """Whether it lives, and whether it answers."""
    from drorch.app import labs

    _told(session, labs.status(session.program))


def _told(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    if session.json:
        session.emit(rows)
        return
    show_table(
        session,
        ("region", "endpoint", "up", "answers", "data"),
        [
            (r["region"], r["endpoint"], yes_no(r["alive"]), yes_no(r["answers"]), r["data"])
            for r in rows
        ],
        empty="no server was ever up; drorch lab up brings them up",
    )
