"""`drorch action`: what is to be done about findings, by whom and by when."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from drorch.cli.names import open_actions, run_names
from drorch.cli.session import Session
from drorch.cli.tables import Cell, show_table
from drorch.cli.verb import Verbs
from drorch.cli.words import clean, moment, one_line
from drorch.core.corrective import OPEN_ONE

if TYPE_CHECKING:
    from drorch.app.corrective import Wanted
    from drorch.core.corrective import ChangeKind

Document = Mapping[str, Any]

ID = click.argument("action", metavar="ID", shell_complete=open_actions)
OVERDUE = click.option(
    "--overdue", is_flag=True, help="The day is over already, and that is meant."
)
REASON = click.option("--reason", metavar="TEXT", required=True, help="Why; stands in reports.")


@click.group(
    cls=Verbs,
    name="action",
    help="Corrective actions: what is to be done about findings, and by whom.",
)
def command() -> None:
    """The group."""


@command.command("list", help="List actions, and findings that none of them takes up.")
@click.option("--open", "only_open", is_flag=True, help="Only those that are open.")
@click.pass_obj
def list_(session: Session, *, only_open: bool) -> None:
    """Actions in the order of their ids."""
    from drorch.app.corrective import listing

    found: Document = listing(session.program, only_open=only_open)
    if session.json:
        session.emit(found)
        return
    show_table(
        session,
        ("action", "status", "due", "owner", "title", "finding"),
        [
            (
                one["action"],
                _status(one),
                one["due"],
                one["owner"],
                one["title"],
                one["finding"] or one["run"] or "-",
            )
            for one in found["actions"]
        ],
        empty="no open actions" if only_open else "no actions",
    )
    session.say(*_untaken(found["findings"]))


@command.command("show", help="Show one action, and all that became of it.")
@ID
@click.pass_obj
def show(session: Session, action: str) -> None:
    """Its history, the oldest first."""
    from drorch.app.corrective import document, find

    program = session.program
    found: Document = document(program, find(program, action), program.clock.now().at)
    if session.json:
        session.emit(found)
    else:
        session.say(*_shown(found, session.zone))


@command.command("add", help="Open an action; it gets the next id.")
@click.argument("title")
@click.option("--owner", metavar="NAME", required=True, help="Who is to see to it.")
@click.option("--due", metavar="DATE", required=True, help="The day by whose end: 2026-12-31.")
@OVERDUE
@click.option(
    "--finding", metavar="ID", default="", help="What it is about: RUN/N, or a quarter's."
)
@click.option(
    "--run", metavar="RUN", default="", shell_complete=run_names, help="Where it is from."
)
@click.pass_obj
def add(
    session: Session, title: str, *, owner: str, due: str, overdue: bool, finding: str, run: str
) -> int:
    """A run of its own, with who."""
    from drorch.app.corrective import Wanted
    from drorch.app.corrective import add as add_it
    from drorch.cli.carrying import carrying

    with carrying(session) as carried:
        action, seen = add_it(
            session.program,
            title,
            Wanted(owner, due, run, overdue),
            finding=finding,
            control=carried.control,
        )
    return _ended(session, action, seen, carried)


@command.command("change", help="Give an action another owner or day.")
@ID
@click.option("--owner", metavar="NAME", default="", help="Who is to see to it from now on.")
@click.option("--due", metavar="DATE", default="", help="The day by whose end, from now on.")
@OVERDUE
@REASON
@click.pass_obj
def change(
    session: Session, action: str, *, owner: str, due: str, overdue: bool, reason: str
) -> int:
    """What it was before is kept."""
    from drorch.app.corrective import Wanted
    from drorch.core.corrective import ChangeKind
    from drorch.core.errors import UsageError

    if not owner and not due:
        raise UsageError("nothing is to be changed", "give --owner NAME, --due DATE, or both")
    return _became(session, action, ChangeKind.CHANGED, reason, Wanted(owner, due, "", overdue))


@command.command("close", help="Close an action: it is done, or need not be done any more.")
@ID
@REASON
@click.option(
    "--run", metavar="RUN", default="", shell_complete=run_names, help="The run that proved it."
)
@click.pass_obj
def close(session: Session, action: str, *, reason: str, run: str) -> int:
    """A run that proves it must have passed."""
    from drorch.app.corrective import Wanted
    from drorch.core.corrective import ChangeKind

    return _became(session, action, ChangeKind.CLOSED, reason, Wanted(run=run))


@command.command("reopen", help="Open an action again that was closed.")
@click.argument("action", metavar="ID")
@click.option("--due", metavar="DATE", default="", help="The day by whose end, from now on.")
@OVERDUE
@REASON
@click.pass_obj
def reopen(session: Session, action: str, *, due: str, overdue: bool, reason: str) -> int:
    """That it was closed stays in its history."""
    from drorch.app.corrective import Wanted
    from drorch.core.corrective import ChangeKind

    return _became(session, action, ChangeKind.REOPENED, reason, Wanted("", due, "", overdue))


def _became(
    session: Session, action: str, what: "ChangeKind", reason: str, wanted: "Wanted"
) -> int:
    from drorch.app.corrective import change as change_it
    from drorch.cli.carrying import carrying

    with carrying(session) as carried:
        found, seen = change_it(
            session.program,
            action,
            what,
            reason,
            wanted,
            control=carried.control,
        )
    return _ended(session, found, seen, carried)


def _ended(session: Session, action: Any, seen: Any, carried: Any) -> int:
    """The action as it stands now; if it did not come to be, why."""
    from drorch.app.corrective import document
    from drorch.cli.summary import say_ended

    if action is None:
        say_ended(session, seen)
        return int(carried.exit_code([seen.exit_code]))
    found = document(session.program, action, session.program.clock.now().at)
    if session.json:
        session.emit(found)
    else:
        session.say(*_shown(found, session.zone))
    return int(carried.exit_code([seen.exit_code]))


# --- in words


def _status(one: Document) -> str | Cell:
    return Cell("overdue", "bold red") if one["overdue"] else str(one["status"])


def _untaken(findings: list[Document]) -> Iterator[str]:
    if not findings:
        return
    yield ""
    yield "findings of the newest exercises and recoveries that no action takes up:"
    for one in findings:
        yield f"  {one['id']}"
        yield f"    {one['what']} {one['subject']}: {one_line(str(one['message']))}"
    yield f"have one seen to: {OPEN_ONE} --finding RUN/N"


def _shown(one: Document, zone: str) -> Iterator[str]:
    late = ", overdue" if one["overdue"] else ""
    yield f"{one['action']}: {clean(one['title'])}"
    yield f"  {one['status']}{late}; {clean(one['owner'])} is to see to it, by {one['due']}"
    if one["finding"] or one["run"]:
        yield f"  about: {one['finding'] or one['run']}"
    yield f"  opened by {one['opened_by']} on {moment(one['opened_at'], zone)}"
    for change in one["changes"]:
        yield f"  {_changed(change, zone)}: {clean(change['why'])}"


def _changed(change: Document, zone: str) -> str:
    new = [
        f"{clean(change['owner'])} is to see to it" if change["owner"] else "",
        f"due on {change['due']}" if change["due"] else "",
        f"proven by run {change['run']}" if change["run"] else "",
    ]
    told = [text for text in new if text]
    more = f" ({', '.join(told)})" if told else ""
    return f"{change['what']} by {change['by']} on {moment(change['at'], zone)}{more}"
