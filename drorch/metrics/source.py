"""What metrics and health are asked of."""

from typing import Protocol

from drorch.core.vitals import DaemonState, Overview


class Vitals(Protocol):
    """How the program itself stands, for those who look from outside; cheap to ask, from any thread."""

    def state(self) -> DaemonState:
        """How the daemon stands now."""
        ...

    def overview(self) -> Overview | None:
        """The newest there is, the same object until there is a newer one; None: none yet."""
        ...
