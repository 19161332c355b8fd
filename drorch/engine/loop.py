"""The shell around the pure core: decide, record, do, fold, until the run is over.

Everything that happens is recorded before anything that follows from it is done. One commit
holds all events of one turn. Resuming is replaying the journal and entering the same loop.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Protocol, TypeAlias

from drorch.core.conclusion import concluded
from drorch.core.decide import (
    Abort,
    Ask,
    Finish,
    GiveUp,
    Order,
    ScheduleRetry,
    Skip,
    Start,
    WakeAt,
    decide,
)
from drorch.core.errors import DrorchError, ExitCode, FenceLost
from drorch.core.events import (
    AbortRequested,
    AttemptFinished,
    AttemptLost,
    AttemptStarted,
    Event,
    Owner,
    RetryScheduled,
    RunContinued,
    RunFinished,
    RunStarted,
    RunTaken,
    Stamped,
    StepGivenUp,
    StepSkipped,
)
from drorch.core.moment import Moment
from drorch.core.names import Phase, Verdict
from drorch.core.outcome import left_behind
from drorch.core.people import may_be_left
from drorch.core.posture import RunRow
from drorch.core.run import apply, opening, replay
from drorch.core.state import RunFold
from drorch.core.values import errored
from drorch.engine.attempts import STOPPING_TIME, Bench, Done, LiveAttempt
from drorch.engine.inbox import Inbox, Item, Leave
from drorch.engine.redaction import redacted
from drorch.engine.retry import retry_delay
from drorch.ports import Journal, Progress

#: How often requests that people left for the run are looked for.
POLL = timedelta(seconds=1)


#: What the one who takes a run over may want of it; aborted, nothing starts but cleanup.
Wish: TypeAlias = AbortRequested | RunContinued


class Interrupted(DrorchError):
    """The process was told to leave; the run stays open and can be resumed."""

    exit_code = ExitCode.INTERRUPTED


class Watcher(Protocol):
    """Somebody who looks on: a live table, a log. One whose output is gone (OSError) is let go:
    a closed terminal must not stop a failover.
    """

    def happened(self, state: RunFold, event: Event, at: Moment) -> None:
        """An event was recorded; `state` is what it and those recorded with it have led to."""
        ...

    def progress(self, step: str, progress: Progress) -> None:
        """An attempt tells how far it is; called from the attempt's thread."""
        ...


