"""drorch's own records: when their loss was last drilled, and what that came to."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from drorch.reports.quarter.blocks import Block, Cell, Column, Facts, Paragraph, Section, Table
from drorch.reports.quarter.reading import NONE, Reading


def own_records(reading: Reading) -> Section:
    """Drilled when, from where, how far behind, how long; and over the quarters."""
    heading = reading.say("drorch’s own records and their loss")
    return Section("own-records", heading, tuple(_blocks(reading)))


def _blocks(reading: Reading) -> Iterator[Block]:
    say, found = reading.say, reading.document["own_records"]
    last = found["last"]
    yield Paragraph(*_first(reading, found))
    rows = [(say("Copied to"), reading.listed(found["regions"], 60))]
    if last is not None:
        rows += _last(reading, last)
        rows.append((say("Last that passed"), reading.when(found["passed_at"])))
    yield Facts(tuple(rows))
    if found["drills"]:
        yield _drills(reading, found["drills"])
    if len(found["trend"]) > 1:
        yield _trend(reading, found["trend"])


def _first(reading: Reading, found: Mapping[str, Any]) -> tuple[str, str]:
    say = reading.say
    if found["last"] is None:
        return say("No drill of their loss is on record in the last nine quarters."), "bad"
    outcomes = [one["outcome"] for one in found["drills"]]
    if not {"passed", "failed"} & set(outcomes):
        day = reading.day_of(found["last"]["started_at"])
        return say("Their loss was not drilled in this quarter; last on {day}.", day=day), "warn"
    if [one for one in outcomes if one in ("passed", "failed")][-1] == "passed":
        return say("Their loss was drilled in this quarter, and they came back."), "good"
    return say("Their loss was drilled in this quarter; the last drill did not pass."), "bad"


def _last(reading: Reading, one: Mapping[str, Any]) -> list[tuple[str, str]]:
    say = reading.say
    restored = say(
        "{length}, of {dataset}",
        length=reading.lasting(one["first_restore_s"]),
        dataset=one["dataset"] or NONE,
    )
    return [
        (say("Last drill of their loss"), reading.when(one["started_at"])),
        (say("Run"), one["run"]),
        (say("Outcome"), reading.outcome(one["outcome"]).text),
        (say("Came back from"), one["region"] or NONE if one["records_at"] else NONE),
        (say("As of"), reading.when(one["records_at"])),
        (say("How far behind the copy was"), _behind(reading, one)),
        (say("Until the first restore"), restored if one["dataset"] else NONE),
    ]


def _behind(reading: Reading, one: Mapping[str, Any]) -> str:
    if one["behind_s"] is None:
        return NONE
    if not one["events_behind"]:
        return reading.say("not at all")
    return reading.language.say_many(
        "{length}: {count} event", "{length}: {count} events", one["events_behind"],
        length=reading.lasting(one["behind_s"]),
    )  # fmt: skip


def _drills(reading: Reading, drills: Sequence[Mapping[str, Any]]) -> Table:
    say = reading.say
    columns = (
        Column(say("Run"), "id", 2),
        Column(say("Outcome"), width=0.8),
        Column(say("Region"), width=0.8),
        Column(say("Behind"), width=1.2),
        Column(say("First restore after"), width=1.2),
    )
    rows = tuple(
        (
            Cell(one["run"]),
            reading.outcome(one["outcome"]),
            Cell(one["region"] or NONE),
            Cell(_behind(reading, one)),
            Cell(reading.lasting(one["first_restore_s"]), small=one["dataset"] or ""),
        )
        for one in drills
    )
    return Table(columns, rows, say("Drills of their loss in this quarter."))


def _trend(reading: Reading, trend: Sequence[Mapping[str, Any]]) -> Table:
    say = reading.say
    columns = (
        Column(say("Quarter"), width=1),
        Column(say("Drills"), "num", 0.7),
        Column(say("Passed"), "num", 0.7),
        Column(say("Failed"), "num", 0.7),
        Column(say("Aborted"), "num", 0.7),
        Column(say("Behind"), width=1.2),
        Column(say("First restore after"), width=1.2),
    )
    rows = tuple(
        (
            Cell(one["quarter"]),
            Cell(reading.count(one["drills"]), "" if one["drills"] else "warn"),
            Cell(reading.count(one["passed"])),
            Cell(reading.count(one["failed"]), "bad" if one["failed"] else ""),
            Cell(reading.count(one["aborted"])),
            Cell(reading.lasting(one["behind_s"])),
            Cell(reading.lasting(one["first_restore_s"])),
        )
        for one in trend
    )
    return Table(columns, rows, say("By quarter; the figures are of the last drill that passed."))
