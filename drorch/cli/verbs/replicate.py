"""`drorch replicate`: bring further regions what they lack."""

import click

from drorch.cli.names import dataset_names, region_names
from drorch.cli.session import Session
from drorch.cli.verb import Verb


@click.command(cls=Verb, name="replicate", help="Bring further regions the copies they lack.")
@click.option(
    "--dataset",
    "datasets",
    metavar="NAME",
    multiple=True,
    shell_complete=dataset_names,
    help="Only this dataset; may be given again. Else all.",
)
@click.option("--region", metavar="NAME", shell_complete=region_names, help="Only to this region.")
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
