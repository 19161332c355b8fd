"""The first line and what comes right after it: the verdict, the period, the quarter in numbers."""

from collections.abc import Iterator
from typing import Any

from drorch.reports.quarter import words
from drorch.reports.quarter.blocks import (
    Block,
    Bullets,
    Cell,
    Column,
    Facts,
    Paragraph,
    Section,
    Table,
)
from drorch.reports.quarter.reading import NONE, Reading
from drorch.reports.quarter.reasons import reason

#: Kept promises are told by kind; broken ones one by one, up to so many.
MOST_PROMISES = 1000


def verdict(reading: Reading) -> tuple[str, str, str]:
    """Tone, first line, second line. Without a drill the first line says so."""
    head, say = reading.document["headline"], reading.say
    broken, promises = head["promises_broken"], head["promises"]
    kept = _kept(reading)
    if head["no_drill"]:
        first = say("No drill was carried out in this quarter.")
        if not reading.document["over"]:
            first = say("No drill has been carried out in this quarter so far.")
        return "bad", first, kept
    drills = say(
        "Drills, failovers and failbacks: {passed} of {drills} passed.",
        passed=reading.count(head["drills_passed"]),
        drills=reading.count(head["drills"]),
    )
    if broken:
        return "bad", kept, drills
    blind = any(one["what"] == "slots.unaccounted" for one in reading.document["notices"])
    unproven = head["promises_unjudged"] or not promises or blind
    failed = head["drills_passed"] < head["drills"]
    return ("warn" if unproven or failed else "good"), kept, drills


def _kept(reading: Reading) -> str:
    head, say = reading.document["headline"], reading.say
    if not head["promises"]:
        return say("Nothing is promised, so nothing can be measured against it.")
    numbers = {
        "promises": reading.count(head["promises"]),
        "kept": reading.count(head["promises_kept"]),
        "broken": reading.count(head["promises_broken"]),
        "unjudged": reading.count(head["promises_unjudged"]),
    }
    if head["promises_broken"]:
        return say(
            "{broken} of {promises} promises were broken; {kept} were kept, {unjudged} cannot be judged.",
            **numbers,
        )
    if head["promises_unjudged"]:
        return say(
            "No promise was broken: {kept} of {promises} were kept, {unjudged} cannot be judged.",
            **numbers,
        )
    return say("Every promise was kept: {kept} of {promises}.", **numbers)


def summary(reading: Reading) -> Section:
    """The period, what must be allowed for, all work in numbers."""
    return Section("summary", reading.say("The quarter in numbers"), tuple(_summary(reading)))


def _summary(reading: Reading) -> Iterator[Block]:
    document, say = reading.document, reading.say
    totals = document["totals"]
    begins = document["journal_begins"]
    yield Facts(
        (
            (say("From"), reading.moment(document["from"])),
            (say("To"), reading.moment(document["to"])),
            (say("Figures reach up to"), reading.moment(document["until"])),
            (say("Made"), reading.moment(document["made_at"])),
            (say("Records since"), reading.moment(begins) if begins else NONE),
            (say("Datasets"), reading.count(totals["datasets"])),
            (say("Services"), reading.count(totals["services"])),
            (say("Runs"), reading.count(totals["runs"])),
            (say("Findings"), reading.count(totals["findings"])),
            (say("Corrective actions open"), reading.count(totals["actions_open"])),
            (say("of these overdue"), reading.count(totals["actions_overdue"])),
            (say("Corrective actions closed"), reading.count(totals["actions_closed"])),
        )
    )
    notices = tuple(_notice(reading, one) for one in document["notices"])
    if notices:
        yield Paragraph(say("To be allowed for:"))
        yield Bullets(notices)
    yield works(reading, totals)


def _notice(reading: Reading, notice: dict[str, Any]) -> str:
    what, subject = notice["what"], notice["subject"]
    if what == "dataset.entered" and subject in _never_backed_up(reading):
        what = "dataset.never"
    sentence = words.NOTICES.get(what)
    return reading.say(sentence, subject=subject) if sentence else str(notice["message"])


def _never_backed_up(reading: Reading) -> set[str]:
    return {d["dataset"] for d in reading.document["datasets"] if d["first_at"] is None}


