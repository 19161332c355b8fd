"""`drorch journal`: whether what is recorded can be believed."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drorch.cli.names import run_names
from drorch.cli.session import Session
from drorch.cli.verb import Verbs
from drorch.cli.words import counted, one_line
from drorch.core.errors import ExitCode

if TYPE_CHECKING:
    from drorch.app.plane.comparing import Compared
    from drorch.app.program import Program


@click.group(
    cls=Verbs, name="journal", help="Verify the journal, export a run, rebuild what is derived."
)
def command() -> None:
    """The group."""


@command.command("verify", help="Verify the whole journal, or a sealed bundle.")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="FILE|TEXT",
    help="Trust this public key alone; may be repeated. Left out: those of the configuration.",
)
@click.option("--unsealed", is_flag=True, help="Take a bundle that nobody signed.")
@click.option("--offline", is_flag=True, help="Ask no region for the heads it keeps.")
@click.pass_obj
def verify(
    session: Session, path: Path | None, keys: tuple[str, ...], *, unsealed: bool, offline: bool
) -> int:
    """Leaves with 5 if anything is not as it was recorded."""
    from drorch.app import journals

    if path is None:
        found = journals.verify(session.program, offline=offline)
        return _told(session, found, "the journal")
    program = None if keys or unsealed else _configured(session)
    return _told(
        session, journals.verify_exported(path, keys, program, unsealed=unsealed), str(path)
    )


def _configured(session: Session) -> "Program | None":
    """The program, if there is a configuration: a bundle may be checked where there is none."""
    from drorch.config.load import DEFAULT_PLACES

    named = session.config is not None or "DRORCH_CONFIG" in os.environ
    if not named and not any(place.is_file() for place in DEFAULT_PLACES):
        return None
    return session.program


@command.command("export", help="Write a run as a bundle that can be verified anywhere.")
@click.argument("run", shell_complete=run_names)
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="A folder, or one file if it has a suffix.",
)
@click.option("--overwrite", is_flag=True, help="Although the file is there and something else.")
@click.pass_obj
def export(session: Session, run: str, output: Path, *, overwrite: bool) -> int:
    """Export and verify what was written."""
    from drorch.app import journals

    found = journals.export(session.program, run, output, overwrite=overwrite)
    return _told(session, found, str(output))


@command.command("compare", help="Hold records that were recovered against those that live here.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--at",
    metavar="TIME",
    help="When the loss would have been; left out: now. In UTC without offset.",
)
@click.option(
    "--without", metavar="RUN", default="", help="Leave this run out: the drill that looks on."
)
@click.pass_obj
def compare(session: Session, folder: Path, at: str | None, without: str) -> int:
    """Leaves with 1 if they are not one history; a copy that is only behind is told."""
    from drorch.app.plane.comparing import compare as held_against
    from drorch.cli.inputs import moment_given

    then = moment_given(at, "UTC") if at else None
    found = held_against(session.program, folder.absolute(), at=then, without=without)
    if session.json:
        session.emit(found.document)
    else:
        session.say(*_compared(found))
    return int(ExitCode.GOOD if found.same else ExitCode.FAILED)


def _compared(found: "Compared") -> Iterator[str]:
    from drorch.core.durations import format_duration

    yield f"history: {'the same' if found.same else 'ANOTHER'}, {counted(found.runs, 'run')}"
    if found.lost.events:
        many = f"{counted(found.lost.events, 'event')} of {counted(len(found.lost.runs), 'run')}"
        yield f"behind: {many}, recorded in the last {format_duration(found.behind)}"
    else:
        yield "behind: nothing"
    yield f"configuration: {'the same' if found.configuration else 'other than here'}"
    for word, names in (
        ("missing", found.missing),
        ("other than here", found.different),
        ("gone here", found.surplus),
    ):
        if names:
            yield f"runbooks {word}: {', '.join(names)}"
    if not (found.missing or found.different or found.surplus):
        yield "runbooks: the same"
    lacks = f", {len(found.evidence_missing)} missing" if found.evidence_missing else ""
    yield f"evidence: {counted(found.evidence, 'file')}{lacks}"


@command.command("seal", help="Seal what ended, and bring regions the evidence they are owed.")
@click.pass_obj
def seal(session: Session) -> int:
    """What every drill and the daemon do by themselves; leaves with 1 if a region is still owed."""
    from drorch.app import journals

    found: Mapping[str, Any] = journals.seal(session.program)
    if session.json:
        session.emit(found)
    else:
        session.say(*_sealed(found))
    for one in found["owed"]:
        session.tell(f"error: {one['message']}", f"hint: {one['hint']}")
    return int(ExitCode.FAILED if found["owed"] else ExitCode.GOOD)


def _sealed(found: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"sealed {run}" for run in found["runs"])
    head = found["head"]
    yield f"sealed up to entry {head['n']}: {head['hash']}" if head else "nothing is sealed"
    for region, count in found["kept"].items():
        yield f"{region}: {counted(count, 'record')} kept"


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


_BROKEN = "do not rely on these records; compare them with another copy, such as an earlier export"


def _told(session: Session, found: Mapping[str, Any], what: str) -> int:
    if session.json:
        session.emit(found)
    elif found["ok"]:
        session.say(*_good(found, what))
    for flaw in found["flaws"]:
        session.tell(f"error: {flaw['subject']}: {one_line(flaw['message'])}")
    if found["ok"]:
        return int(ExitCode.GOOD)
    hint = found.get("hint") or _BROKEN
    session.tell(f"hint: {hint}")
    return int(ExitCode.JOURNAL_UNTRUSTED)


def _good(found: Mapping[str, Any], what: str) -> Iterator[str]:
    """What is told of records that are as they were."""
    counts = f"{counted(found['runs'], 'run')}, {counted(found['events'], 'event')}"
    if found.get("kind") == "files":
        yield f"{what}: good (the files {found['name']!r})"
    else:
        yield f"{what}: good ({counts})"
        yield f"head: {found['head']}"
    yield from found.get("heads", ())
    yield from (f"missing when it was sealed: {name}" for name in found.get("missing", ()))
    yield from (f"not checked: {why}" for why in found.get("unread", ()))
    if "sealed_by" in found:
        signer = found["sealed_by"]
        yield f"sealed by key {signer}" if signer else "NOT SEALED: nobody signed it"
