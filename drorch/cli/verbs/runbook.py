"""`drorch runbook`: what runbooks there are, whether they are sound, and what they would do."""

from collections.abc import Sequence

import click

from drorch.cli.inputs import SET, inputs_of
from drorch.cli.names import runbook_names
from drorch.cli.session import Session
from drorch.cli.tables import show_table
from drorch.cli.verb import Verbs
from drorch.core.errors import ConfigurationError, ExitCode, Problem
from drorch.core.names import Mode

NAME = click.argument("name", shell_complete=runbook_names)
MODE = click.option(
    "--mode",
    type=click.Choice([m.value for m in Mode]),
    default=Mode.DRILL.value,
    show_default=True,
    help="As an exercise, or for real.",
)


@click.group(cls=Verbs, name="runbook", help="List runbooks, check them, see what they would do.")
def command() -> None:
    """The group."""


@command.command("list", help="List the runbooks of the configured folder.")
@click.pass_obj
def list_(session: Session) -> None:
    """One that cannot be read is listed with its first problem."""
    from drorch.app.drills import all_runbooks

    rows = []
    for name, found in all_runbooks(session.program).items():
        if isinstance(found, list):
            rows.append({"runbook": name, "title": None, "service": None, "problem": str(found[0])})
        else:
            rows.append(
                {
                    "runbook": name,
                    "title": found.title,
                    "service": found.service,
                    "problem": None,
                }
            )
    if session.json:
        session.emit(rows)
        return
    show_table(
        session,
        ("runbook", "service", "title"),
        [
            (
                str(r["runbook"]),
                r["service"] or "-",
                f"broken: {r['problem']}" if r["problem"] else r["title"] or "-",
            )
            for r in rows
        ],
        empty=f"no runbooks in {session.program.configuration.runbooks}",
    )


@command.command(
    "check", help="Say everything that is wrong with runbooks, before they are needed."
)
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=runbook_names)
@click.pass_obj
def check(session: Session, names: tuple[str, ...]) -> int:
    """Compile each as a drill would."""
    from drorch.app import drills

    found = drills.check(session.program, names)
    bad = [problem for problems in found.values() for problem in problems]
    if session.json:
        rows = [{"runbook": n, "problems": _documents(p)} for n, p in found.items()]
        session.emit({"ok": not bad, "runbooks": rows})
    elif not found:
        session.say(f"no runbooks in {session.program.configuration.runbooks}")
    for name, problems in found.items():
        if not problems:
            session.say(f"{name}: good")
    if bad:
        from drorch.cli.failing import lines_of

        session.tell(*lines_of(ConfigurationError(bad)))
    return int(ExitCode.USAGE if bad else ExitCode.GOOD)


@command.command("plan", help="Show what a runbook would do. Nothing happens.")
@NAME
@SET
@MODE
@click.pass_obj
def plan(session: Session, name: str, settings: tuple[str, ...], mode: str) -> None:
    """Compile it as a run would, and print the plan."""
    from drorch.app.drills import compile_plan
    from drorch.cli.plans import plan_document, plan_lines

    compiled = compile_plan(session.program, name, Mode(mode), inputs_of(settings))
    if session.json:
        session.emit(plan_document(compiled))
    else:
        session.say(*plan_lines(compiled))


@command.command(
    "test", help="Try runbooks by the rehearsals beside them (NAME.test.yaml). Touches nothing."
)
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=runbook_names)
@click.pass_obj
def test(session: Session, names: tuple[str, ...]) -> int:
    """Exit 1 if a run came otherwise than its rehearsal expects."""
    from drorch.app.rehearsals import rehearse_all

    done = list(rehearse_all(session.program, names))
    bad = [problem for one in done for problem in one.problems]
    if session.json:
        rows = [
            {"runbook": d.runbook, "rehearsal": d.rehearsal, "problems": _documents(d.problems)}
            for d in done
        ]
        session.emit({"ok": not bad, "rehearsals": rows})
    elif not done:
        session.say(f"no rehearsals in {session.program.configuration.runbooks}")
    for one in done:
        session.say(
            f"{one.runbook}: {one.rehearsal}: {'not as expected' if one.problems else 'good'}"
        )
    if bad:
        from drorch.cli.failing import lines_of

        session.tell(*lines_of(ConfigurationError(bad)))
    return int(ExitCode.FAILED if bad else ExitCode.GOOD)


@command.command("graph", help="Print a runbook's steps and what they need, as a graph.")
@NAME
@SET
@MODE
@click.option(
    "--format",
    "form",
    type=click.Choice(["mermaid", "dot"]),
    default="mermaid",
    show_default=True,
    help="For Markdown, or for Graphviz.",
)
@click.pass_obj
def graph(session: Session, name: str, settings: tuple[str, ...], mode: str, form: str) -> None:
    """Print the graph; with --json its nodes and edges."""
    from drorch.app.drills import compile_plan
    from drorch.cli import plans

    compiled = compile_plan(
        session.program, name, Mode(mode), inputs_of(settings), inputs_later=True
    )
    if session.json:
        session.emit(plans.graph_document(compiled))
    else:
        session.say(*(plans.mermaid(compiled) if form == "mermaid" else plans.dot(compiled)))


def _documents(problems: Sequence[Problem]) -> list[dict[str, object]]:
    return [
        {"message": p.message, "hint": p.hint, "file": p.file, "line": p.line, "column": p.column}
        for p in problems
    ]
