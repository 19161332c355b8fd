"""Sentences of the paper version that hang on a word of the plan; the others stand where they are said."""

from collections.abc import Mapping
from types import MappingProxyType

from drorch.core.byhand import Note
from drorch.core.names import OnFailure, Otherwise, Phase
from drorch.core.verification import Reason
from drorch.reports.language import later

PHASES: Mapping[Phase, str] = MappingProxyType(
    {
        Phase.PRECONDITIONS: later("Preconditions"),
        Phase.FENCE: later("Fencing gate"),
        Phase.STEPS: later("Steps"),
        Phase.VERIFY: later("Verification"),
        Phase.CLEANUP: later("Cleanup"),
    }
)

INTRODUCTIONS: Mapping[Phase, str] = MappingProxyType(
    {
        Phase.PRECONDITIONS: later(
            "Only look; nothing is changed yet. If one of these does not pass, nothing is touched: "
            "stop, and say why."
        ),
        Phase.FENCE: later(
            "For real only. The old primary must be known to be down or cut off before anything "
            "else begins: two sites that both write are worse than an outage. Not knowing is not "
            "enough."
        ),
        Phase.STEPS: later(
            "A step begins when those it needs are done. If a step fails for good, and nothing "
            "else is said there, begin no further one: go to the cleanup."
        ),
        Phase.VERIFY: later(
            "Only look. The clock stops when the last of these has passed; if one fails, the "
            "service is not back."
        ),
        Phase.CLEANUP: later(
            "After an exercise do all of it, whatever happened. After a recovery for real do only "
            "what is marked “also for real”: the rest would take away what was just built."
        ),
    }
)

ON_FAILURE: Mapping[OnFailure, str] = MappingProxyType(
    {
        OnFailure.CONTINUE: later("If it fails, write it down and go on."),
        OnFailure.ISOLATE: later("If it fails, leave out what needs it; the rest goes on."),
        OnFailure.ASK: later(
            "If it fails, whoever leads decides: try again, leave it out, or end the recovery."
        ),
    }
)

OTHERWISE: Mapping[Otherwise, str] = MappingProxyType(
    {
        Otherwise.FAIL: later("Without an answer within {length} the step has failed."),
        Otherwise.ABORT: later("Without an answer within {length} everything is called off."),
        Otherwise.CONTINUE: later("Without an answer within {length} go on without it."),
    }
)

DOUBTS: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.NEVER_PASSED: later("No drill of it has ever passed."),
        Reason.LAST_FAILED: later("Its last drill failed."),
        Reason.LAST_ABORTED: later("Its last drill was aborted."),
        Reason.CHANGED: later("Changed since: {subject}."),
        Reason.GONE: later("No longer there: {subject}."),
        Reason.OVERDUE: later("Its drill is overdue."),
        Reason.NOT_READY: later("It could not begin: {subject}."),
    }
)

TARGETS: Mapping[str, str] = MappingProxyType(
    {
        "runbook": later("runbook {name}"),
        "dataset": later("dataset {name}"),
        "region": later("region {name}"),
    }
)

NOTES: Mapping[Note, str] = MappingProxyType(
    {
        Note.NOTHING: later("There is no command to type: drorch does this by itself."),
        Note.ANSWERS_ONLY: later(
            "Any number but 000 shows that it answers; whether it takes the key shows when the "
            "repository is opened."
        ),
        Note.AGE: later("Now, less the time that is shown, is the age."),
        Note.PLACES: later(
            "What is in braces and no input stands in the tables of datasets and regions."
        ),
        Note.WHOLE_PATH: later("restic repeats the whole path of the source below the target."),
        Note.MOVED: later(
            "The target must not be there yet. drorch also looks for damage meanwhile and turns to "
            "another region; by hand, open the next region’s repository if this one fails."
        ),
        Note.AT_A_TIME: later(
            "Take the ID of the newest snapshot that is not younger than wanted from "
            "“restic snapshots”."
        ),
        Note.WHOLE_SNAPSHOT: later("The dump is one file: it comes back whole."),
        Note.STAYS: later("It must go on running. The number that is shown is its process (pid)."),
        Note.ONLY_OURS: later(
            "drorch removes only what the same run created. By hand, look first that nothing else "
            "lies there."
        ),
        Note.SILENCE: later(
            "Refused, or exit 0 of the command: it is down. Connected, or exit 1: it is up, stop. "
            "Silence or anything else: nobody knows, which is not down."
        ),
        Note.PRIMARY_IS_F: later("f: it is a primary. t: it is a standby."),
        Note.FENCED: later(
            "Connection refused, or t (a standby): it is fenced. f: it is a primary, stop. "
            "Silence: nobody knows, which is not fenced."
        ),
        Note.SQL_CLIENT: later("To be typed in the client of the database, once it is known."),
        Note.NEW_CLUSTER: later(
            "As PostgreSQL’s own user, with its server programs in the PATH; the folder must not "
            "be there yet."
        ),
        Note.KEY_FILE: later(
            "KEYFILE is a file that holds the secret, readable by you alone (chmod 600); remove it "
            "afterwards."
        ),
    }
)

