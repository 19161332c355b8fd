"""`drorch kit`: the recovery kit for the safe."""

from pathlib import Path

import click

from drorch.cli.giving import form_wanted, paper_options, say_written, see_that_it_can_be_given
from drorch.cli.session import Session
from drorch.cli.verb import Verb
from drorch.core.errors import JournalUntrusted

FORMATS = ("html", "pdf", "json")


@click.command(
    cls=Verb,
    name="kit",
    help="Print the recovery kit for the safe: the way back when everything is gone.",
)
@paper_options(FORMATS)
@click.option(
    "--with-secrets", is_flag=True, help="With the values of the secrets: such paper is a key."
)
@click.option(
    "--confirm",
    metavar="ORGANIZATION",
    help="Its name, a second time, where nobody can be asked: for --with-secrets.",
)
@click.option(
    "--shares", type=int, metavar="N", help="Seal the secrets for N holders, with a sheet for each."
)
@click.option("--needed", type=int, metavar="K", help="How many of them open it together.")
@click.pass_obj
def command(
    session: Session,
    form: str | None,
    language: str | None,
    paper: str,
    output: Path | None,
    *,
    overwrite: bool,
    with_secrets: bool,
    confirm: str | None,
    shares: int | None,
    needed: int | None,
) -> None:
    """Render it, and put on record that it was made; on stdout it is the document alone."""
    from drorch.app.kit import kit_source, record
    from drorch.app.kit_known import without_whole
    from drorch.app.papers import see_that_it_is_free, write
    from drorch.cli.secretly import check_wanted, confirmed, write_shared
    from drorch.reports.kit.forms import KitFormat, render_kit

    check_wanted(output, shares, needed, with_secrets=with_secrets)
    wanted = form_wanted(session, form, output, FORMATS)
    see_that_it_can_be_given(session, wanted, output)
    if output is not None:
        see_that_it_is_free(output, overwrite=overwrite)
    program = session.program
    spoken = language or program.configuration.language
    if lacking := without_whole(program):
        session.tell(
            f"warning: no whole state of drorch's own records is known to lie in {', '.join(lacking)}:"
            " the kit's lines for them by restic alone need one",
            "hint: drorch replicate --control-plane",
        )
    if with_secrets and output is not None:
        confirmed(session, confirm)
        sheets = KitFormat(wanted), spoken, paper
        write_shared(session, output, sheets, shares, needed, overwrite=overwrite)
        return
    source = kit_source(program)
    content = render_kit(source, KitFormat(wanted), spoken, paper)
    if output is not None:
        write(output, content, overwrite=overwrite)
    try:
        record(program, source)  # once it is there: else doctor would take it for made
    except JournalUntrusted as error:  # which is no reason to have no kit
        session.tell(f"not put on record: {error.message}")
    if output is None:
        session.write_raw(content) if wanted == "pdf" else session.write_bytes(content)
        return
    say_written(session, content, wanted, output)
    session.say("print it, fill in who to call, and put it into the safe")
