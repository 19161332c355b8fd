"""Practice: the drills of the quarter, what they reached, and what was never drilled."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from drorch.reports.paper.words import TARGETS
from drorch.reports.plots.coverage import Coverage, Practice, Tier, coverage
from drorch.reports.plots.picture import Picture
from drorch.reports.quarter import words
from drorch.reports.quarter.blocks import (
    Block,
    Cell,
    Column,
    Drawing,
    Facts,
    Paragraph,
    Section,
    Table,
)
from drorch.reports.quarter.reading import NONE, Reading
from drorch.reports.quarter.reasons import reason
from drorch.reports.quarter.summary import left_out

#: Drills told one by one.
_MOST_DRILLS = 1000


def drills(reading: Reading) -> Section:
    """Each drill, failover and failback; and what their schedules had due."""
    say, told = reading.say, reading.document["drills"]
    blocks: list[Block] = []
    if told:
        blocks.append(_drilled(reading, told[:_MOST_DRILLS]))
        blocks += left_out(reading, len(told) - _MOST_DRILLS)
    else:
        blocks.append(Paragraph(say("No drill was carried out."), "bad"))
    schedules = reading.document["drill_schedules"]
    if schedules:
        blocks.append(_scheduled(reading, schedules))
    else:
        blocks.append(Paragraph(say("No drill is scheduled."), "warn"))
    return Section("drills", say("Drills"), tuple(blocks))


def _drilled(reading: Reading, told: Sequence[Mapping[str, Any]]) -> Table:
    say = reading.say
    columns = (
        Column(say("Run"), "id", 1.9),
        Column(say("What"), width=1.4),
        Column(say("Result"), width=1.1),
        Column(say("RTA"), width=1.1),
        Column(say("RPA"), width=1.1),
        Column(say("People’s time"), width=0.9),
        Column(say("Not tested"), width=1.2),
    )
    caption = say(
        "Times are those of {zone}. “Not tested” are steps that an exercise leaves out.",
        zone=reading.document["timezone"],
    )
    left = frozenset(r["run"] for r in reading.document["restores"] if r["state"] == "left")
    return Table(columns, tuple(_drill(reading, one, left) for one in told), caption)


def _drill(reading: Reading, drill: Mapping[str, Any], left: frozenset[str]) -> tuple[Cell, ...]:
    result = reading.outcome(drill["outcome"])
    findings = drill["findings"]
    small = []
    if drill["failed_step"]:
        small.append(reading.say("at {step}", step=drill["failed_step"]))
    if drill["dirty"] or drill["run"] in left:
        small.append(reading.say("left something behind"))
    if findings:
        small.append(reading.language.say_many("{count} finding", "{count} findings", findings))
    kind = reading.word(words.KINDS, drill["kind"])
    if drill["kind"] == "drill":
        kind = f"{kind}, {reading.word(words.EXERCISES, drill['exercise'])}"
    return (
        Cell(drill["run"], small=reading.when(drill["started_at"])),
        Cell(drill["service"] or drill["runbook"], small=kind),
        Cell(result.text, result.tone, ", ".join(small)),
        reading.reached(drill["rto"]),
        reading.reached(drill["rpo"]),
        Cell(reading.lasting(drill["person_s"])),
        Cell(reading.listed(drill["not_tested"], 6)),
    )


def _scheduled(reading: Reading, told: Sequence[Mapping[str, Any]]) -> Table:
    say = reading.say
    columns = (
        Column(say("Scheduled drill"), width=1.6),
        Column(say("Runbook"), width=1.4),
        Column(say("Promised"), width=1),
        Column(say("Due"), "num", 0.6),
        Column(say("Passed"), "num", 0.7),
        Column(say("Failed"), "num", 0.7),
        Column(say("Missed"), "num", 0.7),
        Column(say("Why missed"), width=1.6),
    )
    return Table(
        columns, tuple(_schedule(reading, one) for one in told), say("Drills by schedule.")
    )


def _schedule(reading: Reading, one: Mapping[str, Any]) -> tuple[Cell, ...]:
    work = one["drills"]
    why = "; ".join(reason(reading, m["why"]) for m in work["missed_why"])
    gone = "" if one["configured"] else reading.say("no longer configured")
    return (
        Cell(one["drill"], small=gone),
        Cell(one["runbook"] or NONE),
        Cell(work["promised"] or NONE),
        Cell(reading.count(work["due"])),
        Cell(reading.count(work["done"])),
        Cell(reading.count(work["failed"]), "bad" if work["failed"] else ""),
        Cell(reading.count(work["missed"]), "bad" if work["missed"] else ""),
        Cell(why or NONE),
    )


def covered(reading: Reading) -> Section:
    """What practice reached and what it did not."""
    return Section("coverage", reading.say("Coverage"), tuple(_covered(reading)))


def _covered(reading: Reading) -> Iterator[Block]:
    say, found = reading.say, reading.document["coverage"]
    if found["tiers"]:
        title = say("Services by tier and by when they were last drilled")
        yield Drawing("coverage", title, _drawer(reading, title, found["tiers"]))
    rows = tuple(_gaps(reading, found))
    if rows:
        yield Facts(rows)
    elif found["tiers"]:
        yield Paragraph(say("Every service was drilled in this quarter."), "good")
    if found["runbooks"]:
        yield _runbooks(reading, found["runbooks"])


def _drawer(
    reading: Reading, title: str, tiers: Sequence[Mapping[str, Any]]
) -> Callable[[int], Picture]:
    value = Coverage(
        title,
        reading.say("A bar for each tier; each part with its count. The lists below name them."),
        tuple(
            Tier(
                reading.tier(tier["tier"]).capitalize(),
                {
                    Practice.DRILLED: len(tier["drilled"]),
                    Practice.BEFORE: len(tier["before"]),
                    Practice.NEVER: len(tier["never"]),
                    Practice.NO_RUNBOOK: len(tier["no_runbook"]),
                },
            )
            for tier in tiers
        ),
    )
    return lambda width: coverage(value, reading.language, width)


def _gaps(reading: Reading, found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    say, tiers = reading.say, found["tiers"]
    since = reading.day(found["since"]) if found["since"] else ""
    for label, names in (
        (say("Never drilled"), [n for t in tiers for n in t["never"]]),
        (say("Without a runbook: cannot be drilled"), [n for t in tiers for n in t["no_runbook"]]),
        (say("Drilled before, not in this quarter"), [n for t in tiers for n in t["before"]]),
        (say("Datasets never restored since {day}", day=since), found["never_restored"]),
        (say("Datasets not restored in this quarter"), found["not_restored"]),
    ):
        if names:
            yield label, reading.listed(names, 60)


def _runbooks(reading: Reading, told: Sequence[Mapping[str, Any]]) -> Table:
    say = reading.say
    columns = (
        Column(say("Runbook"), width=1.5),
        Column(say("Drills this quarter"), "num", 0.8),
        Column(say("Last drill"), width=1.3),
        Column(say("Last that passed"), width=1.1),
        Column(say("Changed since"), width=2.2),
    )
    order = sorted(told, key=lambda r: r["changed"] == [] and not r["gone"])
    rows = tuple(_runbook(reading, one) for one in order)
    return Table(columns, rows, say("How far each runbook is proven, the unproven ones first."))


def _runbook(reading: Reading, one: Mapping[str, Any]) -> tuple[Cell, ...]:
    if one["changed"] is None:
        changed = Cell(reading.say("never passed a drill"), "bad")
    else:
        gone = (reading.say("{name} is gone", name=_target(reading, n)) for n in one["gone"])
        names = [*(_target(reading, n) for n in one["changed"]), *gone]
        changed = (
            Cell(reading.listed(names), "warn") if names else Cell(reading.say("nothing"), "good")
        )
    last = reading.outcome(one["last_outcome"])
    known = one["last_run"] is not None
    return (
        Cell(one["runbook"], small=one["service"] or ""),
        Cell(reading.count(one["drilled"]), "" if one["drilled"] else "bad"),
        Cell(reading.day_of(one["last_at"]), small=last.text if known else ""),
        Cell(reading.day_of(one["passed_at"]), "" if one["passed_at"] else "bad"),
        changed,
    )


def _target(reading: Reading, named: str) -> str:
    """`dataset ehr-db` in the reader's language."""
    kind, _, name = named.partition(" ")
    return reading.say(TARGETS[kind], name=name) if kind in TARGETS and name else named
