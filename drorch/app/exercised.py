"""What a copy may do that was recovered as an exercise: read in its one region, and plan."""

from drorch.app.program import Program
from drorch.core.errors import UsageError
from drorch.core.names import RunKind

#: The runs that it may carry: they write nothing but into its own folder, and where data comes back.
EXERCISED = frozenset({RunKind.RESTORE, RunKind.RECOVER})


def refuse(program: Program, what: str) -> None:
    """UsageError if the program works on such a copy."""
    if program.configuration.exercise is not None:
        raise UsageError(
            f"this is the copy of an exercise: {what} with it",
            "restore with it, or look at plans; for real, recover without --exercise",
        )
