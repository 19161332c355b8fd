"""`drorch failback`: carry out a runbook's section `failback` for real."""

from typing import Any

import click

from drorch.cli.declaring import carry, declared
from drorch.cli.session import Session
from drorch.cli.verb import Verb


@click.command(cls=Verb, name="failback", help="Carry a runbook's way home out for real.")
@declared
def command(session: Session, name: str, **given: Any) -> int:
    """Fail back, once somebody has declared it."""
    return carry(session, name, homeward=True, **given)
