"""Secrets out, by value, before anything is written anywhere."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

from drorch.core.plan import Plan
from drorch.core.values import Result, Value
from drorch.ports import Secrets


def redacted(value: Mapping[str, Value], secrets: Secrets) -> Mapping[str, Value]:
    """The same mapping with every secret's value replaced in keys and texts.

    Raises TypeError for what is no JSON value: it could not be written down.
    """
    return cast("Mapping[str, Value]", _redact(value, secrets))


def _redact(value: Value, secrets: Secrets) -> Value:
    if isinstance(value, str):
        return secrets.redact(value)
    if isinstance(value, Mapping):
        return {_redact_key(k, secrets): _redact(v, secrets) for k, v in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [_redact(v, secrets) for v in value]
    if value is None or isinstance(value, int | float):
        return value
    raise TypeError(f"{type(value).__name__} is no JSON value")


def _redact_key(key: str, secrets: Secrets) -> str:
    if isinstance(key, str):
        return secrets.redact(key)
    raise TypeError(f"{type(key).__name__} is no key of a JSON value")


def redacted_plan(plan: Plan, secrets: Secrets) -> Plan:
    """The same plan without secrets that somebody gave as an input or wrote into the runbook."""

    def out(value: Value) -> Value:
        return _redact(value, secrets)

    return replace(
        plan,
        title=secrets.redact(plan.title),
        inputs={name: secrets.redact(value) for name, value in plan.inputs.items()},
        notices=tuple(map(secrets.redact, plan.notices)),
        steps=tuple(
            replace(
                step,
                title=secrets.redact(step.title),
                arguments=redacted(step.arguments, secrets),
                when=step.when and step.when.rewritten(out),
            )
            for step in plan.steps
        ),
    )


def redacted_result(result: Result, secrets: Secrets) -> Result:
    """The same result with every secret's value replaced in everything that is text."""
    return replace(
        result,
        outputs=redacted(result.outputs, secrets),
        message=secrets.redact(result.message),
        hint=secrets.redact(result.hint),
        findings=tuple(
            replace(
                f,
                subject=secrets.redact(f.subject),
                message=secrets.redact(f.message),
                hint=secrets.redact(f.hint),
            )
            for f in result.findings
        ),
    )
