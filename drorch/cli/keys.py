"""`drorch repo key` and `drorch repo rotate-key`: who can open a repository."""

from typing import TYPE_CHECKING

import click

from drorch.cli.names import dataset_names, region_names
from drorch.cli.passwords import given, password_options
from drorch.cli.session import Session
from drorch.cli.tables import show_table
from drorch.cli.verb import Verb, Verbs
from drorch.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from drorch.app.runs import Control, RunView

DATASET = click.argument("dataset", shell_complete=dataset_names)
REGION = click.option(
    "--region",
    metavar="NAME",
    shell_complete=region_names,
    help="A copy with a key of its own; else the primary and all of its mirrors.",
)
REASON = click.option("--reason", metavar="TEXT", default="", help="Why; kept with the run.")


@click.group("key", cls=Verbs, help="The keys that open a repository.")
def key() -> None:
    """The group below `repo`."""


@key.command("list", help="List the keys that open a dataset's repository.")
@DATASET
@REGION
@click.pass_obj
def key_list(session: Session, dataset: str, region: str | None) -> None:
    """In all regions that hold it; restic is not started."""
    from drorch.app.keys import list_keys

    program = session.program
    rows = list_keys(program, program.dataset(dataset), region)
    if session.json:
        session.emit(rows)
        return
    show_table(
        session,
        ("key", "label", "standing", "in use", "user", "host", "created", "regions", "missing in"),
        [
            (
                str(r["id"])[:8],
                str(r["label"] or ""),
                str(r["standing"]),
                "yes" if r["current"] else "",
                str(r["user"] or "-"),
                str(r["host"] or "-"),
                str(r["created"] or "-")[:16].replace("T", " "),
                _listed(r["regions"]),
                _listed(r["missing"]),
            )
            for r in rows
        ],
        empty="no keys",
    )
    dead = dict.fromkeys(region for r in rows for region in _listed(r["unreachable"]).split(", "))
    for one in filter(None, dead):
        session.tell(f"warning: no answer from {one}: what it holds is not listed")


@key.command("add", help="Add a key for a further password, in all mirrors at once.")
@DATASET
@click.option("--label", metavar="TEXT", default="", help="Whose it is: escrow, operator.")
@password_options("password")
@REGION
@REASON
@click.pass_obj
def key_add(
    session: Session,
    dataset: str,
    label: str,
    secret: str | None,
    file: str | None,
    region: str | None,
    reason: str,
) -> int:
    """A password that opens it already gets no second key: its key is taken down as known."""
    from drorch.app.keys import add_key

    program = session.program
    wanted = program.dataset(dataset)
    named = given(session, secret, file, ask=True) or ""

    def work(control: "Control") -> "RunView":
        return add_key(
            program, wanted, region, secret=named, label=label, reason=reason, control=control
        )

    return _carried(session, work)


@key.command("remove", help="Remove a key for good: it opens the repository in no region again.")
@DATASET
@click.argument("key_id", metavar="KEY")
@REGION
@click.option("--reason", metavar="TEXT", required=True, help="Why; it is kept for ever.")
@click.pass_obj
def key_remove(session: Session, dataset: str, key_id: str, region: str | None, reason: str) -> int:
    """The last key that the dataset's password opens is not removed."""
    from drorch.app.keys import remove_key

    program = session.program
    wanted = program.dataset(dataset)

    def work(control: "Control") -> "RunView":
        return remove_key(program, wanted, region, key=key_id, reason=reason, control=control)

    return _carried(session, work)


@click.command(
    "rotate-key",
    cls=Verb,
    help="Change the password of a repository, in all mirrors at once.\n\nFirst with the new "
    "password, which then opens it beside the old one; again, without, once the dataset uses it: "
    "the old one opens it nowhere any more.\n\nrestic's master key stays the same. To encrypt "
    "anew under another: --new-repository.",
)
@DATASET
@password_options("new-password")
@click.option(
    "--new-repository",
    "into",
    metavar="NAME",
    shell_complete=dataset_names,
    help="Copy everything into the repository of this dataset, which has the same sources and "
    "another password; the old one stays as it is.",
)
@REGION
@REASON
@click.pass_obj
def rotate_key(
    session: Session,
    dataset: str,
    secret: str | None,
    file: str | None,
    into: str | None,
    region: str | None,
    reason: str,
) -> int:
    """Both halves say what is left to do."""
    from drorch.app.keys import rotate_key as rotate

    program = session.program
    wanted = program.dataset(dataset)
    if into is not None:
        if secret is not None or file is not None or region is not None:
            raise UsageError(
                "--new-repository stands alone: the new password is that of the dataset it names",
                "leave the other options out",
            )
        return _renewed(session, dataset, into, reason)
    named = given(session, secret, file, ask=False)

    def work(control: "Control") -> "RunView":
        return rotate(program, wanted, region, secret=named, reason=reason, control=control)

    return _carried(session, work)


def _renewed(session: Session, dataset: str, into: str, reason: str) -> int:
    from drorch.app.keys import renew
    from drorch.cli.carrying import carrying
    from drorch.cli.summary import say_ended

    program = session.program
    old, new = program.dataset(dataset), program.dataset(into)
    with carrying(session) as carried:
        watchers = carried.watchers(dataset)
        seen = renew(program, old, new, reason=reason, control=carried.control, watchers=watchers)
    say_ended(session, seen)
    return carried.exit_code([seen.exit_code])


def _carried(session: Session, work: "Callable[[Control], RunView]") -> int:
    from drorch.cli.carrying import carrying
    from drorch.cli.summary import say_ended

    with carrying(session) as carried:
        seen = work(carried.control)
    say_ended(session, seen)
    return carried.exit_code([seen.exit_code])


def _listed(names: object) -> str:
    return ", ".join(map(str, names)) if isinstance(names, list) else ""
