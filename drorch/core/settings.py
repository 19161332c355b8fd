"""How drorch itself is to work, as the configuration says: whom it tells, how its own records, evidence
and reports are kept and sent, what the daemon may do at once.

Durations are timedelta, schedules are texts as written.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from drorch.core.exercises import Participant
from drorch.core.quarter_controls import Framework

#: The least time between two messages over a channel, unless it is told.
PAUSE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class NotifyRule:
    """Who is told of what: exactly one of `to`, `ping` (names of secrets) and `command`.

    `pause` is the least time between two messages: what happens meanwhile goes together.
    """

    when: tuple[str, ...]
    to: str | None = None
    ping: str | None = None
    command: tuple[str, ...] | None = None
    pause: timedelta = PAUSE


@dataclass(frozen=True, slots=True)
class Keep:
    """How many snapshots of each kind retention keeps."""

    last: int | None = None
    hourly: int | None = None
    daily: int | None = None
    weekly: int | None = None
    monthly: int | None = None
    yearly: int | None = None
    within: timedelta | None = None


#: The newest whole state holds all of the history: older ones are for going back before a mistake or
#: an intruder, which is mostly found within weeks, and now and then by the yearly audit.
KEEP_STATES = Keep(daily=31, monthly=13)


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """How drorch's own records are protected. `password` is the name of a secret, `keep` says which
    whole states stay.
    """

    password: str | None = None
    regions: tuple[str, ...] = ()
    keep: Keep = KEEP_STATES


#: How long sealed evidence is kept unless told: HIPAA's six years (45 CFR 164.316(b)(2)(i)).
KEEP_EVIDENCE = timedelta(days=6 * 365.25)


@dataclass(frozen=True, slots=True)
class EvidencePolicy:
    """How evidence is sealed and kept. `key` is the name of a secret; without one nothing is sealed.

    `public_keys` are trusted: each the text of a PEM, or the path of a file that holds one. No
    `regions`: those in which every dataset may lie.
    """

    key: str | None = None
    public_keys: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    keep: timedelta = KEEP_EVIDENCE

    def until(self, moment: datetime) -> datetime:
        """Until when what is of that moment is kept. A year is 365.25 days, and six of the calendar may
        have half a day more: so a day is added.
        """
        return moment + self.keep + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Quarterly:
    """When the daemon writes the quarter's report, how, and whom it is sent to.

    It is written in the month after the quarter, on `day` (1 to 28) `at` a local time (HH:MM).
    Without `languages` in the configuration's. `to`: each a secret, or a command.
    """

    day: int = 5
    at: str = "06:00"
    languages: tuple[str, ...] = ()
    formats: tuple[str, ...] = ("pdf", "html", "json")
    to: tuple[NotifyRule, ...] = ()

    @property
    def cron(self) -> str:
        """The same as five fields of cron."""
        hour, minute = self.at.split(":")
        return f"{int(minute)} {int(hour)} {self.day} 1,4,7,10 *"


@dataclass(frozen=True, slots=True)
class Reports:
    """Reports that come by themselves, who signs them off, and the laws and standards whose
    requirements are held against the evidence in hand (empty: all that drorch knows).
    """

    quarterly: Quarterly = Quarterly()
    sign_off: tuple[Participant, ...] = ()
    controls: tuple[Framework, ...] = ()


@dataclass(frozen=True, slots=True)
class DaemonSettings:
    """How the unattended daemon works: how many runs at once on this machine, with one region and
    from one site; how long they have to end when it is stopped; when preconditions are looked at
    (a schedule as written); after how long a lasting alarm is told again.

    `listen` (`HOST:PORT`) is where metrics and health are served, `textfile` where metrics are
    written; None: nowhere. `log` is `plain` or `json`.
    """

    parallel: int = 4
    per_region: int = 4
    per_site: int = 2
    stop_within: timedelta = timedelta(minutes=2)
    readiness: str = "daily at 05:00"
    remind: timedelta = timedelta(hours=24)
    listen: str | None = None
    textfile: Path | None = None
    log: str = "plain"
