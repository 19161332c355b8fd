"""Every word and sentence of the reports that is not a heading or label in a template.

Keys are the stable words of the document; what a reader sees stands only here and in templates/.
"""

KINDS = {
    "backup": "Backup",
    "restore": "Restore",
    "replicate": "Replication",
    "check": "Check",
    "keys": "Keys",
    "unlock": "Unlocking",
    "retention": "Retention",
    "hold": "Hold of a snapshot",
    "accept": "Acceptance of a backup",
    "lock-extend": "Lock extension",
    "rewind": "Rewind",
    "scrub": "Scrub",
    "heal": "Healing",
    "drill": "Drill",
    "failover": "Failover",
    "failback": "Failback",
    "readiness": "Readiness check",
    "restore-test": "Restore test",
    "tell": "Message to people",
    "schedule": "Record of the schedule",
    "corrective-action": "Corrective action",
}

PHASES = {
    "preconditions": "Preconditions",
    "fence": "Fencing gate",
    "steps": "Steps",
    "verify": "Verification",
    "cleanup": "Cleanup",
}

MODES = {
    "drill": "drill: an exercise, production was not to be touched",
    "live": "live: for real",
}

STATUSES = {
    "waiting": "waiting",
    "running": "running",
    "retrying": "will be tried again",
    "waiting-for-person": "waiting for a person",
    "passed": "passed",
    "failed": "failed",
    "skipped": "skipped",
}

VERDICTS = {
    "pass": "passed",
    "fail": "failed",
    "error": "error",
    "lost": "outcome unknown",
    "wait": "waiting to try again",
    "person": "waiting for a person",
    None: "running",
}

#: Outcome (or the state of a run under way) and whether objectives were met: tone, title, sentence.
HEADLINES = {
    ("passed", True): ("good", "Passed", "It came through, and every objective measured was met."),
    ("passed", None): ("good", "Passed", "It came through. No objective applies to it."),
    ("passed", False): (
        "warn",
        "Passed, but an objective was missed",
        "It came through, but not as promised.",
    ),
    "failed": ("bad", "Failed", "It did not come through: {reason}."),
    "aborted": (
        "idle",
        "Aborted",
        "It was ended early ({reason}), so it says nothing about recovery.",
    ),
    "running": ("idle", "Under way", "It is being carried out; figures are as of now."),
    "interrupted": (
        "warn",
        "Interrupted",
        "The process that carried it is gone; it can be resumed.",
    ),
    "waiting-for-person": (
        "warn",
        "Waiting for a person",
        "It goes on when somebody answers: {asked}.",
    ),
    "paused": ("idle", "Paused", "It goes on when it is resumed."),
}

WITH_FINDINGS = "{title}, with findings"

#: Findings that belong to what was planned: they do not dim a verdict.
PLANNED_FINDINGS = frozenset({"step.not-tested", "plan.notice"})

REASON_UNKNOWN = "no reason was recorded"
REASON_STEP = "{step} failed{message}"
REASON_ABORT = "{by}: {reason}"
REASON_PRECONDITION = "a precondition failed: {step}{message}"

OBJECTIVES = {
    "rto": ("Recovery time", "RTO", "RTA"),
    "rpo": ("Recovery point", "RPO", "RPA"),
}

MET = "Met, {margin} to spare"
MISSED = "Missed by {margin}"
NOT_RECOVERED = "Missed: it was not recovered"
TOO_LATE = "Missed: already longer than promised"
NOT_PROVEN = "Not proven: the data was never shown to be usable"
NOT_MEASURED = "Not measured"
STILL_COUNTING = "Still counting"
NOT_FINAL = "Not final: the run is under way"
NO_TARGET = "Nothing was promised"

HOW_RTO = (
    "Counted from {start} at {from_} to {end} at {to}, {length} in all, people's time included."
)
HOW_RTO_OPEN = "Counting since {start} at {from_}: {length} so far, people's time included."
HOW_RTO_NONE = "The clock never started: no step began."
START_DECLARED = "the declaration"
START_FIRST_STEP = "the beginning of the first step"
END_VERIFIED = "the last pass of verification"
END_LAST_STEP = "the end of the last step (nothing was verified)"
END_BROKEN = "the end of the last step before cleanup"
HOW_RPO = (
    "{start} at {from_}, minus the time of the oldest snapshot that the run rests on, {snapshot}."
)
HOW_RPO_NONE = "No snapshot was restored."
FROM_DECLARED = "The declaration"
FROM_STARTED = "The run's start"

WHEN_DUE = "due at {due}"

NOTHING_LEFT = "Cleanup left nothing behind."
NO_CLEANUP = "There was no cleanup to do."
CLEANUP_OPEN = "Cleanup has not ended yet."

LIMIT_SKIPPED = "{step} ({do}) was not tried: {why}"
LIMIT_DRILL = (
    "It was a drill: nothing in production was switched over, so it does not show that users, "
    "names and networks follow."
)
LIMIT_NO_VERIFY = "No check looked at the result: nothing shows that what came back works."
LIMIT_NO_RESTORE = "No data was restored."
LIMIT_OUTCOME = "It did not come through, so what comes after the point of failure was not tried."
LIMIT_SETTLED = "{step}: what happened rests on the word of {by}, not on a measurement."
LIMIT_AREAS = (
    "Unless a step above says so, not tested: alerting people, connections to other systems, "
    "performance under load, and the return to the primary site."
)
LIMIT_BACKUP = (
    "A backup shows that data was stored; only a restore shows that it can be brought back."
)

FACTS = {
    "declared": "Declared",
    "started": "Started",
    "finished": "Finished",
    "took": "Took",
    "by": "By",
    "reason": "Reason",
    "trigger": "Trigger",
    "mode": "Mode",
    "service": "Service",
    "datasets": "Datasets",
    "mtpd": "Longest tolerable outage",
    "inputs": "Inputs",
    "owner": "Carried by",
}
TOOK = "{length} from start to end, cleanup included"
TOOK_SO_FAR = "{length} so far"
OWNER = "{user} on {host}"
VERSION = "drorch {version}"

ASKED = "{at} UTC: {prompt}"
APPROVED = "approved by {by} at {at} UTC"
REFUSED = "refused by {by} at {at} UTC"
HAPPENED = "{by} at {at} UTC: it happened"
DID_NOT_HAPPEN = "{by} at {at} UTC: it did not happen"
BECAUSE = "{said} ({reason})"
STILL_OPEN = "still open, {given} of {quorum} given"
NO_ANSWER = "no answer"

AT_MOST = "{length} at most"
WAITED = "waited {length}"
FURTHER_STEPS = "{count} further steps"
FILES = "files"
SIZE = "size"

TIP_ATTEMPT = "attempt {number} {verdict}"
TIP_AFTER = " after {length}"
TIP_WAIT = "waited {length} before trying again"
TIP_PERSON = "waited for a person: {prompt}"
TIP_MERGED = "{count} attempts; the last: {last}"
TIP_REST = "{label}, the longest {length}"
