"""Every verb by section, with its one line of help: all that `drorch --help` needs to know.

A test holds each line equal to what the verb itself says.
"""

from drorch.cli.verb import Entry, Section

CATALOGUE = (
    Section(
        "Set up",
        (
            Entry(
                "demo", "See the main job on an invented hospital: back up, lose a region, recover."
            ),
            Entry("init", "Write a drorch.yaml to start from, a password and the runbooks."),
            Entry("config", "Check drorch.yaml, or print its JSON Schema."),
            Entry("doctor", "Find what would stop a backup or a failover, before it does."),
            Entry("lab", "Run embedded S3 regions on loopback, for trying and drills."),
            Entry("repo", "Make repositories, look at them, unlock them."),
        ),
    ),
    Section(
        "Protect",
        (
            Entry("backup", "Back up datasets to their regions."),
            Entry("replicate", "Bring further regions the copies they lack."),
            Entry("check", "Check that repositories are whole."),
            Entry("heal", "Make damaged regions whole from those that have what they lack."),
            Entry("lock-extend", "Extend the object locks of what is needed, before they lapse."),
            Entry("scrub", "Hash what lies in the regions, a day's share at a time."),
            Entry(
                "daemon", "Keep every schedule, unattended: backups, checks, restore tests, drills."
            ),
            Entry("snapshots", "List snapshots, and the files in them."),
            Entry("retention", "Say which snapshots go and why; let them go."),
        ),
    ),
    Section(
        "Recover and practise",
        (
            Entry(
                "recover", "Bring back drorch's own records onto an empty machine, from one region."
            ),
            Entry(
                "kit", "Print the recovery kit for the safe: the way back when everything is gone."
            ),
            Entry("restore", "Bring a dataset back into an empty folder."),
            Entry("rewind", "Undo deletion and overwriting in a region that keeps versions."),
            Entry("runbook", "List runbooks, check them, see what they would do."),
            Entry("drill", "Carry a runbook out as an exercise, and report on it."),
            Entry("failover", "Carry a runbook out for real: the service moves."),
            Entry("failback", "Carry a runbook's way home out for real."),
            Entry("run", "Look at runs, answer them, carry them on, end them."),
        ),
    ),
    Section(
        "See and prove",
        (
            Entry("status", "How each dataset stands in each region; drills due; alarms."),
            Entry("schedule", "What happens by itself and when; what became of each slot."),
            Entry("action", "Corrective actions: what is to be done about findings, and by whom."),
            Entry("report", "Write reports from what the journal holds."),
            Entry("journal", "Verify the journal, export a run, rebuild what is derived."),
            Entry("notify", "Try the channels over which people are told."),
            Entry("completion", "Print the script that completes words in your shell."),
        ),
    ),
)
