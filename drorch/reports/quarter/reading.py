"""Values of the quarter's document as its reader sees them: times of the organisation, durations and
counts by locale, stable words as words.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from drorch.reports.language import Language
from drorch.reports.quarter import words
from drorch.reports.quarter.blocks import Cell

Document: TypeAlias = Mapping[str, Any]

NONE = "–"
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)s")
_SHARE = re.compile(r"(\d+)/(\d+)")


class Reading:
    """One document in one language."""

    def __init__(self, document: Document, language: Language) -> None:
        self.document = document
        self.language = language
        self.say = language.say
        self._zone = ZoneInfo(document["timezone"] or "UTC")

    def when(self, text: str | None) -> str:
        """`2026-12-10 14:30`, in the organisation's time, from RFC 3339."""
        if text is None:
            return NONE
        return f"{datetime.fromisoformat(text).astimezone(self._zone):%Y-%m-%d %H:%M}"

    def day_of(self, text: str | None) -> str:
        """`2026-12-10`, likewise."""
        return NONE if text is None else self.when(text)[:10]

    def moment(self, text: str) -> str:
        """In full, with the zone's name."""
        return self.language.moment(datetime.fromisoformat(text), str(self._zone))

    def day(self, text: str) -> str:
        """A day of the calendar in full."""
        return self.language.day(date.fromisoformat(text))

    def lasting(self, seconds: float | None) -> str:
        """`1 hr 11 min`; without seconds where there are hours."""
        if seconds is None:
            return NONE
        if seconds == 0:
            return "0"
        return self.language.duration(timedelta(seconds=seconds))

    def against(self, seconds: float | None, promised: float | None) -> str:
        """What was measured beside what was promised: where it was longer it does not look the same."""
        if seconds is None or promised is None:
            return self.lasting(seconds)
        return self.language.against(timedelta(seconds=seconds), timedelta(seconds=promised))

    def quarter(self, text: str) -> str:
        """`Q4 2026`, from `2026Q4`."""
        year, number = text.split("Q")
        return self.say("Q{number} {year}", number=number, year=year)

    def count(self, number: float | None) -> str:
        """With the language's separators."""
        return NONE if number is None else self.language.number(number)

    def size(self, octets: int | None) -> str:
        """`791 MiB`."""
        return NONE if octets is None else self.language.size(octets)

    def share(self, part: int, whole: int) -> str:
        """`3 of 4`; an en dash where nothing was due."""
        if not whole:
            return NONE
        return self.say("{part} of {whole}", part=self.count(part), whole=self.count(whole))

    def figure(self, text: str, promised: str = "") -> str:
        """What a promise says: seconds as durations, shares in words, all else as configured."""
        if found := _SECONDS.fullmatch(text):
            beside = _SECONDS.fullmatch(promised)
            return self.against(float(found[1]), float(beside[1]) if beside else None)
        if found := _SHARE.fullmatch(text):
            return self.share(int(found[1]), int(found[2]))
        return text or NONE

    def word(self, table: Mapping[str, str], key: str | None) -> str:
        """The word for a stable one; itself where there is none."""
        if key is None:
            return NONE
        return self.say(table[key]) if key in table else key

    def tier(self, tier: int | None) -> str:
        """`tier 0`."""
        return self.say("no tier") if tier is None else self.say("tier {tier}", tier=tier)

    def listed(self, names: Sequence[str], most: int = 12) -> str:
        """Names in a sentence; beyond so many a count stands for the others."""
        if len(names) <= most:
            return self.language.listed(names) or NONE
        more = self.language.say_many("{count} more", "{count} more", len(names) - most)
        return self.language.listed([*names[:most], more])

    def reached(self, one: Mapping[str, Any]) -> Cell:
        """A measured time against the promised one."""
        actual, target = one["actual_s"], one["target_s"]
        tone = {True: "good", False: "bad", None: ""}[one["met"]]
        small = "" if target is None else self.say("promised {time}", time=self.lasting(target))
        return Cell(self.against(actual, target), tone, small)

    def outcome(self, outcome: str | None) -> Cell:
        """Passed, failed, aborted, or not ended."""
        return Cell(self.word(words.OUTCOMES, outcome or "open"), words.TONES[outcome or "open"])

    def closest(self, names: Iterable[str | None]) -> str:
        """The names that there are."""
        return ", ".join(name for name in names if name) or NONE


def plain(*texts: str) -> tuple[Cell, ...]:
    """A row without tones."""
    return tuple(Cell(text) for text in texts)
