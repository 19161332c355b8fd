"""drorch in a process of its own that knows nothing of this machine: as it would be on an empty one.

No configuration, no variable and no home folder of this machine reaches it; secrets are handed over
one by one.
"""

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from drorch.actions.ourselves import printed
from drorch.actions.surroundings import DEFAULT_PATH, last_words
from drorch.core.values import Result, errored, failed
from drorch.ports import Call, Cancellation, Command, Completed, Ended, Tools

#: All that is passed on: what finds programs and room, and in which language they speak.
_PASSED_ON = ("PATH", "LANG", "TZ", "TMPDIR")

#: How the child is told; see adapters/exercised.py.
_HANDED_OVER = "DRORCH_HANDED_OVER"

#: A document about thousands of datasets.
_KEPT = 4 << 20


def bare(
    tools: Tools,
    words: Sequence[str],
    *,
    home: Path,
    limit: timedelta,
    cancel: Cancellation,
    secrets: Mapping[str, str] | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
) -> Completed:
    """Carry a command out with `--json`; `home` is its working and home folder, `secrets` are values
    by name. What it says is redacted.
    """
    passed_on = {name: tools.environment[name] for name in _PASSED_ON if name in tools.environment}
    command = Command(
        argv=(sys.executable, "-m", "drorch", *words, "--json"),
        env={
            "PATH": DEFAULT_PATH,
            **passed_on,
            "HOME": str(home),
            "DRORCH_RESTIC": _restic(tools),
            _HANDED_OVER: json.dumps(dict(secrets or {})),
            **(env or {}),
        },
        cwd=home,
        stdin=stdin.encode(),
        timeout=limit,
        keep_output=_KEPT,
    )
    done = tools.commands.run(command, cancel=cancel)
    redact = tools.secrets.redact
    return replace(done, stdout=redact(done.stdout), stderr=redact(done.stderr))


def _restic(tools: Tools) -> str:
    """Where restic is: a relative name would be looked for elsewhere."""
    name = tools.restic_binary
    return shutil.which(name, path=tools.environment.get("PATH")) or name


def _why(done: Completed) -> tuple[str, str]:
    """Why it did not come to a good end, and what to do."""
    told = printed(done).get("error")
    if isinstance(told, Mapping):
        return str(told.get("message")), str(told.get("hint"))
    how = f"ended with {done.exit_code}" if done.ended is Ended.EXITED else f"was {done.ended}"
    said = done.message or last_words(done)
    return f"drorch {how}{f': {said}' if said else ''}", "try it by hand: docs/recovering.md"


def not_done(done: Completed, cause: str) -> Result:
    """What it comes to where it did not come to a good end; `cause` where nothing better is known."""
    if done.ended is Ended.CANCELLED:
        return errored("cancelled", "stopped before it came to its end")
    if done.ended is Ended.TIMED_OUT:
        return failed("timeout", "it took longer than it may", "give the step more time")
    return failed(cause, *_why(done))


def made_anew(call: Call, tools: Tools, folder: Path) -> None:
    """Let the folder be this run's and not be there: an earlier attempt may have left it.

    Raises DrorchError where that cannot be written down.
    """
    tools.creations.note(call.run, folder)
    if folder in tools.creations.made(call.run, folder):
        shutil.rmtree(folder, ignore_errors=True)
