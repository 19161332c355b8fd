"""`drorch backup`: back datasets up by their policies."""

import click

from drorch.cli.names import dataset_names
from drorch.cli.session import Session
from drorch.cli.verb import Verb


@click.command(
    cls=Verb,
    name="backup",
    help="Back up datasets to their regions.\n\nWithout a name: the only dataset there is.",
)
@click.argument("datasets", metavar="[DATASET]...", nargs=-1, shell_complete=dataset_names)
@click.option("--all", "everything", is_flag=True, help="Every dataset of the configuration.")
@click.pass_obj
def command(session: Session, datasets: tuple[str, ...], *, everything: bool) -> int:
    """Back up; two datasets side by side."""
    from drorch.app import backups
    from drorch.cli.batch import carry_each

    if everything and datasets:
        from drorch.core.errors import UsageError

        raise UsageError("--all stands beside names", "name datasets, or say --all")
    program = session.program
    wanted = backups.chosen(program, datasets, everything=everything)
    return carry_each(
        session,
        wanted,
        lambda chosen, carried: backups.back_up(
            program, chosen, control=carried.control, watchers=carried.watchers
        ),
        listed=everything or len(datasets) > 1,
    )
