"""What is known from now on, once a run as a whole is over. Pure."""

from drorch.core.facts import Fact
from drorch.core.names import Outcome
from drorch.core.outcome import moved_by
from drorch.core.readiness import readiness_of
from drorch.core.state import RunFold


def concluded(state: RunFold, outcome: Outcome) -> tuple[Fact, ...]:
    """Where a service runs now, and which runbooks could begin."""
    return (*moved_by(state, outcome), *readiness_of(state))
