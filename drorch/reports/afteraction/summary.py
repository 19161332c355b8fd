"""The verdict, what was promised against what was measured, and who, when and why."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from drorch.core.exercises import EVIDENCE
from drorch.reports import words
from drorch.reports.blocks import Column, Facts, Row, Section, Table, Text, row, table, tag
from drorch.reports.pen import NOTHING, Pen, after

Document: TypeAlias = Mapping[str, Any]

_JUDGED = frozenset(kind.value for kind in EVIDENCE)


@dataclass(frozen=True, slots=True)
class Headline:
    """The verdict: `tone` is good, warn, bad or idle."""

    tone: str
    title: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Box:
    """A figure against another. `share` is the first of the second, 1 being all of it; None if
    either is missing. `meter` tells who cannot see it the same.
    """

    title: str
    figures: tuple[tuple[str, str], ...]
    tone: str
    verdict: str
    how: str
    share: float | None
    meter: str


def judged(document: Document) -> bool:
    """Whether it is a run that counts as evidence of recovery."""
    return document["kind"] in _JUDGED


def headline(document: Document, pen: Pen) -> Headline:
    """The verdict in words."""
    outcome = document["outcome"]
    key = (outcome, document["objectives_met"]) if outcome == "passed" else outcome
    tone, title, sentence = words.HEADLINES[key or document["state"]]
    unplanned = {f["what"] for f in document["findings"]} - words.PLANNED_FINDINGS
    told = pen.say(title)
    if tone == "good" and unplanned:
        tone, told = "warn", pen.say("{title}, with findings", title=told)
    asked = [s["step"] for s in document["steps"] if s["status"] == "waiting-for-person"]
    reason = _reason(document, pen)
    return Headline(tone, told, pen.say(sentence, reason=reason, asked=pen.listed(asked)))


def _reason(document: Document, pen: Pen) -> str:
    abort = document["abort"]
    if abort and document["outcome"] == "aborted":
        return pen.say("{by}: {reason}", **abort).strip(": \u00a0")
    for step in document["steps"]:
        if step["status"] == "failed" and step["phase"] != "cleanup":
            said = step["message"].rstrip(".")
            early = step["phase"] == "preconditions"
            if early:
                return _why(pen.say("a precondition failed: {step}", step=step["step"]), said, pen)
            if step["step"] == (document["failed_step"] or step["step"]):
                return _why(pen.say("{step} failed", step=step["step"]), said, pen)
    return pen.say("no reason was recorded")


def _why(what: str, said: str, pen: Pen) -> str:
    return pen.say("{what}: {why}", what=what, why=said) if said else what


def boxes(document: Document, pen: Pen) -> tuple[Box, ...]:
    """The objectives that apply, and whose time it was."""
    return (*_objectives(document, pen), _whose_time(document, pen))


def _objectives(document: Document, pen: Pen) -> Iterator[Box]:
    titles = {"rto": pen.say("Recovery time"), "rpo": pen.say("Recovery point")}
    how = {"rto": _how_rto(document, pen), "rpo": _how_rpo(document, pen)}
    for key, title in titles.items():
        measured = document["objectives"][key]
        target, actual = measured["target_s"], measured["actual_s"]
        if target is None and actual is None:
            continue
        tone, verdict = _verdict(key, document, pen)
        share = actual / target if target and actual is not None else None
        promised, came_to = key.upper(), {"rto": "RTA", "rpo": "RPA"}[key]
        figures = (
            (pen.say("{name}, measured", name=came_to), pen.duration(actual)),
            (pen.say("{name}, promised", name=promised), pen.duration(target)),
        )
        percent = pen.number(round((share or 0) * 100, 1))
        meter = pen.say(
            "{measured} is {percent} % of {promised}",
            measured=came_to,
            percent=percent,
            promised=promised,
        )
        yield Box(title, figures, tone, verdict, how[key], share, meter)


def _verdict(key: str, document: Document, pen: Pen) -> tuple[str, str]:
    measured = document["objectives"][key]
    margin = measured["margin_s"]
    if measured["met"] is True:
        return "good", pen.say("Met, {margin} to spare", margin=pen.duration(margin))
    if measured["met"] is False:
        if margin is not None:
            return "bad", pen.say("Missed by {margin}", margin=pen.duration(-margin))
        late = pen.say("Missed: already longer than promised")
        return "bad", pen.say("Missed: it was not recovered") if document["outcome"] else late
    return "idle", _open_verdict(key, document, pen)


def _open_verdict(key: str, document: Document, pen: Pen) -> str:
    measured = document["objectives"][key]
    if measured["target_s"] is None:
        return pen.say("Nothing was promised")
    if document["outcome"] is None:
        late = pen.say("Not final: the run is under way")
        return pen.say("Still counting") if key == "rto" else late
    if measured["actual_s"] is None:
        return pen.say("Not measured")
    return pen.say("Not proven: the data was never shown to be usable")


def _how_rto(document: Document, pen: Pen) -> str:
    window = document["window"]
    if window is None:
        return pen.say("The clock never started: no step began.")
    declared = declaration(document)
    start = pen.say("the declaration") if declared else pen.say("the beginning of the first step")
    began = pen.clock(after(document["started_at"], window["from_s"]))
    length = pen.duration(window["to_s"] - window["from_s"])
    if document["outcome"] is None:
        return pen.say(
            "Counting since {start} at {began}: {length} so far, people’s time included.",
            start=start,
            began=began,
            length=length,
        )
    return pen.say(
        "Counted from {start} at {began} to {end} at {ended}, {length} in all, people’s time "
        "included, by the boot clock of the machine that carried it.",
        start=start,
        began=began,
        end=_window_end(document, pen),
        ended=pen.clock(after(document["started_at"], window["to_s"])),
        length=length,
    )


def _window_end(document: Document, pen: Pen) -> str:
    if document["outcome"] != "passed":
        return pen.say("the end of the last step before cleanup")
    if any(s["phase"] == "verify" and s["status"] == "passed" for s in document["steps"]):
        return pen.say("the last pass of verification")
    return pen.say("the end of the last step (nothing was verified)")


def _how_rpo(document: Document, pen: Pen) -> str:
    if document["data_from"] is None:
        return pen.say("No snapshot was restored.")
    declared = declaration(document)
    began = pen.clock(declared or document["started_at"])
    taken = pen.moment(document["data_from"])
    if declared:
        return pen.say(
            "The declaration at {began}, less the time of the oldest data that the run rests on: "
            "{taken}.",
            began=began,
            taken=taken,
        )
    return pen.say(
        "The start of the run at {began}, less the time of the oldest data that it rests on: {taken}.",
        began=began,
        taken=taken,
    )


def declaration(document: Document) -> str | None:
    """The declaration that starts the clock: an exercise has none."""
    declared: str | None = document["declared_at"]
    return declared if document["mode"] == "live" else None


def _whose_time(document: Document, pen: Pen) -> Box:
    machine, person = document["machine_s"], document["person_s"]
    whole = machine + person
    figures = (
        (pen.say("Machine"), pen.duration(machine)),
        (pen.say("People"), pen.duration(person)),
    )
    how = pen.say(
        "People’s time is when nothing ran and only an answer was waited for, or the run was "
        "paused; machine time is the rest of the measured time."
    )
    percent = pen.number(round(100 * person / whole)) if whole else "0"
    meter = pen.say("{percent} % of the time only people were waited for", percent=percent)
    return Box(pen.say("Whose time it was"), figures, "idle", "", how, None, meter)


def measuring(document: Document, pen: Pen) -> Section | None:
    """Promised against measured in figures, and how each was measured."""
    if not judged(document):
        return None
    rows = []
    titles = {
        "rto": pen.say("Recovery time (RTO, RTA)"),
        "rpo": pen.say("Recovery point (RPO, RPA)"),
    }
    for key, heading in titles.items():
        found = document["objectives"][key]
        tone, verdict = _verdict(key, document, pen)
        how = _how_rto(document, pen) if key == "rto" else _how_rpo(document, pen)
        margin = pen.offset(found["margin_s"])
        figures = (pen.duration(found["target_s"]), pen.duration(found["actual_s"]), margin)
        rows.append(row(heading, *figures, tag(verdict, tone), how))
    head = (
        pen.say("Objective"),
        Column(pen.say("Promised"), number=True),
        Column(pen.say("Measured"), number=True),
        Column(pen.say("Margin"), number=True),
        pen.say("Result"),
        Column(pen.say("How it was measured"), wide=True),
    )
    return Section(
        "measured",
        pen.say("Promised and measured"),
        (table(head, rows), _times(document, pen)),
    )


def _times(document: Document, pen: Pen) -> Table:
    window = document["window"]
    length = window["to_s"] - window["from_s"] if window else None
    rows: list[Row] = [
        row(pen.say("Machine time"), pen.duration(document["machine_s"])),
        row(pen.say("People’s time"), pen.duration(document["person_s"])),
        row(pen.say("Measured time, both together"), pen.duration(length)),
        row(pen.say("From start to end, cleanup included"), pen.duration(document["elapsed_s"])),
    ]
    return table((pen.say("Whose time"), Column(pen.say("How long"), number=True)), rows)


def facts(document: Document, pen: Pen) -> Section:
    """Who, when, why."""
    found = tuple((label, said) for label, texts in _facts(document, pen) if (said := _said(texts)))
    note = pen.say("Times of day are those of {zone}.", zone=pen.zone)
    return Section("facts", pen.say("Who, when, why"), (Facts(found), Text(note, "note")))


def _said(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(text for text in texts if text and text != NOTHING)


def _facts(document: Document, pen: Pen) -> Iterator[tuple[str, tuple[str, ...]]]:
    say, owner = pen.say, document["owner"]
    due = say("due at {due}", due=pen.moment(document["due_at"])) if document["due_at"] else ""
    length = pen.duration(document["elapsed_s"])
    over = say("{length} from start to end, cleanup included", length=length)
    took = over if document["finished_at"] else say("{length} so far", length=length)
    trigger = words.TRIGGERS.get(document["trigger"])
    yield say("Declared"), _at(document["declared_at"], pen)
    yield say("Started"), _at(document["started_at"], pen)
    yield say("Finished"), _at(document["finished_at"], pen)
    yield say("Took"), (took,)
    yield say("By"), (document["by"],)
    yield say("Reason"), (document["reason"],)
    yield say("Wanted by"), (say(trigger) if trigger else document["trigger"], due)
    yield say("Mode"), (say(words.MODES[document["mode"]]),)
    yield say("Service"), (document["service"],)
    yield say("Datasets"), tuple(document["datasets"])
    yield say("Runs afterwards at"), (document["site"] if document["mode"] == "live" else "",)
    yield say("Longest tolerable outage"), (pen.duration(document["mtpd_s"]),)
    yield say("Inputs given"), tuple(f"{k} = {v}" for k, v in document["inputs"].items())
    yield say("Carried out by"), (say("{user} on {host}", user=owner["user"], host=owner["host"]),)


def _at(text: str | None, pen: Pen) -> tuple[str, ...]:
    return pen.moment(text), pen.utc(text) if pen.zone != "UTC" else ""
