"""Following a run that another process carries, by reading its journal as it grows."""

import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from drorch.core.events import Event, RunStarted
from drorch.core.moment import Moment
from drorch.core.names import RunState
from drorch.core.run import apply, opening
from drorch.core.state import RunFold

if TYPE_CHECKING:
    from drorch.app.program import Program

#: Seconds between two looks; a look costs one indexed row.
INTERVAL = 0.5


def follow(
    program: "Program", run: str, rest: Callable[[float], None] = time.sleep
) -> Iterator[tuple[RunFold, Event, Moment]]:
    """Every event from the first, as it comes, with the state after it.

    Ends when the run has finished, or when nobody carries it any more.
    """
    from drorch.app.lives import owner_lives

    state: RunFold | None = None
    seen = 0
    while True:
        row = program.journal.find(run)
        # Looked at before reading: what a dying owner wrote last is still told.
        carried = row.state is not RunState.FINISHED and owner_lives(row)
        for recorded in islice(program.journal.read(row.run), seen, None) if row.seq > seen else ():
            seen = recorded.seq
            if state is None:
                assert isinstance(recorded.event, RunStarted)  # noqa: S101 - the journal's first rule
                state = opening(recorded.event, recorded.at, recorded.run)
            else:
                apply(state, recorded.event, recorded.at)
            yield state, recorded.event, recorded.at
        if not carried:
            return
        rest(INTERVAL)
