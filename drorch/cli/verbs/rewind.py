"""`drorch rewind`: a region's repositories as they last were good."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from drorch.cli.choosing import of_datasets
from drorch.cli.inputs import moment_given
from drorch.cli.names import region_names
from drorch.cli.session import Session
from drorch.cli.tables import show_table
from drorch.cli.verb import Verb
from drorch.cli.words import counted, moment, one_line, size

if TYPE_CHECKING:
    from drorch.core.model import Dataset


@click.command(
    cls=Verb, name="rewind", help="Undo deletion and overwriting in a region that keeps versions."
)
@click.option(
    "--region", metavar="NAME", required=True, shell_complete=region_names, help="Which region."
)
@click.option(
    "--to",
    metavar="TIME",
    required=True,
    help="When all was still well. A time without an offset is one of the configuration's zone.",
)
@of_datasets("all that lie there")
@click.option("--reason", metavar="TEXT", default="", help="Why; kept as evidence.")
@click.option("--read-data", is_flag=True, help="Have restic read every byte back in the end.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.pass_obj
def command(
    session: Session,
    region: str,
    to: str,
    datasets: tuple[str, ...],
    reason: str,
    *,
    read_data: bool,
    dry_run: bool,
) -> int:
    """Rewind each dataset's repository in the region."""
    from drorch.app import rewinds
    from drorch.app.backups import carry_plans
    from drorch.cli.batch import carry_each

    program = session.program
    chosen = rewinds.rewound_datasets(program, datasets, region)
    then = moment_given(to, session.zone)
    if dry_run:
        return _foreseen(session, chosen, region, then)
    return carry_each(
        session,
        rewinds.plans(program, chosen, region, then, read_data=read_data),
        lambda plans, carried: carry_plans(
            program, plans, control=carried.control, watchers=carried.watchers, reason=reason
        ),
        listed=len(datasets) != 1,
    )


def _foreseen(session: Session, datasets: "Sequence[Dataset]", region: str, then: datetime) -> int:
    from drorch.app.rewinds import foreseen

    found: Sequence[Any] = foreseen(session.program, datasets, region, then)
    if session.json:
        session.emit(found)
        return 0
    for one in found:
        session.paragraph(
            f"{one['dataset']} in {one['region']}, back to {moment(one['to'], session.zone)} "
            f"({session.zone}): nothing was changed",
            f"  would be brought back: {counted(one['bring_back'], 'object')}, "
            f"{size(one['bytes'])}, {one['overwritten']} of them written over",
            f"  config: {'stays' if one['config'] == 'kept' else 'would be brought back'}",
            f"  snapshots to show: {len(one['snapshots'])}",
        )
        for finding in one["findings"]:
            session.say(f"  {finding['what']}: {one_line(finding['message'])}")
        show_table(
            session,
            ("would be hidden", "why"),
            [(h["name"], h["why"]) for h in one["hide"]],
            empty="  nothing would be hidden",
        )
    return 0
