"""A plan on paper: in words, and as a document."""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from drorch.cli.words import counted, lasted, moment, one_line
from drorch.core.codec import encode
from drorch.core.document import rfc3339, seconds
from drorch.core.durations import format_duration
from drorch.core.forecast import Expected, Range
from drorch.core.graph import waves_of
from drorch.core.names import Phase
from drorch.core.plan import Plan, PlannedStep
from drorch.core.render import as_text, preview
from drorch.core.values import Value

if TYPE_CHECKING:
    from drorch.app.planning import NeededSecret, Planned

Document = Mapping[str, Any]

#: Arguments that are a program with its words.
_COMMANDS = frozenset({"argv", "command"})

#: What a look at a secret came to.
_LOOKS = {True: "there", False: "missing", None: "not asked (a program gives it)"}


def plan_document(planned: "Planned") -> Document:
    """The plan for scripts: durations in seconds, every key there."""
    plan = planned.plan
    waves = _waves(plan)
    return {
        "kind": plan.kind.value,
        "name": plan.name,
        "title": plan.title,
        "mode": plan.mode.value,
        "subject": plan.subject,
        "service": plan.service,
        "objectives": encode(plan.objectives),
        "inputs": dict(plan.inputs),
        "datasets": list(plan.datasets),
        "parallel": plan.parallel,
        "exercise": encode(plan.exercise) if plan.exercise else None,
        "steps": [_step_document(step, planned, waves[step.id]) for step in plan.steps],
        "notices": list(plan.notices),
        "ready": not planned.missing and planned.past.trouble is None,
        "missing_inputs": [
            {"input": name, "doc": doc} for name, doc in planned.open_inputs.items()
        ],
        "secrets": [_secret_document(one) for one in planned.secrets],
        "drill_skips": [{"step": step, "why": why} for step, why in planned.drill_skips.items()],
        "forecast": _forecast_document(planned),
    }


def _step_document(step: PlannedStep, planned: "Planned", wave: int) -> Document:
    expected = (planned.forecast.steps or {}).get(step.id)
    return {
        "step": step.id,
        "phase": step.phase.value,
        "wave": wave,
        "title": step.title,
        "do": step.do,
        "with": dict(planned.arguments[step.id]),
        "needs": list(step.needs),
        "check": step.check,
        "person": step.person,
        "repeatable": step.repeatable,
        "on_failure": step.on_failure.value,
        "retry": encode(step.retry),
        "until": encode(step.until) if step.until else None,
        "timeout_s": step.timeout.total_seconds() if step.timeout else None,
        "when": encode(step.when) if step.when else None,
        "skip": step.skip or None,
        "undoes": step.undoes or None,
        "expected": {**_range(expected.took), "runs": expected.runs} if expected else None,
    }


def _secret_document(one: "NeededSecret") -> Document:
    return {
        "secret": one.look.name,
        "source": one.look.source,
        "there": one.look.there,
        "steps": list(one.steps),
        "message": one.look.message,
        "hint": one.look.hint,
    }


def _forecast_document(planned: "Planned") -> Document:
    found, runs = planned.forecast, planned.past.runs
    return {
        "runs": len(runs),
        "from": rfc3339(planned.since) if planned.since else None,
        "to": rfc3339(runs[0].started_at) if runs else None,
        "rta": _range(found.rta) if found.known else None,
        "machine": _range(found.machine) if found.known else None,
        "person": _range(found.person) if found.known else None,
        "at_least": bool(found.unknown),
        "met": found.met,
        "critical_path": list(found.critical_path) if found.known else [],
        "unknown": list(found.unknown),
    }


def _range(one: Range) -> dict[str, float]:
    return {
        "least_s": seconds(one.least),
        "typical_s": seconds(one.typical),
        "most_s": seconds(one.most),
    }


def _waves(plan: Plan) -> dict[str, int]:
    """Within its phase, in which wave each step comes."""
    waves: dict[str, int] = {}
    for phase in Phase:
        waves |= waves_of({s.id: s.needs for s in plan.steps if s.phase is phase})
    return waves


def plan_lines(planned: "Planned", zone: str) -> list[str]:
    """The plan for people: by phase and wave, each step with what it would be given."""
    plan, waves = planned.plan, _waves(planned.plan)
    counts = f"{counted(len(plan.steps), 'step')}, at most {plan.parallel} at once"
    lines = [
        f"{plan.kind} of {plan.name}: {counts}; steps of one number may go side by side",
        *_about(plan),
    ]
    for phase, steps in groupby(plan.steps, key=lambda step: step.phase):
        ordered = sorted(steps, key=lambda step: waves[step.id])
        lines += ["", phase.value]
        lines += [line for one in ordered for line in _step_lines(one, planned, waves[one.id])]
    parts = (
        ("to be shown", _goal_lines(plan)),
        ("notices", map(one_line, plan.notices)),
        ("a drill leaves out", (f"{s}: {w}" for s, w in planned.drill_skips.items())),
        ("secrets", map(_secret_line, planned.secrets)),
        ("forecast", _forecast_lines(planned, zone)),
    )
    for title, told in parts:
        found = [f"  {line}" for line in told]
        lines += ["", title, *found] if found else []
    return lines


