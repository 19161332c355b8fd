"""Secrets out, by value, before anything is written anywhere."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

from drorch.core.values import Result, Value
from drorch.ports import Secrets


def redacted(value: Mapping[str, Value], secrets: Secrets) -> Mapping[str, Value]:
    """The same mapping with every secret's value replaced in keys and texts."""
    return cast("Mapping[str, Value]", _redact(value, secrets))


def _redact(value: Value, secrets: Secrets) -> Value:
    if isinstance(value, str):
        return secrets.redact(value)
    if isinstance(value, Mapping):
        return {secrets.redact(k): _redact(v, secrets) for k, v in value.items()}
    if isinstance(value, Sequence):
        return [_redact(v, secrets) for v in value]
    return value


def redacted_result(result: Result, secrets: Secrets) -> Result:
    """The same result with every secret's value replaced in everything that is text."""
    return replace(
        result,
        outputs=redacted(result.outputs, secrets),
        message=secrets.redact(result.message),
        hint=secrets.redact(result.hint),
        findings=tuple(
            replace(f, message=secrets.redact(f.message), hint=secrets.redact(f.hint))
            for f in result.findings
        ),
    )
