"""Writes a document's values out in a language: times, durations, sizes, as a reader wants them.

The document has RFC 3339 and seconds; a value that is not there is an en dash.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from drorch.reports.language import Language

NOTHING: Final = "–"


class Pen:
    """Times of day are those of a time zone (UTC where it is not known), on the day of `start`."""

    def __init__(self, language: Language, zone: str = "UTC", start: str | None = None) -> None:
        self.language = language
        self.say = language.say
        self.say_many = language.say_many
        self.zone = _known(zone)
        self._start = self._local(start).date() if start else None

    def duration(self, seconds: float | None) -> str:
        """`41.2 sec`, `3 min 5 sec`."""
        if seconds is None:
            return NOTHING
        return self.language.duration(timedelta(seconds=seconds))

    def offset(self, seconds: float | None) -> str:
        """`+8.3 sec` or `−1 min 35 sec`: a place on the line of time."""
        if seconds is None:
            return NOTHING
        return ("−" if seconds < 0 else "+") + self.duration(abs(seconds))

    def number(self, number: float | None) -> str:
        """`12,345`."""
        return NOTHING if number is None else self.language.number(number)

    def size(self, count: float | None) -> str:
        """`791.0 MiB`."""
        return NOTHING if count is None else self.language.size(count)

    def moment(self, text: str | None) -> str:
        """`22 November 2026, 22:00:00 (America/Toronto)`."""
        return NOTHING if text is None else self.language.instant(_parsed(text), self.zone)

    def utc(self, text: str | None) -> str:
        """`2026-11-23 03:00:00 UTC`, as machines write it."""
        return NOTHING if text is None else f"{_parsed(text):%Y-%m-%d %H:%M:%S} UTC"

    def clock(self, text: str | None) -> str:
        """`22:00:00`, with the day where it is another than the one it started on."""
        if text is None:
            return NOTHING
        local = self._local(text)
        return f"{local:%H:%M:%S}" if local.date() == self._start else f"{local:%Y-%m-%d %H:%M:%S}"

    def listed(self, names: Sequence[str]) -> str:
        """`a, b and c`."""
        return self.language.listed(names)

    def _local(self, text: str) -> datetime:
        return _parsed(text).astimezone(ZoneInfo(self.zone))


def after(text: str, seconds: float) -> str:
    """RFC 3339 of the time so many seconds after another."""
    return (_parsed(text) + timedelta(seconds=seconds)).isoformat()


def _known(zone: str) -> str:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC"
    return zone


def _parsed(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
