"""Where data lies and by what right; where drills brought it; who brought it back, and what became of it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from drorch.core.restore_tests import PURPOSE
from drorch.reports.quarter import words
from drorch.reports.quarter.blocks import Block, Cell, Column, Paragraph, Section, Table
from drorch.reports.quarter.reading import NONE, Reading
from drorch.reports.quarter.summary import left_out

#: Beyond so many, places inside the residency are told by region alone.
_MOST_PLACES = 60

#: Told one by one.
_MOST = 1000

Place = Mapping[str, Any]


def residency(reading: Reading) -> Section:
    """Copies and drills' targets by jurisdiction, those outside first."""
    return Section("residency", reading.say("Where the data lies"), tuple(_residency(reading)))


def _residency(reading: Reading) -> Iterator[Block]:
    say, copies = reading.say, sorted(reading.document["residency"], key=_urgency)
    yield _by_jurisdiction(reading, copies)
    shown = (
        copies if len(copies) <= _MOST_PLACES else [c for c in copies if c["inside"] is not True]
    )
    if shown:
        columns = (
            Column(say("Copy"), width=1.6),
            Column(say("Lies in"), width=0.9),
            Column(say("May lie in"), width=0.9),
            Column(say("Inside?"), width=0.9),
            Column(say("Assessment, agreement"), width=1.5),
            Column(say("Key, and where it lies"), width=1.8),
            Column(say("Locked until"), width=1.1),
        )
        rows = tuple(_copy(reading, one) for one in shown[:_MOST])
        yield Table(columns, rows, say("Every copy that is to lie somewhere, or is known to."))
        yield from left_out(reading, len(shown) - _MOST)
    if len(shown) < len(copies):
        yield Paragraph(_fine(reading, len(copies) - len(shown)), "good")
    targets = sorted(reading.document["targets"], key=_urgency)
    if targets:
        yield from _targets(reading, targets)
    else:
        yield Paragraph(say("No exercise brought a dataset back anywhere in this quarter."))


def _fine(reading: Reading, count: int) -> str:
    return reading.language.say_many(
        "{count} further place lies inside its residency; it is in the JSON document.",
        "{count} further places lie inside their residency; they are in the JSON document.",
        count,
    )


def _urgency(place: Place) -> int:
    papered = place.get("papered", place["assessment"] and place["agreement"])
    return (
        0
        if place["inside"] is False and not papered
        else {False: 1, None: 2, True: 3}[place["inside"]]
    )


def _by_jurisdiction(reading: Reading, copies: Sequence[Place]) -> Table:
    say = reading.say
    columns = (
        Column(say("Region"), width=1.2),
        Column(say("Jurisdiction"), width=1.2),
        Column(say("Copies"), "num"),
        Column(say("Inside"), "num"),
        Column(say("Outside, with papers"), "num", 1.2),
        Column(say("Outside, without papers"), "num", 1.2),
        Column(say("Not known"), "num"),
    )
    rows = []
    for region, jurisdiction in dict.fromkeys((c["region"], c["jurisdiction"]) for c in copies):
        here = [c for c in copies if (c["region"], c["jurisdiction"]) == (region, jurisdiction)]
        inside = Counter(c["inside"] for c in here)
        bare = sum(c["inside"] is False and not c["papered"] for c in here)
        rows.append(
            (
                Cell(region),
                Cell(jurisdiction or say("not named"), "" if jurisdiction else "warn"),
                Cell(reading.count(len(here))),
                Cell(reading.count(inside[True])),
                Cell(reading.count(inside[False] - bare)),
                Cell(reading.count(bare), "bad" if bare else ""),
                Cell(reading.count(inside[None]), "warn" if inside[None] else ""),
            )
        )
    return Table(columns, tuple(rows), say("Copies by region."))


def _copy(reading: Reading, place: Place) -> tuple[Cell, ...]:
    say = reading.say
    holds = "" if place["holds"] else say("nothing known to lie there")
    key = place["key"] or NONE
    lock = place["lock"] or ""
    return (
        Cell(
            f"{place['dataset']} · {place['region']}",
            small=holds or reading.word(words.ROLES, place["role"]),
        ),
        Cell(place["jurisdiction"] or say("not named"), "" if place["jurisdiction"] else "warn"),
        Cell(", ".join(place["residency"]) or say("anywhere")),
        _inside(reading, place["inside"], papered=place["papered"]),
        _papers(reading, place),
        Cell(key, small=_lies(reading, place["key_lies"] or "")),
        Cell(reading.day_of(place["locked_until"]), small=lock),
    )


def _lies(reading: Reading, lies: str) -> str:
    """Where a secret comes from: `file secrets/repo-key`, its first word in the reader's language."""
    source, space, name = lies.partition(" ")
    return f"{reading.word(words.SOURCES, source)}{space}{name}" if source else ""


def _inside(reading: Reading, inside: bool | None, *, papered: bool) -> Cell:
    match inside:
        case True:
            return Cell(reading.say("inside"), "good")
        case False:
            return Cell(reading.say("outside"), "warn" if papered else "bad")
        case None:
            return Cell(reading.say("not known"), "warn")


def _papers(reading: Reading, place: Place) -> Cell:
    if place["inside"] is True and not (place["assessment"] or place["agreement"]):
        return Cell(NONE)
    missing = reading.say("none named")
    bare = place["inside"] is False and not place["assessment"]
    return Cell(
        place["assessment"] or missing, "bad" if bare else "", place["agreement"] or missing
    )


