"""Drawing and typesetting take more memory than a process should hold for years: where one is to live so
long, another does it and ends.
"""

from datetime import timedelta

from drorch.actions.ourselves import by_ourselves, trouble
from drorch.app.program import Program
from drorch.core.errors import DrorchError

_LIMIT = timedelta(minutes=30)


def apart(program: Program, *words: str) -> None:
    """Carry a command of drorch's out in a process of its own; DrorchError as that one says it."""
    wrong = trouble(by_ourselves(program.tools, words, _LIMIT), words)
    if wrong is not None:
        message, hint = wrong
        raise DrorchError(program.secrets.redact(message), program.secrets.redact(hint))