#: What each action does.
ACTIONS: Mapping[str, str] = MappingProxyType(
    {
        "backup": later("Back a dataset up to its regions."),
        "replicate": later("Bring what a region is owed there."),
        "restore": later("Bring a snapshot of a dataset back into an empty folder."),
        "restore.verify": later("Hold a restored folder against its snapshot."),
        "repository.check": later("Look whether the repository in a region is whole."),
        "repository.unlock": later("Remove locks that nobody holds any more."),
        "repository.renew": later("Encrypt a dataset anew, into a new repository."),
        "lock.extend": later("Extend the locks of objects before they lapse."),
        "rewind": later("Bring a region back to what it was before it was damaged."),
        "scrub": later("Hash what lies in a region against its names."),
        "heal": later("Fetch what a region misses or has damaged from another."),
        "region.reachable": later(
            "Look whether a region answers, knows the key and has the bucket."
        ),
        "region.versioned": later("Look whether a region keeps older versions."),
        "snapshot.age": later("Look how old the newest snapshot is."),
        "retention.decide": later("Decide which snapshots go."),
        "retention.prepare": later("List what is to be deleted."),
        "retention.delete": later("Delete what was listed."),
        "retention.release": later("Let others write to the repositories again."),
        "snapshot.hold": later("Keep a snapshot, or let it go again."),
        "copies.adopt": later(
            "Learn which snapshots the regions hold that the journal does not know."
        ),
        "term.begin": later("Record which control plane these records are from now on."),
        "term.others": later("Record what was seen of other control planes."),
        "plane.recover": later(
            "Recover drorch’s own records from one region alone, into a folder beside."
        ),
        "plane.compare": later("Hold recovered records against those that live."),
        "plane.restore": later("Restore a dataset with the recovered records, and compare it."),
        "plane.plan": later("Plan a failover with the recovered records."),
        "snapshot.accept": later("Accept a backup that looked suspicious."),
        "key.add": later("Add a key to a repository."),
        "key.revoke": later("Note that a key must open nothing any more."),
        "key.delete": later("Remove a key from its repositories."),
        "key.rotate": later("Change the password of a repository."),
        "command": later("Run a program."),
        "shell": later("Run a shell script."),
        "ssh.command": later("Run a program on another host."),
        "service.start": later("Start a program that goes on running."),
        "service.stop": later("Stop a program that was started."),
        "http.check": later("Ask a web address and look at the answer."),
        "http.request": later("Send a request to a web address."),
        "tcp.check": later("Look whether something listens at an address."),
        "dns.check": later("Look up where a name leads to."),
        "dns.update": later("Change where a name leads to, at its primary server."),
        "sql.check": later("Ask a database and look at the answer."),
        "sql.execute": later("Change something in a database."),
        "postgres.load": later("Load a dump into a new PostgreSQL server."),
        "postgres.is_primary": later("Look what part a PostgreSQL server plays."),
        "postgres.lag": later("Measure how far a standby is behind."),
        "postgres.promote": later("Make a standby the primary."),
        "files.verify": later("Compare files with what they should be."),
        "files.inspect": later("Look for signs that files were encrypted by somebody else."),
        "files.write": later("Write a file."),
        "files.remove": later("Remove what this run created."),
        "fence.check": later("Know whether the old primary is down, up, or that nobody can tell."),
        "notify": later("Tell people."),
        "alarm.tell": later("Tell people what is wrong."),
        "report.write": later("Write the report of a quarter, seal it and keep it."),
        "report.send": later("Send the report of a quarter."),
        "corrective.open": later("Open a corrective action."),
        "corrective.change": later("Record what became of a corrective action."),
        "kit.record": later("Record that a recovery kit was made."),
        "wait": later("Let time pass."),
        "approve": later("Somebody who may decides whether to go on."),
        "confirm": later("Somebody does this by hand, and says when it is done."),
    }
)

#: Arguments that say what is expected rather than what is done, by action.
EXPECTATIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "command": ("expect",),
        "shell": ("expect",),
        "ssh.command": ("expect",),
        "http.check": ("status", "contains", "json"),
        "http.request": ("status", "contains", "json"),
        "dns.check": ("addresses",),
        "sql.check": ("equals", "rows"),
        "files.verify": ("exact", "files", "bytes", "digest"),
        "snapshot.age": ("max",),
        "postgres.is_primary": ("expect",),
        "postgres.lag": ("max",),
    }
)

#: What is expected where nothing is written: the argument's name and value.
EXPECTED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "command": ("exit", "0"),
        "shell": ("exit", "0"),
        "ssh.command": ("exit", "0"),
        "http.check": ("status", "2xx"),
        "http.request": ("status", "2xx"),
        "postgres.is_primary": ("expect", "primary"),
    }
)
