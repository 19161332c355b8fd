"""Everything wrong with a document at once: shapes first, then what the whole shows.

Heavy (pydantic): imported only when a file has to be read and no compiled one is at hand.
"""

import copy
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from drorch.config import convert
from drorch.config.models import ConfigurationShape
from drorch.config.references import reference_problems, runbook_name_problems
from drorch.config.runbook_models import RunbookShape
from drorch.config.source import Document, KeyPath
from drorch.config.wording import problems_of
from drorch.core.errors import ConfigurationError, Problem
from drorch.core.model import Configuration
from drorch.core.runbook import Runbook

S = TypeVar("S", bound=BaseModel)

_ROUNDS = 20


def validated_configuration(
    document: Document,
    file: Path,
    digest: str,
    names_in: Callable[[Path], Iterable[str] | None] | None = None,
) -> Configuration:
    """The document as values. `names_in` gives the runbooks in a folder (None: no such folder);
    with it, the names of runbooks are checked too.

    Raises ConfigurationError with every problem.
    """
    shape, problems = shaped(ConfigurationShape, document)
    if shape is not None:
        problems += reference_problems(shape, document)
        known = names_in(convert.resolved(file.parent, shape.runbooks)) if names_in else None
        if known is not None:
            problems += runbook_name_problems(shape, document, known)
    if problems or shape is None:
        raise ConfigurationError(in_order(problems))
    return convert.configuration(shape, file, digest)


def validated_runbook(document: Document, digest: str) -> tuple[Runbook | None, list[Problem]]:
    """The document as a runbook, without what is wrong in itself, and every problem.

    No runbook at all if too little is left of it.
    """
    shape, problems = shaped(RunbookShape, document)
    runbook = convert.runbook(shape, digest, document.file) if shape else None
    return runbook, in_order(problems)


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """By place in the file, each once."""
    return sorted(dict.fromkeys(problems), key=lambda p: (p.file or "", p.line or 0, p.column or 0))


def shaped(shape: type[S], document: Document) -> tuple[S | None, list[Problem]]:
    """The shape, of what is left when everything that is wrong in itself is taken out."""
    problems = list(document.problems)
    try:
        return shape.model_validate(document.value), problems
    except ValidationError as error:
        problems += problems_of(error, document, shape)
        return _remainder(shape, document, error), problems


def _remainder(shape: type[S], document: Document, error: ValidationError) -> S | None:
    value = copy.deepcopy(document.value)
    for _ in range(_ROUNDS):
        for place in _to_remove(error):
            if not place:
                return None
            _remove(value, place)
        try:
            return shape.model_validate(value)
        except ValidationError as again:
            error = again
    return None


def _to_remove(error: ValidationError) -> Iterator[KeyPath]:
    """What to take out, later items of lists first; what misses a key goes as a whole."""
    places = set()
    for one in error.errors(include_url=False, include_context=False):
        loc = tuple(one["loc"])
        places.add(loc[:-1] if one["type"] == "missing" or loc[-1:] == ("[key]",) else loc)
    return iter(sorted(places, key=lambda place: [str(part) for part in place], reverse=True))


def _remove(value: object, place: KeyPath) -> None:
    """Take the value out; a whole list rather than an item, whose followers' places would shift."""
    inner: tuple[dict[str, object], str] | None = None
    for part in place:
        if isinstance(value, dict) and part in value:
            inner = (value, str(part))
            value = value[part]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            break
    if inner is not None:
        inner[0].pop(inner[1], None)
