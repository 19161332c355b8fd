"""pydantic's findings in our words: each with its place in the file and what to do about it."""

from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from drorch.config.shapes import OURS
from drorch.config.source import Document, KeyPath
from drorch.core.errors import Problem
from drorch.core.nearest import did_you_mean

_PATTERNS = {
    r"^[A-Za-z0-9][A-Za-z0-9_.-]*$": (
        "is not a name",
        "use letters, digits, dots, dashes and underscores, a letter or digit first",
    ),
    r"^[a-z0-9][a-z0-9-]*$": (
        "is not a name",
        "use small letters, digits and dashes, a letter or digit first",
    ),
    r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$": (
        "is not a jurisdiction",
        "write it by ISO 3166-2, such as CA-QC, or a country such as CA",
    ),
    r"^[A-Za-z_][A-Za-z0-9_]*$": (
        "is not the name of an environment variable",
        "use letters, digits and underscores, no digit first",
    ),
    r"^[^/\s]+$": ("is not a file name", "write a name without slashes and blanks"),
}
_MAPPING = ("a mapping of keys to values", "write `key: value` lines below it")
_LIST = ("a list", "write `[one, another]`, or lines with `- ` before each")
_KINDS = {
    "dict_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "string_type": ("text", "write one text there"),
    "int_type": ("a whole number", "write digits, without quotes"),
    "bool_type": ("true or false", "write true or false, without quotes"),
}
_KEY = "[key]"


def problems_of(
    error: ValidationError, document: Document, shape: type[BaseModel]
) -> Iterator[Problem]:
    """Every finding once, in pydantic's order."""
    found = error.errors(include_url=False)
    places = [tuple(one["loc"]) for one in found]
    for one, place in zip(found, places, strict=True):
        below = any(len(p) > len(place) and p[: len(place)] == place for p in places)
        if one["type"] != "too_short" or not below:
            yield _problem(one, place, document, shape)


def _problem(
    one: ErrorDetails, loc: KeyPath, document: Document, shape: type[BaseModel]
) -> Problem:
    if one["type"] == "missing":
        message = f"{label(loc[:-1], document)}{loc[-1]!r} is missing"
        return document.problem(loc[:-1], message, f"add `{loc[-1]}: …`", at_key=True)
    if one["type"] == "extra_forbidden":
        message = f"{label(loc[:-1], document)}unknown key {str(loc[-1])!r}"
        hint = did_you_mean(str(loc[-1]), keys_at(shape, loc[:-1]))
        return document.problem(loc, message, hint, at_key=True)
    if loc and loc[-1] == _KEY:
        what, hint = _what(one, loc)
        message = f"{label(loc[:-2], document)}the key {str(loc[-2])!r} {what}"
        return document.problem(loc[:-1], message, hint, at_key=True)
    what, hint = _what(one, loc)
    return document.problem(loc, f"{label(loc, document)}{what}", hint)


def _what(one: ErrorDetails, loc: KeyPath) -> tuple[str, str]:
    context: Mapping[str, Any] = one.get("ctx", {})
    kind, value = one["type"], _shown(one.get("input"), loc)
    if kind == "string_pattern_mismatch":
        what, hint = _PATTERNS[context["pattern"]]
        return (what if loc[-1:] == (_KEY,) else f"{described(value)} {what}"), hint
    if kind == "literal_error":
        known = [word.strip("'") for word in context["expected"].replace(" or ", ", ").split(", ")]
        return f"{described(value)} is not known here", did_you_mean(str(value), known)
    message, hint = one["msg"], ""
    if kind == OURS:
        message, hint = context["message"], context["hint"]
    elif kind in _KINDS:
        wanted, hint = _KINDS[kind]
        message = f"should be {wanted}, not {described(value)}"
    elif kind == "greater_than_equal":
        least = f"{context['ge']:g}"
        message, hint = f"should be at least {least}, not {value}", f"write a number from {least}"
    elif kind == "less_than_equal":
        most = f"{context['le']:g}"
        message, hint = f"should be at most {most}, not {value}", f"write a number up to {most}"
    elif kind in ("too_short", "string_too_short"):
        message, hint = "is empty", "write something there, or leave the key out"
    return message, hint


def _shown(value: object, loc: KeyPath) -> object:
    """The value as a message may show it: what stands under `secrets:` by mistake may be one."""
    hidden = loc[:1] == ("secrets",) and loc[-1] != _KEY
    return _Hidden() if hidden and isinstance(value, str | int | float) else value


class _Hidden:
    """Stands for a text that must not be shown."""

    def __repr__(self) -> str:
        return "what is written there"


def described(value: object) -> str:
    """A value named for a sentence."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or isinstance(value, _Hidden):
        return "nothing" if value is None else repr(value)
    return repr(str(value))


def label(path: KeyPath, document: Document) -> str:
    """Where in the document, in words: `regions.mtl.bucket: `; in a runbook `step restore: with.to: `."""
    words: list[str] = []
    step = ""
    value: object = document.value
    for depth, part in enumerate(path):
        value = _inside(value, part)
        words.append(part if isinstance(part, str) else str(part + 1))
        if depth == 1 and isinstance(part, int) and isinstance(value, dict):
            step = _step_in(value)
            words = [] if step else words
    return step + (".".join(words) + ": " if words else "")


def _step_in(value: dict[str, object]) -> str:
    found = [(kind, value[kind]) for kind in ("step", "check") if isinstance(value.get(kind), str)]
    return f"{found[0][0]} {found[0][1]}: " if found else ""


def _inside(value: object, part: str | int) -> object:
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None


def keys_at(shape: type[BaseModel], loc: KeyPath) -> list[str]:
    """Which keys the mapping at `loc` may have."""
    kind: Any = shape
    for part in loc:
        kind = _within(kind, part)
    model = _model(kind)
    return [f.alias or name for name, f in model.model_fields.items()] if model else []


def _within(kind: Any, part: str | int) -> Any:
    model = _model(kind)
    if model is not None:
        for name, field in model.model_fields.items():
            if part in (name, field.alias):
                return field.annotation
        return None
    arguments = get_args(kind)
    origin = get_origin(kind)
    if origin is dict:
        return arguments[1]
    if origin in (tuple, list):
        return arguments[0]
    for argument in arguments:
        inner = _within(argument, part)
        if inner is not None:
            return inner
    return None


def _model(kind: Any) -> type[BaseModel] | None:
    if isinstance(kind, type) and not get_args(kind) and issubclass(kind, BaseModel):
        return kind
    if get_origin(kind) in (dict, tuple, list):
        return None
    return next((m for m in map(_model, get_args(kind)) if m is not None), None)
