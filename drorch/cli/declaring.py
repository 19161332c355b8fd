"""What failover and failback have in common: the declaration, and how such a run is carried."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from drorch.cli.inputs import ASK, NO_WAIT, PARTICIPANT, SET, inputs_of, participants_of
from drorch.cli.names import runbook_names
from drorch.cli.session import Session
from drorch.cli.words import counted, moment, one_line

if TYPE_CHECKING:
    from datetime import datetime

    from drorch.core.plan import Plan

_OPTIONS = (
    click.argument("name", shell_complete=runbook_names),
    SET,
    click.option(
        "--declare",
        "reason",
        metavar="REASON",
        required=True,
        help="Declare it, and why; kept as evidence. Starts the clock of the RTO.",
    ),
    click.option(
        "--declared-at",
        metavar="TIME",
        help="When it was declared, if not now. A time without an offset is one of the "
        "configuration's time zone.",
    ),
    click.option(
        "--force-unfenced",
        "unfenced",
        metavar="REASON",
        help="Go on although the primary is not known to be down or fenced, and why.",
    ),
    ASK,
    NO_WAIT,
    PARTICIPANT,
    click.pass_obj,
)


def declared(function: Callable[..., int]) -> Callable[..., int]:
    """Give a command the arguments of a live run."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def carry(session: Session, name: str, *, homeward: bool, **given: Any) -> int:
    """Compile, show what is about to be done, and carry it; returns the exit code."""
    from drorch.app import failovers
    from drorch.app.drills import asking
    from drorch.cli.carrying import carrying
    from drorch.cli.summary import say_ended

    program = session.program
    declaration = failovers.Declaration(
        given["reason"], _time(session, given["declared_at"]), given["unfenced"]
    )
    inputs, people = inputs_of(given["settings"]), participants_of(given["people"])
    plan = failovers.compile_live(program, name, inputs, homeward=homeward, participants=people)
    plan = asking(plan) if given["ask"] else plan
    doubts = () if homeward else failovers.unproven(program, name)
    request = failovers.request_by(program, declaration, name, doubts)
    _announce(session, plan, declaration.reason, doubts)
    with carrying(session) as carried:
        done = failovers.carry_live(
            program,
            plan,
            request,
            control=carried.control,
            watchers=carried.watchers(plan.name),
            wait_for_people=session.somebody_there and not given["no_wait"],
        )
    say_ended(session, done.view, done.report)
    return carried.exit_code([done.view.exit_code])


def _time(session: Session, text: str | None) -> "datetime | None":
    from drorch.cli.inputs import moment_given

    return moment_given(text, session.zone) if text is not None else None


def _announce(session: Session, plan: "Plan", reason: str, doubts: Sequence[str]) -> None:
    """For real: what, why, and what of production it touches."""
    who, now = session.program.owner.user, session.program.clock.now().at
    left_out = sum(bool(step.skip) for step in plan.steps)
    session.say(
        f"{plan.kind} of {plan.name} FOR REAL: {counted(len(plan.steps) - left_out, 'step')}",
        f"  declared by {who} at {moment(now, session.zone)} ({session.zone}): {one_line(reason)}",
        *(f"  needs verification: {why}" for why in doubts),
        *(f"  {one_line(notice)}" for notice in plan.notices),
    )
