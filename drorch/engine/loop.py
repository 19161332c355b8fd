"""The shell around the pure core: decide, record, do, fold, until the run is over.

Everything that happens is recorded before anything that follows from it is done. One commit
holds all events of one turn. Resuming is replaying the journal and entering the same loop.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from queue import Empty, SimpleQueue
from typing import Protocol, TypeAlias

from drorch.core.decide import Ask, Finish, GiveUp, ScheduleRetry, Skip, Start, WakeAt, decide
from drorch.core.errors import DrorchError, ExitCode
from drorch.core.events import (
    AbortRequested,
    AttemptFinished,
    AttemptLost,
    AttemptStarted,
    Event,
    Owner,
    RetryScheduled,
    RunFinished,
    RunStarted,
    RunTaken,
    Stamped,
    StepGivenUp,
    StepSkipped,
)
from drorch.core.moment import Moment
from drorch.core.names import Phase, StepStatus
from drorch.core.posture import RunRow
from drorch.core.run import apply, left_behind, opening, replay
from drorch.core.state import RunFold
from drorch.core.values import errored
from drorch.engine.attempts import STOPPING_TIME, Bench, Done, LiveAttempt
from drorch.engine.redaction import redacted, redacted_result
from drorch.engine.retry import retry_delay
from drorch.ports import Journal, Progress

#: How often requests that people left for the run are looked for.
POLL = timedelta(seconds=1)


class Interrupted(DrorchError):
    """The process was told to leave; the run stays open and can be resumed."""

    exit_code = ExitCode.INTERRUPTED


class Watcher(Protocol):
    """Somebody who looks on: a live table, a log."""

    def happened(self, state: RunFold, event: Event, at: Moment) -> None:
        """An event was recorded and folded."""
        ...

    def progress(self, step: str, progress: Progress) -> None:
        """An attempt tells how far it is; called from the attempt's thread."""
        ...


@dataclass(frozen=True, slots=True)
class Leave:
    """Stop carrying the run, now, without ending it."""

    reason: str


Item: TypeAlias = Done | AbortRequested | Leave


class Inbox:
    """What comes from outside the loop; safe to fill from threads and signal handlers."""

    def __init__(self) -> None:
        self._items: SimpleQueue[Item] = SimpleQueue()

    def put(self, item: Item) -> None:
        """Hand something to the loop."""
        self._items.put(item)

    def wait(self, timeout: float) -> list[Item]:
        """What has come, after waiting at most `timeout` seconds for the first of it."""
        items: list[Item] = []
        try:
            items.append(self._items.get(timeout=timeout))
            while True:
                items.append(self._items.get_nowait())
        except Empty:
            return items


@dataclass(slots=True)
class Engine:
    """Carries one run at a time, from wherever its journal stands."""

    journal: Journal
    bench: Bench
    inbox: Inbox = field(default_factory=Inbox)
    watchers: tuple[Watcher, ...] = ()
    wait_for_people: bool = True

    def begin(self, run: str, started: RunStarted, may_begin: Callable[[RunRow], None]) -> RunFold:
        """Start a run and carry it until it ends, is left, or waits for a person."""
        at = self.now()
        state = opening(started, at)
        self.tell(state, started, at)
        carrying = _Carrying(self, run, state, seq=0, begin=may_begin)
        carrying.pending.append(Stamped(at, started))
        return carrying.carry()

    def resume(
        self, run: str, owner: Owner, by: str, *, abort: AbortRequested | None = None
    ) -> RunFold:
        """Take over a run whose owner is gone and carry it on; a finished one is given back.

        With `abort` nothing more is started but cleanup.
        """
        recorded = list(self.journal.read(run))
        state = replay(recorded)
        if state.finished is not None:
            return state
        self.bench.tools.commands.reap(state.owner.token)
        carrying = _Carrying(self, run, state, seq=recorded[-1].seq, begin=None)
        carrying.fold(RunTaken(owner, by))
        for step in list(state.running):
            carrying.fold(AttemptLost(step, len(state.steps[step].attempts)))
        if abort is not None:
            carrying.fold(abort)
        return carrying.carry()

    def now(self) -> Moment:
        """The present moment."""
        return self.bench.tools.clock.now()

    def tell(self, state: RunFold, event: Event, at: Moment) -> None:
        """Let the watchers know what was folded."""
        for watcher in self.watchers:
            watcher.happened(state, event, at)

    def progress(self, step: str, progress: Progress) -> None:
        """Let the watchers know how far an attempt is."""
        for watcher in self.watchers:
            watcher.progress(step, progress)


