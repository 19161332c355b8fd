"""YAML text into plain values, each with its place in the text.

Scalars follow the core schema of YAML 1.2: `on`, `yes`, `12:30` and `2026-01-01` are text. Knows
nothing of what the values mean.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from drorch.core.errors import ConfigurationError, Problem
from drorch.core.values import Value

if TYPE_CHECKING:
    from yaml.error import Mark, MarkedYAMLError
    from yaml.nodes import Node

KeyPath: TypeAlias = tuple[str | int, ...]
Place: TypeAlias = tuple[int, int]

_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Value] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_PLAIN = "?"
_TAG = "tag:yaml.org,2002:"
#: More than any configuration holds; an alias that unfolds beyond this is an attack or a mistake.
_MOST_VALUES = 500_000


class WrittenInteger(int):
    """A whole number written otherwise than it prints, `007` say: as text it stays as written."""

    text = ""

    def __str__(self) -> str:
        return self.text


class WrittenFloat(float):
    """A number written otherwise than it prints, `1.10` say: as text it stays as written."""

    text = ""

    def __str__(self) -> str:
        return self.text


@dataclass(slots=True)
class Document:
    """The values of one file and where each lies; lines and columns count from 1."""

    file: str
    value: dict[str, Value] = field(default_factory=dict)
    keys: dict[KeyPath, Place] = field(default_factory=dict)
    values: dict[KeyPath, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def place_of_key(self, path: KeyPath) -> Place:
        """Where the key stands; for a list's item, or the whole, where the value begins."""
        return self._nearest(path, (self.keys, self.values))

    def place_of_value(self, path: KeyPath) -> Place:
        """Where the value begins; of the nearest known one around it if it is not there."""
        return self._nearest(path, (self.values, self.keys))

    def problem(
        self, path: KeyPath, message: str, hint: str = "", *, at_key: bool = False
    ) -> Problem:
        """A problem with its place in this file."""
        line, column = self.place_of_key(path) if at_key else self.place_of_value(path)
        return Problem(message, hint, path, self.file, line, column)

    def placed(self, problem: Problem) -> Problem:
        """The problem with file, line and column of its path."""
        return self.problem(problem.path, problem.message, problem.hint)

    def _nearest(self, path: KeyPath, tables: tuple[dict[KeyPath, Place], ...]) -> Place:
        for length in range(len(path), -1, -1):
            for table in tables:
                if path[:length] in table:
                    return table[path[:length]]
        return (1, 1)


def read_text(path: Path, shown: str) -> str:
    """The file's text. Raises ConfigurationError if it cannot be read or is not UTF-8."""
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigurationError(
            [Problem(f"cannot be read: {reason}", "check the path and its permissions", file=shown)]
        ) from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        column = error.start - (content.rfind(b"\n", 0, error.start) + 1) + 1
        raise ConfigurationError(
            [Problem("is not UTF-8 text", "save the file as UTF-8", (), shown, line, column)]
        ) from None


