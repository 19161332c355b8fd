"""JSON to values, by the type hints of what is wanted, each type compiled once; strict."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path, PurePath
from types import NoneType, UnionType
from typing import Any, TypeAlias, Union, cast, get_args, get_origin

from drorch.core import values
from drorch.core.encoding import (
    REQUIRED,
    SCALARS,
    TAG,
    default_of,
    is_plain_list,
    words_of,
    write_instant,
)
from drorch.core.values import Value

Decoder: TypeAlias = Callable[[Any], Any]


class NotDecodable(ValueError):
    """The JSON is not such a value; the message says where and why."""


class NewerFormat(NotDecodable):
    """The JSON holds a word or a field this version does not know: a newer one wrote it."""


def parse(text: str | bytes) -> Value:
    """JSON text as a value; raises NotDecodable for a doubled key, NaN, or what is not JSON."""
    try:
        if isinstance(text, str) and not text.startswith("\ufeff"):
            return cast("Value", _reader().decode(text))
        return cast(
            "Value",
            json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant),
        )
    except (ValueError, RecursionError) as error:
        raise NotDecodable(f"not JSON: {error}") from None


@cache
def _reader() -> json.JSONDecoder:
    """Made once: json.loads makes one for each text."""
    return json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


def _compile(wanted: Any, tolerant: bool) -> Decoder:
    if wanted == values.Value:
        return lambda value: value
    if wanted in SCALARS:
        return _scalar_decoder(wanted)
    if isinstance(wanted, type) and not get_origin(wanted):
        return _class_decoder(wanted, tolerant=tolerant)
    if get_origin(wanted) in (Union, UnionType):
        return _union_decoder(get_args(wanted), tolerant=tolerant)
    return _container_decoder(wanted, tolerant=tolerant)


#: The function that reads values of a type (tolerant or not of unknown fields).
decoder_of: Callable[[Any, bool], Decoder] = cache(_compile)


def _container_decoder(wanted: Any, *, tolerant: bool) -> Decoder:
    origin, arguments = get_origin(wanted), get_args(wanted)
    if is_plain_list(origin, arguments):
        return _list_decoder(decoder_of(arguments[0], tolerant), tuple)
    if origin is frozenset:
        return _list_decoder(decoder_of(arguments[0], tolerant), frozenset)
    if origin is Mapping:
        key, item = (decoder_of(a, tolerant) for a in arguments)
        return _mapping_decoder(key, item)
    raise TypeError(f"{wanted!r} has no JSON form")


def _class_decoder(wanted: type, *, tolerant: bool) -> Decoder:
    if is_dataclass(wanted):
        return _dataclass_decoder(wanted, tolerant=tolerant)
    if issubclass(wanted, StrEnum):
        return _enum_decoder(wanted)
    if issubclass(wanted, timedelta):
        return _decode_duration
    if issubclass(wanted, datetime):
        return _decode_instant
    if issubclass(wanted, PurePath):
        return lambda value: Path(_expect(value, str))
    raise TypeError(f"{wanted.__name__} has no JSON form")


def _expect(value: Any, wanted: type) -> Any:
    if type(value) is not wanted:
        raise NotDecodable(f"{_shown(value)} where {wanted.__name__} is wanted")
    return value


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _scalar_decoder(wanted: type) -> Decoder:
    if wanted is float:
        return lambda value: float(value) if type(value) is int else _expect(value, float)
    return lambda value: value if type(value) is wanted else _expect(value, wanted)


def _enum_decoder(wanted: type[StrEnum]) -> Decoder:
    members: Mapping[Any, StrEnum] = {m.value: m for m in wanted}

    def decode_word(value: Any) -> StrEnum:
        found = members.get(_expect(value, str))
        if found is None:
            raise NewerFormat(f"{_shown(value)} is no {wanted.__name__}")
        return found

    return decode_word


def _decode_duration(value: Any) -> timedelta:
    if type(value) is not int and type(value) is not float:
        raise NotDecodable(f"{_shown(value)} where seconds are wanted")
    try:
        return timedelta(seconds=value)
    except (OverflowError, ValueError):
        raise NotDecodable(f"{_shown(value)} seconds are no duration") from None


_PLAIN_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z", re.ASCII)


def _decode_instant(value: Any) -> datetime:
    try:
        found = datetime.fromisoformat(_expect(value, str))
    except ValueError:
        raise NotDecodable(f"{_shown(value)} is no instant") from None
    # Writing it again costs more than all the rest.
    plain = _PLAIN_INSTANT.fullmatch(value) is not None
    if found.tzinfo is not UTC or not (plain or write_instant(found) == value):
        raise NotDecodable(f"{_shown(value)} is not written as instants are")
    return found


def _list_decoder(item: Decoder, made: Callable[[list[Any]], Any]) -> Decoder:
    def decode_list(value: Any) -> Any:
        found = []
        for index, element in enumerate(_expect(value, list)):
            try:
                found.append(item(element))
            except NotDecodable as error:
                raise _inside(index, error) from None
        return made(found)

    return decode_list


def _mapping_decoder(key: Decoder, item: Decoder) -> Decoder:
    def decode_mapping(value: Any) -> dict[Any, Any]:
        found = {}
        for name, element in _expect(value, dict).items():
            try:
                found[key(name)] = item(element)
            except NotDecodable as error:
                raise _inside(name, error) from None
        return found

    return decode_mapping


def _inside(place: object, error: NotDecodable) -> NotDecodable:
    return type(error)(f"{place}: {error}")


def _dataclass_decoder(wanted: type, *, tolerant: bool) -> Decoder:
    plan = {f.name: decoder_of(f.type, tolerant) for f in fields(wanted)}
    required = [f.name for f in fields(wanted) if default_of(f) is REQUIRED]

    def decode_dataclass(value: Any) -> Any:
        found = {}
        for name, item in _expect(value, dict).items():
            decoder = plan.get(name)
            if decoder is None and tolerant:
                continue
            if decoder is None:
                raise NewerFormat(f"{wanted.__name__} has no field {name!r}")
            try:
                found[name] = decoder(item)
            except NotDecodable as error:
                raise _inside(name, error) from None
        for name in required:
            if name not in found:
                raise NotDecodable(f"{wanted.__name__} lacks {name!r}")
        return wanted(**found)

    return decode_dataclass


def _union_decoder(members: tuple[type, ...], *, tolerant: bool) -> Decoder:
    others = tuple(m for m in members if m is not NoneType)
    if len(others) == 1:
        one = decoder_of(others[0], tolerant)
        return lambda value: None if value is None else one(value)
    decoders = {m.__name__ if is_dataclass(m) else m: decoder_of(m, tolerant) for m in members}

    def decode_member(value: Any) -> Any:
        tagged = type(value) is dict
        decoder = decoders.get(str(value.get(TAG)) if tagged else type(value))
        if decoder is None:
            raise NewerFormat(f"{_shown(value)} is none of {words_of(members)}")
        return decoder({k: v for k, v in value.items() if k != TAG} if tagged else value)

    return decode_member
