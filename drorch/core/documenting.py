"""Values as the JSON documents that are published, and the schema of such a document.

Unlike what is kept (core/codec.py) nothing is left out, and units stand in the keys:

    timedelta   NAME_s, seconds to the millisecond      datetime   RFC 3339 in UTC
    date        2026-11-23                              StrEnum    its word
    tuple       list                                    from_      from

A field may be None where its type says so. Schemas are JSON Schema, draft 2020-12.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeAlias, Union, get_args, get_origin, get_type_hints

from drorch.core.document import Document, rfc3339, seconds

_Writer: TypeAlias = Callable[[Any], Any]

_TIMES: Mapping[Any, _Writer] = {timedelta: seconds, datetime: rfc3339, date: date.isoformat}
_PLAIN: Mapping[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


def document_of(value: Any) -> Document:
    """The document of a dataclass value; TypeError for a type that has no form here."""
    return {
        key: None if (found := getattr(value, name)) is None else write(found)
        for name, key, write in _writers(type(value))
    }


def keys_of(wanted: type) -> tuple[str, ...]:
    """The keys of a dataclass's document."""
    return tuple(key for _, key, _ in _writers(wanted))


def _written(wanted: Any) -> tuple[tuple[str, str, _Writer], ...]:
    hints = get_type_hints(wanted)
    return tuple(
        (f.name, _key(f.name, hints[f.name]), _writer(hints[f.name])) for f in fields(wanted)
    )


_writers: Callable[[Any], tuple[tuple[str, str, _Writer], ...]] = cache(_written)


def _writer(wanted: Any) -> _Writer:
    kind = _without_none(wanted)
    if get_origin(kind) is tuple:
        item = _writer(get_args(kind)[0])
        return lambda value: [None if one is None else item(one) for one in value]
    if get_origin(kind) is Mapping:
        item = _writer(get_args(kind)[1])
        return lambda value: {key: item(one) for key, one in value.items()}
    return document_of if is_dataclass(kind) else _scalar_writer(kind)


def _scalar_writer(kind: Any) -> _Writer:
    if kind in _PLAIN or kind is Any:
        return lambda value: value
    if kind in _TIMES:
        return _TIMES[kind]
    if issubclass(kind, StrEnum):
        return lambda value: value.value
    raise TypeError(f"{kind!r} has no form in a document")


def _key(name: str, wanted: Any) -> str:
    bare = name.removesuffix("_")
    kind = _without_none(wanted)
    lasts = kind is timedelta or _without_none((get_args(kind) or (None,))[0]) is timedelta
    return f"{bare}_s" if lasts else bare


def _without_none(wanted: Any) -> Any:
    if get_origin(wanted) in (Union, UnionType):
        (one,) = (kind for kind in get_args(wanted) if kind is not NoneType)
        return one
    return wanted


def schema_of(wanted: type, title: str) -> Document:
    """The schema of a dataclass's document; every other dataclass in it is a definition."""
    found: dict[str, Document] = {}
    top = _object(wanted, found)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **top,
        "$defs": dict(sorted(found.items())),
    }


def _object(wanted: type, found: dict[str, Document]) -> Document:
    hints = get_type_hints(wanted)
    properties = {
        _key(f.name, hints[f.name]): _schema(hints[f.name], found) for f in fields(wanted)
    }
    return {
        "type": "object",
        "description": " ".join((wanted.__doc__ or "").split()),
        "properties": properties,
        "required": list(properties),
    }


def _schema(wanted: Any, found: dict[str, Document]) -> Document:
    kind = _without_none(wanted)
    if kind is not wanted:
        return {"anyOf": [_schema(kind, found), {"type": "null"}]}
    if get_origin(kind) is tuple:
        return {"type": "array", "items": _schema(get_args(kind)[0], found)}
    if get_origin(kind) is Mapping:
        return {"type": "object", "additionalProperties": _schema(get_args(kind)[1], found)}
    if isinstance(kind, type) and is_dataclass(kind):
        name = kind.__name__
        if name not in found:
            found[name] = {}
            found[name] = _object(kind, found)
        return {"$ref": f"#/$defs/{name}"}
    return _scalar(kind)


def _scalar(kind: Any) -> Document:
    if kind is Any:
        return {}
    if kind in _PLAIN:
        return {"type": _PLAIN[kind]}
    if kind is timedelta:
        return {"type": "number", "description": "seconds"}
    if kind is datetime:
        return {"type": "string", "format": "date-time"}
    if kind is date:
        return {"type": "string", "format": "date"}
    if issubclass(kind, StrEnum):
        return {"enum": [word.value for word in kind]}
    raise TypeError(f"{kind!r} has no form in a document")
