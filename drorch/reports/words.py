"""Words of the run reports that hang on a word of the document; other sentences stand where they
are said. The language says them (drorch/reports/language.py).
"""

from collections.abc import Mapping
from typing import Final

from drorch.reports.language import later

KINDS: Final[Mapping[str, str]] = {
    "backup": later("Backup"),
    "restore": later("Restore"),
    "replicate": later("Replication"),
    "check": later("Check"),
    "keys": later("Keys"),
    "unlock": later("Unlocking"),
    "retention": later("Retention"),
    "hold": later("Hold of a snapshot"),
    "accept": later("Acceptance of a backup"),
    "lock-extend": later("Lock extension"),
    "rewind": later("Rewind"),
    "scrub": later("Scrub"),
    "heal": later("Healing"),
    "drill": later("Drill"),
    "failover": later("Failover"),
    "failback": later("Failback"),
    "readiness": later("Readiness check"),
    "restore-test": later("Restore test"),
    "tell": later("Message to people"),
    "schedule": later("Record of the schedule"),
    "recover": later("Recovery of the control plane"),
    "claim": later("Claim of the schedule"),
    "kit": later("Recovery kit"),
    "corrective-action": later("Corrective action"),
    "report": later("Quarterly report"),
}

PHASES: Final[Mapping[str, str]] = {
    "preconditions": later("Preconditions"),
    "fence": later("Fencing gate"),
    "steps": later("Steps"),
    "verify": later("Verification"),
    "cleanup": later("Cleanup"),
}

MODES: Final[Mapping[str, str]] = {
    "drill": later("an exercise: production was not to be touched"),
    "live": later("for real"),
}

TYPES: Final[Mapping[str | None, str]] = {
    "tabletop": later("tabletop: people only, no machine is touched"),
    "component": later("component: single parts are restored and looked at"),
    "isolated": later("isolated: the whole is brought up apart from production"),
    "live": later("live: production itself is switched over"),
    None: later("not said"),
}

STATUSES: Final[Mapping[str, str]] = {
    "waiting": later("waiting"),
    "running": later("running"),
    "retrying": later("will be tried again"),
    "waiting-for-person": later("waiting for a person"),
    "passed": later("passed"),
    "failed": later("failed"),
    "skipped": later("skipped"),
}

VERDICTS: Final[Mapping[str | None, str]] = {
    "pass": later("passed"),
    "fail": later("failed"),
    "error": later("error"),
    "lost": later("outcome unknown"),
    "wait": later("waiting to try again"),
    "person": later("waiting for a person"),
    None: later("running"),
}

JUDGEMENTS: Final[Mapping[str, tuple[str, str]]] = {
    "passed": ("good", later("passed")),
    "failed": ("bad", later("failed")),
    "not-judged": ("idle", later("not judged")),
}

TRIGGERS: Final[Mapping[str, str]] = {
    "operator": later("an operator"),
    "schedule": later("the schedule"),
}

#: Outcome (or the state of a run under way) and whether objectives were met: tone, title, sentence.
HEADLINES: Final[Mapping[str | tuple[str, bool | None], tuple[str, str, str]]] = {
    ("passed", True): (
        "good",
        later("Run passed"),
        later("It came through, and every objective measured was met."),
    ),
    ("passed", None): (
        "good",
        later("Run passed"),
        later("It came through. No objective applies to it."),
    ),
    ("passed", False): (
        "warn",
        later("Passed, but an objective was missed"),
        later("It came through, but not as promised."),
    ),
    "failed": ("bad", later("Run failed"), later("It did not come through: {reason}.")),
    "aborted": (
        "idle",
        later("Aborted"),
        later("It was ended early ({reason}), so it says nothing about recovery."),
    ),
    "running": (
        "idle",
        later("Under way"),
        later("It is being carried out; figures are as of now."),
    ),
    "interrupted": (
        "warn",
        later("Interrupted"),
        later("The process that carried it is gone; it can be resumed."),
    ),
    "waiting-for-person": (
        "warn",
        later("Waiting for a person"),
        later("It goes on when somebody answers: {asked}."),
    ),
    "paused": ("idle", later("Paused"), later("It goes on when it is resumed.")),
}

#: Findings that belong to what was planned: they do not dim a verdict.
PLANNED_FINDINGS: Final = frozenset({"step.not-tested", "plan.notice"})

#: Of the findings that the facts of a run add up to; others are told by those who found them.
FINDINGS: Final[Mapping[str, str]] = {
    "step.failed": later("A step failed"),
    "cleanup.failed": later("Cleanup failed"),
    "objective.missed": later("An objective was missed"),
    "run.dirty": later("Something was left behind"),
    "override.unfenced": later("The fencing gate was passed by order"),
    "override.retry": later("A step was tried again by order"),
    "override.skip": later("A step was left out by order"),
    "word.unheeded": later("An order came too late"),
    "step.settled": later("An outcome rests on a person’s word"),
    "run.taken-over": later("Another process took over"),
    "clock.moved": later("The clock was set"),
    "step.not-tested": later("A step was not tested"),
    "plan.notice": later("To be allowed for"),
    "copy.owed": later("A copy is owed"),
    "guard.tripped": later("Much has changed"),
}

AREAS: Final[Mapping[str, str]] = {
    "notification": later("Notification: people were called"),
    "recovery": later("Recovery on another platform, from backups"),
    "connectivity": later("Connectivity, inside and out"),
    "performance": later("Performance of the other platform"),
    "return": later("Return to normal operations"),
}
