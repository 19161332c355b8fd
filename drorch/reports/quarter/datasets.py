"""Datasets: their work by schedule, how old their copies became, their restore tests."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from drorch.reports.plots.heatmap import Age, Copies, HeatMap, age_of, heat_map, worst_of
from drorch.reports.plots.picture import Picture
from drorch.reports.quarter import words
from drorch.reports.quarter.blocks import (
    Block,
    Bullets,
    Cell,
    Column,
    Drawing,
    Paragraph,
    Section,
    Table,
)
from drorch.reports.quarter.reading import NONE, Reading
from drorch.reports.quarter.reasons import reason
from drorch.reports.quarter.summary import left_out

#: Beyond so many, datasets and copies are told only where something is wrong.
MOST_DATASETS = 40

#: Lines of the heat map; with more copies the worst stand alone and the others together by tier.
MOST_LINES = 32

#: Broken ones are told one by one, up to so many.
_MOST_ROWS = 1000

Dataset = Mapping[str, Any]
Copy = Mapping[str, Any]


def datasets(reading: Reading) -> Section:
    """What was due and done for each dataset."""
    told = reading.document["datasets"]
    shown = told if len(told) <= MOST_DATASETS else [d for d in told if _wrong(d)]
    blocks: list[Block] = [_table(reading, shown[:_MOST_ROWS])] if shown else []
    blocks += left_out(reading, len(shown) - _MOST_ROWS)
    fine = len(told) - len(shown)
    if fine:
        said = reading.language.say_many(
            "{count} further dataset had everything done on schedule and every copy within its RPO; it is in the JSON document.",
            "{count} further datasets had everything done on schedule and every copy within its RPO; they are in the JSON document.",
            fine,
        )
        blocks.append(Paragraph(said, "good"))
    why = tuple(_why(reading, told))
    if why:
        blocks += [
            Paragraph(reading.say("Why work was missed, as the journal says:")),
            Bullets(why),
        ]
    return Section("datasets", reading.say("Datasets"), tuple(blocks))


def _wrong(dataset: Dataset) -> bool:
    works = (dataset["backups"], dataset["checks"], dataset["scrubs"], dataset["restore_tests"])
    missed = any(w["missed"] or w["failed"] for w in works)
    copies = dataset["copies"]
    judged = any(copy["worst_age_s"] is not None for copy in copies) and not any(map(_open, copies))
    return missed or not judged or any(_bad(copy) for copy in copies)


def _bad(copy: Copy) -> bool:
    return copy["rpo_met"] is False or bool(copy["owed"] or copy["without_s"])


def _open(copy: Copy) -> bool:
    """Whether it has an RPO, and nobody knows whether that was kept."""
    return copy["rpo_s"] is not None and copy["rpo_met"] is None


def _table(reading: Reading, told: Sequence[Dataset]) -> Table:
    say = reading.say
    columns = (
        Column(say("Dataset"), width=1.6),
        Column(say("RPO"), width=0.9),
        Column(say("Worst age of a copy"), width=1.3),
        Column(say("Backups"), width=1.3),
        Column(say("Checks"), width=1),
        Column(say("Proofs"), width=1),
        Column(say("Restore tests"), width=1.1),
    )
    caption = say(
        "Work as passed of due. A backup that is late is one that began after its time; a missed one never began."
    )
    return Table(columns, tuple(_row(reading, one) for one in told), caption)


def _row(reading: Reading, dataset: Dataset) -> tuple[Cell, ...]:
    tier = reading.tier(dataset["tier"])
    gone = "" if dataset["configured"] else reading.say("no longer configured")
    return (
        Cell(dataset["dataset"], small=", ".join(filter(None, [tier, gone]))),
        Cell(reading.lasting(dataset["rpo_s"])),
        _worst(reading, dataset),
        *(_work(reading, dataset[key]) for key in ("backups", "checks", "scrubs", "restore_tests")),
    )


def _worst(reading: Reading, dataset: Dataset) -> Cell:
    known = [c for c in dataset["copies"] if c["worst_age_s"] is not None]
    if not known:
        return Cell(NONE, "bad", reading.say("no copy"))
    worst = max(known, key=lambda c: float(c["worst_age_s"]))
    met = [c["rpo_met"] for c in dataset["copies"]]
    tone = "bad" if False in met else "good" if True in met else ""
    return Cell(reading.against(worst["worst_age_s"], worst["rpo_s"]), tone, worst["region"])


def _work(reading: Reading, work: Mapping[str, Any]) -> Cell:
    if not work["due"]:
        by_hand = work["by_hand"]
        small = reading.say("{count} by hand", count=reading.count(by_hand)) if by_hand else ""
        return Cell(NONE, "", small)
    said = [
        sentence
        for key, sentence in (
            ("missed", reading.say("{missed} missed", missed=reading.count(work["missed"]))),
            ("failed", reading.say("{failed} failed", failed=reading.count(work["failed"]))),
            ("late", reading.say("{late} late", late=reading.count(work["late"]))),
        )
        if work[key]
    ]
    tone = "bad" if work["missed"] or work["failed"] else "warn" if work["late"] else "good"
    return Cell(reading.share(work["done"], work["due"]), tone, ", ".join(said))


def _why(reading: Reading, told: Sequence[Dataset]) -> Iterator[str]:
    """Reasons over all datasets, the commonest first."""
    reasons: Counter[tuple[str, str]] = Counter()
    for dataset in told:
        for key in ("backups", "checks", "scrubs", "restore_tests"):
            for one in dataset[key]["missed_why"]:
                reasons[key, one["why"]] += one["count"]
    for (key, why), count in reasons.most_common(20):
        yield reading.say(
            "{work}: {why} ({count})",
            work=reading.say(words.WORKS[key]),
            why=reason(reading, why),
            count=reading.count(count),
        )


def copies(reading: Reading) -> Section:
    """The age of every copy through the quarter, drawn; those that were too old, one by one."""
    return Section("copies", reading.say("Age of the copies"), tuple(_copies(reading)))


def _copies(reading: Reading) -> Iterator[Block]:
    say, told = reading.say, reading.document["datasets"]
    pairs = [(d, c) for d in told for c in d["copies"]]
    if not pairs:
        yield Paragraph(say("No copy is on record."))
        return
    lines, sentence = _lines(reading, pairs)
    title = say("Age of the newest copy, day by day")
    yield Drawing("ages", title, _drawer(reading, title, lines))
    if sentence:
        yield Paragraph(sentence)
    bad = [(d, c) for d, c in pairs if _bad(c)]
    if not bad:
        yield _none_too_old(reading, sum(c["rpo_met"] is not True for _, c in pairs))
        return
    yield _too_old(reading, bad[:_MOST_ROWS])
    yield from left_out(reading, len(bad) - _MOST_ROWS)


def _none_too_old(reading: Reading, unjudged: int) -> Paragraph:
    if not unjudged:
        return Paragraph(reading.say("Every copy stayed within its RPO, and none is owed."), "good")
    return Paragraph(
        reading.say(
            "No copy was over its RPO as far as is known, and none is owed. Not to be judged: {count}.",
            count=reading.count(unjudged),
        )
    )


def _drawer(reading: Reading, title: str, lines: Sequence[Copies]) -> Callable[[int], Picture]:
    days = tuple(date.fromisoformat(day) for day in reading.document["days"])
    value = HeatMap(
        title,
        reading.say(
            "A line for each copy, a field for each day: whether the oldest that the newest copy became was within its RPO. The table below has those that were not."
        ),
        days,
        tuple(lines),
    )
    return lambda width: heat_map(value, reading.language, width)


def _lines(reading: Reading, pairs: Sequence[tuple[Dataset, Copy]]) -> tuple[list[Copies], str]:
    """Every copy, or the worst ones and the others by tier; and what was put together."""
    if len(pairs) <= MOST_LINES:
        return [_line(d, c) for d, c in pairs], ""
    ranked = sorted(pairs, key=_badness)
    alone = ranked[: MOST_LINES - 8]
    rest = ranked[MOST_LINES - 8 :]
    tiers = sorted({d["tier"] for d, _ in rest}, key=lambda t: (t is None, t or 0))[:8]
    lines = [_line(d, c) for d, c in alone]
    for tier in tiers:
        group = [_ages(c) for d, c in rest if d["tier"] == tier]
        label = reading.language.say_many(
            "{tier}: {count} further copy", "{tier}: {count} further copies", len(group),
            tier=reading.tier(tier),
        )  # fmt: skip
        lines.append(Copies(label, tuple(map(worst_of, zip(*group, strict=True))), heading=True))
    sentence = reading.say(
        "Of {all} copies the {alone} that were over their RPO the longest stand alone; the others stand together by tier, each day with the worst of them.",
        all=reading.count(len(pairs)),
        alone=reading.count(len(alone)),
    )
    return lines, sentence


def _badness(pair: tuple[Dataset, Copy]) -> tuple[float, int]:
    dataset, copy = pair
    return (
        -(copy["over_rpo_s"] + copy["without_s"]),
        99 if dataset["tier"] is None else dataset["tier"],
    )


def _ages(copy: Copy) -> tuple[Age, ...]:
    return tuple(age_of(worst, copy["rpo_s"]) for worst in copy["days_s"])


def _line(dataset: Dataset, copy: Copy) -> Copies:
    return Copies(f"{dataset['dataset']} · {copy['region']}", _ages(copy))


def _too_old(reading: Reading, bad: Sequence[tuple[Dataset, Copy]]) -> Table:
    say = reading.say
    columns = (
        Column(say("Copy"), width=1.7),
        Column(say("RPO"), width=0.9),
        Column(say("Worst age"), width=1.1),
        Column(say("Reached"), width=1.2),
        Column(say("Over its RPO for"), width=1.1),
        Column(say("Without a copy for"), width=1.1),
        Column(say("Now"), width=1.3),
    )
    rows = tuple(
        (
            Cell(f"{d['dataset']} · {c['region']}", small=reading.word(words.ROLES, c["role"])),
            Cell(reading.lasting(c["rpo_s"])),
            Cell(
                reading.against(c["worst_age_s"], c["rpo_s"]),
                "bad" if c["rpo_met"] is False else "",
            ),
            Cell(reading.when(c["worst_at"])),
            Cell(reading.lasting(c["over_rpo_s"] or None)),
            Cell(reading.lasting(c["without_s"] or None)),
            _now(reading, c),
        )
        for d, c in bad
    )
    return Table(columns, rows, say("Copies that were older than their RPO, missing, or are owed."))


def _now(reading: Reading, copy: Copy) -> Cell:
    age = reading.lasting(copy["age_s"])
    if copy["owed"]:
        since = reading.say("owed since {at}", at=reading.when(copy["owed_since"]))
        return Cell(age, "bad", since)
    return Cell(age)


def restore_tests(reading: Reading) -> Section:
    """What was brought back to see whether it can be."""
    say, told = reading.say, reading.document["datasets"]
    shown = told if len(told) <= MOST_DATASETS else [d for d in told if _untested(d)]
    blocks: list[Block] = []
    if shown:
        columns = (
            Column(say("Dataset"), width=1.6),
            Column(say("Promised"), width=1.2),
            Column(say("Passed of due"), width=1.2),
            Column(say("Last one that passed"), width=1.2),
            Column(say("Copies brought back whole"), width=2),
        )
        rows = tuple(_tested(reading, one) for one in shown[:_MOST_ROWS])
        blocks.append(
            Table(columns, rows, say("A restore test brings a copy back and compares it."))
        )
        blocks += left_out(reading, len(shown) - _MOST_ROWS)
    fine = len(told) - len(shown)
    if fine:
        said = reading.language.say_many(
            "{count} further dataset passed all of its restore tests; it is in the JSON document.",
            "{count} further datasets passed all of their restore tests; they are in the JSON document.",
            fine,
        )
        blocks.append(Paragraph(said, "good"))
    return Section("restore-tests", say("Restore tests"), tuple(blocks))


def _untested(dataset: Dataset) -> bool:
    tests = dataset["restore_tests"]
    return not tests["done"] or bool(tests["missed"] or tests["failed"])


def _tested(reading: Reading, dataset: Dataset) -> tuple[Cell, ...]:
    tests = dataset["restore_tests"]
    proven = [
        f"{c['region']} ({reading.day_of(c['restore_tested_at'])})"
        for c in dataset["copies"]
        if c["restore_tested_at"]
    ]
    none = reading.say("none is promised")
    return (
        Cell(dataset["dataset"], small=reading.tier(dataset["tier"])),
        Cell(tests["promised"] or none, "" if tests["promised"] else "warn"),
        _work(reading, tests),
        Cell(reading.day_of(tests["last_at"]), "" if tests["last_at"] else "bad"),
        Cell(", ".join(proven) or reading.say("none"), "" if proven else "bad"),
    )
