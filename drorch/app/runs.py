"""Use cases around runs: carry a plan out, resume, answer, show."""

import secrets as entropy
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from drorch.app.exercised import EXERCISED, refuse
from drorch.app.lives import life_of, owner_lives, state_word
from drorch.app.program import Program
from drorch.core.document import run_document, without_steps
from drorch.core.errors import AlreadyRunning, DrorchError, ExitCode, FenceLost
from drorch.core.events import (
    AbortRequested,
    Event,
    Recorded,
    RunContinued,
    RunStarted,
    RunTaken,
    Stamped,
)
from drorch.core.moment import Moment
from drorch.core.names import RunKind, RunState
from drorch.core.plan import Plan
from drorch.core.posture import RunRow
from drorch.core.run import replay
from drorch.core.state import RunFold
from drorch.core.timing import exit_code
from drorch.core.values import Value
from drorch.engine.attempts import Bench
from drorch.engine.inbox import Inbox, Leave
from drorch.engine.loop import Engine, Watcher

#: Runs that may simply be ended when a new one of the same subject begins and theirs is dead:
#: nothing of theirs is lost, and the next one does their work.
SUPERSEDED = frozenset(
    {
        RunKind.BACKUP,
        RunKind.REPLICATE,
        RunKind.CHECK,
        RunKind.SCRUB,
        RunKind.KEYS,
        RunKind.UNLOCK,
        RunKind.HEAL,
        RunKind.RESTORE,
        RunKind.RETENTION,
        RunKind.HOLD,
        RunKind.ACCEPT,
        RunKind.LOCK_EXTEND,
        RunKind.REWIND,
        RunKind.READINESS,
        RunKind.TELL,
        RunKind.SCHEDULE,
        RunKind.RESTORE_TEST,
        RunKind.CORRECTIVE,
        RunKind.REPORT,
        RunKind.RECOVER,
        RunKind.CLAIM,
        RunKind.KIT,
    }
)

#: Runs that take away what another control plane of the same records may have made, or count on.
DELETING = frozenset({RunKind.RETENTION, RunKind.REWIND})


class Control:
    """The way to stop runs under way from a signal handler: gently first, then at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inboxes: dict[int, Inbox] = {}
        self._aborted: AbortRequested | None = None
        self._left: Leave | None = None

    def join(self, inbox: Inbox) -> Callable[[], None]:
        """Let a run be stopped through this control; returns the way to part from it."""
        with self._lock:
            self._inboxes[id(inbox)] = inbox
            told = self._left or self._aborted
        if told is not None:
            inbox.put(told)
        return lambda: self._part(inbox)

    def _part(self, inbox: Inbox) -> None:
        self._inboxes.pop(id(inbox), None)

    @property
    def stopping(self) -> bool:
        """Whether runs were told to stop."""
        return self._aborted is not None or self._left is not None

    def abort(self, by: str, reason: str) -> None:
        """End every run: nothing new is started, cleanup is carried out. Safe in a signal handler."""
        self._aborted = AbortRequested(by, reason)
        for inbox in list(self._inboxes.values()):
            inbox.put(self._aborted)

    def leave(self, reason: str) -> None:
        """Leave every run as it stands; it can be resumed. Safe in a signal handler."""
        self._left = Leave(reason)
        for inbox in list(self._inboxes.values()):
            inbox.put(self._left)


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as the outside sees it; `carried`: a process that lives holds it.

    `left`: somebody's word lies there for that process, which has not taken it yet.
    """

    run: str
    state: RunFold
    head: str
    word: RunState
    now: Moment
    carried: bool = False
    left: bool = False

    @property
    def document(self) -> Mapping[str, Value]:
        """The contract's JSON of a run."""
        return run_document(
            self.state, run=self.run, journal_head=self.head, state_word=self.word, now=self.now
        )

    @property
    def exit_code(self) -> ExitCode:
        """What a command that carried this run exits with."""
        return exit_code(self.state)


@dataclass(frozen=True, slots=True)
class Request:
    """Why a run is wanted; `also` is recorded with its start."""

    trigger: str = "operator"
    reason: str = ""
    declared_at: datetime | None = None
    due_at: datetime | None = None
    also: tuple[Event, ...] = ()


def carry_out(
    program: Program,
    plan: Plan,
    request: Request,
    *,
    control: Control,
    watchers: Sequence[Watcher] = (),
    wait_for_people: bool = False,
) -> RunView:
    """Run a plan to its end, or until only people are waited for.

    Raises AlreadyRunning when a run of the same subject is alive (or, for runbooks, left open).
    """
    _refuse_deleting(program, plan.kind)
    if plan.kind not in EXERCISED:
        refuse(program, f"no {plan.kind} is done")
    _end_superseded(program, plan, control)
    run = new_run_id(program.clock.now().at, plan.name)
    started = RunStarted(
        plan=plan,
        owner=program.owner,
        by=program.owner.user,
        trigger=request.trigger,
        reason=request.reason,
        declared_at=request.declared_at,
        due_at=request.due_at,
    )

    def work(engine: Engine) -> RunFold:
        return engine.begin(run, started, _refuse, request.also)

    return _carry(program, run, work, control, watchers, wait_for_people=wait_for_people)


