"""`drorch replicate`: bring further regions what they lack."""

import click

from drorch.cli.choosing import of_datasets, of_region
from drorch.cli.session import Session
from drorch.cli.verb import Verb


@click.command(cls=Verb, name="replicate", help="Bring further regions the copies they lack.")
@of_datasets()
@of_region("Only to this region.")
@click.pass_obj
def command(session: Session, datasets: tuple[str, ...], region: str | None) -> int:
    """Replicate each dataset; what is there already is not sent again."""
    from drorch.app import backups
    from drorch.cli.batch import carry_each

    program = session.program
    return carry_each(
        session,
        backups.chosen(program, datasets, everything=not datasets),
        lambda chosen, carried: backups.replicate(
            program, chosen, region, control=carried.control, watchers=carried.watchers
        ),
        listed=len(datasets) != 1,
    )
