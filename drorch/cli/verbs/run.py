"""`drorch run`: look at runs, answer them, carry them on, end them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from drorch.cli.complaint import complaint
from drorch.cli.failing import lines_of
from drorch.cli.inputs import NO_WAIT
from drorch.cli.names import run_names, unfinished_runs
from drorch.cli.session import Session
from drorch.cli.summary import say_ended, show_run, summary, ways_on
from drorch.cli.tables import show_table
from drorch.cli.verb import Verbs
from drorch.cli.words import moment
from drorch.core.errors import ExitCode, UsageError
from drorch.core.names import RunKind

if TYPE_CHECKING:
    from drorch.app.runs import RunView
    from drorch.engine.loop import Watcher

_REPORTED = frozenset({RunKind.DRILL, RunKind.FAILOVER, RunKind.FAILBACK})

REASON = click.option("--reason", metavar="TEXT", help="Why; kept as evidence.")
GONE = click.option(
    "--gone", is_flag=True, help="Its process cannot be seen from here: you say that it is gone."
)
ID = click.argument("run", metavar="ID", shell_complete=unfinished_runs)


@click.group(cls=Verbs, name="run", help="Look at runs, answer them, carry them on, end them.")
def command() -> None:
    """The group."""


@command.command("list", help="List runs, newest first.")
@click.option("--unfinished", is_flag=True, help="Only those that have not ended.")
@click.option("--name", metavar="NAME", help="Only those of this dataset or runbook.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many."
)
@click.pass_obj
def list_(session: Session, *, unfinished: bool, name: str | None, limit: int) -> None:
    """List runs without their steps."""
    from drorch.app.runs import listing

    documents = listing(session.program, unfinished=unfinished, name=name, limit=limit)
    if session.json:
        session.emit(documents)
        return
    show_table(
        session,
        ("run", "kind", "state", "outcome", "began", "ended", "by"),
        [
            (
                str(d["run"]),
                str(d["kind"]),
                str(d["state"]),
                f"{d['outcome'] or '-'}{', dirty' if d['dirty'] else ''}",
                moment(str(d["started_at"]), session.zone),
                moment(str(d["finished_at"] or ""), session.zone),
                str(d["by"]),
            )
            for d in documents
        ],
        empty="no runs",
    )


@command.command("show", help="Show one run: its outcome, times, steps and findings.")
@click.argument("run", metavar="ID", shell_complete=run_names)
@click.pass_obj
def show(session: Session, run: str) -> None:
    """Show a run; a part of its id that names only one is enough."""
    from drorch.app.runs import view

    _shown(session, view(session.program, run))


@command.command("watch", help="Follow a run until it ends; with --json as JSON lines.")
@click.argument("run", metavar="ID", shell_complete=run_names)
@click.pass_obj
def watch(session: Session, run: str) -> int:
    """Follow a run that another process carries; leaves with the run's exit code."""
    from drorch.app.runs import view
    from drorch.cli.following import follow

    session.streaming = True
    program = session.program
    row = program.journal.find(run)
    with looking_on(session, row.run, row.name) as watcher:
        for state, event, at in follow(program, row.run):
            watcher.happened(state, event, at)
            if session.unheard:  # the run does not need a watcher
                return int(ExitCode.GOOD)
    seen = view(program, row.run)
    session.paragraph(*summary(seen.document, session.zone))
    why = complaint(seen.document)
    if why is not None:
        session.tell(*lines_of(why))
    return int(seen.exit_code)


@command.command("resume", help="Carry on a run that was paused, or whose process is gone.")
@ID
@GONE
@NO_WAIT
@REASON
@click.pass_obj
def resume(session: Session, run: str, *, gone: bool, no_wait: bool, reason: str | None) -> int:
    """Carry on where the journal stands; a paused run that is carried is told to go on."""
    from drorch.app import answering, runs
    from drorch.cli.carrying import carrying

    program = session.program
    row = program.journal.find(run)
    if not gone and answering.carried_and_paused(program, row.run):
        answered(session, answering.let_go_on(program, row.run, reason or ""))
        return int(ExitCode.GOOD)
    with carrying(session) as carried:
        seen = runs.resume(
            program,
            row.run,
            control=carried.control,
            watchers=carried.watchers(row.name),
            wait_for_people=session.somebody_there and not no_wait,
            gone=gone,
        )
    _ended(session, seen)
    return carried.exit_code([seen.exit_code])


