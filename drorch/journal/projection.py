"""What is kept beside the events for quick looks: runs in short, known copies, slots. Pure.

All are folds over events in the order in which they were recorded, so they can be rebuilt.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from operator import attrgetter
from typing import TypeAlias

from drorch.core.consent import Terms
from drorch.core.errors import SlotGone
from drorch.core.events import (
    AbortRequested,
    AttemptFinished,
    AttemptLost,
    AttemptStarted,
    Event,
    JobsSeen,
    Owner,
    PersonAnswered,
    PersonAsked,
    Recorded,
    RetryRequested,
    RunContinued,
    RunFinished,
    RunPaused,
    RunStarted,
    RunTaken,
    SkipRequested,
    SlotsMissed,
    SlotTaken,
    Stamped,
    StepGivenUp,
    StepSettled,
    StepSkipped,
)
from drorch.core.jobs import LIE
from drorch.core.names import Mode, Outcome, Requester, RunKind, RunState, SlotFate
from drorch.core.posture import CopyFact, CopyFactKind, KnownCopy, RunRow, SlotRow

#: Dataset, region, snapshot.
CopyKey: TypeAlias = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """An open question: how many people must approve and which, and who has."""

    quorum: int
    approved: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    requester: Requester = Requester.ALONE

    @property
    def terms(self) -> Terms:
        """Who may agree, and how many must."""
        return Terms(self.quorum, self.by, self.groups, self.requester)


#: Under this key among the questions stands that the run is paused: no step has this name.
_PAUSE = ""


@dataclass(slots=True)
class Standing:
    """A run's row as it is folded: what RunRow shows, and what its `state` is reckoned from.

    `in_flight` counts attempts that run, `asked` holds the open questions by step.
    """

    run: str
    kind: RunKind
    name: str
    subject: str
    mode: Mode
    trigger: str
    by: str
    started_at: datetime
    finished_at: datetime | None
    state: RunState
    outcome: Outcome | None
    dirty: bool
    seq: int
    head: str
    owner_host: str
    owner_pid: int
    owner_started: int
    owner_boot: str
    owner_token: str
    in_flight: int = 0
    asked: dict[str, Asked] = field(default_factory=dict)

    def row(self) -> RunRow:
        """The row as others see it."""
        return RunRow(*_shown(self))


_shown = attrgetter(*(f.name for f in fields(RunRow)))


def opening(run: str, first: Stamped | Recorded, head: str) -> Standing:
    """The standing after a run's first event."""
    event = first.event
    if not isinstance(event, RunStarted):
        raise TypeError("the first event of a run is run.started")
    plan, owner = event.plan, event.owner
    return Standing(
        run=run,
        kind=plan.kind,
        name=_plain(plan.name),
        subject=_plain(plan.subject),
        mode=plan.mode,
        trigger=_plain(event.trigger),
        by=_plain(event.by),
        started_at=first.at.at,
        finished_at=None,
        state=RunState.RUNNING,
        outcome=None,
        dirty=False,
        seq=1,
        head=head,
        owner_host=owner.host,
        owner_pid=owner.pid,
        owner_started=owner.started,
        owner_boot=owner.boot,
        owner_token=owner.token,
    )


