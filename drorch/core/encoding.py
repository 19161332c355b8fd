"""Values to JSON, by their type hints, each type compiled once; and JSON to canonical bytes."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import PurePath
from types import NoneType, UnionType
from typing import Any, TypeAlias, Union, get_args, get_origin

from drorch.core import values
from drorch.core.values import Value

Encoder: TypeAlias = Callable[[Any], Any]

#: Under this key a union of dataclasses says which of them it is.
TAG = "@"

#: Stands for the default of a field that has none.
REQUIRED: Any = object()
SCALARS = (str, int, float, bool, NoneType)

_CANONICAL = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
)


def canonical(value: Value) -> bytes:
    """The one way to write a JSON value: sorted keys, no spaces, UTF-8, no NaN.

    A lone surrogate, as in names of files that are not UTF-8, is written as a JSON escape.
    """
    return utf8(_CANONICAL.encode(value))


def utf8(text: str) -> bytes:
    """Text as UTF-8, whatever it holds: a lone surrogate as its escape in JSON."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        # Two lone halves side by side would be read back as one character: join them first.
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        return text.encode("utf-8", "backslashreplace")


def _compile(wanted: Any) -> Encoder:
    if wanted == values.Value:
        return _encode_json
    if wanted in SCALARS:
        return _scalar_encoder(wanted)
    if isinstance(wanted, type) and not get_origin(wanted):
        return _class_encoder(wanted)
    if get_origin(wanted) in (Union, UnionType):
        return _union_encoder(get_args(wanted))
    return _container_encoder(wanted)


#: The function that writes values of a type; TypeError for a type that has no JSON form.
encoder_of: Callable[[Any], Encoder] = cache(_compile)


def _container_encoder(wanted: Any) -> Encoder:
    origin, arguments = get_origin(wanted), get_args(wanted)
    if is_plain_list(origin, arguments):
        item = encoder_of(arguments[0])
        return lambda value: [item(v) for v in value]
    if origin is frozenset:
        item = encoder_of(arguments[0])
        return lambda value: sorted((item(v) for v in value), key=canonical)
    if origin is Mapping:
        key, item = encoder_of(arguments[0]), encoder_of(arguments[1])
        return lambda value: {key(k): item(v) for k, v in value.items()}
    raise TypeError(f"{wanted!r} has no JSON form")


def is_plain_list(origin: object, arguments: tuple[Any, ...]) -> bool:
    """Whether it is a sequence of one type: a tuple of fixed shape has no JSON form here."""
    return origin is Sequence or (origin is tuple and arguments[1:] == (...,))


def _class_encoder(wanted: type) -> Encoder:
    if is_dataclass(wanted):
        return _dataclass_encoder(wanted)
    if issubclass(wanted, StrEnum):
        return lambda value: wanted(value).value
    if issubclass(wanted, timedelta):
        return _encode_duration
    if issubclass(wanted, datetime):
        return write_instant
    if issubclass(wanted, PurePath):
        return str
    raise TypeError(f"{wanted.__name__} has no JSON form")


def _scalar_encoder(wanted: type) -> Encoder:
    def encode_scalar(value: Any) -> Any:
        found = type(value)
        if found is wanted and (found is not float or math.isfinite(value)):
            return value
        if wanted is float and found is int:
            return float(value)
        if wanted is str and isinstance(value, str):
            return str.__str__(value)
        raise TypeError(f"{value!r} where {wanted.__name__} is wanted")

    return encode_scalar


def _encode_duration(value: timedelta) -> int | float:
    if value.microseconds:
        return value.total_seconds()
    return value.days * 86_400 + value.seconds


def write_instant(value: datetime) -> str:
    """ISO 8601 in UTC with microseconds and Z, so that texts sort as instants do."""
    if value.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    return value.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def _encode_json(value: Any) -> Any:
    """Any JSON value; numbers JSON has no form for are kept as the words nan, inf and -inf."""
    found = type(value)
    if found is str or found is int or found is bool or value is None:
        return value
    if isinstance(value, Mapping):
        return {_encode_key(k): _encode_json(v) for k, v in value.items()}
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [_encode_json(v) for v in value]
    raise TypeError(f"{found.__name__} has no JSON form")


def _encode_key(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"{key!r} is no JSON key")
    return str.__str__(key)


def _dataclass_encoder(wanted: type) -> Encoder:
    plan = [(f.name, encoder_of(f.type), default_of(f)) for f in fields(wanted)]

    def encode_dataclass(value: Any) -> dict[str, Any]:
        if type(value) is not wanted:
            raise TypeError(f"{type(value).__name__} where {wanted.__name__} is wanted")
        written = {}
        for name, encoder, default in plan:
            item = getattr(value, name)
            if item is not default and item != default:
                written[name] = encoder(item)
        return written

    return encode_dataclass


def default_of(field: Field[Any]) -> Any:
    """The field's default, or REQUIRED."""
    if field.default is not MISSING:
        return field.default
    if field.default_factory is not MISSING:
        return field.default_factory()
    return REQUIRED


def _union_encoder(members: tuple[Any, ...]) -> Encoder:
    others = tuple(m for m in members if m is not NoneType)
    if len(others) == 1:
        one = encoder_of(others[0])
        return lambda value: None if value is None else one(value)
    encoders = {m: encoder_of(m) for m in members}

    def encode_member(value: Any) -> Any:
        encoder = encoders.get(type(value))
        if encoder is None:
            raise TypeError(f"{type(value).__name__} is none of {words_of(members)}")
        written = encoder(value)
        return {TAG: type(value).__name__, **written} if is_dataclass(value) else written

    return encode_member


def words_of(members: tuple[Any, ...]) -> str:
    """The members of a union, for a message."""
    return ", ".join(m.__name__ for m in members)
