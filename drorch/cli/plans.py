"""A plan on paper: in words, as a document, and as a graph."""

import json
from collections.abc import Iterator, Mapping
from itertools import groupby, pairwise
from typing import Any

from drorch.cli.words import counted, one_line
from drorch.core.codec import encode
from drorch.core.durations import format_duration
from drorch.core.plan import Plan, PlannedStep
from drorch.core.render import preview
from drorch.core.values import Value

Document = Mapping[str, Any]


def plan_document(plan: Plan) -> Document:
    """The plan for scripts: durations in seconds, every key there."""
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
        "steps": [_step_document(step, plan) for step in plan.steps],
        "notices": list(plan.notices),
    }


def _step_document(step: PlannedStep, plan: Plan) -> Document:
    return {
        "step": step.id,
        "phase": step.phase.value,
        "title": step.title,
        "do": step.do,
        "with": _rendered(step, plan),
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
    }


def _rendered(step: PlannedStep, plan: Plan) -> Mapping[str, Value]:
    """The step's arguments as far as inputs go; what earlier steps will give stays a reference."""
    return {name: preview(value, plan.inputs) for name, value in step.arguments.items()}


def plan_lines(plan: Plan) -> list[str]:
    """The plan for people: by phase, each step with what it would be given."""
    lines = [
        f"{plan.kind} of {plan.name}: {counted(len(plan.steps), 'step')}, at most {plan.parallel} at once"
    ]
    if plan.title:
        lines.append(f"  {plan.title}")
    promised = [
        f"{word} {format_duration(value)}"
        for word, value in (("RTO", plan.objectives.rto), ("RPO", plan.objectives.rpo))
        if value is not None
    ]
    if promised:
        lines.append(f"  promised: {', '.join(promised)}")
    if plan.inputs:
        lines.append(f"  inputs: {', '.join(f'{k}={v}' for k, v in plan.inputs.items())}")
    for phase, steps in groupby(plan.steps, key=lambda step: step.phase):
        lines += ["", phase.value, *(line for step in steps for line in _step_lines(step, plan))]
    if plan.notices:
        lines += ["", "notices", *(f"  {one_line(n)}" for n in plan.notices)]
    return lines


def _step_lines(step: PlannedStep, plan: Plan) -> Iterator[str]:
    skipped = f" - skipped: {step.skip}" if step.skip else ""
    yield f"  {step.id}: {step.do}{skipped}"
    for name, value in _rendered(step, plan).items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        yield f"      {name}: {one_line(text)}"
    about = [
        f"needs {', '.join(step.needs)}" if step.needs else "",
        f"undoes {step.undoes}" if step.undoes else "",
        f"up to {step.retry.attempts} attempts" if step.retry.attempts > 1 else "",
        f"until it passes, within {format_duration(step.until.within)}" if step.until else "",
        f"at most {format_duration(step.timeout)}" if step.timeout else "",
        "asks a person" if step.person else "",
        "the run goes on if it fails" if step.on_failure.value == "continue" else "",
    ]
    told = "; ".join(filter(None, about))
    if told:
        yield f"      ({told})"


def _edges(plan: Plan) -> list[tuple[str, str]]:
    """Needs, by id; cleanup points back at what it undoes."""
    known = {step.id for step in plan.steps}
    return [(need, s.id) for s in plan.steps for need in s.needs if need in known]


def graph_document(plan: Plan) -> Document:
    """Nodes and edges."""
    return {
        "nodes": [
            {"step": s.id, "phase": s.phase.value, "do": s.do, "skip": s.skip or None}
            for s in plan.steps
        ],
        "edges": [{"from": a, "to": b} for a, b in _edges(plan)],
    }


def mermaid(plan: Plan) -> Iterator[str]:
    """The graph as Mermaid draws it, one box for each phase."""
    number = {step.id: f"s{i}" for i, step in enumerate(plan.steps)}
    yield "flowchart LR"
    phases = []
    for phase, steps in groupby(plan.steps, key=lambda step: step.phase):
        phases.append(phase.value)
        yield f"  subgraph {phase.value}"
        for step in steps:
            shape = ("([", "])") if step.check else ("[", "]")
            yield f'    {number[step.id]}{shape[0]}"{_quoted(step.id)}"{shape[1]}'
        yield "  end"
    for before, after in _edges(plan):
        yield f"  {number[before]} --> {number[after]}"
    for earlier, later in pairwise(phases):
        yield f"  {earlier} -.-> {later}"


def dot(plan: Plan) -> Iterator[str]:
    """The graph as Graphviz draws it."""
    yield f'digraph "{_quoted(plan.name)}" {{'
    yield "  rankdir=LR; node [shape=box];"
    for index, (phase, steps) in enumerate(groupby(plan.steps, key=lambda step: step.phase)):
        yield f'  subgraph cluster_{index} {{ label="{phase.value}";'
        for step in steps:
            style = " [style=rounded]" if step.check else ""
            yield f'    "{_quoted(step.id)}"{style};'
        yield "  }"
    for before, after in _edges(plan):
        yield f'  "{_quoted(before)}" -> "{_quoted(after)}";'
    yield "}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', "'")