def resume(
    program: Program,
    run: str,
    *,
    control: Control,
    watchers: Sequence[Watcher] = (),
    wait_for_people: bool = False,
    word: AbortRequested | RunContinued | None = None,
    gone: bool = False,
) -> RunView:
    """Carry on a run whose owner is gone; a finished one is shown as it ended.

    `word` is what is wanted of it; left out, it goes on, also if it was paused. `gone` is a
    person's word that an owner is, which cannot be seen from here. Raises AlreadyRunning if it is not;
    UsageError for a run that the copy of an exercise may not carry.
    """
    row = program.journal.find(run)
    if row.state is not RunState.FINISHED and row.kind not in EXERCISED:
        refuse(program, f"no {row.kind} goes on")
    ours = row.owner_token == program.token  # left by this very process, which knows it
    life = False if ours or row.state is RunState.FINISHED else life_of(row)
    if life or (life is None and not gone):
        raise already_alive(row)
    if row.state is not RunState.FINISHED and not isinstance(word, AbortRequested):
        _refuse_deleting(program, row.kind)
    by = program.owner.user
    wanted, dead = word or RunContinued(by), row.owner_token

    def work(engine: Engine) -> RunFold:
        while True:
            try:
                return engine.resume(
                    row.run, program.owner, by, word=wanted, on_word=life is None, gone=dead
                )
            except FenceLost:
                # A word that somebody puts down at that very moment moves the fence as well: then
                # nobody has the run yet, and nothing was begun.
                if program.journal.find(row.run).owner_token != dead:
                    raise

    return _carry(program, row.run, work, control, watchers, wait_for_people=wait_for_people)


def _carry(
    program: Program,
    run: str,
    work: Callable[[Engine], RunFold],
    control: Control,
    watchers: Sequence[Watcher],
    *,
    wait_for_people: bool,
) -> RunView:
    inbox = Inbox()
    engine = Engine(
        program.journal,
        Bench(program.actions, program.tools),
        inbox,
        tuple(watchers),
        wait_for_people,
    )
    part = control.join(inbox)
    program.carrying.add(run)
    try:
        state = work(engine)
    finally:
        program.carrying.discard(run)
        part()
    row = program.journal.find(run)
    word = RunState.PAUSED if state.paused is not None else RunState.WAITING_FOR_PERSON
    if state.finished is not None:
        word = RunState.FINISHED
    return RunView(run, state, row.head, word, program.clock.now())


def new_run_id(at: datetime, name: str) -> str:
    """Such as 2026-11-23T03-00-00Z-ehr-failover-7f3a: sorts by time, safe in paths and URLs."""
    return f"{at:%Y-%m-%dT%H-%M-%SZ}-{name}-{entropy.token_hex(2)}"


def dropped(program: Program, row: RunRow) -> bool:
    """Whether it is a run of this very process that nothing in it carries any more: the journal could
    not be written when it was to go on.
    """
    return row.owner_token == program.token and row.run not in program.carrying


def already_alive(row: RunRow) -> AlreadyRunning:
    """What to say of a run that another process carries."""
    watch = f"watch it with: drorch run watch {row.run}"
    gone = f"; if that process is surely gone: drorch run resume {row.run} --gone, or abort it so"
    return AlreadyRunning(
        f"{row.subject} is already running: run {row.run}, process {row.owner_pid} "
        f"on {row.owner_host}",
        watch if life_of(row) else watch + gone,
    )


def _refuse(row: RunRow) -> None:
    if owner_lives(row):
        raise already_alive(row)
    raise AlreadyRunning(
        f"run {row.run} of {row.subject} was left open: its process is gone",
        f"go on with: drorch run resume {row.run}, or end it with: drorch run abort {row.run}",
    )


def _refuse_deleting(program: Program, kind: RunKind) -> None:
    """Nothing is deleted while another control plane may need it; the one guard for such runs. A
    runbook with a step that rewinds is none: it deletes no version, and people have declared it.
    """
    if kind in DELETING:
        from drorch.app.plane.deleting import refuse_deleting

        refuse_deleting(program)


def take_in_name(program: Program, row: RunRow) -> None:
    """Make it a run of this process, which does not carry it: that of the process that did will never be
    seen from here. When this process has gone it was left open, and whoever needs to may end it.
    """
    taken = RunTaken(program.owner, program.owner.user, on_word=True)
    program.journal.append(row.run, row.seq, [Stamped(program.clock.now(), taken)])


def _end_superseded(program: Program, plan: Plan, control: Control) -> None:
    """End dead runs of the same subject whose work the new one does again."""
    if plan.kind not in SUPERSEDED:
        return
    for row in program.journal.rows(unfinished=True):
        if row.subject != plan.subject or row.kind not in SUPERSEDED:
            continue
        if owner_lives(row) and not dropped(program, row):
            continue
        reason = "its process was gone when the next run began"
        resume(program, row.run, control=control, word=AbortRequested("drorch", reason))


def view(program: Program, run: str) -> RunView:
    """A run as it stands now."""
    row = program.journal.find(run)
    return view_of(program, row, list(program.journal.read(row.run)))


def view_of(program: Program, row: RunRow, recorded: Sequence[Recorded]) -> RunView:
    """A run as it stands, by what was read of it."""
    state = replay(recorded)
    word = state_word(row, state)
    carried = word is not RunState.FINISHED and owner_lives(row)
    return RunView(row.run, state, recorded[-1].head, word, program.clock.now(), carried)


def listing(
    program: Program, *, unfinished: bool = False, name: str | None = None, limit: int | None = None
) -> list[Mapping[str, Value]]:
    """Run documents without their steps, newest first. Each is read from its journal."""
    rows = program.journal.rows(unfinished=unfinished, name=name, limit=limit)
    return [without_steps(view(program, row.run).document) for row in rows]


def interrupted(error: BaseException) -> bool:
    """Whether an error only says that the process was told to leave."""
    return isinstance(error, DrorchError) and error.exit_code is ExitCode.INTERRUPTED
