"""One line of time for a run that may have lived through several boots and hosts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from drorch.core.moment import Moment, elapsed
from drorch.core.state import RunFold, StepState


@dataclass(frozen=True, slots=True)
class Axis:
    """Places moments on one line: seconds since the run started, negative before.

    Within a boot the boot clock counts. From one boot to the next the wall clock has to do, but
    it never leads back behind what the earlier boot had already seen.
    """

    anchors: dict[str, tuple[Moment, float]]

    @classmethod
    def of(cls, state: RunFold) -> "Axis":
        """The axis of a run."""
        axis = cls({state.started.boot: (state.started, 0.0)})
        previous = state.started.boot
        for at, _ in state.takings:
            if at.boot not in axis.anchors:
                start, offset = axis.anchors[previous]
                by_wall = offset + elapsed(start, at).total_seconds()
                seen = (axis.at(m) for m in _moments(state) if m.boot == previous)
                axis.anchors[at.boot] = (at, max(by_wall, *seen, offset))
            previous = at.boot
        return axis

    def at(self, moment: Moment) -> float:
        """The moment's place on the line, in seconds."""
        anchor = self.anchors.get(moment.boot)
        if anchor is None:
            return self.at_wall(moment.at)
        start, offset = anchor
        return offset + moment.ticks - start.ticks

    def at_wall(self, at: datetime) -> float:
        """The place of a time known by the wall clock only, told from the run's start."""
        start, offset = next(iter(self.anchors.values()))
        return offset + (at - start.at).total_seconds()


def began(step: StepState) -> Moment | None:
    """When the step's first attempt started or its first question was asked; None if neither."""
    if step.attempts:
        return step.attempts[0].started
    return step.questions[0].at if step.questions else None


def _moments(state: RunFold) -> Iterator[Moment]:
    for step in state.steps.values():
        yield from (m for a in step.attempts for m in (a.started, a.finished) if m is not None)
        yield from (q.at for q in step.questions)
        if step.closed is not None:
            yield step.closed
