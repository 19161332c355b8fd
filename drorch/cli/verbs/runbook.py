"""`drorch runbook`: what runbooks there are, whether they are sound, and what they would do."""

from pathlib import Path

import click

from drorch.cli.failing import lines_of, problem_documents
from drorch.cli.giving import form_wanted, paper_options, say_written, see_that_it_can_be_given
from drorch.cli.inputs import SET, inputs_of
from drorch.cli.names import runbook_names
from drorch.cli.session import Session
from drorch.cli.tables import show_table
from drorch.cli.verb import Verbs
from drorch.core.errors import ConfigurationError, ExitCode, UsageError
from drorch.core.names import Mode

NAME = click.argument("name", shell_complete=runbook_names)
MODE = click.option(
    "--mode",
    type=click.Choice([m.value for m in Mode]),
    default=Mode.DRILL.value,
    show_default=True,
    help="As an exercise, or for real.",
)

PAPER_FORMATS = ("html", "pdf", "json")


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
@click.option("--all", "everything", is_flag=True, help="All of them, as without a name.")
@click.option(
    "--ready", is_flag=True, help="Also look at every precondition, really and from here."
)
@click.option(
    "--timeout",
    metavar="DURATION",
    help="How long a look may take, of preconditions that do not say so.  [default: 1m]",
)
@click.option("--workers", type=click.IntRange(min=1), help="How many look at once.  [default: 8]")
@click.pass_obj
def check(
    session: Session,
    names: tuple[str, ...],
    timeout: str | None,
    workers: int | None,
    *,
    everything: bool,
    ready: bool,
) -> int:
    """Compile each as a drill would; with --ready carry out what a failover looks at first."""
    if everything and names:
        raise UsageError("--all and names contradict each other", "leave one of them out")
    folder = session.program.configuration.runbooks
    if not names and not folder.is_dir():  # nothing is good only where nothing is there to be bad
        raise UsageError(
            f"there is no folder {folder}", "make it, or name another under `runbooks:`"
        )
    if ready:
        from drorch.cli.looking import look_at

        return look_at(session, names, timeout, workers)
    if timeout is not None or workers is not None:
        raise UsageError("--timeout and --workers are for looking at preconditions", "add --ready")
    return _check_texts(session, names)


def _check_texts(session: Session, names: tuple[str, ...]) -> int:
    from drorch.app import drills

    found = drills.check(session.program, names)
    bad = [problem for problems in found.values() for problem in problems]
    if session.json:
        rows = [{"runbook": n, "problems": problem_documents(p)} for n, p in found.items()]
        session.emit({"ok": not bad, "runbooks": rows})
    elif not found:
        session.say(f"no runbooks in {session.program.configuration.runbooks}")
    for name, problems in found.items():
        if not problems:
            session.say(f"{name}: good")
    if bad:
        session.tell(*lines_of(ConfigurationError(bad)))
    return int(ExitCode.USAGE if bad else ExitCode.GOOD)


@command.command(
    "plan", help="Show what a runbook would do, and how long it should take. Nothing happens."
)
@NAME
@SET
@click.option(
    "--mode",
    type=click.Choice([m.value for m in Mode]),
    help="As an exercise (the default), or for real.",
)
@click.option("--failover", is_flag=True, help="As for real: --mode live.")
@click.option(
    "--failback", is_flag=True, help="Its way home, the section `failback`; for real by default."
)
@click.pass_obj
def plan(
    session: Session,
    name: str,
    settings: tuple[str, ...],
    mode: str | None,
    *,
    failover: bool,
    failback: bool,
) -> int:
    """Compile it as a run would, and print the plan; 2 if something is missing before it can run."""
    from drorch.app.planning import plan_ahead
    from drorch.cli.plans import plan_document, plan_lines

    wanted = _mode_meant(mode, failover=failover, failback=failback)
    planned = plan_ahead(session.program, name, wanted, inputs_of(settings), homeward=failback)
    if session.json:
        session.emit(plan_document(planned))
    else:
        session.say(*plan_lines(planned, session.zone))
    if planned.missing:
        session.tell(*lines_of(ConfigurationError(planned.missing)))
    trouble = planned.past.trouble
    if trouble is not None:
        session.tell(*lines_of(trouble))
        return int(trouble.exit_code)
    return int(ExitCode.USAGE if planned.missing else ExitCode.GOOD)


def _mode_meant(mode: str | None, *, failover: bool, failback: bool) -> Mode:
    if failover and (failback or mode == Mode.DRILL.value):
        other = "--failback" if failback else "--mode drill"
        raise UsageError(
            f"--failover and {other} contradict each other", "say what is meant: one of them"
        )
    if mode is None:
        return Mode.LIVE if failover or failback else Mode.DRILL
    return Mode(mode)


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
            {
                "runbook": d.runbook,
                "rehearsal": d.rehearsal,
                "problems": problem_documents(d.problems),
            }
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
    from drorch.cli import graphs

    compiled = compile_plan(
        session.program, name, Mode(mode), inputs_of(settings), inputs_later=True
    )
    if session.json:
        session.emit(graphs.graph_document(compiled))
    else:
        session.say(*(graphs.mermaid(compiled) if form == "mermaid" else graphs.dot(compiled)))


@command.command("show", help="Write a runbook for the binder. All of it can be done by hand.")
@NAME
@SET
@click.option("--failback", is_flag=True, help="Its way home, the section `failback`.")
@paper_options(PAPER_FORMATS)
@click.pass_obj
def show(
    session: Session,
    name: str,
    settings: tuple[str, ...],
    failback: bool,
    form: str | None,
    language: str | None,
    paper: str,
    output: Path | None,
    overwrite: bool,
) -> None:
    """Render it; on stdout it is the document alone."""
    from drorch.app import papers
    from drorch.reports.paper.forms import PageSize, PaperFormat

    wanted = form_wanted(session, form, output, PAPER_FORMATS)
    see_that_it_can_be_given(session, wanted, output)
    if output is not None:
        papers.see_that_it_is_free(output, overwrite=overwrite)
    content = papers.runbook_on_paper(
        session.program,
        name,
        inputs_of(settings),
        PaperFormat(wanted),
        language or session.program.configuration.language,
        homeward=failback,
        size=PageSize(paper),
    )
    if output is None:
        session.write_raw(content) if wanted == "pdf" else session.write_bytes(content)
        return
    papers.write(output, content, overwrite=overwrite)
    say_written(session, content, wanted, output)