def works(reading: Reading, totals: dict[str, Any]) -> Table:
    """Each kind of work: what was due, what was done."""
    say = reading.say
    columns = (
        Column(say("Work"), width=1.6),
        Column(say("Due"), "num"),
        Column(say("On time"), "num"),
        Column(say("Late"), "num"),
        Column(say("Missed"), "num"),
        Column(say("Passed"), "num"),
        Column(say("Failed"), "num"),
        Column(say("Beside the schedule"), "num"),
    )
    rows = tuple(
        (Cell(reading.say(words.WORKS[key])), *worked(reading, totals[key])) for key in words.WORKS
    )
    caption = say(
        "Due by schedule: on time, late or missed. Passed and failed are those that were begun."
    )
    return Table(columns, rows, caption)


def worked(reading: Reading, work: dict[str, Any]) -> tuple[Cell, ...]:
    """Due, on time, late, missed, passed, failed, by hand."""

    def bad(key: str, tone: str = "bad") -> Cell:
        return Cell(reading.count(work[key]), tone if work[key] else "")

    return (
        Cell(reading.count(work["due"])),
        Cell(reading.count(work["on_time"])),
        bad("late", "warn"),
        bad("missed"),
        Cell(reading.count(work["done"])),
        bad("failed"),
        Cell(reading.count(work["by_hand"] + work["failed_by_hand"])),
    )


def promises(reading: Reading) -> Section:
    """What was broken, one by one; what was kept, by kind."""
    say, told = reading.say, reading.document["promises"]
    broken = [one for one in told if one["kept"] is False]
    unjudged = [one for one in told if one["kept"] is None]
    blocks: list[Block] = [Paragraph(_abbreviations(reading))]
    if broken:
        shown = broken[:MOST_PROMISES]
        blocks.append(_promised(reading, shown, say("Broken promises, each of them.")))
        blocks += left_out(reading, len(broken) - len(shown))
    else:
        blocks.append(Paragraph(say("No promise was broken."), "good"))
    if unjudged:
        shown = unjudged[:MOST_PROMISES]
        blocks.append(_promised(reading, shown, say("What this quarter cannot judge.")))
        blocks += left_out(reading, len(unjudged) - len(shown))
    blocks.append(_by_kind(reading, told))
    return Section("promises", say("Promised and measured"), tuple(blocks))


def _abbreviations(reading: Reading) -> str:
    return reading.say(
        "RTO is how soon a service is to work again, RPO how old the data may be that comes back: both are promised. RTA and RPA are what was measured of them."
    )


def left_out(reading: Reading, count: int) -> list[Block]:
    """A sentence for rows that are not shown."""
    if count <= 0:
        return []
    said = reading.language.say_many(
        "{count} more is in the JSON document.", "{count} more are in the JSON document.", count
    )
    return [Paragraph(said)]


def _promised(reading: Reading, told: list[dict[str, Any]], caption: str) -> Table:
    say = reading.say
    columns = (
        Column(say("Subject"), width=1.6),
        Column(say("Promise"), width=1.5),
        Column(say("Promised"), width=1.1),
        Column(say("Measured"), width=1.1),
        Column(say("Why, and runs that show it"), width=2),
    )
    rows = tuple(
        (
            Cell(_subject(one) or say("All exercises")),
            Cell(reading.word(words.PROMISES, one["promise"])),
            Cell(reading.figure(one["promised"])),
            Cell(
                reading.figure(one["measured"], one["promised"]),
                "bad" if one["kept"] is False else "",
            ),
            Cell(reason(reading, one["why"]) or NONE, small=", ".join(one["runs"])),
        )
        for one in told
    )
    return Table(columns, rows, caption)


def _subject(promise: dict[str, Any]) -> str:
    """Of a copy `dataset · region`."""
    subject = str(promise["subject"])
    return subject.replace(" in ", " · ") if promise["promise"] in ("rpo", "residency") else subject


def _by_kind(reading: Reading, told: list[dict[str, Any]]) -> Table:
    say = reading.say
    columns = (
        Column(say("Promise"), width=3),
        Column(say("Kept"), "num"),
        Column(say("Broken"), "num"),
        Column(say("Cannot be judged"), "num"),
    )
    rows = []
    for kind in dict.fromkeys(one["promise"] for one in told):
        kept = [one["kept"] for one in told if one["promise"] == kind]
        broken = kept.count(False)
        rows.append(
            (
                Cell(reading.word(words.PROMISES, kind)),
                Cell(reading.count(kept.count(True))),
                Cell(reading.count(broken), "bad" if broken else ""),
                Cell(reading.count(kept.count(None))),
            )
        )
    return Table(columns, tuple(rows), say("All promises by kind."))