def _plain(text: str) -> str:
    """Text that every database takes: names from the system may not be UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


def fold(standing: Standing, recorded: Recorded) -> None:
    """Move the standing on by one event."""
    event = recorded.event
    standing.seq, standing.head = recorded.seq, recorded.head
    match event:
        case RunTaken(owner=owner):
            _take(standing, owner)
        case RunFinished(outcome=outcome, left_behind=left_behind):
            standing.finished_at = recorded.at.at
            standing.outcome, standing.dirty = outcome, bool(left_behind)
        case AttemptStarted():
            standing.in_flight += 1
        case AttemptFinished() | AttemptLost():
            standing.in_flight -= 1
        case _:
            _question(standing, event)
    standing.state = _state(standing)


def _take(standing: Standing, owner: Owner) -> None:
    standing.owner_host, standing.owner_pid = owner.host, owner.pid
    standing.owner_started, standing.owner_boot = owner.started, owner.boot
    standing.owner_token = owner.token


def _question(standing: Standing, event: Event) -> None:
    asked = standing.asked
    match event:
        case PersonAsked(step=step):
            asked[step] = Asked(event.quorum, (), event.by, event.groups, event.requester)
        case PersonAnswered(step=step) if step in asked:
            _answered(standing, step, event)
        case StepSettled(step=step) | RetryRequested(step=step) | SkipRequested(step=step):
            asked.pop(step, None)
        case StepGivenUp(step=step) | StepSkipped(step=step):
            asked.pop(step, None)
        case RunPaused():
            asked.setdefault(_PAUSE, Asked(1))
        case RunContinued() | AbortRequested():
            asked.pop(_PAUSE, None)


def _answered(standing: Standing, step: str, answer: PersonAnswered) -> None:
    asked = standing.asked[step]
    if not asked.terms.admit(answer):
        return
    people = tuple(sorted({*asked.approved, answer.by}))
    standing.asked[step] = replace(asked, approved=people)
    if not answer.approved or not asked.terms.wanting(people, standing.by):
        del standing.asked[step]


def _state(standing: Standing) -> RunState:
    if standing.outcome is not None:
        return RunState.FINISHED
    if _PAUSE in standing.asked:
        return RunState.PAUSED
    if standing.asked and not standing.in_flight:
        return RunState.WAITING_FOR_PERSON
    return RunState.RUNNING


def learn(known: KnownCopy | None, fact: CopyFact, at: datetime) -> KnownCopy:
    """What is known of a snapshot in a region after a fact recorded at `at`.

    What is owed is not there, so its proofs are void; what was verified or tested is there.
    """
    before = known or KnownCopy(
        fact.dataset,
        fact.region,
        fact.snapshot,
        fact.snapshot_at,
        fact.files,
        fact.bytes,
        owed=False,
        recorded_at=at,
    )
    after = replace(
        before,
        files=before.files if fact.files is None else fact.files,
        bytes=before.bytes if fact.bytes is None else fact.bytes,
        owed=fact.fact is CopyFactKind.OWED,
    )
    match fact.fact:
        case CopyFactKind.HELD:
            return replace(after, recorded_at=at)
        case CopyFactKind.OWED:
            return replace(after, recorded_at=at, verified_at=None, restore_tested_at=None)
        case CopyFactKind.VERIFIED:
            return replace(after, verified_at=at)
        case CopyFactKind.RESTORE_TESTED:
            return replace(after, restore_tested_at=at)
        case CopyFactKind.GONE:
            raise ValueError("of a copy that is gone nothing is known")


def supersedes(fact: CopyFact) -> bool:
    """Whether other owed snapshots of the same dataset and region, no younger, are owed no more.

    A region owes its newest snapshot: once that is held or owed, the ones before are history. A
    copy of the one owed has another id and the same time.
    """
    return fact.fact in (CopyFactKind.HELD, CopyFactKind.OWED)


class CopyFold:
    """Every known copy, by dataset, region and snapshot, folded fact by fact."""

    def __init__(self) -> None:
        self.known: dict[CopyKey, KnownCopy] = {}
        self._owed: dict[tuple[str, str], set[CopyKey]] = {}
        self._held: dict[tuple[str, str], dict[str, datetime]] = {}

    def learn(self, fact: CopyFact, at: datetime) -> None:
        """Take in a fact recorded at `at`."""
        key = (fact.dataset, fact.region, fact.snapshot)
        if fact.fact is CopyFactKind.GONE:
            self.known.pop(key, None)
            self._owed.get(key[:2], set()).discard(key)
            self._held.get(key[:2], {}).pop(fact.snapshot, None)
            return
        copy = self.known[key] = learn(self.known.get(key), fact, at)
        owed = self._owed.setdefault(key[:2], set())
        if supersedes(fact):
            others = [k for k in owed if k != key]
            for older in [k for k in others if self.known[k].snapshot_at <= copy.snapshot_at]:
                owed.discard(older)
                del self.known[older]
        held = self._held.setdefault(key[:2], {})
        if copy.owed:
            owed.add(key)
            held.pop(fact.snapshot, None)
        else:
            owed.discard(key)
            held[fact.snapshot] = copy.snapshot_at

    def newest(self, dataset: str, region: str, at: datetime) -> datetime | None:
        """Of when the newest snapshot is that lies in a region, as of `at`; None: none does.

        A later one than that was made by a clock that was ahead.
        """
        held = self._held.get((dataset, region), {}).values()
        return max((one for one in held if one <= at), default=None)


def slot_row(run: str, event: SlotTaken | SlotsMissed) -> SlotRow:
    """What an event of a run says became of slots."""
    match event:
        case SlotTaken(job, due_at, late, why):
            fate = SlotFate.LATE if late else SlotFate.FIRED
            return SlotRow(job, due_at, due_at, 1, fate, _plain(why), run)
        case SlotsMissed(job, first, last, count, why):
            return SlotRow(job, first, last, count, SlotFate.MISSED, _plain(why), run)


def account(known: Mapping[str, datetime], event: Event) -> dict[str, datetime]:
    """Up to when slots are accounted for after an event, of the jobs for which that has changed.

    `known` is what it was. Raises SlotGone for a slot that was accounted for already, ValueError for
    a gap that is none.
    """
    match event:
        case SlotTaken(job=job, due_at=at):
            return _moved(known, job, at, at)
        case SlotsMissed(job=job, first_at=first, last_at=last, count=count):
            if first > last or count < 1:
                raise ValueError(f"{count} slots from {first} to {last} are no gap")
            return _moved(known, job, first, last)
        case JobsSeen(jobs=jobs, since=since):
            return {j: since for j in jobs if j not in known or known[j] - since > LIE}
        case _:
            return {}


def _moved(
    known: Mapping[str, datetime], job: str, first: datetime, last: datetime
) -> dict[str, datetime]:
    if job in known and first <= known[job]:
        raise SlotGone.of(job, first)
    return {job: last}
