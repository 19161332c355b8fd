"""Verbs that carry one run for each of several datasets: choose them, carry them, tell of each."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from drorch.cli.carrying import Carrying, carrying
from drorch.cli.complaint import complaint
from drorch.cli.failing import document_of, lines_of
from drorch.cli.session import Session
from drorch.cli.summary import say_ended
from drorch.core.errors import DrorchError

if TYPE_CHECKING:
    from drorch.app.backups import Carried


class Named(Protocol):
    """A dataset, or a plan: what a run is carried for."""

    @property
    def name(self) -> str:
        """As people name it."""
        ...


N = TypeVar("N", bound=Named)
Work: TypeAlias = Callable[[Sequence[N], Carrying], "list[Carried]"]


def carry_each(session: Session, datasets: Sequence[N], work: Work[N], *, listed: bool) -> int:
    """Carry a run for each dataset; the worst of them decides the exit code.

    With --json a list of run documents, or, for one dataset that was named (not `listed`), its
    document. Where a run could not be carried its place is taken by `{"dataset", "error"}`.
    """
    with carrying(session, several=len(datasets) > 1) as carried:
        found = work(datasets, carried)
    if not listed and isinstance(found[0], DrorchError):
        raise found[0]
    say_each(session, [(d.name, one) for d, one in zip(datasets, found, strict=True)], listed)
    return carried.exit_code([one.exit_code for one in found])


def say_each(session: Session, found: "Sequence[tuple[str, Carried]]", listed: bool = True) -> None:
    """Tell of runs, by what they were carried for; with --json as one list, or one document."""
    if session.json:
        documents = [_document(name, one) for name, one in found]
        session.emit(documents if listed else documents[0])
    for name, one in found:
        if isinstance(one, DrorchError):
            session.tell(*(_named(line, name) for line in lines_of(one)))
        elif not session.json:
            say_ended(session, one)
        elif why := complaint(one.document):
            session.tell(*lines_of(why))


def _named(line: str, dataset: str) -> str:
    return line.replace("error: ", f"error: {dataset}: ", 1)


def _document(dataset: str, one: "Carried") -> Any:
    if isinstance(one, DrorchError):
        return {"dataset": dataset, "error": document_of(one)}
    return one.document
