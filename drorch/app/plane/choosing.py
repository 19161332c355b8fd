"""Which whole state a region can give: a restic snapshot and the segments that go on from it. Pure
but for the restoring.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath

from drorch.app.plane.looking import Opened, Whole, refuse_newer
from drorch.app.plane.segments import Segment
from drorch.app.plane.whole import EVIDENCE, MANIFEST, STATE
from drorch.core.errors import JournalUntrusted, ResticError
from drorch.core.plane import BEGINNING, Point
from drorch.core.terms import first_term
from drorch.journal.increments import leave_requests, ledger_head, replay
from drorch.journal.store import SqlJournal
from drorch.restic.client import Restic

#: So many whole states of each control plane are tried, the newest first, before a stream alone is.
_TRIED = 5


class Unusable(Exception):
    """This state cannot be brought back from there; the text says why."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A state that can be made: `at` is when it was copied, `until` how far its history goes."""

    opened: Opened = field(repr=False)
    whole: Whole | None
    segments: tuple[Segment, ...]
    at: datetime
    until: Point

    @property
    def instance(self) -> str:
        """Whose records they are."""
        told = self.segments[-1].instance if self.segments else ""
        if not self.segments and self.whole is not None:
            told = self.whole.manifest.instance
        return told or first_term(self.opened.plane).instance

    @property
    def term(self) -> int:
        """In which term they were copied: those of a higher one count before those of a later time."""
        if self.segments:
            return self.segments[-1].term
        return self.whole.manifest.term if self.whole is not None else 0

    @property
    def region(self) -> str:
        """Where it lies."""
        return self.opened.bucket.region.name


@dataclass(frozen=True, slots=True)
class Brought:
    """A state that was brought back. `files` are configuration and runbooks by their paths."""

    files: Mapping[str, bytes]
    left_out: tuple[str, ...]


def candidates(
    opened: Sequence[Opened], at: datetime | None, now: datetime, instance: str = ""
) -> list[Candidate]:
    """Every state that what was found can give, the best first; none that is younger than `at`.

    With an `instance` only those of control planes called so.
    """
    found = [one for vault in opened for one in _of_vault(vault, at, now)]
    return rank((one for one in found if one.instance.startswith(instance)), now)


def rank(found: Iterable[Candidate], now: datetime) -> list[Candidate]:
    """In the order in which they are tried: those of the highest term, then the newest; what a clock
    that ran ahead has dated later than now comes behind what goes on further.
    """
    listed = list(found)
    return sorted(listed, key=lambda one: _rank(one, listed, now), reverse=True)


def _rank(
    one: Candidate, others: Sequence[Candidate], now: datetime
) -> tuple[int, bool, datetime, bool, int]:
    good = not _surpassed(one, others, now)
    return (one.term, good, one.at, one.whole is not None, one.until.n)


def _surpassed(one: Candidate, others: Sequence[Candidate], now: datetime) -> bool:
    """Whether its time is still to come, and another of the same records whose time is not goes on
    further: the writer's clock ran ahead, and was set right since.
    """
    return one.at > now and any(
        other.at <= now
        and (other.term, other.instance) == (one.term, one.instance)
        and other.until.n > one.until.n
        for other in others
    )


def improves(other: Candidate, made: Candidate, brought: Brought, now: datetime) -> bool:
    """Whether another state goes before one that was brought back already, and tells anything that it
    does not: each region's copies of the same rows are made a moment apart.
    """
    if _rank(other, (made,), now) <= _rank(made, (other,), now):
        return False
    told = next((s.files for s in reversed(_with_files(other)) if s.files is not None), None)
    same = other.until == made.until and _taken_at(other) == _taken_at(made)
    return not same or (told is not None and told != brought.files)


def unjoined(
    chosen: Candidate, opened: Iterable[Opened], at: datetime | None, now: datetime
) -> datetime | None:
    """Until when segments of the same records go on after the chosen state that do not join it: what
    lies between is missing or damaged there. None: nothing does.
    """
    first, latest = first_term(chosen.opened.plane).instance, min(at or now, now)
    times = (
        segment.made_at
        for one in opened
        for stream in one.streams.values()
        for segment in stream
        if (segment.instance or first) == chosen.instance and segment.until.n > chosen.until.n
    )
    return max((time for time in times if chosen.at < time <= latest), default=None)


def _taken_at(one: Candidate) -> datetime | None:
    """When the whole state was taken that it begins with."""
    return one.whole.manifest.made_at if one.whole is not None else None


