"""What is asked of a recovery, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from drorch.adapters.secrets import SecretLook
from drorch.app.plane.adopting import Adopted
from drorch.core.model import Region
from drorch.core.plane import BEGINNING, Point
from drorch.core.posture import RunRow
from drorch.core.terms import OtherSeen, TermBegun
from drorch.journal.report import VerifyReport
from drorch.storage.client import Credentials


@dataclass(frozen=True, slots=True)
class Wish:
    """What is known on an empty machine: one region, its credentials, the passphrase; `secrets` are
    further ones by name, from a recovery kit.

    As an `exercise` the other regions and this machine count as lost, and what is recovered only reads.
    """

    region: Region
    credentials: Credentials
    passphrase: str = field(repr=False)
    to: Path
    at: datetime | None = None
    plane: str = ""
    instance: str = ""
    restic: str = "restic"
    exercise: bool = False
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a region came to: of when the newest state is that it can give (None: none) and where
    that ends, what of it is damaged, or why it was not looked at. `goes_on` is until when records lie
    there that join nothing, for something before them is missing; `shut_since` when records began that
    the passphrase does not open.
    """

    region: str
    at: datetime | None = None
    until: Point = BEGINNING
    flaws: tuple[str, ...] = ()
    message: str = ""
    goes_on: datetime | None = None
    shut_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another history that goes on to `at`, later than what was brought back, in a lower term."""

    instance: str
    term: int
    region: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RelativePath:
    """A path of a dataset that was written relative to the configuration's folder: it names a place in
    the recovered folder now. `there` if something lies in that place.
    """

    dataset: str
    path: Path
    there: bool


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was brought back, and what a person has to know about it.

    `secrets` are those that have to be given again; `written` is where the passphrase was put
    (None: nowhere; it was there already, or is no file). `term` is what it works in from now on,
    `others` are the daemons of others that told of themselves. `relative` are the sources that backups
    would look for in another place than before. `command` brings something back: by a failover if it
    `fails_over`, else by a restore. `left_open` are runs that were under way at the loss
    and that a person has to see to. `rebuild`: every event is as it was recorded, and what
    is wrong by the report is only kept beside them.
    """

    to: Path
    region: str
    at: datetime
    until: Point
    organization: str
    events: int
    report: VerifyReport
    seen: tuple[Seen, ...]
    secrets: tuple[SecretLook, ...]
    written: Path | None
    left_out: tuple[str, ...]
    adopted: tuple[Adopted, ...]
    command: str
    term: TermBegun
    others: tuple[OtherSeen, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
    relative: tuple[RelativePath, ...] = ()
    left_open: tuple[RunRow, ...] = ()
    fails_over: bool = True
    exercise: bool = False
    rebuild: bool = False

    def behind(self, seen: Seen) -> timedelta:
        """How much older the newest state of a region is than what was brought back."""
        if seen.at is None or seen.until == self.until:
            return timedelta()
        return max(timedelta(), self.at - seen.at)
