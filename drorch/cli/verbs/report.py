"""`drorch report`: what a run came to, for a reader who was not there."""

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
@click.pass_obj
def run_(
    session: Session, run: str, form: str | None, language: str | None, output: Path | None
) -> None:
    """Render the report; on stdout it is the document alone."""
    from drorch.app.reports import run_report
    from drorch.reports.run import ReportFormat

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
    suffix = output.suffix.removeprefix(".").lower() if output else ""
    return {"zip": "csv"}.get(suffix) or (suffix if suffix in QUARTERLY else "json")


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
