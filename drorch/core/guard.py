"""Is a backup suspicious? It is held against its dataset's own history, and its `guard`. Pure.

What is usual is the median of the earlier backups, and how much they differ the median of their
distances from it (MAD): neither is moved by a few odd ones. 1.4826 MAD estimate a standard
deviation where values are spread normally.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from drorch.core.model import Guard
from drorch.core.units import format_size

#: How many earlier backups are remembered, and how many are needed to say what is usual.
REMEMBERED = 20
FEWEST = 5

#: How far beyond the usual spread is a jump, in standard deviations.
_DEVIATIONS = 5 * 1.4826

#: What is lost or changed beyond the usual, at least, as a share: less is never a jump.
_DROP = 0.3
_CHANGE = 0.25
_FILES = 0.5

#: Below so many bytes restic's own records weigh more than the data: shares tell nothing.
_SMALL = 1 << 20

#: Files whose times alone were changed add hardly anything.
_REAL_CHANGE = 0.02


@dataclass(frozen=True, slots=True)
class Figures:
    """One backup in figures: what it holds, and how much of that was new or changed.

    `changed` counts files, `added` bytes before compression. `tripped`: it was suspicious, and is
    no measure for others until a person has accepted it.
    """

    snapshot: str
    at: datetime
    files: int
    bytes: int
    changed: int
    added: int
    tripped: bool = False

    @property
    def share(self) -> float:
        """The share of the data that was added, from 0 to 1."""
        return min(1.0, self.added / max(self.bytes, _SMALL))

    @property
    def file_share(self) -> float:
        """The share of the files that are new or changed, from 0 to 1."""
        return min(1.0, self.changed / max(self.files, 1))


def suspicions(now: Figures, earlier: Sequence[Figures], guard: Guard) -> tuple[str, ...]:
    """Why a backup is suspicious, as ends of sentences; empty if it is not.

    `earlier` are the dataset's backups before it. A first one is measured by `min_files` alone:
    everything in it is new.
    """
    usual = [one for one in earlier if not one.tripped]
    found = [*_by_rule(now, usual, guard)]
    if len(usual) >= FEWEST:
        found += _by_history(now, usual)
    return tuple(found)


def _by_rule(now: Figures, usual: Sequence[Figures], guard: Guard) -> Iterator[str]:
    if guard.min_files is not None and now.files < guard.min_files:
        yield f"it holds {_files(now.files)}, fewer than {guard.min_files} (min_files)"
    if guard.max_change is not None and usual and now.share > guard.max_change:
        yield (
            f"{_percent(now.share)} of its data is new, more than {_percent(guard.max_change)} "
            "(max_change)"
        )


def _by_history(now: Figures, usual: Sequence[Figures]) -> Iterator[str]:
    yield from _fallen(now.files, [one.files for one in usual], _files)
    if max(one.bytes for one in usual) >= _SMALL:
        yield from _fallen(now.bytes, [one.bytes for one in usual], format_size)
    if _jumped(now.share, [one.share for one in usual], _CHANGE):
        often = median(one.share for one in usual)
        yield f"{_percent(now.share)} of its data is new, usually {_percent(often)}"
    elif now.share >= _REAL_CHANGE and _jumped(
        now.file_share, [one.file_share for one in usual], _FILES
    ):
        often = median(one.file_share for one in usual)
        yield f"{_percent(now.file_share)} of its files were changed, usually {_percent(often)}"


def _fallen(now: int, usual: Sequence[int], told: Callable[[int], str]) -> Iterator[str]:
    often = median(usual)
    if often - now > max(_DEVIATIONS * _mad(usual), _DROP * often):
        yield f"it holds {told(now)}, usually {told(round(often))}"


def _jumped(now: float, usual: Sequence[float], least: float) -> bool:
    return now - median(usual) > max(_DEVIATIONS * _mad(usual), least)


def _mad(values: Sequence[float]) -> float:
    often = median(values)
    return float(median(abs(value - often) for value in values))


def _files(count: int) -> str:
    return f"{count} file" if count == 1 else f"{count} files"


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"


def in_words(snapshot: str, why: str) -> tuple[str, str]:
    """A suspicious backup in words: message and hint."""
    message = (
        f"backup {snapshot[:8]} is suspicious: {why}; it is kept, and so is every snapshot "
        "before it"
    )
    hint = (
        "look for encrypted or deleted files at the source before anything else; if all is as "
        f"it should be: drorch snapshots accept {snapshot[:8]} --reason TEXT"
    )
    return message, hint
