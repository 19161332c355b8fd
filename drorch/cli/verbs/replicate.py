"""`drorch replicate`: bring further regions what they lack."""

from typing import TYPE_CHECKING

import click

from drorch.cli.choosing import of_datasets, of_region
from drorch.cli.session import Session
from drorch.cli.verb import Verb
from drorch.core.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from drorch.app.plane.now import Copied


@click.command(cls=Verb, name="replicate", help="Bring further regions the copies they lack.")
@of_datasets()
@of_region("Only to this region.")
@click.option(
    "--control-plane",
    "plane",
    is_flag=True,
    help="Instead of datasets, drorch's own records: new rows, and a whole state.",
)
@click.option(
    "--force-brake",
    "force",
    metavar="REASON",
    help="With --control-plane: let old whole states go although the brake stops it.",
)
@click.pass_obj
def command(
    session: Session,
    datasets: tuple[str, ...],
    region: str | None,
    *,
    plane: bool,
    force: str | None,
) -> int:
    """Replicate each dataset; what is there already is not sent again."""
    _check(force, plane=plane)
    if plane:
        return _control_plane(session, datasets, region, force or "")
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


def _check(force: str | None, *, plane: bool) -> None:
    if force is None:
        return
    if not plane:
        raise UsageError(
            "--force-brake goes with --control-plane",
            "datasets are let go with: drorch retention apply --force-brake REASON",
        )
    if not force.strip():
        raise UsageError("the brake is not overridden without a reason", "say why after it")


def _control_plane(
    session: Session, datasets: tuple[str, ...], region: str | None, force: str
) -> int:
    if datasets or region:
        raise UsageError(
            "--control-plane goes to every region of the control plane, and with no dataset",
            "leave --dataset and --region out",
        )
    from drorch.app.plane.now import copy_now

    found = copy_now(session.program, session.tell, force=force)
    if session.json:
        session.emit({"control_plane": [one.document for one in found]})
    elif not found:
        session.say("there is nothing to copy: nothing was ever run here")
    for one in () if session.json else found:
        _tell(session, one)
    return int(ExitCode.GOOD if all(one.good for one in found) else ExitCode.FAILED)


def _tell(session: Session, one: "Copied") -> None:
    words = {"copied": "brought", "current": "lacked nothing", "away": "NOT brought"}
    whole = "taken" if one.whole == "copied" else "NOT taken"
    session.say(f"{one.region}: new rows {words[one.segments]}, whole state {whole}")
    if one.message:
        session.tell(f"error: {one.region}: {one.message}", f"hint: {one.hint}")
