"""A verb that carries runs: what people see meanwhile, how they stop it, and how it leaves."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drorch.adapters.ownership import this_owner
from drorch.app.runs import Control
from drorch.cli.narrating import JsonLines, Narrator
from drorch.cli.session import Session
from drorch.cli.stopping import Stopping, stoppable
from drorch.cli.words import one_line
from drorch.core.errors import DrorchError, ExitCode
from drorch.engine.loop import Watcher

if TYPE_CHECKING:
    from drorch.cli.board import Board
    from drorch.cli.live import Screen

#: From what matters most to what matters least, when several runs end differently.
SEVERITY = (
    ExitCode.JOURNAL_UNTRUSTED,
    ExitCode.FAILED,
    ExitCode.USAGE,
    ExitCode.ABORTED,
    ExitCode.ALREADY_RUNNING,
    ExitCode.WAITING_FOR_PERSON,
    ExitCode.OBJECTIVE_MISSED,
    ExitCode.GOOD,
)


def worst(codes: Sequence[ExitCode]) -> ExitCode:
    """The code that matters most of several; an interrupt stands above all."""
    if ExitCode.INTERRUPTED in codes:
        return ExitCode.INTERRUPTED
    return min(codes, key=SEVERITY.index, default=ExitCode.GOOD)


@dataclass(slots=True)
class Carrying:
    """Runs being carried by this line."""

    session: Session
    control: Control
    stopping: Stopping
    screen: "Screen | None" = None
    several: bool = False

    def watchers(self, title: str) -> Sequence[Watcher]:
        """Who looks on at the run with this title, as the line's options and its outputs want it."""
        watcher = self._watcher(title)
        return () if watcher is None else (watcher,)

    def _watcher(self, title: str) -> "Board | JsonLines | Narrator | None":
        session = self.session
        if session.progress == "json":
            return JsonLines(session, sys.stderr)
        if session.progress == "none":
            return None
        if self.screen is not None:
            return self.screen.board(title)
        if session.json:
            return None
        return Narrator(session, session.zone, title if self.several else "")

    def exit_code(self, codes: Sequence[ExitCode]) -> int:
        """What the line leaves with: 130 if somebody stopped it, whatever its runs came to."""
        return int(ExitCode.INTERRUPTED if self.stopping.times else worst(codes))


@contextmanager
def carrying(session: Session, *, several: bool = False) -> Iterator[Carrying]:
    """Carry runs: the first signal aborts them, the second leaves them."""
    control = Control()
    with stoppable(control, this_owner("").user) as stopping, ExitStack() as stack:
        carried = Carrying(session, control, stopping, several=several)
        stream = _terminal(session)
        if stream is not None:
            from drorch.cli.live import shown

            screen = stack.enter_context(shown(stream, session.zone if session.opened else "UTC"))
            carried.screen = screen
            session.spoken = True
            stopping.show = _noting(screen)
        yield carried
    if not stopping.times:
        _close_books(session)


#: What is left to do where sealing did not come to its end.
_LATER = "hint: seal it with: drorch journal seal"


def _close_books(session: Session) -> None:
    """Seal what has ended; what is wrong with that changes nothing of what it came to."""
    program = session.opened
    if program is None or program.configuration.evidence.key is None:
        return
    if "journal" not in vars(program) or not program.journal.wrote:
        return  # no run was begun: it has been told why
    from drorch.app.closing import close
    from drorch.app.outbox import bring

    try:
        closed = close(program, heads=False)
        if closed is None or not closed.runs:
            return  # no backup waits for a region
        brought = bring(program)
    except DrorchError as error:
        session.tell(f"warning: evidence is not sealed: {error.message}", f"hint: {error.hint}")
        return
    except KeyboardInterrupt:
        session.tell("warning: evidence is not sealed: interrupted", _LATER)
        return
    except Exception as error:  # noqa: BLE001 - the run is over: what it came to must still be told
        what = one_line(f"{type(error).__name__}: {error}")
        session.tell(f"warning: evidence is not sealed: {what}", _LATER)
        return
    kept = ", ".join(sorted(brought.kept.keys() - brought.failed.keys()))
    session.say(f"sealed as evidence{f', kept in {kept}' if kept else '; no region keeps it'}")
    for name, why in brought.failed.items():
        session.tell(f"warning: evidence is owed to {name}: {why.message}")


def _terminal(session: Session) -> Any:
    """The stream a moving table may be drawn on: stdout, with --json stderr; None if neither."""
    import os

    if session.progress != "auto" or os.environ.get("TERM") == "dumb":
        return None
    stream = sys.stderr if session.json else sys.stdout
    return stream if stream.isatty() else None


def _noting(screen: "Screen") -> Callable[[str], None]:
    def note(text: str) -> None:
        screen.note = text

    return note
