"""What a quarter tells of drorch's own records: when their loss was last drilled, how far behind the copy
was, and how long the first restore took. A part of its document; read off the runs' folded states.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from drorch.core.names import Outcome, RunKind
from drorch.core.quarter import Quarter
from drorch.core.quarter_story import Story
from drorch.core.state import RunFold, StepState

#: How many quarters before its own the trend goes back.
_BACK = 8


@dataclass(frozen=True, slots=True)
class LossDrill:
    """One drill of the loss: `records_at` is as of when the records were that came back from `region`,
    `behind` how long before the loss the first event was recorded that did not, `events_behind` how many
    did not; `first_restore` how long it took from the loss until `dataset` was back and compared. None
    where the drill did not come so far.
    """

    run: str
    started_at: datetime
    outcome: str | None
    region: str | None
    records_at: datetime | None
    behind: timedelta | None
    events_behind: int | None
    dataset: str | None
    first_restore: timedelta | None

    @property
    def telling(self) -> bool:
        """Whether it says anything about the records: it passed or failed."""
        return self.outcome in (Outcome.PASSED.value, Outcome.FAILED.value)


@dataclass(frozen=True, slots=True)
class LossTrend:
    """The drills of the loss in one quarter; the figures are those of the last that passed."""

    quarter: str
    drills: int
    passed: int
    failed: int
    aborted: int
    behind: timedelta | None
    first_restore: timedelta | None


@dataclass(frozen=True, slots=True)
class OwnRecords:
    """drorch's own records: the `regions` that are to hold copies, as configured; the newest drill of
    their loss that passed or failed, and when one last passed, as far back as the trend goes, to nine
    quarters at the most; the drills of the quarter, oldest first. One that was aborted says nothing.
    """

    regions: tuple[str, ...]
    last: LossDrill | None
    passed_at: datetime | None
    drills: tuple[LossDrill, ...]
    trend: tuple[LossTrend, ...]


def loss_of(story: Story) -> LossDrill | None:
    """The run as a drill of the loss; None if it is none."""
    state = story.state
    recovering = _step(state, "plane.recover")
    if recovering is None or story.row.kind is not RunKind.DRILL:
        return None
    recovered = recovering.outputs
    compared = _outputs(state, "plane.compare")
    restored = _outputs(state, "plane.restore")
    given = recovering.attempts[-1].arguments if recovering.attempts else {}
    return LossDrill(
        run=story.row.run,
        started_at=state.started.at,
        outcome=state.finished.outcome.value if state.finished else None,
        region=_text(recovered.get("region", given.get("region"))),
        records_at=_instant(recovered.get("at")),
        behind=_length(compared.get("behind_s")),
        events_behind=_count(compared.get("events_behind")),
        dataset=_text(restored.get("dataset")),
        first_restore=_length(restored.get("since_s")),
    )


def own_records(
    drills: Iterable[LossDrill],
    quarter: Quarter,
    zone: tzinfo,
    regions: Sequence[str],
) -> OwnRecords:
    """All of it, of the drills up to the end of the quarter."""
    known = sorted(drills, key=lambda one: one.started_at)
    ended = [one for one in known if one.outcome is not None]
    by_quarter: dict[Quarter, list[LossDrill]] = {}
    for one in ended:
        by_quarter.setdefault(Quarter.of(one.started_at, zone), []).append(one)
    wanted = [quarter.moved(-back) for back in range(_BACK, -1, -1)]
    first = min(by_quarter, default=None)
    return OwnRecords(
        regions=tuple(regions),
        last=next((one for one in reversed(ended) if one.telling), None),
        passed_at=max((one.started_at for one in ended if _passed(one)), default=None),
        drills=tuple(one for one in known if Quarter.of(one.started_at, zone) == quarter),
        trend=tuple(
            _trend(one, by_quarter.get(one, [])) for one in wanted if first and one >= first
        ),
    )


def _trend(quarter: Quarter, drills: Sequence[LossDrill]) -> LossTrend:
    counts = {word: sum(d.outcome == word.value for d in drills) for word in Outcome}
    last = next((d for d in reversed(drills) if _passed(d)), None)
    return LossTrend(
        quarter=str(quarter),
        drills=len(drills),
        passed=counts[Outcome.PASSED],
        failed=counts[Outcome.FAILED],
        aborted=counts[Outcome.ABORTED],
        behind=last.behind if last else None,
        first_restore=last.first_restore if last else None,
    )


def _passed(drill: LossDrill) -> bool:
    return drill.outcome == Outcome.PASSED.value


def _step(state: RunFold, do: str) -> StepState | None:
    return next((one for one in state.steps.values() if one.plan.do == do), None)


def _outputs(state: RunFold, do: str) -> dict[str, object]:
    step = _step(state, do)
    return dict(step.outputs) if step is not None else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _instant(value: object) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else None


def _length(value: object) -> timedelta | None:
    return timedelta(seconds=value) if isinstance(value, int | float) else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None
