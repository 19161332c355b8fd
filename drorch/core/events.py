"""The facts a journal holds. A run is nothing but these, in order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from drorch.core.facts import Fact
from drorch.core.moment import Moment
from drorch.core.names import Otherwise, Outcome, Requester, Verdict
from drorch.core.plan import Plan
from drorch.core.posture import CopyFact
from drorch.core.values import Evidence, Finding, Value


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that carries a run: enough to know for sure whether it still lives.

    `started` is the process's start time in clock ticks since boot; `token` marks its children.
    """

    host: str
    pid: int
    started: int
    boot: str
    user: str
    token: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The first event: who started which plan, why, and by which process it is carried."""

    plan: Plan
    owner: Owner
    by: str
    trigger: str
    reason: str = ""
    declared_at: datetime | None = None
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RunTaken:
    """Another process (or the same again) took over a run whose owner was gone.

    `on_word`: it could not be seen from there, and `by` said that it was.
    """

    owner: Owner
    by: str
    on_word: bool = False


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    """An attempt is about to be carried out, with these rendered, redacted arguments."""

    step: str
    attempt: int
    arguments: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AttemptFinished:
    """An attempt came to a result. `elapsed` is by the boot clock."""

    step: str
    attempt: int
    verdict: Verdict
    elapsed: timedelta
    outputs: Mapping[str, Value] = field(default_factory=dict)
    cause: str = ""
    message: str = ""
    hint: str = ""
    findings: tuple[Finding, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    copies: tuple[CopyFact, ...] = ()
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class AttemptLost:
    """The process that carried the attempt died: whether it happened is unknown."""

    step: str
    attempt: int


@dataclass(frozen=True, slots=True)
class RetryScheduled:
    """The step will be tried again at `not_before`."""

    step: str
    not_before: Moment
    delay: timedelta


@dataclass(frozen=True, slots=True)
class StepSkipped:
    """The step is not done, and why."""

    step: str
    why: str


@dataclass(frozen=True, slots=True)
class StepGivenUp:
    """A step that would have been tried again, or waited for a person, is not any more."""

    step: str
    cause: str
    why: str


@dataclass(frozen=True, slots=True)
class PersonAsked:
    """A person is asked: `question` is `approve`, `confirm`, `settle` or `failed`.

    `by` (accounts) and `groups` say who may answer; both empty: everybody. `requester` says
    whether who started the run may agree, `otherwise` what follows when `within` is over.
    """

    step: str
    question: str
    prompt: str
    quorum: int = 1
    within: timedelta | None = None
    by: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    requester: Requester = Requester.ALONE
    otherwise: Otherwise = Otherwise.FAIL


@dataclass(frozen=True, slots=True)
class PersonAnswered:
    """One person's answer to an approval or confirmation.

    `groups` are those groups of the account that the question names.
    """

    step: str
    approved: bool
    by: str
    reason: str = ""
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepSettled:
    """A person says whether an attempt of unknown outcome happened."""

    step: str
    happened: bool
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class RetryRequested:
    """A person has a step tried again: one that failed and asked, or at once one that waits to."""

    step: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class SkipRequested:
    """A person has a step left out."""

    step: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunPaused:
    """A person has nothing new started; what runs comes to its end."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunContinued:
    """A person lets a paused run go on."""

    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AbortRequested:
    """A person (or an interrupt) ends the run: no new steps, then cleanup."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class FenceForced:
    """A person lets a failover go on although the primary is not known to be down or fenced."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class FindingRecorded:
    """A finding that belongs to the run and not to one attempt."""

    finding: Finding


@dataclass(frozen=True, slots=True)
class SlotTaken:
    """The run is what a job's slot (core/jobs.py) was due for; `late`: it began late, and `why`.

    Of all slots of a job each is accounted for once, in their order, by this or as missed.
    """

    job: str
    due_at: datetime
    late: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class SlotsMissed:
    """So many slots of a job, one after the other, that nothing was or will be done for, and why."""

    job: str
    first_at: datetime
    last_at: datetime
    count: int
    why: str


@dataclass(frozen=True, slots=True)
class JobsSeen:
    """Jobs by name whose slots count from `since` on, which is now.

    Those known already go on from where they are, unless that is more than a quarter of an hour
    later than now: a clock lied.
    """

    jobs: tuple[str, ...]
    since: datetime


@dataclass(frozen=True, slots=True)
class ConfigurationTaken:
    """Jobs are those of this configuration file from here on; `digest` is its SHA-256 (hex)."""

    file: str
    digest: str
    why: str


#: What is recorded of schedules with a run's start.
ScheduleFact: TypeAlias = SlotTaken | SlotsMissed | JobsSeen | ConfigurationTaken


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The last event. `left_behind` names cleanup that failed; the run is then dirty.

    `facts` are what follows from the run as a whole.
    """

    outcome: Outcome
    left_behind: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()


Event: TypeAlias = (
    RunStarted
    | RunTaken
    | AttemptStarted
    | AttemptFinished
    | AttemptLost
    | RetryScheduled
    | StepSkipped
    | StepGivenUp
    | PersonAsked
    | PersonAnswered
    | StepSettled
    | RetryRequested
    | SkipRequested
    | RunPaused
    | RunContinued
    | AbortRequested
    | FenceForced
    | FindingRecorded
    | ScheduleFact
    | RunFinished
)


@dataclass(frozen=True, slots=True)
class Stamped:
    """An event and the moment it was recorded."""

    at: Moment
    event: Event


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as the journal holds it. `seq` counts from 1; `head` is the chain's hash here."""

    run: str
    seq: int
    at: Moment
    event: Event
    head: str
