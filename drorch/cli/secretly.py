"""A recovery kit with secrets: asked for twice, written for one's own eyes, and put on record first."""

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from drorch.cli.session import Session
from drorch.core.errors import UsageError

if TYPE_CHECKING:
    from drorch.reports.kit.forms import KitFormat


def check_wanted(
    output: Path | None, shares: int | None, needed: int | None, *, with_secrets: bool
) -> None:
    """UsageError for options that make no sense together, before anything is asked or read."""
    from drorch.app.kit_secrets import check_shares

    check_shares(shares, needed)
    if shares is not None and not with_secrets:
        raise UsageError("without secrets there is nothing to share", "add --with-secrets")
    if with_secrets and output is None:
        raise UsageError(
            "a kit with secrets is written to a file, never to a terminal or a pipe",
            "name it by --output",
        )


def confirmed(session: Session, told: str | None) -> None:
    """Ask for the organisation's name; UsageError unless it is that."""
    name = session.program.configuration.organization or "drorch"
    if told is None and not session.somebody_there:
        raise UsageError(
            "a kit with secrets wants a second confirmation", f"add --confirm {quote(name)}"
        )
    if told is None:
        session.tell("This paper will open every copy of your data to whoever holds it.")
        told = str(click.prompt(f"Type the name of the organisation ({name}) to go on", err=True))
    if told.strip() != name:
        raise UsageError(
            f"{told!r} is not the name of the organisation: nothing was written",
            f"it is {name!r}",
        )


def write_shared(
    session: Session,
    output: Path,
    sheets: "tuple[KitFormat, str, str]",
    shares: int | None,
    needed: int | None,
    *,
    overwrite: bool,
) -> None:
    """Write the kit with its secrets, and of a shared one its text, what opens it, and each sheet."""
    from drorch.app.kit import PROGRAM, kit_source, opening_program, record
    from drorch.app.kit_secrets import gathered, sealed
    from drorch.app.papers import see_that_it_is_free, write
    from drorch.reports.kit.forms import render_kit, render_share

    program = session.program
    found = gathered(program)
    box = sealed(program.configuration, found.values, shares, needed) if shares and needed else None
    source = kit_source(program, found, box, output.stem)
    form, language, size = sheets
    files = {output: render_kit(source, form, language, size)}
    if box is not None:
        files[output.with_name(f"{output.stem}.txt")] = ("\n".join(box.lines) + "\n").encode()
        for number, words in enumerate(box.shares, 1):
            sheet = output.with_name(f"{output.stem}-share-{number}{output.suffix}")
            files[sheet] = render_share(source, number, words, form, language, size)
        opening, opens = output.with_name(PROGRAM), opening_program()
        if not (opening.is_file() and opening.read_bytes() == opens):  # of a kit made before
            files[opening] = opens
    for path in files:
        see_that_it_is_free(path, overwrite=overwrite)
    run = record(program, source)
    for path, content in files.items():
        write(path, content, overwrite=overwrite)
    for name, why in found.left_out.items():
        session.tell(f"not in it: {name}: {why}")
    if session.json:
        session.emit(
            {
                "outputs": [str(path) for path in files],
                "secrets": list(found.values),
                "left_out": list(found.left_out),
                "run": run,
            }
        )
    session.say(*(f"written: {path}" for path in files))
    session.say("print them at once, and remove the files: whoever has them has your data")
