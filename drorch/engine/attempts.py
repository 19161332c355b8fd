"""How one attempt is carried out: in a thread of its own, with a way to stop it.

Knows actions and results; knows nothing of journals. Whatever an action does, exactly one
`Done` comes back for each attempt that was started, with a result that can be written down.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from drorch.core.action import ActionSpec
from drorch.core.errors import DrorchError
from drorch.core.moment import elapsed
from drorch.core.names import Mode, Verdict
from drorch.core.plan import PlannedStep
from drorch.core.protect import Guarded, offences
from drorch.core.values import Result, Value, errored, failed
from drorch.engine.carriers import in_thread
from drorch.engine.redaction import redacted_result
from drorch.ports import ActionTable, Call, Cancellation, Progress, Tools

#: How long an action may go on after its time is up, or after it was told to stop.
STOPPING_TIME = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Done:
    """An attempt that came to a result, and how long it took."""

    step: str
    attempt: int
    result: Result
    elapsed: timedelta


@dataclass(slots=True)
class LiveAttempt:
    """An attempt under way. `told` is when it was told to stop, on the boot clock."""

    step: str
    attempt: int
    cancel: Cancellation
    started: float
    timeout: timedelta | None
    told: float | None = None

    def stop(self, reason: str, ticks: float) -> None:
        """Tell it to stop; the first time counts."""
        if self.told is None:
            self.told = ticks
            self.cancel.cancel(reason)


#: Starts the function somewhere it can block; tests run it on the spot.
Carrier = Callable[[Callable[[], None]], None]


@dataclass(frozen=True, slots=True)
class Bench:
    """Where attempts are carried out."""

    actions: ActionTable
    tools: Tools
    carrier: Carrier = in_thread

    def start(
        self,
        run: str,
        mode: Mode,
        step: PlannedStep,
        attempt: int,
        arguments: Mapping[str, Value],
        *,
        done: Callable[[Done], None],
        progress: Callable[[str, Progress], None],
    ) -> LiveAttempt:
        """Begin an attempt; `done` is called once, from wherever it is carried."""
        cancel = Cancellation()
        now = self.tools.clock.now()
        call = Call(
            run=run,
            step=step.id,
            attempt=attempt,
            mode=mode,
            arguments=arguments,
            cancel=cancel,
            progress=lambda p: progress(step.id, p),
            timeout=step.timeout,
        )

        def work() -> None:
            result = self._carry(step, call)
            spent = elapsed(now, self.tools.clock.now())
            done(Done(step.id, attempt, result, spent))

        live = LiveAttempt(step.id, attempt, cancel, now.ticks, step.timeout)
        self.carrier(work)
        return live

    def _carry(self, step: PlannedStep, call: Call) -> Result:
        secrets = self.tools.secrets
        try:
            return redacted_result(self._attempt(step, call), secrets)
        # An action's bug is a fact about the attempt. SystemExit would end its thread unheard.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            broken = errored(
                "crash",
                f"{step.do} broke: {type(error).__name__}: {error}",
                "this is a defect of the action; report it with this run's journal",
            )
        return redacted_result(broken, secrets)

    def _attempt(self, step: PlannedStep, call: Call) -> Result:
        action = self.actions.find(step.do)
        if action is None:
            return errored(
                "no-action", f"there is no action {step.do}", "install the package that brings it"
            )
        refused = self._refusal(action.spec, call)
        if refused is not None:
            return refused
        try:
            result = action.run(call, self.tools)
        except DrorchError as error:
            result = errored(getattr(error, "cause", "error"), error.message, error.hint)
        if call.cancel.cancelled and result.verdict is not Verdict.PASS:
            return _cancelled(call, result)
        return result

    def _refusal(self, spec: ActionSpec, call: Call) -> Result | None:
        """The second look: a drill must not touch what is protected, by any symbolic link."""
        if call.mode is not Mode.DRILL:
            return None
        guarded = Guarded.of(self.tools.configuration)
        crossed = offences(call.arguments, spec, guarded, lambda p: (guarded.folder / p).resolve())
        if not crossed:
            return None
        return failed(
            "protected",
            "; ".join(offence.message for offence in crossed),
            "point the drill at a place of its own, then run it again",
        )


def _cancelled(call: Call, result: Result) -> Result:
    reason = call.cancel.reason or ""
    cause = "timeout" if reason == "timeout" else "cancelled"
    message = f"not done within {call.timeout}" if cause == "timeout" else f"stopped: {reason}"
    return Result(
        Verdict.ERROR,
        result.outputs,
        cause,
        message,
        result.hint,
        result.findings,
        result.evidence,
        result.copies,
        result.facts,
    )
