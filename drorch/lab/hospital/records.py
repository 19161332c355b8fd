"""The rows of the hospital's records: patients, visits, laboratory results. Pure, from a seed.

It knows the form of a Québec health-insurance number, not where rows are kept.
"""

import random
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, TypeAlias

from drorch.lab.hospital.chance import hex_word
from drorch.lab.hospital.vocabulary import (
    ANALYTES,
    FAMILY_NAMES,
    FEMALE_NAMES,
    MALE_NAMES,
    MUNICIPALITIES,
    REASONS,
    SERVICES,
)

Row: TypeAlias = tuple[int | float | str, ...]

#: The records' first day; their last is where the hospital stands.
OPENED: Final = date(2021, 1, 4)


@dataclass(frozen=True, slots=True)
class Table:
    """A table and its columns with their types, which SQLite and PostgreSQL read alike."""

    name: str
    columns: tuple[tuple[str, str], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(name for name, _ in self.columns)


PATIENTS: Final = Table(
    "patients",
    (
        ("id", "integer primary key"),
        ("nam", "text not null unique"),
        ("family_name", "text not null"),
        ("given_name", "text not null"),
        ("sex", "text not null"),
        ("born", "date not null"),
        ("municipality", "text not null"),
    ),
)
VISITS: Final = Table(
    "visits",
    (
        ("id", "integer primary key"),
        ("patient_id", "integer not null references patients (id)"),
        ("service", "text not null"),
        ("arrived_at", "timestamp not null"),
        ("left_at", "timestamp not null"),
        ("reason", "text not null"),
    ),
)
RESULTS: Final = Table(
    "lab_results",
    (
        ("id", "integer primary key"),
        ("visit_id", "integer not null references visits (id)"),
        ("analyte", "text not null"),
        ("value", "real not null"),
        ("unit", "text not null"),
        ("taken_at", "timestamp not null"),
    ),
)
CANARY: Final = Table(
    "canary",
    (
        ("id", "integer primary key"),
        ("value", "text not null"),
        ("written_at", "timestamp not null"),
    ),
)
TABLES: Final = (PATIENTS, VISITS, RESULTS, CANARY)


def health_number(family: str, given: str, born: date, sex: str, serial: int) -> str:
    """A health-insurance number in the form of the RAMQ: `TREM 6053 1234`, never a real one.

    Three letters of the family name, one of the given name, the year, the month (plus 50 for
    women), the day, and two digits that tell people apart.
    """
    letters = (_letters(family) + "XXX")[:3] + (_letters(given) + "X")[:1]
    month = born.month + (50 if sex == "F" else 0)
    digits = f"{born:%y}{month:02d}{born:%d}{serial:02d}"
    return f"{letters} {digits[:4]} {digits[4:]}"


def patients(draws: random.Random, first: int, count: int, taken: set[str]) -> Iterator[Row]:
    """Rows of PATIENTS with ids from `first`; `taken` holds, and is given, the numbers in use."""
    places = draws.choices(list(MUNICIPALITIES), weights=list(MUNICIPALITIES.values()), k=count)
    for number, place in enumerate(places, first):
        sex = draws.choice("FM")
        given = draws.choice(FEMALE_NAMES if sex == "F" else MALE_NAMES)
        family = draws.choice(FAMILY_NAMES)
        born = date(1929, 1, 1) + timedelta(days=draws.randrange(365 * 91))
        nam = _unused_number(family, given, born, sex, taken)
        yield (number, nam, family, given, sex, born.isoformat(), place)


def visits(
    draws: random.Random, first: int, count: int, patient_count: int, since: date, until: date
) -> list[Row]:
    """Rows of VISITS with ids from `first`, in the order of arrival, from `since` to `until`."""
    minutes = sorted(draws.choices(range(((until - since).days + 1) * 1440), k=count))
    opening = datetime.combine(since, time())
    rows: list[Row] = []
    for number, minute in enumerate(minutes, first):
        arrived = opening + timedelta(minutes=minute)
        left = arrived + timedelta(minutes=int(draws.lognormvariate(4.6, 0.8)))
        patient = 1 + int(patient_count * draws.random() ** 1.6)
        service, reason = draws.choice(SERVICES), draws.choice(REASONS)
        rows.append((number, patient, service, _stamp(arrived), _stamp(left), reason))
    return rows


def results(draws: random.Random, first: int, count: int, of: Sequence[Row]) -> Iterator[Row]:
    """Rows of RESULTS with ids from `first`, spread over these visits in their order."""
    for index in range(count):
        visit = of[index * len(of) // count]
        analyte, unit, mean, spread = draws.choice(ANALYTES)
        value = round(max(0.1, draws.gauss(mean, spread)), 1)
        yield (first + index, visit[0], analyte, value, unit, visit[3])


def canary_value(draws: random.Random) -> str:
    """A word that nobody can guess from older data: a copy that holds it is not an older one."""
    return f"canari-{hex_word(draws, 16)}"


def _letters(name: str) -> str:
    plain = unicodedata.normalize("NFD", name).upper()
    return "".join(c for c in plain if "A" <= c <= "Z")


def _unused_number(family: str, given: str, born: date, sex: str, taken: set[str]) -> str:
    for serial in range(11, 100):
        number = health_number(family, given, born, sex, serial)
        if number not in taken:
            taken.add(number)
            return number
    raise ValueError(f"too many people like {given} {family}, born {born}")


def _stamp(moment: datetime) -> str:
    return moment.isoformat(sep=" ")
