"""The closed sets of words that journal, YAML, CLI and reports share."""

from enum import StrEnum


class Mode(StrEnum):
    """How a plan is carried out."""

    DRILL = "drill"
    LIVE = "live"


class RunKind(StrEnum):
    """What a run is for."""

    BACKUP = "backup"
    RESTORE = "restore"
    REPLICATE = "replicate"
    CHECK = "check"
    KEYS = "keys"
    UNLOCK = "unlock"
    RETENTION = "retention"
    HOLD = "hold"
    ACCEPT = "accept"
    LOCK_EXTEND = "lock-extend"
    REWIND = "rewind"
    SCRUB = "scrub"
    HEAL = "heal"
    DRILL = "drill"
    FAILOVER = "failover"
    FAILBACK = "failback"
    READINESS = "readiness"
    TELL = "tell"
    SCHEDULE = "schedule"
    RESTORE_TEST = "restore-test"
    CORRECTIVE = "corrective-action"
    REPORT = "report"
    RECOVER = "recover"
    CLAIM = "claim"
    KIT = "kit"


class Phase(StrEnum):
    """The phases of a plan, in order."""

    PRECONDITIONS = "preconditions"
    FENCE = "fence"
    STEPS = "steps"
    VERIFY = "verify"
    CLEANUP = "cleanup"


class StepStatus(StrEnum):
    """Where a step stands. The last three are final."""

    WAITING = "waiting"
    RUNNING = "running"
    RETRYING = "retrying"
    WAITING_FOR_PERSON = "waiting-for-person"
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"

    @property
    def final(self) -> bool:
        """Whether nothing more will happen to the step."""
        return self in _FINAL


_FINAL = frozenset({StepStatus.PASSED, StepStatus.FAILED, StepStatus.SKIPPED})


class RunState(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    INTERRUPTED = "interrupted"
    WAITING_FOR_PERSON = "waiting-for-person"
    PAUSED = "paused"
    FINISHED = "finished"


class Outcome(StrEnum):
    """Did it work. Failed is a finding about recovery; aborted says nothing about it."""

    PASSED = "passed"
    FAILED = "failed"
    ABORTED = "aborted"


class SlotFate(StrEnum):
    """What became of a moment at which a job was due."""

    FIRED = "fired"
    LATE = "late"
    MISSED = "missed"


class Verdict(StrEnum):
    """The result of one attempt. `error` is a failure of the checker, not of what it checks."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    ERROR = "error"


class OnFailure(StrEnum):
    """What a failed step does to the run.

    With ISOLATE only what needs the step is left out: the rest goes on, and the run has failed.
    """

    STOP = "stop"
    CONTINUE = "continue"
    ASK = "ask"
    ISOLATE = "isolate"


class Requester(StrEnum):
    """Whether who started or declared the run may approve it: alone, only beside another, never."""

    ALONE = "alone"
    NOT_ALONE = "not-alone"
    NEVER = "never"


class Otherwise(StrEnum):
    """What happens when nobody has answered in time."""

    FAIL = "fail"
    ABORT = "abort"
    CONTINUE = "continue"
