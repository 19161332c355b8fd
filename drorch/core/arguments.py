"""Arguments against what an action promises to take: named, there, of the right kind."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC

from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.durations import parse_duration
from drorch.core.model import Configuration
from drorch.core.moment import parse_moment
from drorch.core.nearest import did_you_mean
from drorch.core.render import preview, references, sole_reference
from drorch.core.values import Value


@dataclass(frozen=True, slots=True)
class Objection:
    """What is wrong with one argument; without a name, with the arguments as a whole."""

    argument: str
    message: str
    hint: str = ""


_TEXTUAL = frozenset(
    {
        Kind.TEXT,
        Kind.URL,
        Kind.HOST,
        Kind.READ_PATH,
        Kind.WRITE_PATH,
        Kind.DATASET,
        Kind.REGION,
        Kind.SECRET,
        Kind.DURATION,
        Kind.TIME,
    }
)
_TRUTHS = {"true": True, "false": False}


def objections(
    spec: ActionSpec,
    arguments: Mapping[str, Value],
    inputs: Mapping[str, str],
    configuration: Configuration,
) -> Iterator[Objection]:
    """Everything wrong with arguments as far as it can be known before the steps have run."""
    parameters = {parameter.name: parameter for parameter in spec.parameters}
    for name in arguments:
        if name not in parameters:
            hint = did_you_mean(name, parameters, f"arguments of {spec.name}")
            yield Objection(name, f"{spec.name} takes no argument {name!r}", hint)
    for parameter in spec.parameters:
        value = arguments.get(parameter.name)
        if value is not None:
            yield from _of_value(parameter, value, inputs, configuration)
        elif parameter.required:
            hint = f"add `{parameter.name}: …` under `with:`"
            yield Objection("", f"{spec.name} needs the argument {parameter.name!r}", hint)


def settled(spec: ActionSpec, arguments: Mapping[str, Value]) -> dict[str, Value]:
    """Arguments in the type their parameter wants, where they are written as another.

    Numbers become text for a parameter of text, and text that comes of an input becomes the
    number it says. What does not fit is left as it is.
    """
    kinds = {parameter.name: parameter.kind for parameter in spec.parameters}
    return {
        name: _settled(kinds.get(name, Kind.ANY), value)
        for name, value in arguments.items()
        if value is not None
    }


def _settled(kind: Kind, value: Value) -> Value:
    if kind in _TEXTUAL or kind is Kind.STEP_OUTPUT:
        return str(value) if _is_number(value) else plain(value)
    if kind is Kind.ARGV and isinstance(value, Sequence) and not isinstance(value, str):
        return [str(item) if _is_number(item) else plain(item) for item in value]
    if isinstance(value, str):
        if kind is Kind.INTEGER and _is_integer_text(value):
            return int(value)
        if kind is Kind.NUMBER and _is_number_text(value):
            return float(value)
        if kind is Kind.BOOLEAN and value in _TRUTHS:
            return _TRUTHS[value]
    return plain(value)


def plain(value: Value) -> Value:
    """The value in JSON's own types, whatever subclasses a reader gave it."""
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value]


def _of_value(
    parameter: Parameter, value: Value, inputs: Mapping[str, str], configuration: Configuration
) -> Iterator[Objection]:
    if parameter.kind is Kind.STEP_OUTPUT:
        reference = sole_reference(value)
        if reference is None or not reference.path:
            hint = 'write it like "{start-service.service}"'
            yield Objection(parameter.name, "should be the output of a step", hint)
        return
    known = preview(value, inputs)
    if references(known):
        return
    yield from _of_kind(parameter, known)
    if parameter.kind is Kind.DATASET:
        yield from _named(parameter.name, known, configuration.datasets, "dataset")
    if parameter.kind is Kind.REGION:
        yield from _named(parameter.name, known, configuration.regions, "region")
    if parameter.kind is Kind.SECRET:
        yield from _named(parameter.name, known, configuration.secrets, "secret")


def _named(
    argument: str, value: Value, known: Mapping[str, object], what: str
) -> Iterator[Objection]:
    if isinstance(value, str) and value not in known:
        hint = did_you_mean(value, known, f"{what}s are")
        yield Objection(argument, f"there is no {what} {value!r}", hint)


