"""`drorch drill`: carry a runbook out as an exercise."""

import click

from drorch.cli.inputs import ASK, NO_WAIT, PARTICIPANT, SET, inputs_of, participants_of
from drorch.cli.names import runbook_names
from drorch.cli.session import Session
from drorch.cli.verb import Verb


@click.command(cls=Verb, name="drill", help="Carry a runbook out as an exercise, and report on it.")
@click.argument("name", shell_complete=runbook_names)
@SET
@ASK
@NO_WAIT
@PARTICIPANT
@click.option("--failback", is_flag=True, help="Practise its way home, the section `failback`.")
@click.pass_obj
def command(
    session: Session,
    name: str,
    settings: tuple[str, ...],
    people: tuple[str, ...],
    *,
    no_wait: bool,
    ask: bool,
    failback: bool,
) -> int:
    """Drill; nothing that is protected is touched."""
    from drorch.app import drills
    from drorch.cli.carrying import carrying
    from drorch.cli.summary import say_ended

    inputs, participants = inputs_of(settings), participants_of(people)
    program = session.program
    with carrying(session) as carried:
        done = drills.drill(
            program,
            name,
            inputs,
            control=carried.control,
            watchers=carried.watchers(name),
            wait_for_people=session.somebody_there and not no_wait,
            homeward=failback,
            ask=ask,
            participants=participants,
        )
    say_ended(session, done.view, done.report)
    return carried.exit_code([done.view.exit_code])