@dataclass(slots=True)
class Engine:
    """Carries one run at a time, from wherever its journal stands."""

    journal: Journal
    bench: Bench
    inbox: Inbox = field(default_factory=Inbox)
    watchers: tuple[Watcher, ...] = ()
    wait_for_people: bool = True

    def begin(
        self,
        run: str,
        started: RunStarted,
        may_begin: Callable[[RunRow], None],
        also: Iterable[Event] = (),
    ) -> RunFold:
        """Start a run and carry it until it ends, is left, or waits for a person.

        `also` is recorded with its start, before anything is decided.
        """
        at = self.now()
        state = opening(started, at, run)
        carrying = _Carrying(self, run, state, seq=0, begin=may_begin)
        carrying.pending.append(Stamped(at, started))
        for event in also:
            carrying.fold(event)
        return carrying.carry()

    def resume(
        self,
        run: str,
        owner: Owner,
        by: str,
        *,
        word: Wish | None = None,
        on_word: bool = False,
        gone: str | None = None,
    ) -> RunFold:
        """Take over a run whose owner is gone and carry it on; a finished one is given back.

        `word`: what is wanted of it. `on_word`: that the owner is gone could not be seen from
        here, and `by` says so; should it live, the fence stops it. `gone`: its token; FenceLost if
        another has the run since.
        """
        recorded = list(self.journal.read(run))
        state = replay(recorded)
        if state.finished is not None:
            return state
        # Who has taken it over since we looked lives, and its children are not ours to end.
        if gone is not None and state.owner.token != gone:
            raise FenceLost.of(run)
        self.bench.tools.commands.reap(state.owner.token)
        carrying = _Carrying(self, run, state, seq=recorded[-1].seq, begin=None)
        carrying.fold(RunTaken(owner, by, on_word))
        for step in list(state.running):
            carrying.fold(AttemptLost(step, len(state.steps[step].attempts)))
        # What people left for an owner that died before it looked came before what is wanted now.
        carrying.take_posted()
        if word is not None and (state.paused is not None or isinstance(word, AbortRequested)):
            carrying.fold(word)
        return carrying.carry()

    def now(self) -> Moment:
        """The present moment."""
        return self.bench.tools.clock.now()

    def tell(self, state: RunFold, event: Event, at: Moment) -> None:
        """Let the watchers know what was recorded."""
        for watcher in self.watchers:
            with self._letting_go(watcher):
                watcher.happened(state, event, at)

    def progress(self, step: str, progress: Progress) -> None:
        """Let the watchers know how far an attempt is."""
        for watcher in self.watchers:
            with self._letting_go(watcher):
                watcher.progress(step, progress)

    @contextmanager
    def _letting_go(self, watcher: Watcher) -> Iterator[None]:
        try:
            yield
        except OSError:
            self.watchers = tuple(w for w in self.watchers if w is not watcher)


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
                if self.state.finished is not None:
                    return self.state
                leaving = self._only_people_left()
                self._take(self.engine.inbox.wait(0 if leaving else self._patience(wake)))
                self._poll(at_once=leaving)
                if leaving and not self.pending:
                    return self.state
        except BaseException:
            # Nobody will record what these attempts come to: stop them before leaving.
            self._stop_all("the run is no longer carried")
            raise

    def fold(self, event: Event) -> None:
        at = self.engine.now()
        apply(self.state, event, at)
        self.pending.append(Stamped(at, event))

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

    def _obey(self, order: Order, starts: list[Start]) -> None:
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
            case Abort():
                self._abort(AbortRequested("drorch", order.reason))
            case Ask():
                prompt = self.engine.bench.tools.secrets.redact(order.question.prompt)
                self.fold(replace(order.question, prompt=prompt))
            case Finish():
                facts = concluded(self.state, order.outcome)
                self.fold(RunFinished(order.outcome, left_behind(self.state), facts))
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
        recorded, self.pending = self.pending, []
        for stamped in recorded:
            self.engine.tell(self.state, stamped.event, stamped.at)

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
        if self.state.paused is not None:
            return True
        return bool(self.state.asked) and not (self.state.ready or self.state.scheduled)

    def _patience(self, wake: Moment | None) -> float:
        """Seconds until something is due: a retry, an attempt's end, a look for requests."""
        now = self.engine.now()
        limits = [POLL.total_seconds()]
        if wake is not None:
            limits.append(max(0.0, wake.ticks - now.ticks))
        return min(limits)

    def _take(self, items: Iterable[Item]) -> None:
        # What has come to a result first: it is known, whatever else is wanted.
        for item in sorted(items, key=lambda i: not isinstance(i, Done)):
            match item:
                case Done():
                    self._finished(item)
                case AbortRequested():
                    self._abort(item)
                case Leave():
                    self._leave(item)

    def _finished(self, done: Done) -> None:
        live = self.live.get(done.step)
        # An abandoned attempt may still come to something, when nobody waits for it any more.
        if live is None or live.attempt != done.attempt:
            return
        del self.live[done.step]
        result = done.result
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
                facts=result.facts,
            )
        )

    def _abort(self, request: AbortRequested) -> None:
        self.fold(request)
        now = self.engine.now().ticks
        for live in self.live.values():
            if self.state.steps[live.step].plan.phase is not Phase.CLEANUP:
                live.stop("the run was aborted", now)

    def _leave(self, request: Leave) -> None:
        """Stop what runs, keep what came through all the same, and go."""
        for done in self._stop_all(request.reason):
            if done.result.verdict is Verdict.PASS:
                self._finished(done)
        self.live.clear()
        self._record()
        raise Interrupted(
            f"run {self.run} was interrupted: {request.reason}",
            f"drorch run resume {self.run} goes on; drorch run abort {self.run} ends it",
        )

    def _poll(self, *, at_once: bool) -> None:
        """Take what people left for this run and look at the clock, at most once in a while."""
        if at_once or self.engine.now().ticks - self.polled >= POLL.total_seconds():
            self.take_posted()
            self._stop_overdue()

    def take_posted(self) -> None:
        """Take what people left for this run; it is removed with the next record."""
        self.polled = self.engine.now().ticks
        for number, request in self.engine.journal.take_posted(self.run, self.taken):
            self.taken = number
            match request:  # what nobody can leave must not stop the run
                case AbortRequested():
                    self._abort(request)
                case _ if may_be_left(request, self.state):
                    self.fold(request)

    def _stop_overdue(self) -> None:
        """The last resort behind each action's own deadline."""
        now = self.engine.now().ticks
        grace = STOPPING_TIME.total_seconds()
        for live in list(self.live.values()):
            if live.told is not None and now - live.told > grace:
                self._abandon(live, now)
            elif live.timeout and now - live.started > live.timeout.total_seconds() + grace:
                live.stop("timeout", now)

    def _abandon(self, live: LiveAttempt, now: float) -> None:
        """Wait for it no longer. It is never tried again: it may still be at work."""
        late = live.cancel.reason == "timeout"
        why = f"not done within {live.timeout}" if late else f"told to stop: {live.cancel.reason}"
        result = errored(
            "abandoned",
            f"{why}; it did not stop within {STOPPING_TIME.total_seconds():.0f} s",
            "whether it happened is unknown, and it may still go on; look at the target",
        )
        spent = timedelta(seconds=now - live.started)
        self._finished(Done(live.step, live.attempt, result, spent))

    def _stop_all(self, reason: str) -> list[Done]:
        """Tell everything to stop, wait a while for it, and give back what it came to."""
        begun = self.engine.now().ticks
        for live in self.live.values():
            live.stop(reason, begun)
        waiting = {(live.step, live.attempt) for live in self.live.values()}
        found: list[Done] = []
        while waiting and self.engine.now().ticks < begun + STOPPING_TIME.total_seconds():
            dones = (i for i in self.engine.inbox.wait(POLL.total_seconds()) if isinstance(i, Done))
            for done in dones:
                found.append(done)
                waiting.discard((done.step, done.attempt))
        return found
