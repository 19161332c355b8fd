"""`drorch schedule`: what happens by itself and when, and what became of it."""

from collections.abc import Mapping
from typing import Any

import click

from drorch.cli.inputs import moment_given
from drorch.cli.names import job_names
from drorch.cli.session import Session
from drorch.cli.tables import show_table
from drorch.cli.verb import Verbs
from drorch.cli.words import moment


@click.group(
    cls=Verbs, name="schedule", help="What happens by itself and when; what became of each slot."
)
def command() -> None:
    """The group."""


@command.command("list", help="List the jobs of the configuration: when each is due next.")
@click.pass_obj
def list_(session: Session) -> None:
    """Also where no daemon runs: these are what one would do."""
    from drorch.app.schedules import jobs

    found: list[Mapping[str, Any]] = list(jobs(session.program))
    held = next((one["held"] for one in found if one["held"]), "")
    if held:
        session.tell(f"warning: {held}: nothing of this begins here")
    if session.json:
        session.emit(found)
        return
    show_table(
        session,
        ("job", "schedule", "next", "last", "fate"),
        [
            (
                one["job"],
                one["schedule"],
                _next(one, session.zone),
                moment(one["last"]["until"], session.zone) if one["last"] else "-",
                one["last"]["fate"] if one["last"] else "-",
            )
            for one in found
        ],
        empty="nothing has a schedule",
    )


def _next(job: Mapping[str, Any], zone: str) -> str:
    """When it begins next, be it that it failed and is tried again."""
    if job["again_at"] is None:
        return moment(job["next_at"], zone)
    return f"{moment(job['again_at'], zone)} (again)"


@command.command("slots", help="List what became of slots, newest first: fired, late, missed.")
@click.option("--job", metavar="NAME", shell_complete=job_names, help="Only of this job.")
@click.option("--since", metavar="TIME", help="Only from this time on.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many lines."
)
@click.pass_obj
def slots(session: Session, job: str | None, since: str | None, limit: int) -> None:
    """One line for a slot that was fired, or for a gap of missed ones."""
    from drorch.app import schedules

    begin = moment_given(since, session.zone) if since is not None else None
    found: list[Mapping[str, Any]] = list(
        schedules.slots(session.program, job=job, since=begin, limit=limit)
    )
    if session.json:
        session.emit(found)
        return
    show_table(
        session,
        ("job", "due", "until", "slots", "fate", "why", "run"),
        [
            (
                one["job"],
                moment(one["due_at"], session.zone),
                moment(one["until"], session.zone) if one["count"] > 1 else "-",
                str(one["count"]),
                one["fate"],
                one["why"] or "-",
                one["run"],
            )
            for one in found
        ],
        empty="no slots",
        right=("slots",),
    )


@command.command("claim", help="This control plane is the one that works; others stand back.")
@click.option("--reason", metavar="TEXT", required=True, help="Why; stands in the journal.")
@click.pass_obj
def claim(session: Session, reason: str) -> None:
    """Harmless where it is in charge already."""
    from drorch.app.plane.claiming import claim as take_charge
    from drorch.app.plane.telling import named
    from drorch.app.runs import Control
    from drorch.cli.stopping import stoppable
    from drorch.core.terms import Fate

    program, control = session.program, Control()
    with stoppable(control, program.owner.user):
        found = take_charge(program, reason, control=control)
    if session.json:
        session.emit(found.document)
        return
    done = "is in charge now" if found.run else "was in charge already"
    run = f"; run {found.run}" if found.run else ""
    session.say(
        f"this control plane ({found.term.instance[:8]}, term {found.term.term}) {done}{run}"
    )
    for one in found.others:
        if one.fate is Fate.ALIVE:
            session.say(f"  {named(one)} stands back within a minute of reaching a region")
    for region, why in (found.unasked or {}).items():
        session.tell(f"warning: {region} could not be told: {why}")
