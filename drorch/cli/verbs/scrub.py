"""`drorch scrub`: whether what lies in the regions is still what it was."""

import click

from drorch.cli.choosing import of_datasets, of_region
from drorch.cli.session import Session
from drorch.cli.verb import Verb
from drorch.core.units import parse_size


def _budget(_context: click.Context, _parameter: click.Parameter, text: str | None) -> str | None:
    if text is not None and text != "all":
        try:
            parse_size(text)
        except ValueError as error:
            raise click.BadParameter(f"{error}, nor `all`") from None
    return text


@click.command(
    cls=Verb, name="scrub", help="Hash what lies in the regions, a day's share at a time."
)
@of_datasets()
@of_region()
@click.option(
    "--budget",
    metavar="SIZE",
    callback=_budget,
    help="So much of each region now, or `all`; else what is left of the day's share.",
)
@click.pass_obj
def command(
    session: Session, datasets: tuple[str, ...], region: str | None, budget: str | None
) -> int:
    """Scrub each dataset in each of its regions."""
    from drorch.app import backups
    from drorch.cli.batch import carry_each

    program = session.program
    return carry_each(
        session,
        backups.chosen(program, datasets, everything=not datasets),
        lambda chosen, carried: backups.scrub(
            program,
            chosen,
            region,
            budget=budget,
            control=carried.control,
            watchers=carried.watchers,
        ),
        listed=len(datasets) != 1,
    )
