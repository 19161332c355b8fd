"""The daemon's eye on other control planes of its records: nothing scheduled begins unseen."""

import time
from collections.abc import Callable

from drorch.adapters.logs import Log
from drorch.app.aside import Aside
from drorch.app.plane.lookout import Lookout, View
from drorch.app.plane.telling import document_of_view, held_by
from drorch.app.program import Program
from drorch.core.errors import DrorchError
from drorch.core.terms import OtherSeen
from drorch.core.values import Value
from drorch.daemon.rounds import Round
from drorch.daemon.words import Watched

#: Seconds between two looks where nothing is to begin.
EVERY = 60.0

#: The same, where another is in charge: a claim of this one is not to wait long.
_HELD_EVERY = 15.0

#: A look counts for what begins within so many seconds after it.
_FRESH = 5.0


class Outlook:
    """A thread that looks; `tell` is called from it. All else belongs to the loop's thread."""

    def __init__(self, log: Log, tell: Callable[[Watched], None]) -> None:
        self._log = log
        self._tell = tell
        self._aside = Aside(log)
        self._lookout: Lookout | None = None
        self._round = Round("presence", EVERY, self._look)
        self._view: View | None = None
        self._looked_at: float | None = None
        self._said = ""

    def begin(self, program: Program) -> None:
        """From now on for this program."""
        if self._lookout is None:
            self._lookout = Lookout(program, tells=True)
        else:
            self._lookout.renewed(program)

    def go(self) -> None:
        """Look, if it is time."""
        if self.held:
            self._round.due = min(self._round.due, time.monotonic() + _HELD_EVERY)
        self._round.go(self._aside)

    @property
    def held(self) -> str:
        """Why nothing scheduled begins; empty: nothing known speaks against it."""
        return held_by(self._view)

    @property
    def leader(self) -> OtherSeen | None:
        """The other that is in charge; None: nothing known speaks against this one."""
        return self._view.leader if self._view is not None else None

    @property
    def clear(self) -> bool:
        """Whether work may begin now. If that is not known as of now, a look is begun, which ends with
        a word; where another is in charge, the next look in turn will tell.
        """
        if self.held:
            return False
        now = time.monotonic()
        if self._looked_at is not None and now - self._looked_at <= _FRESH:
            return True
        self._aside.put("presence", self._look)
        return False

    @property
    def document(self) -> dict[str, Value] | None:
        """What `status` tells of it."""
        return document_of_view(self._view) if self._view is not None else None

    def finish(self, within: float) -> None:
        """Tell others that this one stops, within so many seconds."""
        if self._lookout is not None:
            self._aside.put("stop", self._lookout.stop)
        self._aside.finish(within)

    def _look(self) -> None:
        if self._lookout is None:
            return
        try:
            self._view = self._lookout.look()
        except DrorchError as error:
            self._say("control-plane.unseen", error.message, error.hint)
        else:
            self._say_view(self._view)
        finally:
            self._looked_at = time.monotonic()
            self._tell(Watched())

    def _say_view(self, view: View | None) -> None:
        held = held_by(view)
        if held:
            self._say("control-plane.split", f"nothing scheduled begins: {held}")
        elif view is not None and view.unknown_since is not None:
            why = "whether another control plane works cannot be known: no region answers"
            self._say("control-plane.unseen", why)
        else:
            if self._said:
                self._log.info("control-plane.clear", "this control plane is in charge")
            self._said = ""

    def _say(self, word: str, message: str, hint: str = "") -> None:
        """Once, as long as it stays the same."""
        if message != self._said:
            self._log.warning(word, message, hint=hint or None)
        self._said = message
