"""In which order the steps stand on paper, what each waits for, and what may go on beside it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from drorch.core.graph import waves_of
from drorch.core.plan import Plan, PlannedStep


@dataclass(frozen=True, slots=True)
class Placed:
    """A step with its number on paper, the numbers it waits for, and those that may go on meanwhile.

    `wave` is its place among the waves of its phase, counted from 1: what `runbook plan` prints.
    """

    number: int
    step: PlannedStep
    needs: tuple[int, ...] = ()
    beside: tuple[int, ...] = ()
    wave: int = 1


def placed(plan: Plan) -> list[Placed]:
    """Every step, phase by phase; within one, none before those it needs, else as written."""
    ordered = [step for group in _phases(plan) for step in _sorted(group)]
    number = {step.id: n for n, step in enumerate(ordered, 1)}
    before = _before(ordered)
    waves = {name: wave for group in _phases(plan) for name, wave in _waves(group).items()}
    return [
        Placed(
            number[step.id],
            step,
            tuple(sorted(number[need] for need in step.needs if need in number)),
            tuple(sorted(number[other] for other in _beside(step, ordered, before)))
            if plan.parallel > 1 and not step.undoes
            else (),
            waves[step.id],
        )
        for step in ordered
    ]


def ranges(numbers: Iterable[int]) -> list[str]:
    """Numbers in a row as `3–7`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return [
        text
        for run in runs
        for text in ([f"{run[0]}–{run[-1]}"] if len(run) > 2 else [str(n) for n in run])
    ]


def _phases(plan: Plan) -> list[list[PlannedStep]]:
    phases: dict[str, list[PlannedStep]] = {}
    for step in plan.steps:
        phases.setdefault(step.phase, []).append(step)
    return list(phases.values())


def _waves(steps: Sequence[PlannedStep]) -> Mapping[str, int]:
    return waves_of({step.id: step.needs for step in steps})


def _sorted(steps: Sequence[PlannedStep]) -> list[PlannedStep]:
    """None before those it needs; the compiler has made sure that there is no circle."""
    waiting, done, ordered = list(steps), set[str](), list[PlannedStep]()
    here = {step.id for step in steps}
    while waiting:
        step = next(s for s in waiting if done >= here.intersection(s.needs))
        waiting.remove(step)
        done.add(step.id)
        ordered.append(step)
    return ordered


def _before(ordered: Sequence[PlannedStep]) -> Mapping[str, set[str]]:
    """All that must be over before each step begins."""
    before: dict[str, set[str]] = {}
    for step in ordered:
        direct = [need for need in step.needs if need in before]
        before[step.id] = {*direct, *(far for need in direct for far in before[need])}
    return before


def _beside(
    step: PlannedStep, ordered: Sequence[PlannedStep], before: Mapping[str, set[str]]
) -> list[str]:
    return [
        other.id
        for other in ordered
        if other.phase is step.phase
        and other is not step
        and not other.undoes
        and other.id not in before[step.id]
        and step.id not in before[other.id]
    ]
