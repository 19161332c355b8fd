"""`drorch report`: what a run came to, for a reader who was not there."""

from collections.abc import Mapping
from pathlib import Path

import click

from drorch.cli.giving import form_wanted, give, see_that_it_can_be_given
from drorch.cli.names import run_names
from drorch.cli.session import Session
from drorch.cli.verb import Verbs
from drorch.core.errors import UsageError

FORMATS = ("html", "pdf", "md", "json", "csv")
LANGUAGES = ("en", "fr")


@click.group(cls=Verbs, name="report", help="Write reports from what the journal holds.")
def command() -> None:
    """The group."""


@command.command("run", help="Report on one run, as it stands.")
@click.argument("run", metavar="ID", shell_complete=run_names)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="Else by the suffix of --output, else html (with --json: json).",
)
@click.option("--language", type=click.Choice(LANGUAGES), help="Else the configuration's.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="A file; else stdout. Of csv: a folder, or a .zip.",
)
@click.option("--kept", is_flag=True, help="In every form, where a drill keeps its own.")
@click.pass_obj
def run_(
    session: Session,
    run: str,
    form: str | None,
    language: str | None,
    output: Path | None,
    *,
    kept: bool,
) -> None:
    """Render the report; on stdout it is the document alone."""
    from drorch.app.reports import run_report
    from drorch.reports.run import ReportFormat

    if kept:
        _keep(session, run, (form, language, output))
        return
    wanted = form_wanted(session, form, output, FORMATS)
    see_that_it_can_be_given(session, wanted, output)
    content = run_report(session.program, run, ReportFormat(wanted), language)
    give(session, content, wanted, output)


def _keep(session: Session, run: str, beside: tuple[object, ...]) -> None:
    from drorch.app.reports import write_run_reports
    from drorch.app.runs import view

    if any(one is not None for one in beside):
        raise UsageError(
            "--kept writes every format, in the configuration's language, into the run's own folder",
            "leave --format, --language and --output out",
        )
    path = write_run_reports(session.program, view(session.program, run))
    if session.json:
        session.emit({"output": str(path.parent)})
    session.say(f"written: {path.parent}")


@command.command("schema", help="Print the JSON Schema of `report run --format json`.")
@click.pass_obj
def schema(session: Session) -> None:
    """For programs that read reports."""
    from drorch.reports.schema import run_schema

    session.write_raw(run_schema())


@command.command("quarter", help="Report on a quarter: what was promised, what was measured.")
@click.argument("quarter", metavar="[QUARTER]", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="Else by the suffix of --output, else json.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="A file; else stdout. Of csv: a folder, or a .zip.",
)
@click.option("--language", type=click.Choice(LANGUAGES), help="Else the configuration's.")
@click.pass_obj
def quarter_(
    session: Session,
    quarter: str | None,
    form: str | None,
    output: Path | None,
    language: str | None,
) -> None:
    """Render the report of QUARTER (2026Q4); default: the one that ended last."""
    from drorch.app.quarters import chosen, quarter_report

    wanted = form_wanted(session, form, output, FORMATS, otherwise="json")
    see_that_it_can_be_given(session, wanted, output)
    which = chosen(session.program, quarter)
    if quarter is None:
        session.tell(f"the quarter that ended last: {which}")
    content = quarter_report(session.program, which, wanted, language)
    give(session, content, wanted, output, quarter=str(which))


@command.command(
    "write", help="Write and seal the report of a quarter that is over, in every form."
)
@click.argument("quarter", metavar="[QUARTER]", required=False)
@click.option("--anew", is_flag=True, help="Although it was written; the older one is put aside.")
@click.pass_obj
def write(session: Session, quarter: str | None, *, anew: bool) -> None:
    """As the daemon does it by itself: as `reports: quarterly` of the configuration says."""
    from drorch.app.quarterly import write as write_it
    from drorch.app.quarters import chosen

    program = session.program
    found = write_it(program, chosen(program, quarter), anew=anew)
    if session.json:
        session.emit(found)
        return
    session.say(f"{found['folder']}:", *(f"  {name}" for name in _names(found["files"])))
    if found["sealed"]:
        session.say(
            f"sealed: {found['bundle']}, in {', '.join(_names(found['regions'])) or 'no region'}"
        )
    else:
        session.say("not sealed: no key is configured")
    for region, why in _items(found["owed"]):
        session.tell(f"warning: {region} is owed it: {why}")


@command.command("send", help="Write the report of a quarter that is over, and send it.")
@click.argument("quarter", metavar="[QUARTER]", required=False)
@click.option("--everybody", is_flag=True, help="Also to those who have it already.")
@click.pass_obj
def send(session: Session, quarter: str | None, *, everybody: bool) -> int:
    """As the daemon does it by itself, on the day that `reports: quarterly` names."""
    from drorch.app.delivering import deliver
    from drorch.app.quarters import chosen
    from drorch.app.runs import Request
    from drorch.cli.carrying import carrying
    from drorch.cli.summary import say_ended

    program = session.program
    wanted = chosen(program, quarter, over=True)
    with carrying(session) as carried:
        seen = deliver(
            program,
            wanted,
            Request(),
            everybody=everybody,
            control=carried.control,
            watchers=carried.watchers(f"report of {wanted}"),
        )
    say_ended(session, seen)
    return carried.exit_code([seen.exit_code])


def _names(found: object) -> list[str]:
    return [str(name) for name in found] if isinstance(found, Mapping | list) else []


def _items(found: object) -> list[tuple[str, str]]:
    return [(str(k), str(v)) for k, v in found.items()] if isinstance(found, Mapping) else []
