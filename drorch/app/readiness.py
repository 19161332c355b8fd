"""Use case: every precondition of runbooks really looked at from here, so that rot shows in time.

For people by `drorch runbook check --ready`, unattended by whoever keeps a schedule. It is a run
like any other; what it found stands in `status` until the next one (app/proving.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from drorch.app.drills import OPERATORS, compile_plan
from drorch.app.program import Program
from drorch.app.runs import Control, Request, RunView, carry_out
from drorch.core.errors import ConfigurationError, Problem
from drorch.core.events import Event, FindingRecorded
from drorch.core.names import Mode, StepStatus, Verdict
from drorch.core.plan import Plan
from drorch.core.readiness import broken_finding, compile_readiness, split
from drorch.core.state import StepState
from drorch.engine.loop import Watcher

#: How long a precondition may take that says nothing of it.
TIMEOUT = timedelta(minutes=1)

#: So many preconditions are looked at side by side.
WORKERS = 8


class Look(StrEnum):
    """What a look at a precondition came to. `error`: the checker itself could not look."""

    PASS = "pass"  # noqa: S105 - a result, not a password
    FAIL = "fail"
    ERROR = "error"
    NOT_DONE = "not-done"


@dataclass(frozen=True, slots=True)
class Precondition:
    """One precondition of a runbook, as it was found; `took` is None if nobody looked, `open` says
    that nobody could have.
    """

    runbook: str
    name: str
    do: str
    look: Look
    took: timedelta | None
    message: str
    hint: str
    open: bool = False


@dataclass(frozen=True, slots=True)
class Readiness:
    """What was found. `problems` are those of the texts, by runbook: empty for one that is good."""

    problems: Mapping[str, Sequence[Problem]]
    preconditions: tuple[Precondition, ...]
    view: RunView

    def of(self, runbook: str) -> list[Precondition]:
        """The preconditions of one runbook."""
        return [one for one in self.preconditions if one.runbook == runbook]

    def ready(self, runbook: str) -> bool | None:
        """Whether the runbook could begin; None: not all of it could be looked at."""
        bad = any(one.look in (Look.FAIL, Look.ERROR) for one in self.of(runbook))
        if bad or self.problems[runbook]:
            return False
        return None if any(one.open for one in self.of(runbook)) else True


def look(
    program: Program,
    names: Sequence[str] = (),
    *,
    control: Control,
    watchers: Sequence[Watcher] = (),
    request: Request = OPERATORS,
    timeout: timedelta = TIMEOUT,
    workers: int = WORKERS,
) -> Readiness:
    """Look at the preconditions of the named runbooks, or of all, as a failover would.

    An input without a default is taken from the drill that is configured for the runbook. Raises
    UsageError for a name that is none, AlreadyRunning while another such look is under way.
    """
    plans, problems = _compiled(program, names)
    digests = program.runbooks.digests()
    plan = compile_readiness(
        plans,
        program.configuration,
        broken={name: digests.get(name, "") for name, wrong in problems.items() if wrong},
        timeout=timeout,
        workers=workers,
        subject=f"readiness:{','.join(problems)}" if names else "readiness",
    )
    view = carry_out(
        program,
        plan,
        replace(request, also=(*request.also, *_broken(problems))),
        control=control,
        watchers=watchers,
    )
    found = tuple(_found(step) for step in view.state.steps.values())
    return Readiness(problems, found, view)


def _compiled(
    program: Program, names: Sequence[str]
) -> tuple[list[Plan], dict[str, Sequence[Problem]]]:
    """The plans for real of those that are sound, and what is wrong with each."""
    plans: list[Plan] = []
    problems: dict[str, Sequence[Problem]] = {}
    for name in names or program.runbooks.paths():
        problems[name] = ()
        try:
            lent = _lent(program, name)
            plans.append(compile_plan(program, name, Mode.LIVE, lent, inputs_later=True))
        except ConfigurationError as error:
            problems[name] = error.problems
    return plans, problems


def _lent(program: Program, name: str) -> dict[str, str]:
    """Values of configured drills for inputs that have no default."""
    wanted = {i.name for i in program.runbooks.get(name).sound().inputs if i.default is None}
    return {
        key: value
        for drill in program.configuration.drills.values()
        if drill.runbook == name
        for key, value in drill.inputs.items()
        if key in wanted
    }


def _broken(problems: Mapping[str, Sequence[Problem]]) -> Iterator[Event]:
    for name, wrong in problems.items():
        if wrong:
            more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
            yield FindingRecorded(broken_finding(name, f"{wrong[0]}{more}", wrong[0].hint))


def _found(step: StepState) -> Precondition:
    runbook, name = split(step.plan.id)
    spent = [attempt.elapsed for attempt in step.attempts if attempt.elapsed is not None]
    return Precondition(
        runbook,
        name,
        step.plan.do,
        _look_of(step),
        sum(spent, timedelta()) if spent else None,
        "" if step.status is StepStatus.PASSED else step.message or step.why,
        step.hint,
        bool(step.plan.skip),
    )


def _look_of(step: StepState) -> Look:
    if step.status is StepStatus.PASSED:
        return Look.PASS
    if step.status is not StepStatus.FAILED:
        return Look.NOT_DONE
    last = step.attempts[-1].verdict if step.attempts else Verdict.ERROR
    return Look.FAIL if last is Verdict.FAIL else Look.ERROR
