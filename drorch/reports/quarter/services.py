"""Services: what is promised and what their drills measured, and how that went over past quarters."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from drorch.reports.plots.picture import Picture
from drorch.reports.plots.trend import Point, Trend, trend
from drorch.reports.quarter.blocks import (
    Block,
    Cell,
    Column,
    Drawing,
    Paragraph,
    Section,
    Table,
)
from drorch.reports.quarter.reading import NONE, Reading

#: Beyond so many, services are told only where something is wrong.
MOST_SERVICES = 40

#: Trends drawn for each objective; the table has all.
MOST_TRENDS = 6

Service = Mapping[str, Any]


def services(reading: Reading) -> Section:
    """Promised and measured for each service."""
    told = reading.document["services"]
    shown = told if len(told) <= MOST_SERVICES else [s for s in told if _wrong(s)]
    blocks: list[Block] = [_table(reading, shown)] if shown else []
    if not told:
        blocks.append(Paragraph(reading.say("No service is configured.")))
    if len(shown) < len(told):
        blocks.append(Paragraph(_condensed(reading, len(told) - len(shown))))
    return Section("services", reading.say("Services"), tuple(blocks))


def _condensed(reading: Reading, count: int) -> str:
    return reading.language.say_many(
        "{count} further service was drilled, passed and met its objectives; it is in the JSON document.",
        "{count} further services were drilled, passed and met their objectives; they are in the JSON document.",
        count,
    )


def _wrong(service: Service) -> bool:
    missed = service["measured_rto"]["missed"] + service["measured_rpo"]["missed"]
    return not service["passed"] or bool(missed or service["failed"] or service["aborted"])


def _table(reading: Reading, told: Sequence[Service]) -> Table:
    say = reading.say
    columns = (
        Column(say("Service"), width=1.4),
        Column(say("RTO"), width=0.9),
        Column(say("RTA: best, worst"), width=1.3),
        Column(say("RPO"), width=0.9),
        Column(say("RPA: best, worst"), width=1.3),
        Column(say("Drills"), width=1.1),
        Column(say("Last drill"), width=1.1),
    )
    caption = say(
        "RTO and RPO are promised; RTA and RPA are what drills that passed measured. "
        "Times are those of {zone}.",
        zone=reading.document["timezone"],
    )
    return Table(columns, tuple(_row(reading, one) for one in told), caption)


def _row(reading: Reading, service: Service) -> tuple[Cell, ...]:
    drills = reading.say(
        "{passed} of {drills} passed",
        passed=reading.count(service["passed"]),
        drills=reading.count(service["drilled"]),
    )
    none = not service["drilled"]
    tone = "bad" if none or service["failed"] else "warn" if service["aborted"] else "good"
    return (
        Cell(service["service"], small=reading.tier(service["tier"])),
        Cell(reading.lasting(service["rto_s"])),
        _range(reading, service["measured_rto"]),
        Cell(reading.lasting(service["rpo_s"])),
        _range(reading, service["measured_rpo"]),
        Cell(reading.say("no drill") if none else drills, tone),
        Cell(reading.day_of(service["last_drill_at"])),
    )


def _range(reading: Reading, measured: Mapping[str, Any]) -> Cell:
    missed, met = measured["missed"], measured["met"]
    tone = "bad" if missed else "good" if met else ""
    small = (
        reading.language.say_many("missed once", "missed {count} times", missed) if missed else ""
    )
    if measured["best_s"] is None:
        return Cell(NONE, tone, small)
    same = measured["best_s"] == measured["worst_s"]
    target = measured["target_s"]
    best, worst = (reading.against(measured[key], target) for key in ("best_s", "worst_s"))
    return Cell(best if same else f"{best}, {worst}", tone, small)


def trends(reading: Reading) -> Section:
    """RTA and RPA quarter by quarter, drawn; every figure in a table."""
    return Section("trends", reading.say("Trends over past quarters"), tuple(_trends(reading)))


def _trends(reading: Reading) -> Iterator[Block]:
    told = [s for s in reading.document["services"] if any(t["drills"] for t in s["trend"])]
    if not told:
        yield Paragraph(reading.say("No drill is on record in any quarter: there is no trend."))
        return
    drawn = sorted(told, key=_urgency)[:MOST_TRENDS]
    for objective, measured in (("rto", "RTA"), ("rpo", "RPA")):
        for service in drawn:
            if any(t[objective]["best_s"] is not None for t in service["trend"]):
                name = f"trend-{objective}-{drawn.index(service) + 1}"
                title = f"{service['service']} · {measured}"
                yield Drawing(name, title, _drawer(reading, service, objective, title))
    if len(drawn) < len(told):
        yield Paragraph(
            reading.say(
                "Drawn are {drawn} of {all} services: those that missed an objective or failed in this quarter, then by tier. The table has all of them.",
                drawn=reading.count(len(drawn)),
                all=reading.count(len(told)),
            )
        )
    yield _history(reading, told)


def _urgency(service: Service) -> tuple[bool, int]:
    return (not _wrong(service), 99 if service["tier"] is None else service["tier"])


def _drawer(
    reading: Reading, service: Service, objective: str, title: str
) -> Callable[[int], Picture]:
    points = tuple(
        Point(
            reading.quarter(t["quarter"]),
            t[objective]["best_s"],
            t[objective]["worst_s"],
            t[objective]["target_s"],
            t["drills"],
            t["failed"] + t["aborted"],
        )
        for t in service["trend"]
    )
    description = reading.say(
        "For each quarter from {first} to {last}, the range of what was measured and, as a dashed line, what was promised. The table below has the figures.",
        first=points[0].quarter,
        last=points[-1].quarter,
    )
    return lambda width: trend(Trend(title, description, points), reading.language, width)


def _history(reading: Reading, told: Sequence[Service]) -> Table:
    """A row for each service, a column for each quarter: worst RTA, and how many drills passed."""
    say = reading.say
    quarters = sorted({t["quarter"] for s in told for t in s["trend"]})[-5:]
    columns = (
        Column(say("Service"), width=1.4),
        *(Column(reading.quarter(quarter), "text", 1.1) for quarter in quarters),
    )
    rows = []
    for service in told:
        by_quarter = {t["quarter"]: t for t in service["trend"]}
        cells = (_in_quarter(reading, by_quarter.get(quarter)) for quarter in quarters)
        rows.append((Cell(service["service"], small=reading.tier(service["tier"])), *cells))
    caption = say("The worst RTA and RPA of the last quarters, and how many drills passed.")
    return Table(columns, tuple(rows), caption)


def _in_quarter(reading: Reading, one: Mapping[str, Any] | None) -> Cell:
    if one is None or not one["drills"]:
        return Cell(NONE, "idle", reading.say("no drill"))
    ranges = (one["rto"], one["rpo"])
    rta, rpa = (reading.against(r["worst_s"], r["target_s"]) for r in ranges)
    missed = one["rto"]["missed"] + one["rpo"]["missed"]
    passed = reading.say(
        "{passed} of {drills} passed",
        passed=reading.count(one["passed"]),
        drills=reading.count(one["drills"]),
    )
    return Cell(f"RTA {rta}\nRPA {rpa}", "bad" if missed or one["failed"] else "", passed)
