"""drorch in a process of its own, on the same configuration: for what takes more memory than one that
lives for years should hold.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from drorch.actions.surroundings import last_words
from drorch.core.priority import Priority
from drorch.ports import Cancellation, Command, Completed, Ended, Tools

#: Backups and people come before it.
_NICE = Priority(nice=10)


def by_ourselves(
    tools: Tools, words: Sequence[str], limit: timedelta, cancel: Cancellation | None = None
) -> Completed:
    """Carry a command out, with `--json`; it finds its secrets as this process does."""
    file = tools.configuration.file or Path("drorch.yaml")
    command = Command(
        argv=(sys.executable, "-m", "drorch", "--config", str(file), *words, "--json"),
        env=tools.environment,
        cwd=tools.configuration.folder,
        timeout=limit,
        priority=_NICE,
    )
    return tools.commands.run(command, cancel=cancel)


def printed(done: Completed) -> Mapping[str, Any]:
    """The document that it printed; empty if it printed none."""
    try:
        found = json.loads(done.stdout)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def trouble(done: Completed, words: Sequence[str]) -> tuple[str, str] | None:
    """Why it did not come to a good end, and what to do, redacted by nobody; None if it did."""
    if done.ended is Ended.EXITED and done.exit_code == 0:
        return None
    told = printed(done).get("error")
    if isinstance(told, Mapping):
        return str(told.get("message")), str(told.get("hint"))
    line = " ".join(words)
    how = f"ended with {done.exit_code}" if done.ended is Ended.EXITED else f"was {done.ended}"
    said = done.message or last_words(done)
    why = f": {said}" if said else ""
    return f"drorch {line} {how}{why}", f"try it by hand: drorch {line}"
