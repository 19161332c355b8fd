"""What `drorch recover` says: to people, to scripts, and while it is not at its end yet."""

from shlex import quote
from typing import TYPE_CHECKING, Any

from drorch.cli.session import Session
from drorch.cli.words import counted, lasted, moment, one_line

if TYPE_CHECKING:
    from drorch.app.plane.recovered import Recovered

#: Events that are not compared within seconds.
_MANY = 100_000


def tell_ready(session: Session, found: "Recovered") -> None:
    """Where it takes a while to compare the rest, nobody has to wait for it."""
    if found.report.events < _MANY:
        return
    session.tell(
        f"recovered into {found.to}, and its {counted(found.report.events, 'event')} are as they were "
        "recorded: work with it from now on",
        *(() if found.exercise else (f"  {found.command}",)),
        "what is kept beside the events is compared with them meanwhile, which changes nothing",
    )


def broken(found: "Recovered") -> tuple[str, str]:
    """Error and hint of a journal that is not as it was recorded."""
    flaw = found.report.flaws[0]
    if found.rebuild:
        file = quote(str(found.to / "drorch.yaml"))
        wrong = (
            f"what is kept beside its events is not what they tell: {flaw.subject}: {flaw.message}"
        )
        return (
            f"error: the recovered journal is whole, but {wrong}",
            f"hint: make it anew: drorch --config {file} journal rebuild",
        )
    return (
        f"error: the recovered journal is broken: {flaw.subject}: {flaw.message}",
        "hint: it was so when it was copied; recover an earlier state with --at, and compare",
    )


def document(found: "Recovered") -> dict[str, Any]:
    """Everything, as `--json` prints it."""
    from drorch.app.plane.telling import other_document
    from drorch.core.document import rfc3339

    return {
        "to": str(found.to),
        "organization": found.organization,
        "region": found.region,
        "at": rfc3339(found.at),
        "journal": {
            "ok": found.report.ok,
            "runs": found.report.runs,
            "events": found.report.events,
            "head": f"sha256:{found.report.head}",
            "flaws": [{"subject": f.subject, "message": f.message} for f in found.report.flaws],
        },
        "regions": [
            {
                "region": one.region,
                "at": rfc3339(one.at) if one.at else None,
                "behind_s": found.behind(one).total_seconds() if one.at else None,
                "flaws": list(one.flaws),
                "message": one.message,
                "goes_on_to": rfc3339(one.goes_on) if one.goes_on else None,
                "shut_since": rfc3339(one.shut_since) if one.shut_since else None,
            }
            for one in found.seen
        ],
        "adopted": [
            {
                "dataset": one.dataset,
                "snapshots": one.snapshots,
                "newest_at": one.newest_at or None,
                "unasked": list(one.unasked),
            }
            for one in found.adopted
        ],
        "secrets": [
            {"secret": one.name, "source": one.source, "message": one.message, "hint": one.hint}
            for one in found.secrets
        ],
        "password_file": str(found.written) if found.written else None,
        "left_out": list(found.left_out),
        "command": found.command,
        "instance": found.term.instance,
        "term": found.term.term,
        "others": [other_document(one) for one in found.others],
        "elsewhere": [
            {
                "instance": one.instance,
                "term": one.term,
                "region": one.region,
                "at": rfc3339(one.at),
            }
            for one in found.elsewhere
        ],
        "left_open": [
            {
                "run": row.run,
                "kind": row.kind,
                "name": row.name,
                "started_at": rfc3339(row.started_at),
            }
            for row in found.left_open
        ],
        "relative": [
            {"dataset": one.dataset, "path": str(one.path), "there": one.there}
            for one in found.relative
        ],
        "exercise": found.exercise,
    }


def tell(session: Session, found: "Recovered") -> None:
    """Everything, in the order in which whoever is there at night needs it."""
    runs, events = counted(found.report.runs, "run"), counted(found.report.events, "event")
    whose = f" of {found.organization}" if found.organization else ""
    word = "good" if found.report.ok else "BROKEN"
    session.say(
        f"recovered the control plane{whose} into {found.to}",
        f"  as it was at {moment(found.at, 'UTC')} UTC, from region {found.region}",
        f"  journal: {word}, {runs}, {events}",
    )
    _tell_regions(session, found)
    for name in found.left_out:
        session.say(f"  not copied, for it was too large or could not be read: {one_line(name)}")
    for one in found.adopted:
        if one.snapshots:
            many = counted(one.snapshots, "snapshot")
            session.say(
                f"  newer than the last copy, and adopted: {many} of {one.dataset}, "
                f"the newest of {moment(one.newest_at, 'UTC')} UTC"
            )
    unasked = sorted({region for one in found.adopted for region in one.unasked})
    if unasked:
        session.say(f"  not asked for backups newer than the last copy: {', '.join(unasked)}")
    if found.written:
        session.say(f"  the password given was put into {found.written}")
    if found.secrets:
        session.paragraph("Provide these secrets again:")
        for secret in found.secrets:
            how = secret.hint or f"see that it can be had: {secret.source}"
            session.say(f"  {secret.name}: {one_line(how)}")
    _tell_relative(session, found)
    _tell_left_open(session, found)
    _tell_others(session, found)
    if found.exercise:
        session.paragraph(
            "This is an exercise: it only reads, and tells nobody. Compare it with what lives:",
            f"  drorch journal compare {quote(str(found.to))}",
        )
    else:
        session.paragraph(_leads_to(found), f"  {found.command}")


