"""`drorch repo`: the restic repositories behind datasets and regions."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from drorch.cli.keys import key, rotate_key
from drorch.cli.names import dataset_names, region_names
from drorch.cli.session import Session
from drorch.cli.tables import show_table
from drorch.cli.verb import Verbs
from drorch.cli.words import one_line, size
from drorch.core.errors import ExitCode

DATASETS = click.argument(
    "datasets", metavar="[DATASET]...", nargs=-1, shell_complete=dataset_names
)
REGION = click.option("--region", metavar="NAME", shell_complete=region_names, help="Only there.")


@click.group(cls=Verbs, name="repo", help="Make repositories, look at them, unlock them.")
def command() -> None:
    """The group."""


@command.command("init", help="Make every repository that is not there yet. Harmless again.")
@DATASETS
@click.option("--create-bucket", is_flag=True, help="Make missing buckets too.")
@click.pass_obj
def init(session: Session, datasets: tuple[str, ...], *, create_bucket: bool) -> int:
    """Make them, the primary region of each dataset first."""
    from drorch.app.backups import chosen
    from drorch.app.repositories import initialise

    program = session.program
    wanted = chosen(program, datasets, everything=not datasets)
    made = initialise(program, wanted, create_bucket=create_bucket)
    rows = [
        {
            "dataset": m.dataset,
            "region": m.region,
            "result": m.result,
            "message": m.message,
            "hint": m.hint,
        }
        for m in made
    ]
    return _told(session, rows, ("dataset", "region", "result"))


@command.command("status", help="How each repository stands in its region.")
@DATASETS
@click.pass_obj
def status(session: Session, datasets: tuple[str, ...]) -> int:
    """Ask every region, side by side."""
    from drorch.app.backups import chosen
    from drorch.app.repositories import standing

    program = session.program
    rows = standing(program, chosen(program, datasets, everything=not datasets))
    columns = ("dataset", "region", "mode", "result", "snapshots", "objects", "bytes", "locks")
    return _told(session, rows, columns)


@command.command("unlock", help="Remove locks that are proven stale; never a live one.")
@DATASETS
@REGION
@click.option("--no-wait", is_flag=True, help="Do not wait for the second look at old locks.")
@click.pass_obj
def unlock(
    session: Session, datasets: tuple[str, ...], region: str | None, *, no_wait: bool
) -> int:
    """Stale is a lock whose process on this host is gone, or that is old and not refreshed."""
    from drorch.app.backups import chosen
    from drorch.app.unlocking import unlock as unlock_each
    from drorch.cli.carrying import carrying

    program = session.program
    wanted = chosen(program, datasets, everything=not datasets)
    with carrying(session, several=len(wanted) > 1) as carried:
        rows = unlock_each(
            program,
            wanted,
            region,
            wait=not no_wait,
            control=carried.control,
            watchers=carried.watchers,
        )
    code = _told(session, rows, ("dataset", "region", "result", "removed", "left"))
    _locks(session, rows)
    return carried.exit_code([ExitCode(code)])


def _locks(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Each lock that was found, and what became of it."""
    for row in rows:
        for lock in row.get("locks", ()):
            who = f"{lock['user']}@{lock['host']}, process {lock['pid']}" if lock["pid"] else "?"
            kind = "exclusive lock" if lock["exclusive"] else "lock"
            did = "removed" if lock["removed"] else "kept"
            session.say(
                f"{row['dataset']} in {row['region']}: {did} {kind} {lock['lock'][:8]} "
                f"({who}): {one_line(lock['why'])}"
            )


command.add_command(key)
command.add_command(rotate_key)


def _told(session: Session, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> int:
    """Print rows, then what is wrong with some of them; 1 if something is."""
    bad = [r for r in rows if r.get("result") in {"failed", "missing"}]
    if session.json:
        session.emit(rows)
    else:
        show_table(
            session,
            columns,
            [tuple(_cell(r, c) for c in columns) for r in rows],
            empty="no datasets are configured",
            right=("snapshots", "objects", "bytes", "locks", "removed", "left"),
        )
    for row in bad:
        session.tell(
            f"error: {row['dataset']} in {row['region']}: "
            f"{one_line(str(row.get('message') or 'there is no repository'))}",
            f"hint: {one_line(str(row.get('hint') or ''))}",
        )
    return int(ExitCode.FAILED if bad else ExitCode.GOOD)


def _cell(row: Mapping[str, Any], column: str) -> str:
    value = row.get(column)
    if column == "bytes":
        return size(value)
    return "-" if value is None else str(value)
