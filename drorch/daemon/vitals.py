"""How the daemon is, told to `status`, to the service manager and to metrics."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from drorch import __version__
from drorch.core.document import rfc3339
from drorch.core.events import Owner
from drorch.core.values import Value
from drorch.core.vitals import DaemonState, Overview


@dataclass(frozen=True, slots=True)
class Told:
    """metrics.source.Vitals, by two functions."""

    _state: Callable[[], DaemonState]
    _overview: Callable[[], Overview | None]

    def state(self) -> DaemonState:
        """How the daemon stands now."""
        return self._state()

    def overview(self) -> Overview | None:
        """The newest there is."""
        return self._overview()


def line_of(state: DaemonState, lost: Collection[str]) -> str:
    """One line for people."""
    if state.unready:
        return "; ".join(state.unready)
    regions = f"; lost: {', '.join(sorted(lost))}" if lost else ""
    return f"{state.running} runs under way, {state.queued} wait{regions}"


def document_of(
    state: DaemonState, owner: Owner, running: Sequence[str], alarms: Sequence[dict[str, Value]]
) -> dict[str, Value]:
    """What the daemon leaves beside the state: `alarms` are those that only it knows of."""
    return {
        "pid": owner.pid,
        "host": owner.host,
        "version": __version__,
        "started_at": rfc3339(state.started.at),
        "at": rfc3339(state.at.at),
        "stopped_at": None,
        "healthy": not state.unhealthy,
        "why": list(state.unhealthy),
        "configuration": state.configuration,
        "jobs": state.jobs,
        "running": list(running),
        "waiting": state.queued,
        "alarms": list(alarms),
    }