def _of_vault(opened: Opened, at: datetime | None, now: datetime) -> Iterator[Candidate]:
    wholes = [w for w in opened.wholes if at is None or w.manifest.made_at <= at]
    for whole in (*_tried(wholes, now), None):
        base = whole.manifest.until if whole is not None else BEGINNING
        lacking = frozenset(whole.manifest.late if whole is not None else ())
        if whole is not None:
            yield Candidate(opened, whole, (), whole.manifest.made_at, base)
        for stream in opened.streams.values():
            segments, until = _following(stream, base, lacking, at)
            if not segments:
                continue
            last = segments[-1].made_at
            if whole is not None and last < whole.manifest.made_at <= now:
                continue
            yield Candidate(opened, whole, segments, last, until)


def _tried(wholes: Sequence[Whole], now: datetime) -> Iterator[Whole]:
    """The newest of each control plane, and besides the newest of those whose time is still to come:
    neither push the others out.
    """
    count: Counter[tuple[str, bool]] = Counter()
    for one in wholes:
        kind = (one.manifest.instance, one.manifest.made_at > now)
        count[kind] += 1
        if count[kind] <= _TRIED:
            yield one


def _following(
    stream: Sequence[Segment], base: Point, lacking: frozenset[int], at: datetime | None
) -> tuple[tuple[Segment, ...], Point]:
    """The segments that go on from there without a gap, and where they end; before them those that
    hold what the whole state lacked, for it was committed late.
    """
    point, earlier, found = base, list[Segment](), list[Segment]()
    for one in stream:
        if at is not None and one.made_at > at:
            break
        if one.until.n < point.n:  # the whole state has it already
            if any(n in lacking for n, _ in one.events):
                earlier.append(one)
            continue
        if not one.joins(point):
            break
        found.append(one)
        point = one.until
    return ((*earlier, *found) if found else ()), point


def bring_back(candidate: Candidate, folder: Path, restic: Restic) -> Brought:
    """Make the state in `folder`: `var/drorch.db` and `var/evidence`.

    Raises Unusable, and NewerState of a newer version's.
    """
    whole = candidate.whole
    files: dict[str, bytes] = {}
    left_out: tuple[str, ...] = ()
    var = folder / "var"
    var.mkdir(mode=0o700)
    if whole is not None:
        refuse_newer(whole)
        files, left_out = _restored(candidate, whole, folder, var, restic)
    newest = next((s for s in reversed(_with_files(candidate)) if s.files is not None), None)
    if newest is not None and newest.files is not None:
        files, left_out = dict(newest.files), newest.left_out
    if not files:
        raise Unusable("it holds no configuration")
    try:
        _replayed(candidate, var)
    except JournalUntrusted as error:
        raise Unusable(error.message) from error
    return Brought(files, left_out)


def _with_files(candidate: Candidate) -> list[Segment]:
    """The segments that may tell of files as they were then, in the order of time."""
    since = _taken_at(candidate)
    if since is not None and since > candidate.at:  # by a clock that ran ahead
        since = None
    streams = candidate.opened.streams.values()
    chosen = {one.stream for one in candidate.segments}
    told = [
        one
        for stream in streams
        for one in stream
        if one.stream in chosen
        and one.made_at <= candidate.at
        and (since is None or one.made_at >= since)
    ]
    return sorted(told, key=lambda s: s.made_at)


def _restored(
    candidate: Candidate, whole: Whole, folder: Path, var: Path, restic: Restic
) -> tuple[dict[str, bytes], tuple[str, ...]]:
    tree = folder / "whole"
    paths = [PurePosixPath(path) for path in whole.snapshot.paths]
    try:
        restic.restore(candidate.opened.address, whole.snapshot.id, paths, tree, locks=False)
    except ResticError as error:
        raise Unusable(f"whole state {whole.snapshot.id[:8]}: {error.message}") from error
    manifest = json.loads((tree / MANIFEST).read_bytes())
    (tree / STATE).replace(var / "drorch.db")
    if (tree / EVIDENCE).is_dir():
        (tree / EVIDENCE).replace(var / EVIDENCE)
    files = {
        str(path.relative_to(tree)): path.read_bytes()
        for path in sorted(tree.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }
    for path in sorted(tree.rglob("*"), reverse=True):
        if path.is_file():
            path.unlink()
        else:
            path.rmdir()
    tree.rmdir()
    return files, tuple(manifest.get("left_out", ()))


def _replayed(candidate: Candidate, var: Path) -> None:
    with SqlJournal(f"sqlite:///{var / 'drorch.db'}") as journal:
        replay(journal, (event for one in candidate.segments for event in one.events))
        if not candidate.segments:
            return
        last = candidate.segments[-1]
        leave_requests(journal, last.posted)
        if last.ledger and ledger_head(journal) != last.ledger:
            raise Unusable("its ledger does not end as it was copied: a run is missing")
