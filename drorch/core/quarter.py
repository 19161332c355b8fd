"""Quarters of the calendar, by a time zone's own midnights. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Self

from drorch.core.slots import start_of

_TEXT = re.compile(r"(\d{4})-?[Qq]([1-4])")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, order=True)
class Quarter:
    """Three months from January, April, July or October on; `number` counts from 1."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """`2026Q4`; ValueError with a sentence for anything else."""
        found = _TEXT.fullmatch(text.strip())
        if found is None or found[1] == "0000":
            raise ValueError(f"{text!r} is not a quarter such as 2026Q4")
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, at: datetime, zone: tzinfo) -> Self:
        """The one that a moment (aware) lies in."""
        local = at.astimezone(zone)
        return cls(local.year, (local.month + 2) // 3)

    def __str__(self) -> str:
        """As people write it."""
        return f"{self.year:04}Q{self.number}"

    def moved(self, by: int) -> Self:
        """So many quarters later, or earlier."""
        years, number = divmod(self.year * 4 + self.number - 1 + by, 4)
        return type(self)(years, number + 1)

    @property
    def first_day(self) -> date:
        """Its first day."""
        return date(self.year, 3 * self.number - 2, 1)

    def days(self) -> Iterator[date]:
        """Every day of it."""
        day, end = self.first_day, self.moved(1).first_day
        while day < end:
            yield day
            day += _DAY

    def begin(self, zone: tzinfo) -> datetime:
        """Its first instant; aware UTC."""
        return start_of(self.first_day, zone)

    def end(self, zone: tzinfo) -> datetime:
        """The first instant after it; aware UTC."""
        return self.moved(1).begin(zone)


def ended_last(at: datetime, zone: tzinfo) -> Quarter:
    """The newest quarter that is over at a moment (aware)."""
    return Quarter.of(at.astimezone(UTC), zone).moved(-1)
