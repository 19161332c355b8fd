"""`drorch failover`: carry a runbook out for real."""

from typing import Any

import click

from drorch.cli.declaring import carry, declared
from drorch.cli.session import Session
from drorch.cli.verb import Verb


@click.command(cls=Verb, name="failover", help="Carry a runbook out for real: the service moves.")
@declared
def command(session: Session, name: str, **given: Any) -> int:
    """Fail over, once somebody has declared it."""
    return carry(session, name, homeward=False, **given)
