"""`drorch status`: how each dataset stands in each region, drills due, alarms."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import click

from drorch.cli.session import Session
from drorch.cli.tables import Cell, show_lines, show_table
from drorch.cli.verb import Verb
from drorch.cli.words import lasted, moment, one_line, yes_no
from drorch.core.durations import format_duration
from drorch.core.errors import ExitCode


@click.command(
    cls=Verb, name="status", help="How each dataset stands in each region; drills due; alarms."
)
@click.option("--check", is_flag=True, help="Leave with 1 if there is an alarm.")
@click.pass_obj
def command(session: Session, *, check: bool) -> int:
    """From the journal alone: no region is asked."""
    from drorch.app.watchman import status

    found: Mapping[str, Any] = status(session.program)
    if session.json:
        session.emit(found)
    else:
        _daemon(session, found["daemon"])
        _overview(session, found)
        if found["datasets"]:
            session.say("")
            _copies(session, found)
        if found["services"]:
            session.say("")
            _services(session, found["services"])
        if found["drills"]:
            session.say("")
            _drills(session, found["drills"])
        _control_plane(session, found)
        _alarms(session, found["alarms"])
    return int(ExitCode.FAILED if check and found["alarms"] else ExitCode.GOOD)


def _daemon(session: Session, found: Mapping[str, Any] | None) -> None:
    """One line, if there ever was one."""
    if found is None:
        return
    since = moment(found["started_at"], session.zone)
    if not found["alive"]:
        session.say(f"daemon: not running; last heard of {moment(found['at'], session.zone)}", "")
        return
    running = ", ".join(found["running"]) or "nothing"
    waits = f", {found['waiting']} wait" if found["waiting"] else ""
    why = "".join(f"; {one}" for one in found["why"])
    session.say(
        f"daemon: running since {since}, {found['jobs']} jobs; under way: {running}{waits}{why}",
        *_unknown(found.get("presence"), session.zone),
        "",
    )


def _unknown(presence: Mapping[str, Any] | None, zone: str) -> Iterator[str]:
    if presence is not None and presence["unknown_since"] is not None:
        since = moment(presence["unknown_since"], zone)
        yield f"whether another control plane works cannot be known: no region answers since {since}"


def _overview(session: Session, found: Mapping[str, Any]) -> None:
    """Datasets × regions: how old the newest snapshot is, in the colour of what is wrong there."""
    datasets, worst = found["datasets"], _worst(found["alarms"])
    regions = list(dict.fromkeys(c["region"] for d in datasets for c in d["copies"]))
    show_table(
        session,
        ("dataset", "tier", "RPO", *regions, "restored"),
        [
            (
                Cell(d["dataset"], _STYLES.get(worst.get(d["dataset"], ""), "")),
                "-" if d["tier"] is None else str(d["tier"]),
                "-" if d["rpo_s"] is None else format_duration(timedelta(seconds=d["rpo_s"])),
                *_ages(d, regions, worst),
                _ago(
                    found["at"],
                    max((c["restore_tested_at"] or "" for c in d["copies"]), default=""),
                ),
            )
            for d in datasets
        ],
        empty="no datasets are configured",
        right=("tier", "RPO", *regions, "restored"),
    )


_STYLES = {"critical": "bold red", "warning": "yellow"}


def _worst(alarms: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
    """The gravest severity by subject."""
    found: dict[str, str] = {}
    for alarm in alarms:
        if found.get(alarm["subject"]) != "critical":
            found[alarm["subject"]] = alarm["severity"]
    return found


def _ages(
    dataset: Mapping[str, Any], regions: Sequence[str], worst: Mapping[str, str]
) -> Iterator[Cell]:
    copies = {copy["region"]: copy for copy in dataset["copies"]}
    for region in regions:
        if region not in copies:
            yield Cell("", "")
            continue
        copy = copies[region]
        severity = worst.get(f"{dataset['dataset']} in {region}", "")
        good = "green" if copy["rpo_met"] else ""
        marks = [word for word, so in _MARKS.items() if so(copy)]
        age = "none" if copy["age_s"] is None else lasted(copy["age_s"])
        yield Cell(" ".join((*marks, age)), _STYLES.get(severity, good))


#: What stands before an age.
_MARKS: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "damaged": lambda copy: bool(copy["damaged"]),
    "owed": lambda copy: bool(copy["owed"]),
    "missed": lambda copy: copy["rpo_met"] is False,
}


def _copies(session: Session, found: Mapping[str, Any]) -> None:
    show_table(
        session,
        ("dataset", "region", "role", "newest", "taken", "verified", "scrubbed", "restored"),
        [
            (
                d["dataset"],
                c["region"],
                c["role"],
                str(c["snapshot"] or "-")[:8],
                moment(c["snapshot_at"], session.zone),
                _ago(found["at"], c["verified_at"]),
                _scrubbed(c),
                _ago(found["at"], c["restore_tested_at"]),
            )
            for d in found["datasets"]
            for c in d["copies"]
        ],
        empty="",
        right=("verified", "restored"),
    )


def _ago(now: str, at: str | None) -> str:
    """How long ago, in words."""
    if not at:
        return "-"
    return lasted((datetime.fromisoformat(now) - datetime.fromisoformat(at)).total_seconds())


def _scrubbed(copy: Mapping[str, Any]) -> str:
    """How much of it is proven; once all of it was at least once, how old the oldest proof is."""
    if copy["damaged"]:
        return "damaged"
    if not copy["scrubbed_share"] and copy["scrubbed_at"] is None:
        return "-"
    share = f"{copy['scrubbed_share']:.0%}"
    return share if copy["scrubbed_at"] is None else f"{share}, {lasted(copy['scrubbed_age_s'])}"


def _services(session: Session, services: Sequence[Mapping[str, Any]]) -> None:
    show_table(
        session,
        ("service", "home", "runs at", "since", "by run"),
        [
            (
                s["service"],
                s["home"] or "-",
                s["active"] or ("away: site not named" if s["failed_over"] else "-"),
                moment(s["since"], session.zone),
                s["run"] or "-",
            )
            for s in services
        ],
        empty="",
    )


def _drills(session: Session, drills: Sequence[Mapping[str, Any]]) -> None:
    show_table(
        session,
        ("runbook", "last drill", "outcome", "due", "overdue", "ready", "needs verification"),
        [
            (
                d["runbook"],
                d["last_run"] or "never",
                d["last_outcome"] or "-",
                moment(d["due_at"], session.zone),
                yes_no(d["overdue"]),
                _ready(session, d),
                "; ".join(d["why"]) or "no",
            )
            for d in drills
        ],
        empty="",
    )


def _ready(session: Session, drill: Mapping[str, Any]) -> str:
    """When its preconditions last all passed, and whether they did when last looked at."""
    if drill["readiness_looked_at"] is None:
        return "-"
    proven = moment(drill["readiness_proven_at"], session.zone)
    if not drill["readiness_wrong"] and not drill["readiness_open"]:
        return proven
    word = "no" if drill["readiness_wrong"] else "partly known"
    return f"{word} (was {proven})" if drill["readiness_proven_at"] else word


def _in_charge(plane: Mapping[str, Any], zone: str) -> Iterator[str]:
    """Whose records these are, where there are or were others."""
    if not plane["others"] and not plane["term"]:
        return
    does = "in charge" if plane["in_charge"] else "stands back"
    yield f"this control plane: {plane['instance'][:8]}, term {plane['term']}: {does}"
    for one in plane["others"]:
        state = one["state"]
        if state == "alive":
            state = "in charge" if one["in_charge"] else "lives"
            state += ", stands back" if one["stands_back"] else ""
        since = "since" if one["state"] == "alive" else "last heard of"
        heard = f"{since} {moment(one['heard_at'], zone)}"
        what = "a copy of this one" if one["clone"] else f"another, {one['instance'][:8]}"
        yield f"  {what}, term {one['term']}, on {one['host']}: {state}, {heard}"


def _why_not(now: str, region: Mapping[str, Any]) -> str:
    """Why a region lacks something, as it was when it was tried: it may answer again by now."""
    if not region["why"]:
        return "-"
    tried = f" (tried {_ago(now, region['tried_at'])} ago)" if region["tried_at"] else ""
    return one_line(region["why"]) + tried


def _control_plane(session: Session, found: Mapping[str, Any]) -> None:
    """How old the copies of drorch's own records are, where there ever were any."""
    if found["control_plane"] is None:
        return
    session.say("", *_in_charge(found["control_plane"], session.zone))
    show_table(
        session,
        ("control plane in", "copied", "lacks", "whole state", "why"),
        [
            (
                one["region"],
                _ago(found["at"], one["copied_at"]),
                lasted(one["behind_s"]) if one["behind_s"] else "nothing",
                _ago(found["at"], one["whole_at"]),
                _why_not(found["at"], one),
            )
            for one in found["control_plane"]["regions"]
        ],
        empty="no region may hold drorch's records",
        right=("copied", "whole state"),
    )


def _alarms(session: Session, alarms: Sequence[Mapping[str, Any]]) -> None:
    session.say("", f"alarms: {len(alarms) or 'none'}")
    lines: list[Cell] = []
    for alarm in sorted(alarms, key=lambda a: a["severity"] != "critical"):
        since = f" (since {moment(alarm['since'], session.zone)})" if alarm["since"] else ""
        said = f"  {alarm['what']}: {one_line(alarm['message'])}{since}"
        lines.append(Cell(said, _STYLES.get(alarm["severity"], "")))
        lines.append(Cell(f"    hint: {one_line(alarm['hint'])}", ""))
    show_lines(session, lines)
