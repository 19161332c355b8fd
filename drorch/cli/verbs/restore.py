"""`drorch restore`: bring a dataset back into an empty folder."""

from pathlib import Path

import click

from drorch.cli.inputs import moment_given
from drorch.cli.names import dataset_names, region_names
from drorch.cli.session import Session
from drorch.cli.verb import Verb


@click.command(cls=Verb, name="restore", help="Bring a dataset back into an empty folder.")
@click.argument("dataset", shell_complete=dataset_names)
@click.option(
    "--to", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Where to."
)
@click.option(
    "--at",
    metavar="TIME",
    help="As it was then: the newest snapshot that is not younger. A time without an offset is "
    "one of the configuration's time zone.",
)
@click.option(
    "--region",
    metavar="NAME",
    shell_complete=region_names,
    help="From there; else from the first of its regions that answers.",
)
@click.option(
    "--include", metavar="PATH", multiple=True, help="Only this path; may be given again."
)
@click.option(
    "--purpose", metavar="TEXT", default="", help="What for: stands in the access log of reports."
)
@click.option(
    "--verify", is_flag=True, help="Then hold every name, size and byte against the snapshot."
)
@click.pass_obj
def command(
    session: Session,
    dataset: str,
    to: Path,
    at: str | None,
    region: str | None,
    include: tuple[str, ...],
    purpose: str,
    *,
    verify: bool,
) -> int:
    """Restore, telling how old the data is that came back."""
    from drorch.app import backups
    from drorch.cli.carrying import carrying
    from drorch.cli.summary import say_ended

    program = session.program
    then = moment_given(at, session.zone) if at else None
    # Nobody is asked what a restore is for that cannot be.
    backups.see_that_it_can_come_back(program, dataset, to, region, include)
    purpose = purpose or _purpose(session)
    with carrying(session) as carried:
        seen = backups.restore(
            program,
            dataset,
            to,
            at=then,
            region=region,
            include=include,
            purpose=purpose,
            verify=verify,
            control=carried.control,
            watchers=carried.watchers(dataset),
        )
    say_ended(session, seen)
    return carried.exit_code([seen.exit_code])


def _purpose(session: Session) -> str:
    """What it is for, if there is somebody to ask who says so; reports show where nobody did."""
    if session.somebody_there and not session.json:
        said: str = click.prompt("What is it for", default="", show_default=False)
        if said.strip():
            return said.strip()
    session.tell("warning: no purpose was given, and the access log will say so: --purpose TEXT")
    return ""