@command.command("abort", help="End a run: nothing new is started, and it is cleaned up.")
@ID
@GONE
@REASON
@click.pass_obj
def abort(session: Session, run: str, reason: str | None, *, gone: bool) -> int:
    """End a run by its own process, or here and now if that is gone."""
    from drorch.app import answering, lives
    from drorch.cli.carrying import carrying

    program = session.program
    # Not demanded: whoever ends a run is in a hurry, and who did it is recorded anyway.
    why = reason or "asked for on the command line"
    row = program.journal.find(run)
    with carrying(session) as carried:
        seen = answering.abort(
            program,
            row.run,
            why,
            control=carried.control,
            watchers=carried.watchers(row.name),
            gone=gone,
        )
    # What was asked for has been done: only what cleanup left behind is a failure.
    clean = not seen.document["dirty"]
    _ended(session, seen, wanted=clean)
    if seen.state.finished is None:
        sure = f"; if that is surely gone: drorch run abort {row.run} --gone"
        asked = f"asked of its process on {row.owner_host}, which looks every second"
        session.say(asked + (sure if lives.out_of_sight(row) else ""))
    return carried.exit_code([ExitCode.GOOD if clean else seen.exit_code])


@command.command("settle", help="Say whether a step of unknown outcome happened.")
@ID
@click.argument("step")
@click.option(
    "--happened/--did-not-happen",
    default=None,
    help="What you found when you looked at the target.",
)
@REASON
@click.pass_obj
def settle(
    session: Session, run: str, step: str, *, happened: bool | None, reason: str | None
) -> None:
    """Record a person's word on what nobody else can know."""
    from drorch.app import answering

    if happened is None:
        raise UsageError(
            f"it is not said whether {step} happened",
            "look at what the step changes, then say --happened or --did-not-happen",
        )
    why = _reason(session, reason)
    answered(session, answering.settle(session.program, run, step, happened=happened, reason=why))


@command.command("approve", help="Answer what a run asks a person.")
@ID
@click.argument("step", required=False)
@click.option("--reject", is_flag=True, help="Say no.")
@REASON
@click.pass_obj
def approve(
    session: Session, run: str, step: str | None, *, reject: bool, reason: str | None
) -> None:
    """Approve or confirm; the step may be left out if only one waits."""
    from drorch.app import answering

    why = _reason(session, reason)
    answered(session, answering.approve(session.program, run, step, yes=not reject, reason=why))


@command.command("pause", help="Let a run start nothing new until it is resumed.")
@ID
@REASON
@click.pass_obj
def pause(session: Session, run: str, reason: str | None) -> None:
    """What runs comes to its end; then the run stands still."""
    from drorch.app import answering

    answered(session, answering.pause(session.program, run, _reason(session, reason)))


@command.command("retry", help="Have a failed step tried again, or a waiting one at once.")
@ID
@click.argument("step")
@REASON
@click.pass_obj
def retry(session: Session, run: str, step: str, reason: str | None) -> None:
    """An override, kept with the name and the reason."""
    from drorch.app import answering

    answered(session, answering.retry(session.program, run, step, _reason(session, reason)))


@command.command("skip", help="Have a step left out.")
@ID
@click.argument("step")
@REASON
@click.pass_obj
def skip(session: Session, run: str, step: str, reason: str | None) -> None:
    """An override, kept with the name and the reason."""
    from drorch.app import answering

    answered(session, answering.skip(session.program, run, step, _reason(session, reason)))


def _reason(session: Session, given: str | None) -> str:
    """The reason given, or asked for where somebody is there to answer."""
    if given is None and session.somebody_there and not session.json:
        given = str(click.prompt("Reason"))
    if given is None or not given.strip():
        raise UsageError("a reason is missing", "say why by --reason TEXT; it is kept as evidence")
    return given.strip()


def answered(session: Session, seen: "RunView") -> None:
    """What an answer led to."""
    if session.json:
        session.emit(seen.document)
        return
    if seen.left:
        session.say(f"left for run {seen.run}: its process has not taken it yet")
        session.say(f"see whether it has with: drorch run show {seen.run}")
        return
    session.say(f"recorded for run {seen.run}, which is {seen.word}")
    if seen.word.value in {"paused", "waiting-for-person"}:
        session.say(*ways_on(seen.document))
    if seen.word.value == "paused" or (not seen.carried and seen.word.value != "finished"):
        session.say(f"go on with: drorch run resume {seen.run}")


def _ended(session: Session, seen: "RunView", *, wanted: bool = False) -> None:
    """What a run came to; a drill's report is written as if it had never been interrupted."""
    from drorch.app.drills import reported

    report = reported(session.program, seen).report if seen.state.plan.kind in _REPORTED else None
    say_ended(session, seen, report, wanted=wanted)


def _shown(session: Session, seen: "RunView") -> None:
    if session.json:
        session.emit(seen.document)
    else:
        show_run(session, seen.document, session.zone)


@contextmanager
def looking_on(session: Session, run: str, name: str) -> Iterator["Watcher"]:
    """A watcher that fits the output: JSON lines, a moving table, or lines."""
    from drorch.cli.narrating import JsonLines, Narrator

    if session.json:
        yield JsonLines(session, sys.stdout, run)
    elif session.at_terminal and session.progress == "auto":
        from drorch.cli.live import shown

        with shown(sys.stdout, session.zone) as screen:
            board = screen.board(name)
            board.run = run
            yield board
    else:
        yield Narrator(session, session.zone, run=run)
