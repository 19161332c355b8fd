"""`drorch snapshots`: what there is to restore."""

import click

from drorch.cli.names import dataset_names, region_names
from drorch.cli.session import Session
from drorch.cli.tables import show_table
from drorch.cli.verb import Verbs
from drorch.cli.words import moment, size
from drorch.core.values import Value

REGION = click.option(
    "--region", metavar="NAME", shell_complete=region_names, help="Look only there."
)


@click.group(cls=Verbs, name="snapshots", help="List snapshots, and the files in them.")
def command() -> None:
    """The group."""


@command.command("list", help="List snapshots and the regions that hold them, newest first.")
@click.argument("datasets", metavar="[DATASET]...", nargs=-1, shell_complete=dataset_names)
@REGION
@click.pass_obj
def list_(session: Session, datasets: tuple[str, ...], region: str | None) -> None:
    """Ask the regions themselves, not only the journal."""
    from drorch.app.backups import chosen
    from drorch.app.snapshots import list_snapshots

    program = session.program
    wanted = chosen(program, datasets, everything=not datasets)
    rows = list_snapshots(program, wanted, region)
    if session.json:
        session.emit(rows)
        return
    show_table(
        session,
        ("dataset", "snapshot", "time", "files", "size", "regions", "held"),
        [
            (
                str(r["dataset"]),
                str(r["snapshot"])[:8],
                moment(str(r["time"] or ""), session.zone),
                str(r["files"] if r["files"] is not None else "-"),
                size(_number(r["bytes"])),
                ", ".join(_texts(r["regions"])),
                str(r["held"] or ""),
            )
            for r in rows
        ],
        empty="no snapshots",
        right=("files", "size"),
    )
    dead = dict.fromkeys(region for r in rows for region in _texts(r["unreachable"]))
    if dead:
        session.tell(f"warning: no answer from {', '.join(dead)}: what they hold is not listed")


@command.command("ls", help="List the files of a snapshot.")
@click.argument("dataset", shell_complete=dataset_names)
@click.argument("snapshot", default="latest")
@click.option("--path", metavar="PATH", help="Only this file, or what is in this folder.")
@REGION
@click.pass_obj
def ls(session: Session, dataset: str, snapshot: str, path: str | None, region: str | None) -> None:
    """The newest snapshot unless one is named; eight digits of its id are enough."""
    from drorch.app.snapshots import contents

    program = session.program
    _files(session, contents(program, program.dataset(dataset), snapshot, region, path))


@command.command("find", help="Find files in the newest snapshot by a pattern such as '*.pdf'.")
@click.argument("dataset", shell_complete=dataset_names)
@click.argument("pattern")
@REGION
@click.pass_obj
def find(session: Session, dataset: str, pattern: str, region: str | None) -> None:
    """The pattern is held against a file's name, and against its whole path."""
    from drorch.app import snapshots

    program = session.program
    _files(session, snapshots.find(program, program.dataset(dataset), pattern, region))


@command.command("hold", help="Hold a snapshot, so that retention keeps it, or release it.")
@click.argument("snapshot")
@click.option("--reason", metavar="TEXT", help="Why; it stands in every plan of retention.")
@click.option("--release", is_flag=True, help="Let it go again where no rule keeps it.")
@click.option("--dataset", metavar="NAME", shell_complete=dataset_names, help="Of this dataset.")
@click.pass_obj
def hold(
    session: Session, snapshot: str, *, reason: str | None, release: bool, dataset: str | None
) -> int:
    """Eight digits of its id are enough."""
    from drorch.app.holds import hold as hold_it
    from drorch.cli.carrying import carrying
    from drorch.core.errors import UsageError

    if not reason and not release:
        raise UsageError("a hold needs a reason", "say why with --reason TEXT")
    with carrying(session) as carried:
        seen = hold_it(
            session.program,
            snapshot,
            dataset,
            reason=reason or "",
            release=release,
            control=carried.control,
        )
    if session.json:
        session.emit(seen.document)
    else:
        session.say(f"{seen.state.plan.title}: {seen.document['outcome']}")
    return carried.exit_code([seen.exit_code])


@command.command("accept", help="Accept a suspicious backup: all is as it should be.")
@click.argument("snapshot")
@click.option("--reason", metavar="TEXT", required=True, help="Why; kept with the run.")
@click.option("--dataset", metavar="NAME", shell_complete=dataset_names, help="Of this dataset.")
@click.pass_obj
def accept(session: Session, snapshot: str, *, reason: str, dataset: str | None) -> int:
    """Eight digits of its id are enough; those before it are accepted with it."""
    from drorch.app.accepting import accept as accept_it
    from drorch.cli.carrying import carrying
    from drorch.cli.summary import say_ended

    with carrying(session) as carried:
        seen = accept_it(session.program, snapshot, dataset, reason=reason, control=carried.control)
    say_ended(session, seen)
    return carried.exit_code([seen.exit_code])


def _files(session: Session, rows: list[dict[str, Value]]) -> None:
    if session.json:
        session.emit(rows)
        return
    show_table(
        session,
        ("path", "kind", "size", "modified"),
        [
            (
                str(r["path"]),
                str(r["kind"]),
                size(_number(r["bytes"])),
                moment(str(r["modified"] or ""), session.zone),
            )
            for r in rows
        ],
        empty="no files",
        right=("size",),
    )


def _number(value: Value) -> int | None:
    return value if isinstance(value, int) else None


def _texts(value: Value) -> list[str]:
    return [str(v) for v in value] if isinstance(value, list) else []
