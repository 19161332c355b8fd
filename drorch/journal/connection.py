"""What the journal asks of a database: statements, transactions, errors in words. Imports no driver."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from enum import Enum, auto
from typing import Any, NamedTuple, Protocol, TypeAlias

from drorch.core.errors import JournalFailing


class Statement(NamedTuple):
    """One statement as text, with named parameters, for each database (see journal/rendering.py)."""

    sqlite: str
    postgresql: str


#: Text, numbers, booleans, None; booleans may come back as 0 and 1.
Parameters: TypeAlias = Mapping[str, Any]
Found: TypeAlias = Iterable[Sequence[Any]]


class Transaction(Enum):
    """What a transaction is for."""

    READ = auto()
    #: All its statements see one state of everything.
    READ_WHOLE = auto()
    WRITE = auto()
    #: Every other that asks for the same waits.
    WRITE_ALONE = auto()

    @property
    def writes(self) -> bool:
        """Whether anything may be written in it."""
        return self in (Transaction.WRITE, Transaction.WRITE_ALONE)


class Connection(Protocol):
    """One connection, for one thread at a time. Errors are the driver's; Database.told has the words."""

    @property
    def refusal(self) -> type[Exception]:
        """What is raised for a row that a constraint refuses: its key is there already, say."""
        ...

    def execute(self, statement: Statement, parameters: Parameters = ...) -> Found:
        """Execute once; the rows that were found, to be read within the transaction."""
        ...

    def execute_each(self, statement: Statement, parameters: Sequence[Parameters]) -> None:
        """Execute once for each mapping of parameters."""
        ...

    def begin(self, transaction: Transaction) -> None:
        """Begin a transaction."""
        ...

    def commit(self) -> None:
        """End it; what was written is durable."""
        ...

    def release(self) -> None:
        """Let go of the connection, whatever is uncommitted undone: another may have it next."""
        ...

    def discard(self) -> None:
        """Let go of a connection that may have failed: nobody has it next."""
        ...


class Database(Protocol):
    """Where connections come from; its schema is at this code's revision. Thread-safe."""

    @property
    def name(self) -> str:
        """SQLite's file, or the name of PostgreSQL's database."""
        ...

    @property
    def hindered(self) -> JournalFailing | None:
        """Why nothing can be written, where that is known: what is read then comes from a copy."""
        ...

    def connect(self) -> Connection:
        """A connection of one's own until it is released or discarded."""
        ...

    def told(self) -> AbstractContextManager[None]:
        """Turns what the driver raises inside into JournalUntrusted with a hint."""
        ...

    def close(self) -> None:
        """Close every connection that nobody has."""
        ...
