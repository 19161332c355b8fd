"""`drorch journal`: whether what is recorded can be believed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from drorch.cli.names import run_names
from drorch.cli.session import Session
from drorch.cli.verb import Verbs
from drorch.cli.words import counted, one_line
from drorch.core.errors import ExitCode


@click.group(
    cls=Verbs, name="journal", help="Verify the journal, export a run, rebuild what is derived."
)
def command() -> None:
    """The group."""


@command.command("verify", help="Verify the whole journal, or an exported run.")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.pass_obj
def verify(session: Session, path: Path | None) -> int:
    """Leaves with 5 if anything is not as it was recorded."""
    from drorch.app import journals

    found = journals.verify_exported(path) if path else journals.verify(session.program)
    return _told(session, found, str(path) if path else "the journal")


@command.command("export", help="Write a run as a bundle that can be verified anywhere.")
@click.argument("run", shell_complete=run_names)
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="A folder, or one file if it has a suffix.",
)
@click.pass_obj
def export(session: Session, run: str, output: Path) -> int:
    """Export and verify what was written."""
    from drorch.app import journals

    return _told(session, journals.export(session.program, run, output), str(output))


@command.command("rebuild", help="Recompute everything derived from the events.")
@click.pass_obj
def rebuild(session: Session) -> None:
    """Says what differed; after that, nothing does."""
    from drorch.app import journals

    found: Mapping[str, Any] = journals.rebuild(session.program)
    if session.json:
        session.emit(found)
        return
    differences = found["differences"]
    differed = counted(len(differences), "difference") if differences else "nothing differed"
    session.say(
        f"rebuilt from the events of {counted(found['runs'], 'run')}: {differed}",
        *(f"  {one_line(str(d))}" for d in differences),
    )


def _told(session: Session, found: Mapping[str, Any], what: str) -> int:
    if session.json:
        session.emit(found)
    elif found["ok"]:
        session.say(
            f"{what}: good ({counted(found['runs'], 'run')}, {counted(found['events'], 'event')})"
        )
        session.say(f"head: {found['head']}")
    for flaw in found["flaws"]:
        session.tell(f"error: {flaw['subject']}: {one_line(flaw['message'])}")
    if found["ok"]:
        return int(ExitCode.GOOD)
    session.tell(
        "hint: do not rely on these records; compare them with another copy, "
        "such as an earlier export"
    )
    return int(ExitCode.JOURNAL_UNTRUSTED)
