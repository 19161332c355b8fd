"""`drorch status`: how each dataset stands in each region, drills due, alarms."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from drorch.cli.session import Session
from drorch.cli.tables import show_table
from drorch.cli.verb import Verb
from drorch.cli.words import lasted, moment, one_line, yes_no
from drorch.core.errors import ExitCode


@click.command(
    cls=Verb, name="status", help="How each dataset stands in each region; drills due; alarms."
)
@click.option("--check", is_flag=True, help="Leave with 1 if there is an alarm.")
@click.pass_obj
def command(session: Session, *, check: bool) -> int:
    """From the journal alone: no region is asked."""
    from drorch.app.posture import status

    found: Mapping[str, Any] = status(session.program)
    if session.json:
        session.emit(found)
    else:
        _copies(session, found["datasets"])
        if found["services"]:
            session.say("")
            _services(session, found["services"])
        if found["drills"]:
            session.say("")
            _drills(session, found["drills"])
        _alarms(session, found["alarms"])
    return int(ExitCode.FAILED if check and found["alarms"] else ExitCode.GOOD)


def _copies(session: Session, datasets: Sequence[Mapping[str, Any]]) -> None:
    show_table(
        session,
        (
            "dataset",
            "region",
            "role",
            "newest",
            "age",
            "RPO",
            "owed",
            "verified",
            "scrubbed",
            "restored",
        ),
        [
            (
                d["dataset"],
                c["region"],
                c["role"],
                str(c["snapshot"] or "-")[:8],
                lasted(c["age_s"]),
                {True: "met", False: "missed", None: "-"}[c["rpo_met"]],
                "owed" if c["owed"] else "",
                moment(c["verified_at"], session.zone),
                _scrubbed(c),
                moment(c["restore_tested_at"], session.zone),
            )
            for d in datasets
            for c in d["copies"]
        ],
        empty="no datasets are configured",
        right=("age",),
    )


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


def _alarms(session: Session, alarms: Sequence[Mapping[str, Any]]) -> None:
    session.say("", f"alarms: {len(alarms) or 'none'}")
    for alarm in alarms:
        since = f" (since {moment(alarm['since'], session.zone)})" if alarm["since"] else ""
        session.say(f"  {alarm['what']}: {one_line(alarm['message'])}{since}")
        session.say(f"    hint: {one_line(alarm['hint'])}")
