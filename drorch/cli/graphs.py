"""A plan as a graph."""

from collections.abc import Iterator, Mapping
from itertools import groupby, pairwise
from typing import Any

from drorch.core.plan import Plan

Document = Mapping[str, Any]


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
