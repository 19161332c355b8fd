"""Whether a run's process lives, and where that leaves the run: what every listing asks."""

from typing import TYPE_CHECKING

from drorch.core.events import Owner
from drorch.core.names import RunState
from drorch.core.posture import RunRow

if TYPE_CHECKING:
    from drorch.core.state import RunFold


def owner_lives(row: RunRow) -> bool:
    """Whether the process that carries the run is still there; unknown counts as alive."""
    return life_of(row) is not False


def out_of_sight(row: RunRow) -> bool:
    """Whether its process lives cannot be seen from here: it is on another host, or in a container."""
    return life_of(row) is None


def life_of(row: RunRow) -> bool | None:
    """Whether the process that carries the run lives; None: it cannot be seen from here."""
    from drorch.adapters.ownership import alive

    return alive(
        Owner(row.owner_host, row.owner_pid, row.owner_started, row.owner_boot, "", row.owner_token)
    )


def state_word(row: RunRow, state: "RunFold | None" = None) -> RunState:
    """Where the run stands, looking whether its owner lives."""
    if row.state is RunState.FINISHED:
        return RunState.FINISHED
    if row.state in (RunState.WAITING_FOR_PERSON, RunState.PAUSED):
        return row.state
    if not owner_lives(row):  # what was under way beside a question must be looked after first
        return RunState.INTERRUPTED
    if state is None:
        return RunState.RUNNING
    from drorch.core.outcome import waiting_for_person

    return RunState.WAITING_FOR_PERSON if waiting_for_person(state) else RunState.RUNNING
