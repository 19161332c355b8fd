"""Where a rendered document goes, and in which form: by options, by the file's name, by who looks on."""

import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import click

from drorch.cli.session import Session
from drorch.core.errors import DrorchError, UsageError

#: Other suffixes than the forms' own names.
_SUFFIXES = {"htm": "html", "markdown": "md", "zip": "csv"}


F = TypeVar("F", bound=Callable[..., object])


def paper_options(forms: Sequence[str]) -> Callable[[F], F]:
    """The options of what is printed on paper: --format, --language, --paper, --output, --overwrite."""
    options: tuple[Callable[[F], F], ...] = (
        click.option(
            "--format",
            "form",
            type=click.Choice(forms),
            help="Else by the suffix of --output, else html (with --json: json).",
        ),
        click.option(
            "--language", type=click.Choice(["en", "fr"]), help="Else the configuration's."
        ),
        click.option(
            "--paper",
            type=click.Choice(["a4", "letter"]),
            default="a4",
            show_default=True,
            help="The sheets of a PDF; HTML fits itself to both.",
        ),
        click.option(
            "--output",
            type=click.Path(path_type=Path),
            metavar="PATH",
            help="A new file; else stdout.",
        ),
        click.option("--overwrite", is_flag=True, help="Write the file although it is there."),
    )

    def with_them(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return with_them


def form_wanted(
    session: Session,
    form: str | None,
    output: Path | None,
    known: Collection[str],
    otherwise: str = "html",
) -> str:
    """The form asked for, else the one that the file's name says; on stdout `otherwise`, or JSON.

    UsageError where the name says none of those known.
    """
    if form is not None:
        return form
    if output is None:
        return "json" if session.json else otherwise
    suffix = output.suffix.removeprefix(".").lower()
    wanted = _SUFFIXES.get(suffix, suffix)
    if wanted not in known:
        if os.path.isdir(output):  # noqa: PTH112 - False, too, for what may not be looked into
            raise _a_folder(output)
        raise UsageError(
            f"{output} does not say what to write: it ends in none of {', '.join(known)}",
            "say it by --format",
        )
    return wanted


def see_that_it_can_be_given(session: Session, form: str, output: Path | None) -> None:
    """UsageError, before anything is rendered, where it could be given to nobody."""
    if output is not None:
        _see_that_it_can_be_written(output, form)
    elif session.json and form != "json":
        raise UsageError(
            f"--json prints one JSON document, and {form} is none",
            "leave one of them out, or write it to a file by --output",
        )
    elif form in ("pdf", "csv") and sys.stdout is not None and sys.stdout.isatty():
        raise UsageError(
            f"{form} on a terminal shows nothing",
            "write it to a file by --output, or send it on with | or >",
        )


def _see_that_it_can_be_written(output: Path, form: str) -> None:
    try:
        if output.is_dir() and not _is_folder_of_tables(output, form):
            raise _a_folder(output)
        why = _why_not(output, form)
    except OSError as error:  # such as a folder that may not be looked into
        why = str(error.strerror)
    if why:
        raise UsageError(f"{output} cannot be written: {why}", "name another place by --output")


def _why_not(output: Path, form: str) -> str:
    """Why the file cannot be written, as far as that shows before; empty if nothing shows."""
    folder = output.parent
    if not os.path.lexists(folder):
        return f"there is no folder {folder}"
    if not folder.is_dir():
        return f"{folder} is no folder"
    there = output.exists()
    if there and _is_folder_of_tables(output, form) and not output.is_dir():
        return "it is a file, and tables go into a folder or a .zip"
    return "" if os.access(output if there else folder, os.W_OK) else "you may not write there"


def _a_folder(output: Path) -> UsageError:
    return UsageError(f"{output} is a folder", f"name a file in it: {output / 'report.pdf'}")


def _is_folder_of_tables(output: Path, form: str) -> bool:
    return form == "csv" and output.suffix.lower() != ".zip"


def give(session: Session, content: bytes, form: str, output: Path | None, **told: str) -> None:
    """Print it, or write it and say so; `told` stands in the JSON document, too."""
    if output is None:
        session.write_raw(content)
        return
    if _is_folder_of_tables(output, form):
        _unpack(output, content)
    else:
        _write(output, {output: content})
    say_written(session, content, form, output, **told)


def say_written(session: Session, content: bytes, form: str, output: Path, **told: str) -> None:
    """That it was written, and where."""
    if session.json:
        session.emit({**told, "output": str(output), "format": form, "bytes": len(content)})
    session.say(f"written: {output}")


def _unpack(folder: Path, content: bytes) -> None:
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        tables = {folder / name: archive.read(name) for name in archive.namelist()}
    new = not folder.exists()
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise DrorchError(
            f"{folder} cannot be made: {error.strerror}",
            "name a folder that can be, or a .zip, by --output",
        ) from None
    try:
        _write(folder, tables)
    except DrorchError:
        if new:
            with suppress(OSError):  # some of it may be in place
                folder.rmdir()
        raise


def _write(output: Path, files: Mapping[Path, bytes]) -> None:
    from drorch.adapters.placing import place

    try:
        place(files)
    except OSError as error:
        raise DrorchError(
            f"{output} cannot be written: {error.strerror}", "name a file that can be, by --output"
        ) from None
