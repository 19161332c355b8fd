"""`drorch recover`: everything drorch knows, back onto an empty machine, from one region."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from drorch.cli.inputs import moment_given
from drorch.cli.session import Session
from drorch.cli.verb import Verb
from drorch.cli.words import counted, lasted, moment, one_line
from drorch.core.errors import ConfigurationError, ExitCode, Problem, UsageError

if TYPE_CHECKING:
    from drorch.app.plane.recovered import Recovered, Wish

#: Events that are not compared within seconds.
_MANY = 100_000


@click.command(
    cls=Verb,
    name="recover",
    help="Bring back drorch's own records onto an empty machine, from one region.",
)
@click.option("--endpoint", metavar="URL", help="Where the region answers.")
@click.option("--bucket", metavar="NAME", help="Its bucket.")
@click.option("--prefix", metavar="P", default="", help="Its prefix, if it has one.")
@click.option(
    "--location", metavar="NAME", default="", help="The S3 region's name; us-east-1 unless told."
)
@click.option("--access-key-env", metavar="VAR", help="The variable with the access key.")
@click.option("--secret-key-env", metavar="VAR", help="The variable with the secret key.")
@click.option(
    "--password-file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="A file with the password that `control_plane.password` names.",
)
@click.option(
    "--to",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="An empty or new folder: configuration, runbooks and state come to lie there.",
)
@click.option(
    "--kit",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The text of a recovery kit with shares, instead of a region, its keys and the password.",
)
@click.option(
    "--share",
    "shares",
    multiple=True,
    metavar="FILE",
    help="A file with the words of one holder, or - to be asked for them. Several.",
)
@click.option("--at", metavar="TIME", help="As it was then; a time without an offset is in UTC.")
@click.option(
    "--plane", metavar="ID", default="", help="Which, where the bucket holds several by mistake."
)
@click.option(
    "--instance",
    metavar="ID",
    default="",
    help="Whose history, where a control plane worked on beside another.",
)
@click.option(
    "--exercise",
    is_flag=True,
    help="As a drill: the other regions and this machine count as lost, and what is recovered only "
    "reads, there alone.",
)
@click.pass_obj
def command(session: Session, /, *, to: Path, at: str | None, **given: Any) -> int:
    """Needs no configuration, and writes nothing unless it is whole."""
    from drorch.app.plane.recovering import recover
    from drorch.cli.joining import check_given, recovered_by_kit

    check_given(given)
    how = _how(to.absolute(), at, given)

    def ready(found: "Recovered") -> None:
        _tell_ready(session, found)

    if given["kit"]:
        found = recovered_by_kit(session, given, how, ready)
    else:
        found = recover(_wish(given, how), ready)
    if session.json:
        session.emit(_document(found))
    else:
        _tell(session, found)
    if not found.report.ok:
        session.tell(*_broken(found))
        return int(ExitCode.JOURNAL_UNTRUSTED)
    return int(ExitCode.GOOD)


def _tell_ready(session: Session, found: "Recovered") -> None:
    """Where it takes a while to compare the rest, nobody has to wait for it."""
    if found.report.events < _MANY:
        return
    session.tell(
        f"recovered into {found.to}, and its {counted(found.report.events, 'event')} are as they were "
        "recorded: work with it from now on",
        *(() if found.exercise else (f"  {found.command}",)),
        "what is kept beside the events is compared with them meanwhile, which changes nothing",
    )


def _broken(found: "Recovered") -> tuple[str, str]:
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


def _how(to: Path, at: str | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """What a wish says besides the region and what opens it."""
    import os

    return {
        "to": to,
        "at": moment_given(at, "UTC") if at else None,
        "plane": given["plane"],
        "instance": given["instance"],
        "exercise": given["exercise"],
        "restic": os.environ.get("DRORCH_RESTIC", "restic"),
        "environment": dict(os.environ),
    }


def _wish(given: Mapping[str, Any], how: Mapping[str, Any]) -> "Wish":
    from drorch.app.plane.recovered import Wish
    from drorch.config.addresses import region_given
    from drorch.storage.client import Credentials

    location = given["location"] or "us-east-1"
    problems: list[Problem] = []
    with _noted(problems):
        region = region_given(given["endpoint"], given["bucket"], given["prefix"], location)
    with _noted(problems):
        access = _variable(given["access_key_env"], "access_key_env")
    with _noted(problems):
        secret = _variable(given["secret_key_env"], "secret_key_env")
    with _noted(problems):
        passphrase = _passphrase(given["password_file"])
    if problems:
        raise ConfigurationError(problems)
    return Wish(
        region=region, credentials=Credentials(access, secret), passphrase=passphrase, **how
    )


@contextmanager
def _noted(problems: list[Problem]) -> Iterator[None]:
    """Whoever types at night is told at once of everything that is wrong."""
    try:
        yield
    except UsageError as error:
        problems.append(Problem(error.message, error.hint))


def _variable(name: str, option: str) -> str:
    import os

    value = os.environ.get(name, "")
    if not value:
        raise UsageError(
            f"--{option.replace('_', '-')}: the variable {name} is not set",
            f"set it first: export {name}=…",
        )
    return value


def _passphrase(path: Path) -> str:
    try:
        value = path.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise UsageError(
            f"{path} cannot be read: {why}", "name the file by --password-file"
        ) from None
    if not value:
        raise UsageError(f"{path} is empty", "put the control plane's password there")
    return value


def _document(found: "Recovered") -> dict[str, Any]:
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


def _tell(session: Session, found: "Recovered") -> None:
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
        what = (
            "Start a failover with:"
            if found.fails_over
            else "No service has a runbook; restore a dataset with:"
        )
        session.paragraph(what, f"  {found.command}")


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
        for flaw in one.flaws[:5]:
            session.say(f"    damaged: {one_line(flaw)}")
        if len(one.flaws) > 5:
            session.say(f"    and {len(one.flaws) - 5} more")


def _tell_left_open(session: Session, found: "Recovered") -> None:
    """Runs that somebody may have been in the middle of."""
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
