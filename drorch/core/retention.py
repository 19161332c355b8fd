"""Which snapshots stay, and why: restic's rules for `keep`, and what no rule may expire. Pure.

The rules are those of `restic forget --keep-*` since 0.16, held equal by a test against the real
thing: of each hour, day, week, month or year with snapshots the newest stays, for so many of
them, and the oldest snapshot of all while a rule has some left. Before 0.16 restic let that oldest
one go. restic takes hours and days as each snapshot's host had them; here they are all of one zone.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

from drorch.core.durations import format_duration
from drorch.core.settings import Keep


class Origin(StrEnum):
    """Where a snapshot comes from. Those of one origin never expire those of another.

    So whoever can write to a region cannot push out what the journal knows by planting more.
    """

    KNOWN = "known"
    FOREIGN = "foreign"
    REMAINS = "remains"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A snapshot to be judged: its id (64 digits), its time (aware), the regions that hold it.

    `remains` were left by a failed backup; `foreign` ones no run of the journal made. `shields`
    are the reasons for which it stays whatever the rules say. `forgotten` says why it was
    forgotten already: it then goes for good.
    """

    snapshot: str
    at: datetime
    origin: Origin = Origin.KNOWN
    regions: tuple[str, ...] = ()
    shields: tuple[str, ...] = ()
    forgotten: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """What becomes of a snapshot, and every reason why."""

    candidate: Candidate
    keep: bool
    reasons: tuple[str, ...]


#: Why a snapshot stays where nothing is configured.
NO_RULE = "no `keep` is configured"
#: Why a snapshot goes.
EXPIRED = "no rule keeps it"
LEFT_OVER = "left by a failed backup, and a whole one is newer"


def judge(
    candidates: Iterable[Candidate], keep: Keep, *, now: datetime, zone: tzinfo
) -> tuple[Judged, ...]:
    """Which of a repository's snapshots stay, newest first.

    Snapshots later than `now` come from a clock that lied, then or now: they stay, and are no
    reason for another to go. The newest of each origin stays. Without any rule all stay.
    """
    listed = sorted(candidates, key=lambda c: (c.at, c.snapshot), reverse=True)
    present = [c for c in listed if not c.forgotten and c.at <= now]
    found = {c.snapshot: _early(c, now) for c in listed}
    for origin in (Origin.KNOWN, Origin.FOREIGN):
        _judge_one_origin([c for c in present if c.origin is origin], keep, zone, found)
    for candidate in present:
        if candidate.origin is Origin.REMAINS:
            found[candidate.snapshot] += _of_remains(candidate, present, keep)
    return tuple(_judged(c, tuple(found[c.snapshot])) for c in listed)


def _early(candidate: Candidate, now: datetime) -> list[str]:
    """The reasons that need no look at the other snapshots."""
    if candidate.forgotten:
        return []
    later = ["later than this clock"] if candidate.at > now else []
    return [*candidate.shields, *later]


def _judge_one_origin(
    candidates: Sequence[Candidate], keep: Keep, zone: tzinfo, found: Mapping[str, list[str]]
) -> None:
    rules = matches([c.at for c in candidates], keep, zone)
    for number, (candidate, by_rule) in enumerate(zip(candidates, rules, strict=True)):
        foreign = " of those the journal does not know"
        suffix = foreign if candidate.origin is Origin.FOREIGN else ""
        newest = [f"newest snapshot{suffix}"] if number == 0 else []
        found[candidate.snapshot].extend([*newest, *(f"{rule}{suffix}" for rule in by_rule)])


def _of_remains(candidate: Candidate, present: Sequence[Candidate], keep: Keep) -> list[str]:
    if not _rules(keep):
        return [NO_RULE]
    whole = any(c.at > candidate.at and c.origin is Origin.KNOWN for c in present)
    return [] if whole else ["left by a failed backup, but nothing whole is newer"]


