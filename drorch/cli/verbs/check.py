"""`drorch check`: whether repositories are whole."""

import click

from drorch.cli.names import dataset_names, region_names
from drorch.cli.session import Session
from drorch.cli.verb import Verb


@click.command(cls=Verb, name="check", help="Check that repositories are whole.")
@click.option(
    "--dataset",
    "datasets",
    metavar="NAME",
    multiple=True,
    shell_complete=dataset_names,
    help="Only this dataset; may be given again. Else all.",
)
@click.option("--region", metavar="NAME", shell_complete=region_names, help="Only in this region.")
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
