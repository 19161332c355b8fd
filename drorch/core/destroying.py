"""Whether what a run brought back was taken away again, by what removals say of themselves. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from drorch.core.names import RunKind
from drorch.core.timing import RESTORES

#: The action whose outputs tell it.
REMOVES = "files.remove"

#: Runs that are to leave no data behind: nobody asked to keep what they brought back.
EXERCISES = (RunKind.DRILL, RunKind.RESTORE_TEST)


def took_away(outputs: Mapping[str, Any], asked: str, path: str) -> bool:
    """Whether a removal that passed took a path away, or found that it was not there any more.

    `asked` is what it was to remove; `outputs` are its own: `removed` and, of all that the run had
    made, what was `left`.
    """
    removed = _texts(outputs, "removed")
    if removed:
        return any(covers(one, path) for one in removed)
    lies = any(covers(one, path) or covers(path, one) for one in _texts(outputs, "left"))
    return covers(asked, path) and not lies


def _texts(outputs: Mapping[str, Any], name: str) -> list[str]:
    found = outputs.get(name)
    if not isinstance(found, Sequence) or isinstance(found, str):
        return []
    return [one for one in found if isinstance(one, str)]


def covers(above: str, path: str) -> bool:
    """Whether a path is that one or lies below it; a relative one is taken to mean any such folder."""
    if not above or not path:
        return False
    if above.startswith("/"):
        return f"{path}/".startswith(f"{above.rstrip('/')}/")
    return f"/{above.removeprefix('./').rstrip('/')}/" in f"{path}/"


def not_removed(document: Mapping[str, Any]) -> dict[str, str]:
    """What an exercise that has ended (its JSON) made and no step removed: path to dataset, or to no
    text where it is no dataset's. Of other runs nothing: what they bring back is wanted.
    """
    if document["kind"] not in EXERCISES or document["outcome"] is None:
        return {}
    passed = [s for s in document["steps"] if s["status"] == "passed"]
    removals = [s for s in passed if s["do"] == REMOVES]
    found = {
        str(step["outputs"].get("path", "")): str(step["outputs"].get("dataset", ""))
        for step in passed
        if step["do"] in RESTORES and not any(_took(one, step) for one in removals)
    }
    last = max(removals, key=lambda one: datetime.fromisoformat(one["finished_at"]), default=None)
    for path in _texts(last["outputs"], "left") if last else ():
        found.setdefault(path, "")
    return {path: name for path, name in found.items() if path}


def _took(removal: Mapping[str, Any], restored: Mapping[str, Any]) -> bool:
    """Whether a removal took away what had been restored before it."""
    ended = [datetime.fromisoformat(one["finished_at"]) for one in (restored, removal)]
    asked = removal["attempt_log"][-1]["arguments"].get("path", "")
    path = str(restored["outputs"].get("path", ""))
    return ended[0] <= ended[1] and took_away(removal["outputs"], str(asked), path)
