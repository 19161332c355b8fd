"""`drorch heal`: damaged regions made whole from those that have what they lack."""

import click

from drorch.cli.choosing import of_datasets, of_region
from drorch.cli.session import Session
from drorch.cli.verb import Verb


@click.command(
    cls=Verb, name="heal", help="Make damaged regions whole from those that have what they lack."
)
@of_datasets()
@of_region("Only this region.")
@click.option(
    "--read-data",
    is_flag=True,
    help="Hash everything first; else what is missing, cut, or known to be damaged is mended.",
)
@click.pass_obj
def command(
    session: Session, datasets: tuple[str, ...], region: str | None, *, read_data: bool
) -> int:
    """Heal each dataset, in both directions at once."""
    from drorch.app import backups
    from drorch.cli.batch import carry_each

    program = session.program
    return carry_each(
        session,
        backups.chosen(program, datasets, everything=not datasets),
        lambda chosen, carried: backups.heal(
            program,
            chosen,
            region,
            read_data=read_data,
            control=carried.control,
            watchers=carried.watchers,
        ),
        listed=len(datasets) != 1,
    )