def _about(plan: Plan) -> Iterator[str]:
    if plan.title:
        yield f"  {one_line(plan.title)}"
    promised = [
        f"{word} {format_duration(value)}"
        for word, value in (("RTO", plan.objectives.rto), ("RPO", plan.objectives.rpo))
        if value is not None
    ]
    if promised:
        yield f"  promised: {', '.join(promised)}"
    if plan.inputs:
        yield f"  inputs: {', '.join(f'{k}={one_line(v)}' for k, v in plan.inputs.items())}"


def _goal_lines(plan: Plan) -> Iterator[str]:
    """What an exercise is to show, and by which steps."""
    section = plan.exercise
    if section is None:
        return
    if section.scenario:
        yield f"scenario: {one_line(section.scenario)}"
    for goal in (*section.objectives, *section.criteria):
        by = ", ".join(goal.shown_by) or "people judge"
        yield f"{one_line(goal.text)} ({by})"


def _step_lines(step: PlannedStep, planned: "Planned", wave: int) -> Iterator[str]:
    skipped = f" - skipped: {step.skip}" if step.skip else ""
    yield f"  {wave}. {step.id}: {step.do}{skipped}"
    for name, value in planned.arguments[step.id].items():
        yield f"      {_argument(name, value)}"
    told = "; ".join(filter(None, _step_about(step, planned)))
    if told:
        yield f"      ({told})"


def _argument(name: str, value: Value) -> str:
    if name in _COMMANDS and isinstance(value, Sequence) and not isinstance(value, str):
        return f"$ {one_line(shlex.join(str(word) for word in value))}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"{name}: {one_line(text)}"


def _step_about(step: PlannedStep, planned: "Planned") -> Iterator[str]:
    yield f"needs {', '.join(step.needs)}" if step.needs else ""
    yield f"undoes {step.undoes}" if step.undoes else ""
    yield _condition(step, planned.plan) if step.when else ""
    yield f"up to {step.retry.attempts} attempts" if step.retry.attempts > 1 else ""
    yield f"until it passes, within {format_duration(step.until.within)}" if step.until else ""
    yield f"at most {format_duration(step.timeout)}" if step.timeout else ""
    yield _asks(planned, step) if step.person else ""
    yield "the run goes on if it fails" if step.on_failure.value == "continue" else ""
    expected = (planned.forecast.steps or {}).get(step.id)
    yield f"took {_spent(expected)}" if expected and not step.skip else ""


def _condition(step: PlannedStep, plan: Plan) -> str:
    """`only if {role.stdout} is standby`, as far as inputs go."""
    when = step.when
    if when is None:
        return ""
    value, operand = (as_text(preview(v, plan.inputs)) for v in (when.value, when.operand))
    return f"only if {value or '(nothing)'} {when.test.replace('-', ' ')} {operand or '(nothing)'}"


def _asks(planned: "Planned", step: PlannedStep) -> str:
    within = planned.arguments[step.id].get("within")
    return f"asks a person, within {within}" if within else "asks a person"


def _spent(expected: Expected) -> str:
    if expected.passed_over:
        return f"no time: its condition did not hold in {counted(expected.runs, 'run')}"
    return f"{_lasting(expected.took)} in {counted(expected.runs, 'run')}"


def _lasting(one: Range) -> str:
    """`41.2s`, or with its bounds: `41.2s (38.0s to 1m 2s)`."""
    least, typical, most = (format_duration(d) for d in (one.least, one.typical, one.most))
    return typical if least == most else f"{typical} ({least} to {most})"


def _secret_line(one: "NeededSecret") -> str:
    source = f" ({one.look.source})" if one.look.source else ""
    return f"{one.look.name}{source}: {_LOOKS[one.look.there]}"


def _forecast_lines(planned: "Planned", zone: str) -> Iterator[str]:
    found, past = planned.forecast, planned.past
    if past.trouble is not None:
        yield "none: the journal cannot be read"
        return
    if not found.known:
        yield "none: nothing of it was ever done"
        return
    least = "at least " if found.unknown else ""
    yield f"RTA {least}{_lasting(found.rta)}{_promise(planned)}"
    yield f"machines {_lasting(found.machine)}, waiting for people {_lasting(found.person)}"
    yield f"critical path: {' > '.join(_step_spent(planned, step) for step in found.critical_path)}"
    if found.unknown:
        people = {step.id: step for step in planned.plan.steps if step.person}
        named = (
            f"{one} ({_asks(planned, people[one])})" if one in people else one
            for one in found.unknown
        )
        yield f"never done yet: {', '.join(named)}"
    yield f"from {counted(len(past.runs), 'past run')}, since {moment(planned.since, zone)}"


def _promise(planned: "Planned") -> str:
    found, target = planned.forecast, planned.plan.objectives.rto
    if target is None:
        return ""
    if found.met is False:
        return f" of RTO {lasted(target.total_seconds())}: too late"
    if found.rta.most > target:
        return f" of RTO {lasted(target.total_seconds())}: in time, but not always"
    words = "in time" if found.met else "cannot be said"
    return f" of RTO {lasted(target.total_seconds())}: {words}"


def _step_spent(planned: "Planned", step: str) -> str:
    expected = (planned.forecast.steps or {}).get(step)
    return f"{step} {format_duration(expected.took.typical)}" if expected else step