def digest(text: str) -> str:
    """SHA-256 (hex) of the text as UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def parse(text: str, file: str) -> Document:
    """The text's one mapping. Raises ConfigurationError if it is not YAML, or not a mapping.

    Problems that leave the rest readable (a key twice, a tag nobody knows) are in the result.
    """
    root = _compose(text, file)
    document = Document(file)
    if root is None:
        raise ConfigurationError([Problem("is empty", "see `drorch init`", (), file, 1, 1)])
    value = _Builder(document).build(root, ())
    if not isinstance(value, dict):
        line, column = document.place_of_value(())
        message = "should be a mapping of keys to values"
        raise ConfigurationError(
            [Problem(message, "write `key: value` lines", (), file, line, column)]
        )
    document.value = value
    return document


def _compose(text: str, file: str) -> "Node | None":
    from yaml.error import MarkedYAMLError, YAMLError

    from drorch.config.composer import compose

    try:
        return compose(text)
    except MarkedYAMLError as error:
        raise ConfigurationError([_syntax_problem(text, file, error)]) from None
    except YAMLError as error:
        problem = Problem(
            f"is not YAML: {error}".splitlines()[0], "save it as plain text", file=file
        )
        raise ConfigurationError([problem]) from None


def _syntax_problem(text: str, file: str, error: "MarkedYAMLError") -> Problem:
    mark: Mark | None = error.problem_mark or error.context_mark
    if mark is None:
        return Problem(f"is not YAML: {error.problem}", "", (), file, 1, 1)
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    place = (mark.line + 1, mark.column + 1)
    if "\t" in line[: mark.column + 1] and not line[: mark.column + 1].strip():
        return Problem(
            "is not YAML: a tab at the start of the line", "indent by spaces", (), file, *place
        )
    what = ", ".join(part for part in (error.context, error.problem) if part)
    hint = "look for a missing colon, quote or bracket, or wrong indentation, here or just above"
    return Problem(f"is not YAML: {what}", hint, (), file, *place)


class _Builder:
    """Walks the nodes once, noting places and problems."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._open: set[int] = set()
        self._count = 0

    def build(self, node: "Node", path: KeyPath) -> Value:
        """The node's plain value."""
        place = (node.start_mark.line + 1, node.start_mark.column + 1)
        self._document.values[path] = place
        self._count += 1
        if id(node) in self._open or self._count > _MOST_VALUES:
            what = "an alias inside its own anchor" if id(node) in self._open else "too many values"
            hint = "write the values out instead of using anchors"
            raise ConfigurationError([Problem(what, hint, path, self._document.file, *place)])
        if not isinstance(node.value, list):
            return self._scalar(node, path)
        self._open.add(id(node))
        value = self._collection(node, path)
        self._open.discard(id(node))
        return value

    def _collection(self, node: "Node", path: KeyPath) -> Value:
        if node.tag not in (f"{_TAG}map", f"{_TAG}seq"):
            self._strange(node, path)
        if type(node).__name__ == "SequenceNode":
            return [self.build(item, (*path, index)) for index, item in enumerate(node.value)]
        result: dict[str, Value] = {}
        merged: dict[str, Value] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _PLAIN and key_node.value == "<<":
                merged |= self._merged(value_node, path)
            else:
                self._entry(key_node, value_node, path, result)
                if getattr(node, "flow_style", False):
                    self._must_say_something(key_node, value_node, path)
        return {**merged, **result}

    def _entry(
        self, key_node: "Node", value_node: "Node", path: KeyPath, result: dict[str, Value]
    ) -> None:
        place = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
        if isinstance(key_node.value, list):
            self._report((*path,), place, "a key should be text", "write `key: value`")
            return
        key = key_node.value
        if key in result:
            first = self._document.keys[(*path, key)][0]
            hint = f"it stands first in line {first}: remove one of the two"
            self._report((*path, key), place, f"the key {key!r} stands twice", hint)
            return
        self._document.keys[(*path, key)] = place
        result[key] = self.build(value_node, (*path, key))

    def _must_say_something(self, key_node: "Node", value_node: "Node", path: KeyPath) -> None:
        """In braces nothing is no way to say that there is nothing: `{prefix}` is a slip, and so is
        `{workdir}` without quotes.
        """
        if value_node.tag == _PLAIN and value_node.value == "" and key_node.value:
            place = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            key = key_node.value
            hint = f'write `{key}: VALUE`; text that has braces is quoted: "{{{key}}}"'
            self._report((*path, key), place, f"the key {key!r} has no value", hint)

    def _merged(self, node: "Node", path: KeyPath) -> dict[str, Value]:
        """The entries that `<<` brings in: of one mapping, or of several, the first winning."""
        sources = node.value if type(node).__name__ == "SequenceNode" else [node]
        result: dict[str, Value] = {}
        for source in reversed(sources):
            value = self._collection(source, path) if isinstance(source.value, list) else None
            if isinstance(value, dict):
                result |= value
            else:
                place = (node.start_mark.line + 1, node.start_mark.column + 1)
                self._report(
                    path, place, "`<<` wants a mapping", "name an anchor, as in `<<: *name`"
                )
        return result

    def _scalar(self, node: "Node", path: KeyPath) -> Value:
        text: str = node.value
        if node.tag in (_PLAIN, f"{_TAG}int", f"{_TAG}float", f"{_TAG}bool", f"{_TAG}null"):
            return plain_value(text)
        if node.tag != f"{_TAG}str":
            self._strange(node, path)
        return text

    def _strange(self, node: "Node", path: KeyPath) -> None:
        place = (node.start_mark.line + 1, node.start_mark.column + 1)
        name = node.tag.replace(_TAG, "!!")
        self._report(path, place, f"the tag {name} is not known", "remove it, or quote the text")

    def _report(self, path: KeyPath, place: Place, message: str, hint: str) -> None:
        self._document.problems.append(Problem(message, hint, path, self._document.file, *place))


def plain_value(text: str) -> Value:
    """What an unquoted scalar means by the core schema; `.inf` and `.nan` stay text."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        number = int(text, base) if len(text) < 1000 else 0
        return number if str(number) == text else _written_integer(number, text)
    if _FLOAT.fullmatch(text):
        value = float(text)
        return value if repr(value) == text else _written_float(value, text)
    return text


def _written_integer(number: int, text: str) -> WrittenInteger:
    written = WrittenInteger(number)
    written.text = text
    return written


def _written_float(number: float, text: str) -> WrittenFloat:
    written = WrittenFloat(number)
    written.text = text
    return written


def paths_of(value: Value, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Value]]:
    """Every value inside, with its path, the outermost first."""
    yield path, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths_of(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from paths_of(item, (*path, index))
