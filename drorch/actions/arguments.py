"""An attempt's arguments, read with their types.

The compiler has checked what was written; what came in by references is only known now, so
every argument is looked at again. What is wrong is a failure with the cause `argument`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from drorch.core.action import ActionSpec
from drorch.core.durations import parse_duration
from drorch.core.errors import DrorchError
from drorch.core.moment import parse_moment
from drorch.core.render import as_text
from drorch.core.values import Result, Value, failed
from drorch.ports import Action, Call, Secrets, Tools

_MISSING: Final = object()


class WrongArgument(DrorchError):
    """An argument is missing, of the wrong type or out of range."""


def make_action(spec: ActionSpec, work: Callable[[Call, Tools], Result]) -> Action:
    """The action that does `work`; a WrongArgument in it becomes a failure of the attempt."""

    def run(call: Call, tools: Tools) -> Result:
        try:
            return work(call, tools)
        except WrongArgument as error:
            return failed("argument", error.message, error.hint)

    return Action(spec, run)


class Arguments:
    """Typed access to arguments; `folder` is what relative paths are relative to.

    Every reader raises WrongArgument, and gives the default (or raises) if there is none or it
    is null.
    """

    def __init__(self, values: Mapping[str, Value], folder: Path) -> None:
        self._values = values
        self._folder = folder

    @classmethod
    def of(cls, call: Call, tools: Tools) -> "Arguments":
        """The arguments of a call."""
        return cls(call.arguments, tools.configuration.folder)

    def has(self, name: str) -> bool:
        """Whether it was given."""
        return self._values.get(name) is not None

    def any(self, name: str, default: Value = None) -> Value:
        """The value as it is."""
        return self._values[name] if self.has(name) else default

    def text(self, name: str, default: str | object = _MISSING) -> str:
        """A text; numbers become text."""
        value = self._get(name, default)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise _wrong(name, "a text", value)
        return str(value)

    def integer(self, name: str, default: int | object = _MISSING) -> int:
        """A whole number; a text of digits is one."""
        value = self._get(name, default)
        if isinstance(value, str) and value.strip().lstrip("+-").isdecimal():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise _wrong(name, "a whole number", value)
        return value

    def boolean(self, name: str, default: bool | object = _MISSING) -> bool:
        """True or false, as such or as text."""
        value = self._get(name, default)
        if isinstance(value, str) and value in ("true", "false"):
            return value == "true"
        if not isinstance(value, bool):
            raise _wrong(name, "true or false", value)
        return value

    def duration(self, name: str, default: timedelta | object = _MISSING) -> timedelta:
        """A duration such as 30s."""
        value = self._get(name, default)
        if isinstance(value, timedelta):
            return value
        if isinstance(value, str):
            try:
                return parse_duration(value)
            except ValueError as error:
                raise WrongArgument(f"{name}: {error}", "write it like 30s or 5m") from None
        raise _wrong(name, "a duration such as 30s", value)

    def time(self, name: str, zone: str) -> datetime:
        """A time, aware UTC; without an offset it is one of the zone named."""
        from zoneinfo import ZoneInfo

        text = self.text(name)
        try:
            return parse_moment(text, ZoneInfo(zone))
        except ValueError:
            raise WrongArgument(
                f"{name}: {text!r} is not a time",
                f"write it like 2026-11-23T03:00 (a time in {zone}), or 2026-11-23T08:00:00Z",
            ) from None

    def path(self, name: str, default: Path | object = _MISSING) -> Path:
        """A path; relative ones are the configuration folder's."""
        value = self._get(name, default)
        if isinstance(value, Path):
            return value
        if not isinstance(value, str) or not value or "\0" in value:
            raise _wrong(name, "a path", value)
        return self._folder / value

    def words(self, name: str) -> tuple[str, ...]:
        """A program and its arguments, as written."""
        words = tuple(_word(name, v) for v in self.list(name))
        if not words or not words[0]:
            raise WrongArgument(f"{name} is empty", "name the program first")
        return words

    def argv(self, name: str) -> tuple[str, ...]:
        """A program and its arguments; a relative program with a slash is the folder's."""
        words = self.words(name)
        if "/" in words[0]:
            return (str(self._folder / words[0]), *words[1:])
        return words

    def list(self, name: str, default: Sequence[Value] | object = _MISSING) -> Sequence[Value]:
        """A list."""
        value = self._get(name, default)
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise _wrong(name, "a list", value)
        return value

    def mapping(
        self, name: str, default: Mapping[str, Value] | object = _MISSING
    ) -> Mapping[str, Value]:
        """A mapping."""
        value = self._get(name, default)
        if not isinstance(value, Mapping):
            raise _wrong(name, "a mapping", value)
        return value

    def within(self, name: str) -> "Arguments":
        """The arguments inside a mapping."""
        return Arguments(self.mapping(name), self._folder)

    def revealed(self, name: str, secrets: Secrets) -> dict[str, str]:
        """A mapping of texts in which `{secret: NAME}` stands for that secret's value."""
        given = self.mapping(name, {})
        return {key: reveal(f"{name}.{key}", value, secrets) for key, value in given.items()}

    def _get(self, name: str, default: object) -> object:
        value = self._values.get(name)
        if value is not None:
            return value
        if default is _MISSING:
            raise WrongArgument(f"{name} is missing", f"give it under `with:` as {name}")
        return default


def reveal(name: str, value: Value, secrets: Secrets) -> str:
    """A text, or the value of the secret that `{secret: NAME}` names.

    Raises WrongArgument, and ConfigurationError when the secret cannot be had.
    """
    if isinstance(value, Mapping):
        secret = value.get("secret")
        if set(value) != {"secret"} or not isinstance(secret, str):
            raise _wrong(name, "a text or {secret: NAME}", value)
        return secrets.get(secret)
    if isinstance(value, Sequence) and not isinstance(value, str):
        raise _wrong(name, "a text or {secret: NAME}", value)
    return "" if value is None else as_text(value)


def alike(found: Value, wanted: Value) -> bool:
    """Whether two values say the same; inputs of a runbook are text, so 5 and "5" do."""
    return found == wanted or as_text(found) == as_text(wanted)


def only_known(name: str, given: Mapping[str, Value], known: Sequence[str]) -> None:
    """Raises WrongArgument if a mapping has keys that nobody reads."""
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise WrongArgument(
            f"{name} knows no {unknown[0]!r}", f"it takes {', '.join(sorted(known))}"
        )


def _word(name: str, value: Value) -> str:
    if isinstance(value, Mapping) and "secret" in value:
        raise WrongArgument(
            f"{name} must not hold a secret: everybody can read a process's arguments",
            "give it under `env:` and let the program read its environment",
        )
    if value is None or (isinstance(value, Mapping | Sequence) and not isinstance(value, str)):
        raise _wrong(name, "a list of texts", value)
    return as_text(value)


def _wrong(name: str, wanted: str, value: object) -> WrongArgument:
    kinds: tuple[tuple[type, str], ...] = (
        (bool, "true or false"),
        (str, "a text"),
        (int, "a number"),
        (float, "a number"),
        (Mapping, "a mapping"),
        (Sequence, "a list"),
    )
    found = next((word for kind, word in kinds if isinstance(value, kind)), "nothing")
    return WrongArgument(
        f"{name} should be {wanted}, not {found}",
        "look at the step's arguments and the outputs they refer to",
    )
