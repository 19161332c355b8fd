"""Why a run that did not pass did not: the one `error:` and the one `hint:` line it leaves."""

from collections.abc import Mapping, Sequence
from typing import Any

from drorch.cli.words import one_line
from drorch.core.errors import DrorchError

Document = Mapping[str, Any]

#: In which phase that decides lies what made a run fail, or end before anything was touched.
_DECIDING = {"failed": ("steps", "verify"), "aborted": ("preconditions",)}


def complaint(document: Document) -> DrorchError | None:
    """What a run's document complains of; None if it passed or is not over."""
    who, outcome = f"{document['kind']} {document['name']}", document["outcome"]
    see = f"`drorch run show {document['run']}` tells what was done"
    if outcome not in _DECIDING:
        return None
    step = decisive(document)
    if step is not None:
        at = "" if step["step"] == document["kind"] else f" at {step['step']}"
        more = len(_failures(document, step["phase"])) - 1
        others = f" (and {more} more)" if more else ""
        message = f"{who} {outcome}{at}: {one_line(step['message'])}{others}"
        return DrorchError(message, one_line(step["hint"]) or see)
    if document["abort"]:
        abort = document["abort"]
        return DrorchError(f"{who} aborted by {abort['by']}: {one_line(abort['reason'])}", see)
    return DrorchError(f"{who} {outcome}", see)


def decisive(document: Document) -> Document | None:
    """The step whose failure made the run what it is; None if a person did, or nothing is known."""
    for phase in _DECIDING.get(document["outcome"], ()):
        for step in _failures(document, phase):
            if phase != "steps" or step["step"] == document["failed_step"]:
                return step
    return None


def _failures(document: Document, phase: str) -> Sequence[Document]:
    return [s for s in document["steps"] if s["phase"] == phase and s["status"] == "failed"]
