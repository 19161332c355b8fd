"""The languages of reports: sentences by a gettext catalogue, dates and numbers by the locale.

The sentence in English is its own key; `locale/LANGUAGE/LC_MESSAGES/reports.po` has the others
(docs/adr/0010). A sentence of a table at a module's head is marked by `later` and said when it is
needed. Tests hold that none is missing, doubtful or left over.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO
from typing import Final
from zoneinfo import ZoneInfo

#: By code, in their own words.
LANGUAGES: Final = {"en": "English", "fr": "Français"}
#: The language the sentences are written in.
SOURCE: Final = "en"

_UNITS: Final = (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))
#: Hours from 0 to 23 in every language: at 03:00 nobody should wonder which half of the day.
_MOMENT: Final = "d MMMM y, HH:mm"
_INSTANT: Final = "d MMMM y, HH:mm:ss"


def later(sentence: str) -> str:
    """Marks a sentence for the catalogues; `Language.say` says it."""
    return sentence


_SIZES: Final = (
    later("{count} bytes"),
    later("{count} KiB"),
    later("{count} MiB"),
    later("{count} GiB"),
    later("{count} TiB"),
    later("{count} PiB"),
)


class Language:
    """One language. Values are put in as `{name}`, after the sentence was translated."""

    def __init__(self, code: str) -> None:
        self.code = code
        self._catalogue = _catalogue(code)

    @property
    def colon(self) -> str:
        """Between a name and what is said of it."""
        return "\u00a0: " if self.code == "fr" else ": "

    @property
    def semicolon(self) -> str:
        """Between texts in a row."""
        return "\u202f; " if self.code == "fr" else "; "

    def say(self, sentence: str, **values: object) -> str:
        """The sentence."""
        return self._catalogue.gettext(sentence).format(**values)

    def say_many(self, one: str, many: str, count: int, **values: object) -> str:
        """The sentence for so many; `{count}` stands for the number in it."""
        said = self._catalogue.ngettext(one, many, count)
        return said.format(count=self.number(count), **values)

    def moment(self, at: datetime, zone: str) -> str:
        """Day and time of day in a time zone, which is named."""
        return self._said(at, zone, _MOMENT)

    def instant(self, at: datetime, zone: str) -> str:
        """The same to the second."""
        return self._said(at, zone, _INSTANT)

    def _said(self, at: datetime, zone: str, pattern: str) -> str:
        from babel.dates import format_datetime

        local = at.astimezone(ZoneInfo(zone))
        said = format_datetime(local, pattern, locale=self.code)
        if self.code == "fr" and local.day == 1:
            said = said.replace("1", "1er", 1)  # an ordinal, which no pattern of CLDR's gives
        return f"{said} ({zone})"

    def day(self, at: date) -> str:
        """A day of the calendar: `5 January 2027`."""
        from babel.dates import format_date

        said = format_date(at, "d MMMM y", locale=self.code)
        return said.replace("1", "1er", 1) if self.code == "fr" and at.day == 1 else said

    def month(self, at: date) -> str:
        """The month alone, with a capital: `October`."""
        from babel.dates import format_date

        return str(format_date(at, "LLLL", locale=self.code)).capitalize()

    def number(self, number: float) -> str:
        """The number with the language's separators."""
        from babel.numbers import format_decimal

        return format_decimal(number, locale=self.code)

    def duration(self, length: timedelta, units: int = 2) -> str:
        """The duration in at most so many units: `1 hr 30 min`. What is left over is left out."""
        seconds = length.total_seconds()
        if 0 < seconds < 0.9995:
            return self._unit(round(seconds * 1000), "millisecond")
        if seconds < 59.95:
            return self._unit(round(seconds, 1), "second")
        rest, parts = max(60, round(seconds)), list[tuple[int, str]]()
        for unit, size in _UNITS:
            count, rest = divmod(rest, size)
            if count or parts:
                parts.append((count, unit))
        return " ".join(self._unit(count, unit) for count, unit in parts[:units] if count)

    def against(self, length: timedelta, promised: timedelta) -> str:
        """A duration beside the one that was promised: where it was longer it never looks the same."""
        said = promise = self.duration(promised)
        for units in range(2, len(_UNITS) + 1):
            said = self.duration(length, units)
            if length <= promised or said != promise:
                return said
        return self.say("more than {length}", length=said)

    def size(self, octets: float) -> str:
        """`791 MiB`, in powers of two, as the program and restic say it."""
        value, unit = float(octets), 0
        while value >= 1024 and unit < len(_SIZES) - 1:
            value, unit = value / 1024, unit + 1
        return self.say(_SIZES[unit], count=self.number(round(value, 1)))

    def listed(self, names: Sequence[str]) -> str:
        """Names in a sentence: `a, b and c`."""
        from babel.lists import format_list

        return format_list(list(names), locale=self.code) if names else ""

    def _unit(self, count: float, unit: str) -> str:
        from babel.units import format_unit

        return format_unit(count, f"duration-{unit}", "short", locale=self.code)


@cache
def language(code: str) -> Language:
    """The language of that code, one of LANGUAGES."""
    return Language(code)


@cache
def _catalogue(code: str) -> NullTranslations:
    if code == SOURCE:
        return NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    place = files("drorch.reports").joinpath("locale", code, "LC_MESSAGES", "reports.po")
    compiled = BytesIO()
    with place.open("rb") as text:
        write_mo(compiled, read_po(text, locale=code))
    compiled.seek(0)
    return GNUTranslations(compiled)
