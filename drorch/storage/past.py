"""What was in a bucket at a moment, read off the history of an object. Pure.

A history is an object's versions and delete markers, the newest first. Times of markers hold; a
version was written at its time or before (see versions.py), so whoever asks says which versions
were surely written later.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from drorch.storage.versions import Version

History: TypeAlias = "tuple[Version, ...]"


class Fate(StrEnum):
    """What became of an object since the moment."""

    KEPT = "kept"
    DELETED = "deleted"
    DOUBTFUL = "doubtful"
    NEW = "new"
    ABSENT = "absent"


def fate(history: History, moment: datetime, later: Callable[[Version], bool]) -> Fate:
    """KEPT: it shows as it did then. DELETED: it showed then, and is hidden now. DOUBTFUL: it showed
    then, and has several contents. NEW: it shows now, and did not then. ABSENT: it did not show then
    and does not now.

    `later` is asked of a version whose time is after the moment: whether it was surely written then.
    """
    top = history[0]
    then = standing(history, moment, later)
    if then is None or then.marker:
        return Fate.ABSENT if top.marker else Fate.NEW
    if len(contents(history)) > 1:
        return Fate.DOUBTFUL
    return Fate.DELETED if top.marker else Fate.KEPT


def standing(
    history: History, moment: datetime, later: Callable[[Version], bool]
) -> Version | None:
    """The version or marker that was the newest one at the moment; None if there was none yet."""
    return next((v for v in history if not _after(v, moment, later)), None)


def _after(version: Version, moment: datetime, later: Callable[[Version], bool]) -> bool:
    return version.modified > moment and (version.marker or later(version))


def content(version: Version) -> tuple[int, str]:
    """What is the same for versions of the same content."""
    return version.size, version.etag


def contents(history: History) -> tuple[Version, ...]:
    """The newest version of each content, the newest first."""
    found: dict[tuple[int, str], Version] = {}
    for version in history:
        if not version.marker:
            found.setdefault(content(version), version)
    return tuple(found.values())


def covering(history: History) -> tuple[Version, ...]:
    """The markers on top, which hide what lies below."""
    return tuple(_covering(history))


def _covering(history: History) -> Iterator[Version]:
    for version in history:
        if not version.marker:
            return
        yield version


#: Of a config's content: empty if it is the repository's, else why it is not; None: nobody can tell.
Opinion = Callable[[bytes], str | None]


def choose_config(
    candidates: Sequence[bytes], then: Sequence[bytes], mirrors: Sequence[bytes], opinion: Opinion
) -> tuple[bytes, str]:
    """Which of several contents of `config`, the newest first, is the repository's; and why that is
    not sure (empty if it is).

    Nothing names it by its hash. Who has the repository's key knows; else the same one in a mirror
    speaks for it; else, as restic never writes it a second time, the oldest one of those that may
    have been there `then`.
    """
    if len(set(candidates)) == 1:
        return candidates[0], ""
    opinions = {candidate: opinion(candidate) for candidate in candidates}
    genuine = [c for c in candidates if opinions[c] == ""]
    agreed = [c for c in candidates if c in mirrors]
    wanted = list(then) or list(candidates)
    for right in (genuine, agreed):
        if right:
            return next((c for c in reversed(right) if c in wanted), right[-1]), ""
    return wanted[-1], (
        f"{len(set(candidates))} different ones were written, and neither the repository's key nor "
        "a mirror says which one is right: the oldest one was taken"
    )
