"""Drawing and typesetting take more memory than a process should hold for years: where one is to live so
long, another does it and ends.
"""

import json
import sys
from datetime import timedelta
from pathlib import Path

from drorch.app.program import Program
from drorch.core.errors import DrorchError
from drorch.core.priority import Priority
from drorch.ports import Command, Completed, Ended

_LIMIT = timedelta(minutes=30)
#: Backups and people come before it.
_NICE = Priority(nice=10)


def apart(program: Program, *words: str) -> None:
    """Carry a command of drorch's out in a process of its own; DrorchError as that one says it."""
    file = program.configuration.file or Path("drorch.yaml")
    done = program.commands.run(
        Command(
            argv=(sys.executable, "-m", "drorch", "--config", str(file), *words, "--json"),
            env=program.environment,
            cwd=program.configuration.folder,
            timeout=_LIMIT,
            priority=_NICE,
        )
    )
    if done.ended is not Ended.EXITED or done.exit_code != 0:
        raise _trouble(done, " ".join(words))


def _trouble(done: Completed, words: str) -> DrorchError:
    try:
        told = json.loads(done.stdout)["error"]
        return DrorchError(str(told["message"]), str(told["hint"]))
    except (ValueError, TypeError, KeyError):
        said = (done.message or done.stderr).strip().splitlines()[-1:]
        how = f"ended with {done.exit_code}" if done.exit_code is not None else str(done.ended)
        why = "".join(f": {line[:300]}" for line in said)
        return DrorchError(f"drorch {words} {how}{why}", f"try it by hand: drorch {words}")
