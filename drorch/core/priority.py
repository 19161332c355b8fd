"""How much a process stands back for others: of processors and of disks."""

from dataclasses import dataclass
from enum import StrEnum

#: The highest nice value there is.
NICEST = 19


class DiskShare(StrEnum):
    """When a process's requests to disks have their turn (ioprio_set(2)).

    LOW: the last of the usual class; IDLE: when nobody else has any.
    """

    LOW = "low"
    IDLE = "idle"


@dataclass(frozen=True, slots=True)
class Priority:
    """`nice` is how much nicer than drorch itself; `io` None: as the nice value gives."""

    nice: int = 0
    io: DiskShare | None = None

    @property
    def usual(self) -> bool:
        """Whether nothing is to be changed."""
        return self == USUAL


#: As drorch itself.
USUAL = Priority()