def _judged(candidate: Candidate, reasons: tuple[str, ...]) -> Judged:
    if candidate.forgotten:
        return Judged(candidate, False, (f"forgotten already: {candidate.forgotten}",))
    if reasons:
        return Judged(candidate, True, reasons)
    remains = candidate.origin is Origin.REMAINS
    return Judged(candidate, False, (LEFT_OVER if remains else EXPIRED,))


def matches(times: Sequence[datetime], keep: Keep, zone: tzinfo) -> list[list[str]]:
    """For each time, newest first, the rules that keep it, as `daily 3` or `within 30d`."""
    rules = _rules(keep)
    if not rules:
        return [[NO_RULE] for _ in times]
    found: list[list[str]] = [[] for _ in times]
    local = [at.astimezone(zone) for at in times]
    if keep.within and times:
        since = _before(local[0], keep.within)
        for reasons, at in zip(found, times, strict=True):
            if at > since:
                reasons.append(f"within {format_duration(keep.within).replace(' ', '')}")
    for name, count in rules.items():
        if name != "within":
            for place, reason in _counted(name, count, local):
                found[place].append(reason)
    return found


def _rules(keep: Keep) -> dict[str, int]:
    """The rules that keep anything, with how many they keep; `within` with 1."""
    counts = {name: getattr(keep, name) or 0 for name in ("last", *_PERIODS)}
    if keep.within:
        counts["within"] = 1
    return {name: count for name, count in counts.items() if count}


def _counted(name: str, count: int, local: Sequence[datetime]) -> Iterator[tuple[int, str]]:
    """The places that a counting rule keeps, and what it calls them."""
    period = _PERIODS.get(name)
    taken, last = 0, None
    for place, at in enumerate(local):
        if taken == count:
            return
        here = place if period is None else period(at)
        if here != last:
            taken, last = taken + 1, here
            yield place, f"{name} {taken}"
        elif place == len(local) - 1:
            yield place, f"{name} {taken + 1}, the oldest there is"


def _week(at: datetime) -> tuple[int, ...]:
    return at.isocalendar()[:2]


#: What snapshots of one hour, day … have in common, in local time.
_PERIODS: Mapping[str, Callable[[datetime], tuple[int, ...]]] = {
    "hourly": lambda at: (at.year, at.month, at.day, at.hour),
    "daily": lambda at: (at.year, at.month, at.day),
    "weekly": _week,
    "monthly": lambda at: (at.year, at.month),
    "yearly": lambda at: (at.year,),
}


def _before(local: datetime, length: timedelta) -> datetime:
    """So long before: days by the calendar, as restic has it, the rest by the clock."""
    days = timedelta(days=length.days)
    # Without its zone: the same time of day, whatever daylight saving did between.
    day = (local.replace(tzinfo=None) - days).replace(tzinfo=local.tzinfo)
    return day.astimezone(UTC) - (length - days)


@dataclass(frozen=True, slots=True)
class Brake:
    """How much may vanish at once: a share of what the last time left, or of all if there was none.

    `least` may vanish in any case, if anything remains: one snapshot is no mass.
    """

    share: float
    least: float = 0

    def stops(self, what: str, before: float, after: float, left_last_time: float | None) -> str:
        """Why this must not be done, as a sentence; empty if it may.

        `before` and `after` count what is there now and what would remain, `left_last_time` what
        remained then. What came since and goes again is the ordinary turn of things: only that
        less remains than then (or than now, if there was no last time) is held against the share.
        """
        base = before if left_last_time is None else min(before, left_last_time)
        if after >= before or (after and base - after <= max(self.least, base * self.share)):
            return ""
        if not after:
            return f"of {before:.0f} {what} none would remain"
        than = "there are now" if left_last_time is None else "the last time left"
        return (
            f"of {before:.0f} {what} {after:.0f} would remain: {100 * (1 - after / base):.0f} % "
            f"fewer than {than}, more than the {100 * self.share:.0f} % that may vanish at once"
        )
