"""A runbook's `exercise:` section as it goes into the plan: inputs put in, steps looked up."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from drorch.core.errors import Problem
from drorch.core.exercises import OBJECTIVES, Exercise, Goal
from drorch.core.nearest import did_you_mean
from drorch.core.render import preview, references
from drorch.core.runbook import Runbook

_Path = tuple[str | int, ...]


def exercise_in(runbook: Runbook, values: Mapping[str, str]) -> Exercise | None:
    """The section with the inputs' values in its texts; None if there is none."""
    section = runbook.exercise
    if section is None:
        return None

    def put(text: str) -> str:
        return str(preview(text, values))

    def goal(one: Goal) -> Goal:
        return replace(one, text=put(one.text))

    return replace(
        section,
        scenario=put(section.scenario),
        scope=put(section.scope),
        objectives=tuple(goal(one) for one in section.objectives),
        criteria=tuple(goal(one) for one in section.criteria),
        assumptions=tuple(put(one) for one in section.assumptions),
        excluded=tuple(put(one) for one in section.excluded),
        areas={area: goal(one) for area, one in section.areas.items()},
    )


def exercise_problems(runbook: Runbook, steps: Sequence[str]) -> Iterator[Problem]:
    """What is wrong with the section: inputs and steps that are not there. `steps` are the plan's."""
    section = runbook.exercise
    if section is None:
        return
    inputs = [one.name for one in runbook.inputs]
    for path, text in _texts(section):
        for one in references(text):
            if one.path or one.name not in inputs:
                message = f"exercise: {{{one.text}}} is no input of this runbook"
                yield _problem(runbook, message, did_you_mean(one.name, inputs, "inputs are"), path)
    known = {*OBJECTIVES, *steps, *_nestings(steps)}
    for path, goal in _goals(section):
        for number, name in enumerate(goal.shown_by):
            if name not in known:
                message = f"exercise: there is no step {name!r}"
                hint = did_you_mean(name, sorted(known), "steps are")
                yield _problem(runbook, message, hint, (*path, "shown_by", number))


def _nestings(steps: Sequence[str]) -> Iterator[str]:
    """`a` and `a/b` of `a/b/c`: a step that nests a runbook stands for all that is in it."""
    for name in steps:
        parts = name.split("/")
        yield from ("/".join(parts[:depth]) for depth in range(1, len(parts)))


def _problem(runbook: Runbook, message: str, hint: str, path: _Path) -> Problem:
    return Problem(message, hint, (*runbook.within, "exercise", *path), runbook.file)


def _goals(section: Exercise) -> Iterator[tuple[_Path, Goal]]:
    for key, goals in (("objectives", section.objectives), ("criteria", section.criteria)):
        yield from (((key, number), goal) for number, goal in enumerate(goals))
    yield from ((("areas", area.value), goal) for area, goal in section.areas.items())


def _texts(section: Exercise) -> Iterator[tuple[_Path, str]]:
    yield ("scenario",), section.scenario
    yield ("scope",), section.scope
    yield from ((path, goal.text) for path, goal in _goals(section))
    for key, texts in (("assumptions", section.assumptions), ("excluded", section.excluded)):
        yield from (((key, number), text) for number, text in enumerate(texts))