@dataclass(slots=True)
class _Carrying:
    """One run under way: what is folded, what is recorded, what is running."""

    engine: Engine
    run: str
    state: RunFold
    seq: int
    begin: Callable[[RunRow], None] | None
    pending: list[Stamped] = field(default_factory=list)
    live: dict[str, LiveAttempt] = field(default_factory=dict)
    taken: int = 0
    polled: float = 0.0

    def carry(self) -> RunFold:
        try:
            while True:
                wake = self._turn()
                if self.state.finished is not None or self._only_people_left():
                    return self.state
                self._take(self.engine.inbox.wait(self._patience(wake)))
                self._poll()
        except BaseException:
            # Nobody will record what these attempts come to: stop them before leaving.
            self._stop_all("the run is no longer carried")
            raise

    def fold(self, event: Event) -> None:
        at = self.engine.now()
        apply(self.state, event, at)
        self.pending.append(Stamped(at, event))
        self.engine.tell(self.state, event, at)

    def _turn(self) -> Moment | None:
        """Decide until nothing is left to decide, record it all at once, then act."""
        starts: list[Start] = []
        wake: Moment | None = None
        while True:
            orders = decide(self.state, self.engine.now())
            wake = next((o.moment for o in orders if isinstance(o, WakeAt)), None)
            wanted = [o for o in orders if not isinstance(o, WakeAt)]
            if not wanted:
                break
            for order in wanted:
                self._obey(order, starts)
        self._record()
        for start in starts:
            self._start(start)
        return wake

    def _obey(
        self,
        order: Start | ScheduleRetry | Skip | GiveUp | Ask | Finish | WakeAt,
        starts: list[Start],
    ) -> None:
        match order:
            case Start():
                starts.append(order)
                arguments = redacted(order.arguments, self.engine.bench.tools.secrets)
                self.fold(AttemptStarted(order.step, order.attempt, arguments))
            case ScheduleRetry():
                delay = self._delay(order)
                self.fold(RetryScheduled(order.step, self.engine.now().later(delay), delay))
            case Skip():
                self.fold(StepSkipped(order.step, order.why))
            case GiveUp():
                self.fold(StepGivenUp(order.step, order.cause, order.why))
            case Ask():
                self.fold(order.question)
            case Finish():
                self.fold(RunFinished(order.outcome, left_behind(self.state)))
            case WakeAt():
                pass

    def _delay(self, order: ScheduleRetry) -> timedelta:
        plan = self.state.steps[order.step].plan
        if plan.until is not None:
            return plan.until.every
        return retry_delay(plan.retry, order.made, self.engine.bench.tools.random)

    def _record(self) -> None:
        if not self.pending:
            return
        journal = self.engine.journal
        if self.begin is not None:
            head = journal.begin(self.run, self.pending, self.begin)
            self.begin = None
        else:
            head = journal.append(self.run, self.seq, self.pending, taken=self.taken)
        self.seq = head.seq
        self.pending.clear()

    def _start(self, start: Start) -> None:
        self.live[start.step] = self.engine.bench.start(
            self.run,
            self.state.plan.mode,
            self.state.steps[start.step].plan,
            start.attempt,
            start.arguments,
            done=self.engine.inbox.put,
            progress=self.engine.progress,
        )

    def _only_people_left(self) -> bool:
        if self.engine.wait_for_people or self.live:
            return False
        return bool(self.state.asked) and not (self.state.ready or self.state.scheduled)

    def _patience(self, wake: Moment | None) -> float:
        """Seconds until something is due: a retry, an attempt's end, a look for requests."""
        now = self.engine.now()
        limits = [POLL.total_seconds()]
        if wake is not None:
            limits.append(max(0.0, wake.ticks - now.ticks))
        return min(limits)

    def _take(self, items: Iterable[Item]) -> None:
        for item in items:
            match item:
                case Done():
                    self._finished(item)
                case AbortRequested():
                    self._abort(item)
                case Leave():
                    raise Interrupted(
                        f"run {self.run} was interrupted: {item.reason}",
                        f"drorch run resume {self.run} goes on; drorch run abort {self.run} ends it",
                    )
        self._stop_overdue()

    def _finished(self, done: Done) -> None:
        live = self.live.pop(done.step, None)
        if live is None or live.attempt != done.attempt:
            return
        result = redacted_result(done.result, self.engine.bench.tools.secrets)
        self.fold(
            AttemptFinished(
                step=done.step,
                attempt=done.attempt,
                verdict=result.verdict,
                elapsed=done.elapsed,
                outputs=result.outputs,
                cause=result.cause,
                message=result.message,
                hint=result.hint,
                findings=result.findings,
                evidence=result.evidence,
                copies=result.copies,
            )
        )

    def _abort(self, request: AbortRequested) -> None:
        self.fold(request)
        for live in self.live.values():
            if self.state.steps[live.step].plan.phase is not Phase.CLEANUP:
                live.cancel.cancel("the run was aborted")

    def _poll(self) -> None:
        """Take what people left for this run, at most once in a while."""
        now = self.engine.now().ticks
        if now - self.polled < POLL.total_seconds():
            return
        self.polled = now
        for number, request in self.engine.journal.take_posted(self.run, self.taken):
            self.taken = number
            if isinstance(request, AbortRequested):
                self._abort(request)
            else:
                self.fold(request)

    def _stop_overdue(self) -> None:
        """The last resort behind each action's own deadline."""
        now = self.engine.now().ticks
        for live in list(self.live.values()):
            if live.timeout is None:
                continue
            over = timedelta(seconds=now - live.started) - live.timeout
            if over > 2 * STOPPING_TIME:
                self._abandon(live)
            elif over > STOPPING_TIME:
                live.cancel.cancel("timeout")

    def _abandon(self, live: LiveAttempt) -> None:
        result = errored(
            "timeout",
            f"not done within {live.timeout}, and it did not stop when told to",
            "whether it happened is unknown; look at the target before going on",
        )
        spent = timedelta(seconds=self.engine.now().ticks - live.started)
        self._finished(Done(live.step, live.attempt, result, spent))

    def _stop_all(self, reason: str) -> None:
        for live in self.live.values():
            live.cancel.cancel(reason)
        deadline = self.engine.now().ticks + STOPPING_TIME.total_seconds()
        while self.live and self.engine.now().ticks < deadline:
            for item in self.engine.inbox.wait(POLL.total_seconds()):
                if isinstance(item, Done):
                    self.live.pop(item.step, None)


def waiting_for_person(state: RunFold) -> bool:
    """Whether the run goes on only when somebody answers."""
    return state.finished is None and any(
        state.steps[s].status is StepStatus.WAITING_FOR_PERSON for s in state.asked
    )
