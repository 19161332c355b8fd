"""`drorch report`: what a run came to, for a reader who was not there."""

from collections.abc import Mapping
from pathlib import Path

import click

from drorch.cli.names import run_names
from drorch.cli.session import Session
from drorch.cli.verb import Verbs
from drorch.core.errors import DrorchError, UsageError

FORMATS = ("html", "pdf", "md", "json", "csv")
LANGUAGES = ("en", "fr")
QUARTERLY = ("html", "pdf", "md", "json", "csv")


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
    wanted = form or _by_suffix(output) or ("json" if session.json and not output else "html")
    if session.json and output is None and wanted != "json":
        raise UsageError(
            f"--json prints one JSON document, and {wanted} is none",
            "leave one of them out, or write the report to a file by --output",
        )
    if wanted in ("pdf", "csv") and output is None and session.somebody_there:
        raise UsageError(
            f"{wanted} on a terminal shows nothing",
            "write it to a file by --output, or send it on with | or >",
        )
    content = run_report(session.program, run, ReportFormat(wanted), language)
    if output is None:
        session.write_raw(content)
        return
    if wanted == "csv" and output.suffix.lower() != ".zip":
        _unpack(output, content)
    else:
        _write(output, content)
    if session.json:
        session.emit({"output": str(output), "format": wanted, "bytes": len(content)})
    session.say(f"written: {output}")


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
    type=click.Choice(QUARTERLY),
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

    wanted = form or _of_quarter(output)
    if session.json and output is None and wanted != "json":
        raise UsageError(
            f"--json prints one JSON document, and {wanted} is none",
            "leave one of them out, or write the report to a file by --output",
        )
    which = chosen(session.program, quarter)
    if quarter is None:
        session.tell(f"the quarter that ended last: {which}")
    content = quarter_report(session.program, which, wanted, language)
    if output is None:
        session.write_raw(content)
        return
    if wanted == "csv" and output.suffix.lower() != ".zip":
        _unpack(output, content)
    else:
        _write(output, content)
    if session.json:
        written = {"output": str(output), "format": wanted, "bytes": len(content)}
        session.emit({"quarter": str(which), **written})
    session.say(f"written: {output}")


def _of_quarter(output: Path | None) -> str:
    suffix = output.suffix.removeprefix(".").lower() if output else "json"
    wanted = {"zip": "csv", "htm": "html", "markdown": "md"}.get(suffix, suffix)
    if wanted not in QUARTERLY:
        raise UsageError(
            f"{output} does not say what to write: it ends in none of {', '.join(QUARTERLY)}",
            "say it by --format",
        )
    return wanted


def _unpack(folder: Path, content: bytes) -> None:
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise DrorchError(
                f"{folder} cannot be made: {error.strerror}",
                "name a folder that can be, or a .zip, by --output",
            ) from None
        for name in archive.namelist():
            _write(folder / name, archive.read(name))


def _by_suffix(output: Path | None) -> str | None:
    suffix = output.suffix.removeprefix(".").lower() if output else ""
    known = {"htm": "html", "markdown": "md", "zip": "csv"}
    return known.get(suffix) or (suffix if suffix in FORMATS else None)


def _write(output: Path, content: bytes) -> None:
    try:
        output.write_bytes(content)
    except OSError as error:
        raise DrorchError(
            f"{output} cannot be written: {error.strerror}", "name a file that can be, by --output"
        ) from None


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
