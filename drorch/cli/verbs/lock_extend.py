"""`drorch lock-extend`: object locks extended before they lapse."""

import click

from drorch.cli.choosing import of_datasets, of_region
from drorch.cli.session import Session
from drorch.cli.verb import Verb


@click.command(
    cls=Verb,
    name="lock-extend",
    help="Extend the object locks of what is needed, before they lapse.",
)
@of_datasets("all, and drorch's own records")
@of_region()
@click.pass_obj
def command(session: Session, datasets: tuple[str, ...], region: str | None) -> int:
    """Extend locks in each region that has an object lock."""
    from drorch.app.backups import carry_plans
    from drorch.app.locks import extensions
    from drorch.cli.batch import carry_each

    program = session.program
    return carry_each(
        session,
        extensions(program, datasets, region),
        lambda plans, carried: carry_plans(
            program, plans, control=carried.control, watchers=carried.watchers
        ),
        listed=len(datasets) != 1,
    )
