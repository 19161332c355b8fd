"""JSON values, and what an attempt gives back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from drorch.core.facts import Fact
from drorch.core.names import Verdict
from drorch.core.posture import CopyFact

Value: TypeAlias = "bool | int | float | str | Sequence[Value] | Mapping[str, Value] | None"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a reader of the report must know although (or because) the run went on.

    `what` is a stable dotted word such as `copy.owed`; `subject` names whom it concerns.
    """

    what: str
    subject: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file kept as evidence: its name in the run's evidence folder, SHA-256 (hex), size in bytes."""

    name: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Result:
    """What one attempt of an action came to.

    On `fail` and `error`, `cause` is a stable word (`timeout`, `exit-code`, `region-unreachable`),
    `message` a sentence and `hint` what to do next.
    """

    verdict: Verdict
    outputs: Mapping[str, Value] = field(default_factory=dict)
    cause: str = ""
    message: str = ""
    hint: str = ""
    findings: tuple[Finding, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    copies: tuple[CopyFact, ...] = ()
    facts: tuple[Fact, ...] = ()


def passed(
    outputs: Mapping[str, Value] | None = None,
    *,
    message: str = "",
    findings: tuple[Finding, ...] = (),
    evidence: tuple[Evidence, ...] = (),
    copies: tuple[CopyFact, ...] = (),
    facts: tuple[Fact, ...] = (),
) -> Result:
    """A result that says it worked."""
    return Result(
        Verdict.PASS,
        outputs or {},
        message=message,
        findings=findings,
        evidence=evidence,
        copies=copies,
        facts=facts,
    )


def failed(
    cause: str,
    message: str,
    hint: str = "",
    *,
    outputs: Mapping[str, Value] | None = None,
    findings: tuple[Finding, ...] = (),
    evidence: tuple[Evidence, ...] = (),
    copies: tuple[CopyFact, ...] = (),
    facts: tuple[Fact, ...] = (),
) -> Result:
    """A result that says what was done or looked at is not as it should be."""
    return Result(
        Verdict.FAIL, outputs or {}, cause, message, hint, findings, evidence, copies, facts
    )


def errored(
    cause: str,
    message: str,
    hint: str = "",
    *,
    outputs: Mapping[str, Value] | None = None,
    evidence: tuple[Evidence, ...] = (),
) -> Result:
    """A result that says the checker itself could not look."""
    return Result(Verdict.ERROR, outputs or {}, cause, message, hint, (), evidence)
