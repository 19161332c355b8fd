"""The loss of drorch's own records, drilled: recovered from one region alone into a scratch folder,
and held against what lives. planes_used.py uses what came back.

What is recovered only reads (`recover --exercise`), and is reached by processes that know nothing of
this machine. Nothing of production is changed.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from drorch.actions.arguments import Arguments, make_action
from drorch.actions.bare import bare, made_anew, not_done
from drorch.actions.ourselves import by_ourselves, printed, trouble
from drorch.actions.patience import limit_of
from drorch.actions.places import region_named
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.document import rfc3339
from drorch.core.durations import format_duration
from drorch.core.errors import ExitCode, UsageError
from drorch.core.model import Configuration, Region, SecretSource
from drorch.core.names import Mode
from drorch.core.phrases import counted
from drorch.core.plane import SEGMENT_LATE, WHOLE_LATE, plane_password
from drorch.core.values import Finding, Result, Value, errored, failed, passed
from drorch.ports import Call, Ended, Tools

#: What findings of this family are about.
SUBJECT = "control plane"

_LONG = timedelta(hours=12)
_ACCESS, _SECRET = "ACCESS_KEY", "SECRET_KEY"

#: A copy that is so little behind is one that was just being made.
_AT_ONCE = timedelta(minutes=1)


def _recover(call: Call, tools: Tools) -> Result:
    if call.mode is not Mode.DRILL:
        said = "this only drills the loss: after a real one there is no drorch to carry it out"
        return failed("drill-only", said, "recover by hand: docs/recovering.md, drorch recover")
    arguments = Arguments.of(call, tools)
    region, to = region_named(tools, arguments.text("region")), arguments.path("to")
    names = _names(arguments, tools.configuration, region)
    password, access, secret = (tools.secrets.get(name) for name in names)
    began_at = tools.clock.now()
    made_anew(call, tools, to.parent)
    to.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    made_anew(call, tools, to)
    words = ["recover", "--exercise", "--to", str(to), "--password-file", "/dev/stdin"]
    words += ["--endpoint", region.endpoint, "--bucket", region.bucket]
    words += ["--location", region.location, "--access-key-env", _ACCESS]
    words += ["--secret-key-env", _SECRET]
    words += ["--prefix", region.prefix] if region.prefix else []
    if arguments.has("at"):
        words += ["--at", arguments.time("at", tools.configuration.timezone).isoformat()]
    done = bare(
        tools,
        words,
        home=to.parent,
        limit=limit_of(_LONG, call.timeout),
        cancel=call.cancel,
        env={_ACCESS: access, _SECRET: secret},
        stdin=password,
    )
    found = printed(done)
    journal = found.get("journal")
    if not isinstance(journal, Mapping):
        return not_done(done, "not-recovered")
    elapsed = (tools.clock.now().at - began_at.at).total_seconds()
    lost = [str(one["secret"]) for one in found["secrets"]]
    outputs: dict[str, Value] = {
        "region": region.name,
        "path": str(to),
        "began_at": rfc3339(began_at.at),
        "at": found["at"],
        "elapsed_s": round(elapsed, 3),
        "runs": journal["runs"],
        "events": journal["events"],
        "adopted": sum(int(one["snapshots"]) for one in found["adopted"]),
        "secrets": list(lost),
    }
    findings = (*_damaged(found, region), *_only_here(arguments, tools, names, lost))
    if done.exit_code == ExitCode.JOURNAL_UNTRUSTED or not journal["ok"]:
        flaw = journal["flaws"][0] if journal["flaws"] else {"subject": "journal", "message": ""}
        said = f"the recovered journal is broken: {flaw['subject']}: {flaw['message']}"
        hint = "compare with another region, and verify what lives: drorch journal verify"
        return failed("untrusted", said, hint, outputs=outputs, findings=findings)
    return passed(outputs, findings=findings)


def _names(
    arguments: Arguments, configuration: Configuration, region: Region
) -> tuple[str, str, str]:
    """The secrets that open it: the passphrase's, and the region's keys."""
    given = (plane_password(configuration), region.access_key, region.secret_key)
    words = ("password", "access_key", "secret_key")
    found = [
        arguments.text(w) if arguments.has(w) else g for w, g in zip(words, given, strict=True)
    ]
    if found[0] is None:
        message = "no password seals the control plane"
        raise UsageError(message, "name a secret: control_plane: {password: NAME}")
    if found[1] is None or found[2] is None:
        raise UsageError(
            f"region {region.name} takes its credentials from this machine, which counts as lost",
            "name secrets that hold keys for it: access_key and secret_key",
        )
    return (found[0], found[1], found[2])


def _damaged(found: Mapping[str, Any], region: Region) -> Iterable[Finding]:
    for one in found["regions"]:
        for flaw in one["flaws"][:5]:
            yield Finding(
                "control-plane.damaged",
                region.name,
                f"of the copy in region {region.name} is damaged: {flaw}",
                "copy it anew: drorch replicate --control-plane",
            )


def _only_here(
    arguments: Arguments, tools: Tools, names: tuple[str, ...], lost: Iterable[str]
) -> Iterable[Finding]:
    """Secrets that, as far as is known, are lost with this machine: who would give them?"""
    safe = {name.strip() for name in arguments.text("safe", "").split(",")}
    opened = {plane_password(tools.configuration), names[1], names[2]} & set(names)
    sources = tools.configuration.secrets
    here = [name for name in sources if name in {*lost, *opened} and name not in safe]
    if not here:
        return
    told = ", ".join(f"{name} ({_where(sources[name])})" for name in here)
    yield Finding(
        "secret.only-here",
        SUBJECT,
        f"nobody has said that these secrets survive the loss of this machine: {told}",
        "keep them in the safe (drorch kit), and name those that lie there: --set safe=NAME,NAME",
    )


def _where(source: SecretSource) -> str:
    if source.file is not None:
        return "a file"
    if source.env is not None:
        return "the environment"
    if source.credential is not None:
        return "systemd"
    return f"asked of {(source.command or ('a program',))[0]}"


def _compare(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    path = arguments.path("path")
    words = ["journal", "compare", str(path), "--without", call.run]
    if arguments.has("lost_at"):
        words += ["--at", arguments.time("lost_at", "UTC").isoformat()]
    done = by_ourselves(tools, words, limit_of(_LONG, call.timeout), call.cancel)
    found = printed(done)
    if "same_history" not in found:
        if done.ended is Ended.CANCELLED:
            return errored("cancelled", "stopped while the records were being compared")
        return errored("not-compared", *(trouble(done, words) or ("it told nothing", "")))
    outputs: dict[str, Value] = {name: found[name] for name in _COMPARED}
    if not found["same_history"]:
        said = "what was recovered is not the history that lives here"
        hint = "see whose records the bucket holds: docs/control-plane.md"
        return failed("other-history", said, hint, outputs=outputs)
    behind = timedelta(seconds=float(found["behind_s"]))
    findings = tuple(_lacking(found, behind))
    most = arguments.duration("max_behind", SEGMENT_LATE)
    if behind > most:
        said = (
            f"the copy was {format_duration(behind)} behind; {format_duration(most)} are promised"
        )
        hint = "see why it was not copied: drorch status; drorch replicate --control-plane"
        return failed("behind", said, hint, outputs=outputs, findings=findings)
    return passed(outputs, findings=findings)


def _lacking(found: Mapping[str, Any], behind: timedelta) -> Iterable[Finding]:
    """What a loss at that moment would have cost."""
    again = "copy it now, and see why it was not: drorch replicate --control-plane; drorch status"
    if behind > _AT_ONCE:
        runs = found["runs_behind"]
        yield Finding(
            "control-plane.behind",
            SUBJECT,
            f"{counted(found['events_behind'], 'event')} of the last {format_duration(behind)} would "
            f"be lost, of {counted(found['runs_behind_count'], 'run')}: {', '.join(runs[:5])}",
            again,
        )
    if not found["configuration_same"]:
        message = "the configuration that came back is other than the one here"
        yield Finding("control-plane.configuration", SUBJECT, message, again)
    names = [*found["runbooks_missing"], *found["runbooks_different"], *found["runbooks_surplus"]]
    if names:
        message = f"runbooks that came back otherwise than they are here: {', '.join(names)}"
        yield Finding("control-plane.runbooks", SUBJECT, message, again)
    if timedelta(seconds=float(found["evidence_missing_s"])) > WHOLE_LATE:
        yield Finding(
            "control-plane.evidence",
            SUBJECT,
            f"{counted(found['evidence_missing_count'], 'evidence file')} did not come back, the oldest "
            f"of {format_duration(timedelta(seconds=float(found['evidence_missing_s'])))} ago",
            again,
        )


_COMPARED = (
    "runs",
    "events_behind",
    "behind_s",
    "runs_behind",
    "runs_behind_count",
    "configuration_same",
    "runbooks_missing",
    "runbooks_different",
    "runbooks_surplus",
    "evidence_files",
    "evidence_missing",
    "evidence_missing_count",
)

RECOVER = make_action(
    ActionSpec(
        "plane.recover",
        "Recover drorch's own records from one region alone, as an exercise: the copy only reads",
        (
            Parameter("region", Kind.REGION, doc="the one that is left"),
            Parameter("to", Kind.WRITE_PATH, doc="a new folder, in one that this run makes for it"),
            Parameter(
                "password",
                Kind.SECRET,
                required=False,
                doc="the passphrase as the safe has it; default: what control_plane names",
            ),
            Parameter(
                "access_key",
                Kind.SECRET,
                required=False,
                doc="the region's, as the safe has it; default: the region's own",
            ),
            Parameter("secret_key", Kind.SECRET, required=False, doc="likewise"),
            Parameter("at", Kind.TIME, required=False, doc="as the records were then"),
            Parameter(
                "safe",
                Kind.TEXT,
                required=False,
                doc="secrets that lie where the loss does not reach, with commas: no finding",
            ),
        ),
        ("region", "path", "began_at", "at", "elapsed_s", "runs", "events", "adopted", "secrets"),
        repeatable=True,
    ),
    _recover,
)

COMPARE = make_action(
    ActionSpec(
        "plane.compare",
        "Hold recovered records against those that live: how far behind, and what they lack",
        (
            Parameter("path", Kind.READ_PATH, doc="the folder that they were recovered into"),
            Parameter(
                "lost_at",
                Kind.TIME,
                required=False,
                doc='when the loss would have been, as in "{recover.began_at}"; default: now',
            ),
            Parameter("max_behind", Kind.DURATION, required=False, doc="more fails; default: 15m"),
        ),
        _COMPARED,
        check=True,
        repeatable=True,
    ),
    _compare,
)