def _targets(reading: Reading, targets: Sequence[Place]) -> Iterator[Block]:
    say = reading.say
    shown = (
        targets if len(targets) <= _MOST_PLACES else [t for t in targets if t["inside"] is not True]
    )
    if shown:
        columns = (
            Column(say("Exercise"), "id", 1.8),
            Column(say("Dataset"), width=1.2),
            Column(say("Brought to"), width=1.8),
            Column(say("Site, jurisdiction"), width=1.2),
            Column(say("Inside?"), width=0.9),
            Column(say("Assessment, agreement"), width=1.3),
        )
        rows = tuple(_target(reading, one) for one in shown[:_MOST])
        yield Table(columns, rows, say("Where exercises and recoveries brought data."))
        yield from left_out(reading, len(shown) - _MOST)
    if len(shown) < len(targets):
        yield Paragraph(_fine(reading, len(targets) - len(shown)), "good")


def _target(reading: Reading, target: Place) -> tuple[Cell, ...]:
    papered = bool(target["assessment"] and target["agreement"])
    return (
        Cell(target["run"], small=reading.word(words.KINDS, target["kind"])),
        Cell(target["dataset"]),
        Cell(target["host"], small=target["to"]),
        Cell(target["site"] or NONE, small=target["jurisdiction"] or reading.say("not named")),
        _inside(reading, target["inside"], papered=papered),
        _papers(reading, target),
    )


def restores(reading: Reading) -> Section:
    """The access log: who brought back what, when, why, to where; and what became of it."""
    return Section("restores", reading.say("Access log of restores"), tuple(_restores(reading)))


def _restores(reading: Reading) -> Iterator[Block]:
    say, told = reading.say, reading.document["restores"]
    if not told:
        yield Paragraph(say("Nothing was brought back in this quarter."))
        return
    yield _states(reading, told)
    shown = sorted((r for r in told if _alone(r)), key=lambda r: (_RANK[r["state"]], r["at"]))
    if shown:
        columns = (
            Column(say("When, by whom"), width=1.4),
            Column(say("Dataset, from"), width=1.4),
            Column(say("Purpose"), width=1.5),
            Column(say("Brought to"), width=1.7),
            Column(say("Size"), width=0.9),
            Column(say("What became of it"), width=1.6),
        )
        rows = tuple(_restore(reading, one) for one in shown[:_MOST])
        yield Table(columns, rows, say("Everything but restore tests that ended as planned."))
        yield from left_out(reading, len(shown) - _MOST)
    tests = [r for r in told if not _alone(r)]
    if tests:
        said = reading.language.say_many(
            "{count} further restore was a restore test by schedule whose data was destroyed at its end; it is in the JSON document.",
            "{count} further restores were restore tests by schedule whose data was destroyed at their end; they are in the JSON document.",
            len(tests),
        )
        yield Paragraph(said, "good")


_RANK = {"left": 0, "open": 1, "kept": 2, "nothing": 3, "destroyed": 4}


def _alone(restore: Place) -> bool:
    """Not a restore test that went as it does."""
    ordinary = restore["kind"] == "restore-test" and restore["trigger"] == "schedule"
    return not ordinary or restore["state"] != "destroyed" or restore["verdict"] != "pass"


def _states(reading: Reading, told: Sequence[Place]) -> Table:
    say = reading.say
    kinds = dict.fromkeys(r["kind"] for r in told)
    states = [s for s in words.DESTRUCTION if any(r["state"] == s for r in told)]
    columns = (
        Column(say("Kind of run"), width=1.5),
        Column(say("Restores"), "num"),
        *(Column(reading.word(words.DESTRUCTION, state), "num") for state in states),
    )
    rows = []
    for kind in kinds:
        here = Counter(r["state"] for r in told if r["kind"] == kind)
        cells = (
            Cell(reading.count(here[s]), "bad" if s == "left" and here[s] else "") for s in states
        )
        rows.append(
            (Cell(reading.word(words.KINDS, kind)), Cell(reading.count(here.total())), *cells)
        )
    return Table(columns, tuple(rows), say("What became of the data that was brought back."))


def _restore(reading: Reading, one: Place) -> tuple[Cell, ...]:
    say = reading.say
    taken = (
        say("snapshot of {at}", at=reading.when(one["snapshot_at"])) if one["snapshot_at"] else ""
    )
    source = reading.closest((one["region"], taken))
    state = Cell(
        reading.word(words.DESTRUCTION, one["state"]), words.DESTRUCTION_TONES[one["state"]]
    )
    if one["destroyed_at"]:
        state = Cell(state.text, state.tone, say("by {step}, {at}", step=one["destroyed_by"], at=reading.when(one["destroyed_at"])))  # fmt: skip
    elif one["verdict"] not in ("pass", None):
        state = Cell(state.text, "bad", say("the restore failed"))
    by_hand = one["kind"] == "restore"  # other runs say by their kind what they are for
    unsaid = say("no purpose given") if by_hand else reading.word(words.KINDS, one["kind"])
    purpose = one["purpose"] or unsaid
    if purpose == PURPOSE:
        purpose = reading.word(words.KINDS, "restore-test")
    return (
        Cell(reading.when(one["at"]), small=one["by"]),
        Cell(one["dataset"], small=source),
        Cell(purpose, small=one["run"]),
        Cell(one["host"], small=one["to"]),
        Cell(reading.size(one["bytes"]), small=_files(reading, one["files"])),
        state,
    )


def _files(reading: Reading, files: int | None) -> str:
    return (
        "" if files is None else reading.language.say_many("{count} file", "{count} files", files)
    )