def _leads_to(found: "Recovered") -> str:
    """What is said before the last command. A runbook of which a run is left open begins no other."""
    from drorch.core.names import RunKind

    if not found.fails_over:
        return "No service has a runbook; restore a dataset with:"
    runbooks = (RunKind.FAILOVER, RunKind.FAILBACK, RunKind.DRILL)
    if any(row.kind in runbooks for row in found.left_open):
        return (
            "Start a failover with (go on with what is left open of its runbook, or end it first):"
        )
    return "Start a failover with:"


def _tell_regions(session: Session, found: "Recovered") -> None:
    for one in found.seen:
        if one.message:
            session.say(f"  region {one.region}: not looked at: {one_line(one.message)}")
        elif one.at is None:
            session.say(f"  region {one.region}: holds no whole state")
        elif found.behind(one):
            session.say(
                f"  region {one.region}: lags, its newest state is of {moment(one.at, 'UTC')} UTC"
            )
        else:
            session.say(f"  region {one.region}: holds it")
        if one.goes_on is not None:
            session.say(
                f"    records lie there until {moment(one.goes_on, 'UTC')} UTC, but something before them is "
                "missing or damaged: see whether another region has it"
            )
        if one.shut_since is not None:
            session.say(
                f"    since {moment(one.shut_since, 'UTC')} UTC records are sealed there with another "
                "password: if it was changed, recover with the newer one"
            )
        for flaw in one.flaws[:5]:
            session.say(f"    damaged: {one_line(flaw)}")
        if len(one.flaws) > 5:
            session.say(f"    and {len(one.flaws) - 5} more")


def _tell_left_open(session: Session, found: "Recovered") -> None:
    """Runs that somebody may have been in the middle of."""
    from drorch.core.names import RunKind

    if not found.left_open:
        return
    run = f"drorch --config {quote(str(found.to / 'drorch.yaml'))} run"
    session.paragraph("These were under way when the records were copied, and are left open:")
    for row in found.left_open:
        session.say(
            f"  {row.run}: {row.kind} {row.name}, begun {moment(row.started_at, 'UTC')} UTC"
        )
    session.say(
        f"  look: {run} show ID; if it runs nowhere any more, go on with it: {run} resume ID --gone, or "
        f"end it: {run} abort ID --gone"
    )
    if any(row.kind in (RunKind.REWIND, RunKind.KEYS) for row in found.left_open):
        session.say(
            "  a rewind or a change of keys that nobody goes on with is ended, half done, by the next backup "
            "of its dataset: do it again"
        )


def _tell_relative(session: Session, found: "Recovered") -> None:
    """Sources that are sought in the recovered folder: whoever backs up there has to know it before."""
    if not found.relative:
        return
    session.paragraph(
        "These datasets have relative paths, which count from the recovered folder now:",
        *(
            f"  {one.dataset}: {one_line(str(one.path))}, where "
            + ("something lies; see that it is the data" if one.there else "nothing lies")
            for one in found.relative
        ),
        "  after a loss the data is to be brought there, or drorch.yaml has to say where it lies"
        if found.exercise
        else "  before the daemon or a backup starts here, bring the data there, or write in drorch.yaml "
        "where it lies",
    )


def _tell_others(session: Session, found: "Recovered") -> None:
    """Who else may work on the same datasets, and what was recorded elsewhere. An exercise leaves the
    others alone: nobody is sent to stop them.
    """
    from drorch.core.terms import Fate

    file = quote(str(found.to / "drorch.yaml"))
    claim = f"drorch --config {file} schedule claim --reason TEXT"
    for one in () if found.exercise else found.others:
        ago = lasted(max(0.0, (found.term.at - one.heard_at).total_seconds()))
        if one.fate is Fate.ALIVE:
            session.paragraph(
                f"Control plane {one.short} (term {one.term}) was alive {ago} ago on {one.host}:",
                "  stop its daemon. It stands back by itself within a minute once a daemon works here, or "
                f"after: {claim}",
            )
        elif one.fate is Fate.SILENT:
            session.paragraph(
                f"Control plane {one.short} (term {one.term}) was last seen {ago} ago on {one.host}: "
                "whether it is dead cannot be known",
            )
    for two in found.elsewhere:
        session.paragraph(
            f"Another history, of control plane {two.instance[:8]} (term {two.term}), goes on to "
            f"{two.at:%Y-%m-%d %H:%M:%S} UTC in region {two.region}.",
            f"  What was done there is not in these records. To look at it: recover --instance "
            f"{two.instance[:8]} --to ANOTHER-FOLDER",
        )
