"""The quarter's document as tables: one CSV each (RFC 4180, UTF-8, a header), for spreadsheets.

What goes in is the document alone. Lists within a cell are joined by `; `. A text that a spreadsheet
would take for a formula is written with an apostrophe before it.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from drorch.core.documenting import keys_of
from drorch.core.quarter_datasets import CopyQuarter, DatasetQuarter, Missed, Work
from drorch.core.quarter_document import Headline, Notice, PromiseQuarter
from drorch.core.quarter_drills import (
    DrillQuarter,
    Range,
    Reached,
    RunbookQuarter,
    ServiceQuarter,
    TierCoverage,
    Trend,
)
from drorch.core.quarter_loss import LossDrill, LossTrend
from drorch.core.quarter_records import (
    ActionQuarter,
    CopyPlace,
    FindingQuarter,
    RestoreQuarter,
    TargetPlace,
)

Rows: TypeAlias = Iterable[Mapping[str, Any]]

#: A spreadsheet computes what begins so.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

#: The same bytes whenever they are made: the earliest time that a zip can hold.
_TIME: Final = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class _Table:
    """A table: its rows, and its columns where there may be none."""

    name: str
    columns: Sequence[str]
    rows: Rows


def tables_of(document: Mapping[str, Any]) -> dict[str, bytes]:
    """Every table of a quarter's document by its file's name."""
    return {
        f"{table.name}.csv": as_csv(
            table.columns, ([row[column] for column in table.columns] for row in table.rows)
        )
        for table in _tables(document)
    }


def zip_of(tables: Mapping[str, bytes]) -> bytes:
    """The tables in one file; the same tables give the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in sorted(tables.items()):
            entry = zipfile.ZipInfo(name, _TIME)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _tables(document: Mapping[str, Any]) -> Iterator[_Table]:
    coverage = document["coverage"]
    works, ranges = keys_of(Work), keys_of(Range)
    yield _Table("quarter", _TOP, [document])
    yield _Table("headline", keys_of(Headline), [document["headline"]])
    yield _Table("notices", keys_of(Notice), document["notices"])
    yield _Table("promises", keys_of(PromiseQuarter), document["promises"])
    yield _Table("datasets", _plain(DatasetQuarter, works=_WORKS), document["datasets"])
    yield _Table("work", ("subject", "work", *_without(works, "missed_why")), _work(document))
    yield _Table("missed", ("subject", "work", *keys_of(Missed)), _missed(document))
    copies = _without(keys_of(CopyQuarter), "days_s")
    yield _Table("copies", ("dataset", *copies), _copies(document))
    yield _Table("ages", ("dataset", "region", "day", "worst_age_s"), _ages(document))
    measured = {"measured_rto": ranges, "measured_rpo": ranges}
    services = _wide(_without(keys_of(ServiceQuarter), "trend"), measured)
    yield _Table("services", services, map(_flat, document["services"]))
    trends = ("service", *_wide(keys_of(Trend), {"rto": ranges, "rpo": ranges}))
    yield _Table("trends", trends, _trends(document))
    drills = _wide(keys_of(DrillQuarter), {"rto": keys_of(Reached), "rpo": keys_of(Reached)})
    yield _Table("drills", drills, map(_flat, document["drills"]))
    yield _Table("coverage", keys_of(TierCoverage), coverage["tiers"])
    yield _Table("runbooks", keys_of(RunbookQuarter), coverage["runbooks"])
    yield _Table("own_records", keys_of(LossDrill), document["own_records"]["drills"])
    yield _Table("own_records_trend", keys_of(LossTrend), document["own_records"]["trend"])
    yield _Table("findings", keys_of(FindingQuarter), document["findings"])
    yield _Table("actions", keys_of(ActionQuarter), document["actions"])
    yield _Table("residency", keys_of(CopyPlace), document["residency"])
    yield _Table("targets", keys_of(TargetPlace), document["targets"])
    yield _Table("restores", keys_of(RestoreQuarter), document["restores"])


_TOP: Final = (
    "quarter",
    "organization",
    "timezone",
    "from",
    "to",
    "until",
    "over",
    "made_at",
    "version",
    "journal_begins",
    "retention_until",
)


def _without(keys: Iterable[str], *left_out: str) -> tuple[str, ...]:
    return tuple(key for key in keys if key not in left_out)


def _plain(wanted: type, works: Sequence[str]) -> tuple[str, ...]:
    return _without(keys_of(wanted), *works, "copies")


def _wide(keys: Iterable[str], within: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """An object within becomes columns `NAME_KEY`, in its place."""
    found: list[str] = []
    for key in keys:
        found += [f"{key}_{inner}" for inner in within[key]] if key in within else [key]
    return tuple(found)


def _flat(one: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(one)
    for name, value in one.items():
        if isinstance(value, Mapping):
            found |= {f"{name}_{key}": inner for key, inner in value.items()}
    return found


def _trends(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for service in document["services"]:
        for trend in service["trend"]:
            yield {"service": service["service"], **_flat(trend)}


_WORKS: Final = ("backups", "checks", "scrubs", "restore_tests")


def _every_work(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for dataset in document["datasets"]:
        for work in _WORKS:
            yield dataset["dataset"], work, dataset[work]
    for schedule in document["drill_schedules"]:
        yield schedule["drill"], "drills", schedule["drills"]


def _work(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for subject, work, figures in _every_work(document):
        yield {"subject": subject, "work": work, **figures}


def _missed(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for subject, work, figures in _every_work(document):
        for missed in figures["missed_why"]:
            yield {"subject": subject, "work": work, **missed}


def _copies(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for dataset in document["datasets"]:
        for copy in dataset["copies"]:
            yield {"dataset": dataset["dataset"], **copy}


def _ages(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The heat map: one row for each day on which the age is known."""
    for dataset in document["datasets"]:
        for copy in dataset["copies"]:
            for day, age in zip(document["days"], copy["days_s"], strict=True):
                if age is not None:
                    where = {"dataset": dataset["dataset"], "region": copy["region"]}
                    yield {**where, "day": day, "worst_age_s": age}


def as_csv(heading: Sequence[str], lines: Iterable[Iterable[object]]) -> bytes:
    """One table. A text that a spreadsheet would carry out gets an apostrophe before it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(heading)
    writer.writerows([cell(value) for value in line] for line in lines)
    return text.getvalue().encode("utf-8", "backslashreplace")


def cell(value: Any) -> str:
    """A value as a cell has it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _safe("; ".join(cell(one) for one in value))
    return str(value) if isinstance(value, int | float) else _safe(str(value))


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
