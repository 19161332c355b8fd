"""`{name}` and `{step.output}`: values put in the place of references, nothing cleverer.

A string that is exactly one reference becomes the referenced value with its type; a reference
inside a longer string becomes text. A doubled pair of braces around what looks like a reference
is the reference's literal text: `{{name}}` gives `{name}`. Everything else with braces is left
alone: `${HOME}`, JSON, `{{.State}}` of other tools' templates.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import overload

from drorch.core.values import Value

_NAME = r"[a-z0-9][\w-]*(?:/[a-z0-9][\w-]*)*"
_BODY = rf"({_NAME})((?:\.[\w-]+)*)"
_TOKEN = re.compile(rf"\{{(?P<escaped>\{{{_BODY}\}})\}}|(?<!\$)\{{{_BODY}\}}")


@dataclass(frozen=True, slots=True)
class Reference:
    """What a `{…}` points at: an input (no path), or `path` into a step's outputs."""

    name: str
    path: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """As written, without the braces."""
        return ".".join((self.name, *self.path))


class MissingOutputs(LookupError):
    """References that have no value: the step has not passed, or gave no such output."""

    def __init__(self, references: tuple[str, ...]) -> None:
        super().__init__(", ".join(f"{{{reference}}}" for reference in references))
        self.references = references


@overload
def render(
    value: Mapping[str, Value],
    inputs: Mapping[str, str],
    outputs: Mapping[str, Mapping[str, Value]],
) -> Mapping[str, Value]: ...
@overload
def render(
    value: Value, inputs: Mapping[str, str], outputs: Mapping[str, Mapping[str, Value]]
) -> Value: ...
def render(
    value: Value, inputs: Mapping[str, str], outputs: Mapping[str, Mapping[str, Value]]
) -> Value:
    """Replace every reference by the input's or step output's value, in lists and mappings too.

    Raises MissingOutputs naming every reference without a value.
    """
    missing: list[str] = []

    def find(reference: Reference) -> Value:
        found, result = _lookup(reference, inputs, outputs)
        if not found:
            missing.append(reference.text)
        return result

    rendered = _render(value, find)
    if missing:
        raise MissingOutputs(tuple(dict.fromkeys(missing)))
    return rendered


def preview(value: Value, inputs: Mapping[str, str]) -> Value:
    """The value as far as inputs go; references to what is not known yet stay as written."""

    def find(reference: Reference) -> Value:
        found, result = _lookup(reference, inputs, {})
        return result if found else f"{{{reference.text}}}"

    return _render(value, find)


def references(value: Value) -> tuple[Reference, ...]:
    """Every reference in a value, in order of appearance, each once."""
    return tuple(dict.fromkeys(_walk(value)))


def sole_reference(value: Value) -> Reference | None:
    """The reference a string consists of, if it is exactly one."""
    if not isinstance(value, str):
        return None
    match = _TOKEN.fullmatch(value)
    return _reference(match) if match and match["escaped"] is None else None


def rewrite(value: Value, replacement: Callable[[Reference], str | None]) -> Value:
    """A template made from a template: each reference replaced by template text, or kept on None.

    Escapes stay escapes, so the result is rendered once, later.
    """
    if isinstance(value, str):
        return _TOKEN.sub(lambda match: _rewritten(match, replacement), value)
    if isinstance(value, Mapping):
        return {key: rewrite(item, replacement) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [rewrite(item, replacement) for item in value]
    return value


def literal(text: str) -> str:
    """Template text that renders to exactly `text`, whatever braces it holds."""
    return _TOKEN.sub(lambda match: f"{{{match[0]}}}", text)


def as_text(value: Value) -> str:
    """A value inside a longer text: JSON for lists, mappings, truth and nothing; else plain."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None or isinstance(value, Mapping | Sequence):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _reference(match: re.Match[str]) -> Reference:
    name, path = match[4], match[5]
    return Reference(name, tuple(path.split(".")[1:]))


def _render(value: Value, find: Callable[[Reference], Value]) -> Value:
    if isinstance(value, str):
        return _render_text(value, find)
    if isinstance(value, Mapping):
        return {key: _render(item, find) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_render(item, find) for item in value]
    return value


def _render_text(text: str, find: Callable[[Reference], Value]) -> Value:
    if "{" not in text:
        return text
    sole = sole_reference(text)
    if sole is not None:
        return find(sole)
    return _TOKEN.sub(lambda m: m["escaped"] or as_text(find(_reference(m))), text)


def _rewritten(match: re.Match[str], replacement: Callable[[Reference], str | None]) -> str:
    if match["escaped"] is not None:
        return match[0]
    text = replacement(_reference(match))
    return match[0] if text is None else text


def _walk(value: Value) -> Iterator[Reference]:
    if isinstance(value, str):
        if "{" in value:
            yield from (_reference(m) for m in _TOKEN.finditer(value) if m["escaped"] is None)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _walk(item)
    elif isinstance(value, Sequence):
        for item in value:
            yield from _walk(item)


def _lookup(
    reference: Reference,
    inputs: Mapping[str, str],
    outputs: Mapping[str, Mapping[str, Value]],
) -> tuple[bool, Value]:
    if not reference.path:
        return reference.name in inputs, inputs.get(reference.name)
    value: Value = outputs.get(reference.name)
    for key in reference.path:
        if not isinstance(value, Mapping) or key not in value:
            return False, None
        value = value[key]
    return True, value
