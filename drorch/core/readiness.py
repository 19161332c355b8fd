"""Whether runbooks could begin: their preconditions looked at from here, as a run of its own. Pure.

One run looks at many runbooks. Each precondition becomes a check `RUNBOOK/PRECONDITION` under
`verify`, so that all are looked at whatever the others find; nothing else of a runbook is in it.
What the run rests on are the runbooks: those without preconditions are in its targets alone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from drorch.core.facts import Fact, ReadinessLooked, ReadinessProven
from drorch.core.model import Configuration
from drorch.core.names import Mode, Phase, RunKind, StepStatus
from drorch.core.plan import Plan, PlannedStep
from drorch.core.render import Reference, literal, references, rewrite
from drorch.core.runbook import When
from drorch.core.state import RunFold, StepState
from drorch.core.values import Finding, Value
from drorch.core.verification import RUNBOOK

#: The finding that a runbook cannot even be compiled.
BROKEN = "runbook.broken"

ASKS = "it asks a person"


def compile_readiness(
    plans: Sequence[Plan],
    configuration: Configuration,
    *,
    broken: Mapping[str, str],
    timeout: timedelta,
    workers: int,
    subject: str,
) -> Plan:
    """The plan that looks at the preconditions of live plans, so many at once.

    A precondition without a timeout of its own has this one. `broken` are digests of the runbooks
    that could not be compiled, by name: it is recorded of them that they are not ready.
    """
    return Plan(
        kind=RunKind.READINESS,
        name="runbooks",
        mode=Mode.LIVE,
        subject=subject,
        steps=tuple(look for plan in plans for look in _looks(plan, timeout)),
        parallel=workers,
        title="Look whether runbooks could begin",
        organization=configuration.organization,
        timezone=configuration.timezone,
        configuration_digest=configuration.digest,
        targets={
            f"{RUNBOOK} {name}": digest
            for name, digest in [*((p.name, p.runbook_digest) for p in plans), *broken.items()]
        },
    )


def broken_finding(runbook: str, message: str, hint: str) -> Finding:
    """That a runbook cannot be compiled, to be recorded with the run's start."""
    return Finding(BROKEN, runbook, message, hint)


def split(step: str) -> tuple[str, str]:
    """The runbook and the precondition that a check of such a run is of."""
    runbook, _, precondition = step.partition("/")
    return runbook, precondition


def _looks(plan: Plan, timeout: timedelta) -> Iterator[PlannedStep]:
    for step in plan.steps:
        if step.phase is not Phase.PRECONDITIONS:
            continue
        yield replace(
            step,
            id=f"{plan.name}/{step.id}",
            phase=Phase.VERIFY,
            arguments=_moved(step.arguments, plan),
            needs=tuple(f"{plan.name}/{need}" for need in step.needs),
            timeout=step.timeout or timeout,
            when=_moved_when(step.when, plan),
            skip=step.skip or _not_looked_at(step, plan),
        )


def _not_looked_at(step: PlannedStep, plan: Plan) -> str:
    if step.person:
        return ASKS
    written: Iterable[Value] = step.arguments.values()
    if step.when is not None:
        written = [*written, step.when.value, step.when.operand]
    wanted = (one.name for value in written for one in references(value) if not one.path)
    missing = list(dict.fromkeys(name for name in wanted if name not in plan.inputs))
    return f"it needs the input {', '.join(missing)}" if missing else ""


def _moved(arguments: Mapping[str, Value], plan: Plan) -> dict[str, Value]:
    """With the runbook's inputs put in, and outputs of its own preconditions under their new names."""

    def new(reference: Reference) -> str | None:
        if reference.path:
            return f"{{{plan.name}/{reference.text}}}"
        value = plan.inputs.get(reference.name)
        return literal(value) if value is not None else None

    return {name: rewrite(value, new) for name, value in arguments.items()}


def _moved_when(when: When | None, plan: Plan) -> When | None:
    if when is None:
        return None
    moved = _moved({"value": when.value, "operand": when.operand}, plan)
    return When(moved["value"], when.test, moved["operand"])


def readiness_of(state: RunFold) -> tuple[Fact, ...]:
    """What is known of each runbook now that the run has looked; one that was ended says nothing."""
    if state.plan.kind is not RunKind.READINESS or state.abort is not None:
        return ()
    wrong: dict[str, list[str]] = {
        target.removeprefix(f"{RUNBOOK} "): [] for target in state.plan.targets
    }
    for _, finding in state.findings:
        if finding.what == BROKEN and finding.subject in wrong:
            wrong[finding.subject].append(finding.message)
    unknown: dict[str, list[str]] = {name: [] for name in wrong}
    for step in state.steps.values():
        runbook, precondition = split(step.plan.id)
        told = wrong if _did_not_pass(step, state) else unknown if step.plan.skip else {}
        if runbook in told:
            told[runbook].append(f"{precondition}: {step.message or step.why or step.cause}")
    looked = [
        ReadinessLooked(name, state.run, tuple(said), tuple(unknown[name]))
        for name, said in wrong.items()
    ]
    proven = [ReadinessProven(one.runbook, state.run) for one in looked if not one.wrong + one.open]
    return (*looked, *proven)


def _did_not_pass(step: StepState, state: RunFold) -> bool:
    """It failed, or somebody had it left out: then nobody knows."""
    left_out = step.plan.id in {word.step for _, word in state.overrides}
    return step.status is StepStatus.FAILED or (left_out and step.status is StepStatus.SKIPPED)
