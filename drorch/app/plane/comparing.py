"""What was recovered, held against what lives: how far the copy was behind, and what it lacked."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from drorch.app.exercised import EXERCISED
from drorch.app.plane.files import CONFIGURATION, RUNBOOKS, files_of
from drorch.app.plane.opening import MOVED
from drorch.app.program import Program
from drorch.config.load import load_configuration
from drorch.config.relocating import with_values
from drorch.core.codec import decode
from drorch.core.errors import UsageError
from drorch.core.model import Configuration
from drorch.core.plane import Point
from drorch.core.values import Value
from drorch.journal.increments import hash_at, increment, last_number
from drorch.journal.ledger import entry_at, last_entry
from drorch.journal.store import SqlJournal

#: So many events are read at once; so many names are told of what is missing.
_PAGE, _NAMED = 2000, 20

_EVER = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Lost:
    """What was recorded and not recovered: events, the runs they are of, and since when."""

    events: int = 0
    runs: tuple[str, ...] = ()
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """A recovered copy beside what lives at `at`, the moment that counts as that of the loss.

    `until` is the last event that both have; `same` whether the runs up to there are the very same.
    `configuration` is whether it is the same apart from where things lie. Lists of names: runbooks
    that are missing, others than they are now, or gone by now; evidence files that are missing.
    """

    at: datetime
    until: Point
    same: bool
    runs: int
    lost: Lost
    configuration: bool
    missing: tuple[str, ...]
    different: tuple[str, ...]
    surplus: tuple[str, ...]
    evidence: int
    evidence_missing: tuple[str, ...]
    evidence_since: datetime | None = None

    @property
    def behind(self) -> timedelta:
        """How long before the loss the first record was made that is lost; none: nothing is."""
        return max(timedelta(), self.at - self.lost.since) if self.lost.since else timedelta()

    @property
    def document(self) -> dict[str, Value]:
        """As `journal compare --json` prints it."""
        return {
            "same_history": self.same,
            "runs": self.runs,
            "events_behind": self.lost.events,
            "behind_s": round(self.behind.total_seconds(), 3),
            "runs_behind": list(self.lost.runs[:_NAMED]),
            "runs_behind_count": len(self.lost.runs),
            "configuration_same": self.configuration,
            "runbooks_missing": list(self.missing),
            "runbooks_different": list(self.different),
            "runbooks_surplus": list(self.surplus),
            "evidence_files": self.evidence,
            "evidence_missing": list(self.evidence_missing[:_NAMED]),
            "evidence_missing_count": len(self.evidence_missing),
            "evidence_missing_s": round(
                (self.at - (self.evidence_since or self.at)).total_seconds()
            ),
        }


def compare(
    program: Program, folder: Path, *, at: datetime | None = None, without: str = ""
) -> Compared:
    """Hold the copy in `folder` against the program's own records, of which nothing is changed.

    `at` is when the loss would have been, else now; the run `without` is left out: it looks on.
    Raises UsageError where there is no copy, or it is this one.
    """
    file = folder / CONFIGURATION
    if not file.is_file():
        raise UsageError(f"{folder} holds no {CONFIGURATION}", "name a folder recovered into")
    copy = Program(load_configuration(file), program.environment)
    if copy.configuration.file == program.configuration.file:
        raise UsageError(f"{folder} is what lives here", "name a folder recovered into")
    at = at or program.clock.now().at
    with closing(copy.journal):
        until = _common(program.journal, copy.journal)
        same = (
            until.n > 0
            and _same_ledger(program.journal, copy.journal)
            and not _strayed(copy.journal, until)
        )
        runs = sum(one.count for one in copy.journal.span(*_EVER).runs())
    missing, different, surplus = _runbooks(program.configuration, folder)
    there = {name for name, _ in _evidence(copy.configuration)}
    lacking = {
        name: made_at
        for name, made_at in _evidence(program.configuration)
        if made_at <= at and name.split("/")[0] != without and name not in there
    }
    return Compared(
        at=at,
        until=until,
        same=same,
        runs=runs,
        lost=_lost(program.journal, until, at, without),
        configuration=_same_configuration(program.configuration, copy.configuration),
        missing=missing,
        different=different,
        surplus=surplus,
        evidence=len(there),
        evidence_missing=tuple(lacking),
        evidence_since=min(lacking.values(), default=None),
    )


def _common(living: SqlJournal, copy: SqlJournal) -> Point:
    """The last event that both have: what the copy has recorded by itself lies after it."""
    for n in range(last_number(copy), 0, -1):
        found = hash_at(copy, n)
        if found and found == hash_at(living, n):
            return Point(n, found)
    return Point()


def _same_ledger(living: SqlJournal, copy: SqlJournal) -> bool:
    """Whether the ledgers agree up to where the copy's own runs begin: their hashes bind every run
    that had ended there, event by event.
    """
    last = last_entry(copy)
    for n in range(last.n if last else 0, 0, -1):
        ours, theirs = entry_at(living, n), entry_at(copy, n)
        if ours and theirs and ours.hash == theirs.hash:
            return True
    return False


def _strayed(copy: SqlJournal, until: Point) -> bool:
    """Whether the copy worked on by itself: it holds runs of its own that no exercise makes."""
    runs, after = dict[str, None](), until
    while (found := increment(copy, after, _PAGE)).events:
        runs |= dict.fromkeys(row.run for _, row in found.events)
        after = found.until
    return any(copy.find(run).kind not in EXERCISED for run in runs)


def _lost(living: SqlJournal, until: Point, at: datetime, without: str) -> Lost:
    count, runs, since, after = 0, dict[str, None](), None, until
    while (found := increment(living, after, _PAGE)).events:
        for _, row in found.events:
            made_at = decode(datetime, row.at)
            if row.run == without or made_at > at:
                continue
            count += 1
            runs[row.run] = None
            since = min(since, made_at) if since is not None else made_at
        after = found.until
    return Lost(count, tuple(runs), since)


def _same_configuration(living: Configuration, copy: Configuration) -> bool:
    if living.file is None or copy.file is None:
        return False
    text = with_values(living.file.read_text(encoding="utf-8-sig"), CONFIGURATION, MOVED)
    if copy.exercise is not None:
        text = with_values(text, CONFIGURATION, {"exercise": copy.exercise})
    return text == copy.file.read_text(encoding="utf-8-sig")


def _runbooks(
    living: Configuration, folder: Path
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Those missing in the copy, those that are others there, those that are gone here."""
    files = files_of(living)
    here = dict(_below(files.content if files is not None else {}))
    there = {path.name: path.read_bytes() for path in sorted((folder / RUNBOOKS).glob("*"))}
    return (
        tuple(name for name in here if name not in there),
        tuple(name for name, content in here.items() if there.get(name, content) != content),
        tuple(name for name in there if name not in here),
    )


def _below(content: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    for name, one in content.items():
        if name.startswith(f"{RUNBOOKS}/"):
            yield name.removeprefix(f"{RUNBOOKS}/"), one


def _evidence(configuration: Configuration) -> Iterator[tuple[str, datetime]]:
    """Files of evidence, as RUN/NAME, each with when it was last changed."""
    top = configuration.work / "evidence"
    for path in sorted(top.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            yield (
                path.relative_to(top).as_posix(),
                datetime.fromtimestamp(path.stat().st_mtime, UTC),
            )
