"""`drorch check`: whether repositories are whole."""

import click

from drorch.cli.choosing import of_datasets, of_region
from drorch.cli.session import Session
from drorch.cli.verb import Verb


@click.command(cls=Verb, name="check", help="Check that repositories are whole.")
@of_datasets()
@of_region()
@click.option(
    "--read-data", is_flag=True, help="Read every byte back, which takes as long as that."
)
@click.pass_obj
def command(
    session: Session, datasets: tuple[str, ...], region: str | None, *, read_data: bool
) -> int:
    """Check each dataset in each of its regions."""
    from drorch.app import backups
    from drorch.cli.batch import carry_each

    program = session.program
    return carry_each(
        session,
        backups.chosen(program, datasets, everything=not datasets),
        lambda chosen, carried: backups.check(
            program,
            chosen,
            region,
            read_data=read_data,
            control=carried.control,
            watchers=carried.watchers,
        ),
        listed=len(datasets) != 1,
    )
