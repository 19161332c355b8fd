"""Where a run stands: the values that its facts are folded into (see core/run.py)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from drorch.core.events import (
    AbortRequested,
    FenceForced,
    Owner,
    PersonAnswered,
    PersonAsked,
    RetryRequested,
    RunContinued,
    RunFinished,
    RunPaused,
    RunTaken,
    ScheduleFact,
    SkipRequested,
    StepSettled,
)
from drorch.core.moment import Moment
from drorch.core.names import Phase, StepStatus, Verdict
from drorch.core.plan import Plan, PlannedStep
from drorch.core.ready import Ready
from drorch.core.values import Evidence, Finding, Value

#: What a person is asked, and what one says to a run.
Word: TypeAlias = (
    PersonAsked
    | PersonAnswered
    | StepSettled
    | RetryRequested
    | SkipRequested
    | RunPaused
    | RunContinued
    | AbortRequested
    | FenceForced
)


@dataclass(slots=True)
class Attempt:
    """One attempt of a step, as far as it is known. `verdict` is None while it runs or if lost.

    `wait` is the time journalled to pass before the next attempt, None if none was to come.
    """

    number: int
    started: Moment
    arguments: Mapping[str, Value]
    finished: Moment | None = None
    elapsed: timedelta | None = None
    verdict: Verdict | None = None
    lost: bool = False
    denied: bool = False
    cause: str = ""
    message: str = ""
    hint: str = ""
    evidence: tuple[Evidence, ...] = ()
    wait: timedelta | None = None


@dataclass(slots=True)
class Question:
    """What a person was asked, since when, and what was answered.

    `held` is the time for which its deadline stood still, because the run was paused.
    """

    asked: PersonAsked
    at: Moment
    answers: list[tuple[Moment, PersonAnswered]] = field(default_factory=list)
    closed: Moment | None = None
    held: timedelta = timedelta()


@dataclass(slots=True)
class Pause:
    """A time in which nothing new was started, because a person wanted it so."""

    asked: RunPaused
    at: Moment
    ended: Moment | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class ClockStep:
    """The wall clock was set, as the event recorded `at` shows.

    `reboot`: the event before it was of another boot, and `by` is the least that it can be.
    """

    at: Moment
    by: timedelta
    reboot: bool = False


@dataclass(slots=True)
class StepState:
    """Where one step stands. `unmet` counts the needs that are not final yet.

    `forgiven` counts the attempts made before a person had it tried again. `losses` counts its lost attempts. Of an `until`: `streak` counts the passes in a row, and
    its time runs from `looking_since`.
    """

    plan: PlannedStep
    unmet: int
    status: StepStatus = StepStatus.WAITING
    attempts: list[Attempt] = field(default_factory=list)
    outputs: Mapping[str, Value] = field(default_factory=dict)
    losses: int = 0
    forgiven: int = 0
    streak: int = 0
    looking_since: Moment | None = None
    next_try: Moment | None = None
    due_ticks: float | None = None
    questions: list[Question] = field(default_factory=list)
    settled: list[tuple[Moment, StepSettled]] = field(default_factory=list)
    cause: str = ""
    message: str = ""
    hint: str = ""
    why: str = ""
    closed: Moment | None = None

    @property
    def may_have_happened(self) -> bool:
        """Whether something outside may have changed through this step."""
        return not self.plan.check and any(not a.denied for a in self.attempts)

    @property
    def passed(self) -> bool:
        """Whether it did what it should."""
        return self.status is StepStatus.PASSED

    @property
    def made(self) -> int:
        """How many attempts came to a result, or may still, since a person last intervened."""
        return len(self.attempts) - self.losses - self.forgiven

    @property
    def question(self) -> Question | None:
        """The question that is open, if any."""
        return self.questions[-1] if self.questions and not self.questions[-1].closed else None

    @property
    def unknown(self) -> bool:
        """Whether the last attempt's outcome is unknown, so that a person must say."""
        return self._stuck_after_attempt and self.attempts[-1].lost

    @property
    def failed_and_asks(self) -> bool:
        """Whether it came to nothing, and a person must say how it goes on."""
        return self._stuck_after_attempt and not self.attempts[-1].lost

    @property
    def _stuck_after_attempt(self) -> bool:
        waits = self.status is StepStatus.WAITING_FOR_PERSON
        return waits and not self.plan.person and bool(self.attempts)


@dataclass(slots=True)
class RunFold:
    """The state of one run. Built by `opening`, moved on by `apply`.

    `open_steps` holds the steps that are not final, in file order. `failed` says that something
    failed that makes the run a failed one; what fails once somebody has aborted says nothing.
    `unheeded` holds the words that changed nothing, and why; `schedule` what its start told of slots.
    """

    run: str
    plan: Plan
    owner: Owner
    by: str
    trigger: str
    reason: str
    declared_at: datetime | None
    due_at: datetime | None
    started: Moment
    latest: Moment
    steps: dict[str, StepState]
    dependents: dict[str, list[str]]
    open_steps: dict[Phase, dict[str, None]]
    phase: Phase
    ready: Ready
    running: dict[str, None] = field(default_factory=dict)
    unscheduled: dict[str, None] = field(default_factory=dict)
    unasked: dict[str, None] = field(default_factory=dict)
    asked: dict[str, None] = field(default_factory=dict)
    scheduled: list[tuple[float, str]] = field(default_factory=list)
    started_order: list[str] = field(default_factory=list)
    outputs: dict[str, Mapping[str, Value]] = field(default_factory=dict)
    findings: list[tuple[str, Finding]] = field(default_factory=list)
    halted: str = ""
    cut_off: dict[str, str] = field(default_factory=dict)
    abort: AbortRequested | None = None
    abort_phase: Phase | None = None
    aborted_at: Moment | None = None
    forced: FenceForced | None = None
    forced_at: Moment | None = None
    pauses: list[Pause] = field(default_factory=list)
    overrides: list[tuple[Moment, RetryRequested | SkipRequested]] = field(default_factory=list)
    unheeded: list[tuple[Moment, Word, str]] = field(default_factory=list)
    failed: bool = False
    failed_step: str = ""
    touched: bool = False
    clock_steps: list[ClockStep] = field(default_factory=list)
    takings: list[tuple[Moment, RunTaken]] = field(default_factory=list)
    schedule: list[ScheduleFact] = field(default_factory=list)
    finished: RunFinished | None = None
    finished_at: Moment | None = None

    @property
    def paused(self) -> Pause | None:
        """The pause that lasts, if any."""
        return self.pauses[-1] if self.pauses and self.pauses[-1].ended is None else None
