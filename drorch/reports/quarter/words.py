"""Words for the stable ones of the quarter's document."""

from drorch.reports.language import later

OUTCOMES = {
    "passed": later("passed"),
    "failed": later("failed"),
    "aborted": later("aborted"),
    "open": later("not ended"),
}
TONES = {"passed": "good", "failed": "bad", "aborted": "warn", "open": "idle"}
KINDS = {
    "drill": later("drill"),
    "failover": later("failover"),
    "failback": later("failback"),
    "restore": later("restore"),
    "restore-test": later("restore test"),
}
EXERCISES = {
    "tabletop": later("tabletop"),
    "component": later("component restore"),
    "isolated": later("isolated failover"),
    "live": later("live switchover"),
    "": later("not said"),
}
PROMISES = {
    "rpo": later("newest copy within the RPO"),
    "backup": later("backups on schedule"),
    "check": later("repository checks on schedule"),
    "scrub": later("objects proven on schedule"),
    "restore-test": later("restore tests on schedule"),
    "drill": later("drills on schedule"),
    "rto": later("recovery within the RTO"),
    "drill-rpo": later("data brought back within the RPO"),
    "key": later("passwords changed in time"),
    "residency": later("copies inside the residency, or with papers"),
    "destruction": later("restored data destroyed"),
}
ROLES = {
    "primary": later("first region"),
    "mirror": later("mirror"),
    "copy": later("independent copy"),
    "left": later("left over"),
}
SOURCES = {
    "file": later("file"),
    "environment": later("environment"),
    "credential": later("credential"),
    "command": later("command"),
}
DESTRUCTION = {
    "destroyed": later("destroyed"),
    "left": later("left behind"),
    "kept": later("kept: asked for"),
    "open": later("run not ended"),
    "nothing": later("nothing came back"),
}
DESTRUCTION_TONES = {
    "destroyed": "good",
    "left": "bad",
    "kept": "idle",
    "open": "warn",
    "nothing": "idle",
}
WORKS = {
    "backups": later("Backups"),
    "checks": later("Repository checks"),
    "scrubs": later("Proofs of objects"),
    "restore_tests": later("Restore tests"),
    "drills": later("Drills"),
}
NOTICES = {
    "quarter.running": later("the quarter is not over: all of this is so far"),
    "journal.begins": later(
        "the journal begins on {subject}: of the time before it nothing is known"
    ),
    "slots.unaccounted": later(
        "since {subject} work was due that no daemon has accounted for: it is in no figure of this report, neither as done nor as missed"
    ),
    "dataset.entered": later("{subject} was backed up for the first time in this quarter"),
    "dataset.never": later("{subject} was never backed up"),
    "dataset.left": later(
        "{subject} is not in the configuration any more: it is held to what its last backup promised"
    ),
    "slots.estimated": later(
        "missed work of {subject} over the quarter’s border was divided evenly"
    ),
    "sealing.off": later("reports are not sealed"),
}