def _of_kind(parameter: Parameter, value: Value) -> Iterator[Objection]:
    wanted, hint = _WANTED[parameter.kind]
    if not _fits(parameter.kind, value):
        yield Objection(parameter.name, f"should be {wanted}, not {described(value)}", hint)
    elif parameter.choices and str(value) not in parameter.choices:
        hint = did_you_mean(str(value), parameter.choices, "one of")
        yield Objection(parameter.name, f"{str(value)!r} is not known here", hint)
    elif parameter.minimum is not None and float(str(value)) < parameter.minimum:
        least = f"{parameter.minimum:g}"
        message = f"should be at least {least}, not {value}"
        yield Objection(parameter.name, message, f"write a number from {least}")


_WANTED: Mapping[Kind, tuple[str, str]] = {
    Kind.TEXT: ("text", "write one text there"),
    Kind.INTEGER: ("a whole number", "write digits"),
    Kind.NUMBER: ("a number", "write digits"),
    Kind.BOOLEAN: ("true or false", "write true or false"),
    Kind.DURATION: ("a duration", "write it like 500ms, 90s, 30m or 1h30m"),
    Kind.TIME: ("a time", "write it like 2026-11-23T03:00, or 2026-11-23T08:00:00Z"),
    Kind.ARGV: (
        "a command as a list",
        "write it like [program, argument]; a script goes under `do: shell`",
    ),
    Kind.MAPPING: ("a mapping of keys to values", "write `{key: value}`"),
    Kind.LIST: ("a list", "write `[one, another]`"),
    Kind.ANY: ("a value", ""),
    Kind.URL: ("an address", "write it like http://127.0.0.1:8080/"),
    Kind.HOST: ("a host", "write a name or an IP address, without a scheme"),
    Kind.READ_PATH: ("a path", "write a path, relative to the configuration's folder or absolute"),
    Kind.WRITE_PATH: ("a path", "write a path, relative to the configuration's folder or absolute"),
    Kind.DATASET: ("the name of a dataset", "see `datasets:` in the configuration"),
    Kind.REGION: ("the name of a region", "see `regions:` in the configuration"),
    Kind.SECRET: ("the name of a secret", "see `secrets:` in the configuration"),
    Kind.STEP_OUTPUT: ("the output of a step", ""),
}


def _fits(kind: Kind, value: Value) -> bool:
    if kind in _FITTING:
        return _FITTING[kind](value)
    return _as_text(value) not in ("", None)


def _is_list(value: Value) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _is_argv(value: Value) -> bool:
    items = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
    return bool(items) and all(isinstance(item, str) or _is_number(item) for item in items)


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _as_text(value: Value) -> str | None:
    return str(value) if isinstance(value, str) or _is_number(value) else None


def _is_integer_text(value: Value) -> bool:
    digits = (_as_text(value) or "").removeprefix("-")
    return digits.isascii() and digits.isdigit()


def _is_number_text(value: Value) -> bool:
    try:
        float(_as_text(value) or "no")
    except ValueError:
        return False
    return True


def _is_duration(value: Value) -> bool:
    try:
        parse_duration(_as_text(value) or "")
    except ValueError:
        return False
    return True


def _is_time(value: Value) -> bool:
    try:
        parse_moment(_as_text(value) or "", UTC)
    except ValueError:
        return False
    return True


def _is_host(value: Value) -> bool:
    text = _as_text(value) or ""
    return bool(text) and not any(character in text for character in "/ @")


_FITTING: Mapping[Kind, Callable[[Value], bool]] = {
    Kind.ANY: lambda _: True,
    Kind.TEXT: lambda value: _as_text(value) is not None,
    Kind.INTEGER: _is_integer_text,
    Kind.NUMBER: _is_number_text,
    Kind.BOOLEAN: lambda value: isinstance(value, bool) or value in ("true", "false"),
    Kind.DURATION: _is_duration,
    Kind.TIME: _is_time,
    Kind.ARGV: _is_argv,
    Kind.LIST: _is_list,
    Kind.MAPPING: lambda value: isinstance(value, Mapping),
    Kind.HOST: _is_host,
}


def described(value: Value) -> str:
    """A value named for a sentence."""
    if isinstance(value, Mapping):
        return "a mapping"
    if _is_list(value):
        return "a list" if value else "an empty list"
    if isinstance(value, bool):
        return str(value).lower()
    return "nothing" if value is None else repr(str(value))
