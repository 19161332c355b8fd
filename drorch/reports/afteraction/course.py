"""What happened, in order: the timeline, the critical path, what did not go as planned, every step."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from drorch.core.judging import FALLOUT
from drorch.reports import words
from drorch.reports.afteraction.people import deed_word, deeds_of
from drorch.reports.afteraction.picture import beyond
from drorch.reports.blocks import Block, Cell, Column, Picture, Row, Section, Text, row, table, tag
from drorch.reports.blocks import group as across
from drorch.reports.condense import PhaseSteps, Step, by_phase
from drorch.reports.figures import values
from drorch.reports.pen import NOTHING, Pen
from drorch.reports.recorded import recorded

Document: TypeAlias = Mapping[str, Any]

#: Attempts beyond this are told only where something went wrong; of a long path the beginning.
_MOST_ATTEMPTS = 120
_MOST_OF_PATH = 60
_MOST_DEVIATIONS = 240

_BAD = frozenset({"fail", "error", "lost"})

_OVERRULED = frozenset(
    {
        "override-retry",
        "override-skip",
        "forced",
        "abort",
        "paused",
        "taken-over",
        "refused",
        "denied",
    }
)


def timeline(document: Document, pen: Pen) -> Section | None:
    """The picture, and the critical path in figures."""
    if all(step["from_s"] is None for step in document["steps"]):
        return None
    how = pen.say(
        "Time counts from where the clock starts; the bar on the axis is the measured time."
    )
    note = Text(" ".join(filter(None, (how, beyond(document, pen)))), "note")
    blocks: list[Block] = [Picture(), note]
    path = document["critical_path"]
    if path:
        blocks += _critical(document, path, pen)
    return Section("timeline", pen.say("Timeline and critical path"), tuple(blocks))


def _critical(document: Document, path: Sequence[str], pen: Pen) -> Iterator[Block]:
    steps = {step["step"]: step for step in document["steps"]}
    zero = document["window"]["from_s"] if document["window"] else 0.0
    rows = [_on_path(steps[name], zero, pen) for name in path[:_MOST_OF_PATH]]
    head = (
        pen.say("Step"),
        Column(pen.say("Began"), number=True),
        Column(pen.say("Ended"), number=True),
        Column(pen.say("Took"), number=True),
    )
    caption = pen.say("Critical path: the steps that decided how long it took, in order")
    yield table(head, rows, caption)
    if len(path) > _MOST_OF_PATH:
        yield Text(pen.say("… and {count} more.", count=pen.number(len(path) - _MOST_OF_PATH)))
    if document["outcome"] == "passed":
        yield Text(
            pen.say("Shortening any other step would not have brought the end forward."), "note"
        )


def _on_path(step: Step, zero: float, pen: Pen) -> Row:
    begin, end = step["from_s"], step["to_s"]
    began = NOTHING if begin is None else pen.offset(round(begin - zero, 3))
    ended = NOTHING if end is None else pen.offset(round(end - zero, 3))
    return row(step["step"], began, ended, pen.duration(step["elapsed_s"]))


def deviations(document: Document, pen: Pen) -> Section:
    """What did not go as planned, and what people ordered otherwise."""
    rows = list(_deviations(document, pen))
    heading = pen.say("Deviations, overrides and what was left out")
    if not rows:
        return Section("deviations", heading, (Text(pen.say("None: it went as planned.")),))
    head = (
        pen.say("What"),
        pen.say("Step"),
        pen.say("When"),
        pen.say("Who"),
        Column(pen.say("Why"), wide=True),
    )
    blocks: list[Block] = [table(head, rows[:_MOST_DEVIATIONS])]
    if len(rows) > _MOST_DEVIATIONS:
        more = pen.number(len(rows) - _MOST_DEVIATIONS)
        blocks.append(Text(pen.say("… and {count} more, all in the JSON document.", count=more)))
    return Section("deviations", heading, tuple(blocks))


def _deviations(document: Document, pen: Pen) -> Iterator[Row]:
    ordered = {word["step"] for word in document["overrides"] if word["what"] == "skip"}
    for step in document["steps"]:
        if step["status"] != "skipped" or step["step"] not in ordered:  # told as an order below
            yield from _of_step(step, pen)
    for deed in deeds_of(document):
        if deed["what"] in _OVERRULED:
            what = deed_word(deed["what"], pen)
            yield row(what, deed["step"], pen.clock(deed["at"]), deed["by"], deed["reason"])
    for moved in document["clock_moved"]:
        by = pen.offset(moved["by_s"])
        yield row(pen.say("the clock was set"), "", pen.clock(moved["at"]), "", by)


def _of_step(step: Step, pen: Pen) -> Iterator[Row]:
    name, ended = step["step"], pen.clock(step["finished_at"])
    said = step["message"] or recorded(step["why"], pen.language)
    if step["status"] == "failed":
        ended_by_other = step["cause"] in FALLOUT
        what = pen.say("stopped") if ended_by_other else pen.say("failed for good")
        yield row(what, name, ended, "", said)
    if step["status"] == "skipped":
        yield row(pen.say("left out"), name, "", "", recorded(step["why"], pen.language))
    log = step["attempt_log"]
    again = [a for a in log[:-1] if a["verdict"] in _BAD]
    if again and not step["until"]:
        last = again[-1]
        times = pen.say_many("tried again {count} time", "tried again {count} times", len(again))
        yield row(times, name, pen.clock(last["started_at"]), "", last["message"] or last["cause"])
    for lost in (a for a in log if a["verdict"] == "lost"):
        gone = pen.say("the process that carried it was gone")
        yield row(pen.say("outcome unknown"), name, pen.clock(lost["started_at"]), "", gone)


def steps(document: Document, pen: Pen) -> Section:
    """Every step by phase, with slack."""
    rows: list[Row] = []
    for phase in by_phase(document["steps"]):
        rows.append(across(pen.say(words.PHASES[phase.phase])))
        rows += [_step_row(step, pen) for step in phase.steps]
        rows += _rest(phase, pen)
    head = (
        pen.say("Step"),
        pen.say("Status"),
        Column(pen.say("Attempts"), number=True),
        Column(pen.say("Took"), number=True),
        Column(pen.say("Slack"), number=True),
        Column(pen.say("What it said"), wide=True),
    )
    caption = pen.say(
        "Every step by phase. Slack is how much longer a step could have taken without delaying "
        "the end; ◆ marks the critical path."
    )
    return Section("steps", pen.say("Steps"), (table(head, rows, caption),))


def _step_row(step: Step, pen: Pen) -> Row:
    mark = "◆ " if step["critical"] else ""
    undoes = pen.say("undoes {step}", step=step["undoes"]) if step["undoes"] else ""
    notes = (" · ".join(filter(None, (step["do"], undoes))), step["title"])
    slack = step["slack_s"] if step["from_s"] is not None else None
    return row(
        Cell(f"{mark}{step['step']}", notes=tuple(filter(None, notes))),
        tag(pen.say(words.STATUSES[step["status"]]), step["status"]),
        pen.number(step["attempts"]) if step["attempts"] else NOTHING,
        pen.duration(step["elapsed_s"]),
        pen.say("none") if slack == 0 else pen.duration(slack),
        _said(step, pen),
        faint=step["status"] == "skipped",
    )


def _said(step: Step, pen: Pen) -> Cell:
    said = step["message"] or recorded(step["why"], pen.language)
    notes = [said_of(step["outputs"], pen)] if step["outputs"] else []
    if step["message"] and step["why"] not in ("", step["message"]):
        notes.append(recorded(step["why"], pen.language))
    if step["hint"] and step["status"] == "failed":
        notes.append(pen.say("What to do: {hint}", hint=step["hint"]))
    notes = [note for note in notes if note]
    if not said and notes:
        said, *notes = notes
    return Cell(said or NOTHING, notes=tuple(notes))


def said_of(outputs: Mapping[str, Any], pen: Pen, most: int = 6) -> str:
    """The outputs that can be said briefly: `files 2,000, region qc`."""
    told = values({k: v for k, v in outputs.items() if k != "restic"}, pen, most)
    return ", ".join(f"{name} {text}" for name, text in told)


def _rest(phase: PhaseSteps, pen: Pen) -> Iterator[Row]:
    rest = phase.rest
    if rest is None:
        return
    told = [
        f"{pen.number(count)} {pen.say(words.STATUSES[status])}" for status, count in rest.statuses
    ]
    name = pen.say_many("{count} further step", "{count} further steps", rest.count)
    longest = pen.say("at most {length}", length=pen.duration(rest.longest))
    where = pen.say("All of them are in the JSON document.")
    yield row(name, pen.listed(told), "", longest, "", where)


def attempts(document: Document, pen: Pen) -> Section | None:
    """Every attempt; equal looks of one check in a row stand on one line."""
    told = [step for phase in by_phase(document["steps"]) for step in phase.steps]
    rows = list(_attempts(told, document, pen))
    kept = rows
    if len(rows) > _MOST_ATTEMPTS:
        kept = [one for one in rows if one.cells[4].tone != "good" or one.cells[1].text != "1"]
    if not rows:
        return None
    caption = [pen.say("In the order of the steps; “began” counts from where the clock starts.")]
    if len(kept) < len(rows):
        left = pen.number(len(rows) - len(kept))
        caption.append(
            pen.say(
                "{count} single attempts that passed are left out; all are in the JSON document.",
                count=left,
            )
        )
    head = (
        pen.say("Step"),
        Column(pen.say("No."), number=True),
        Column(pen.say("Began"), number=True),
        Column(pen.say("Took"), number=True),
        pen.say("Result"),
        Column(pen.say("What it said"), wide=True),
    )
    shown = (table(head, kept, " ".join(caption)),) if kept else (Text(" ".join(caption)),)
    return Section("attempts", pen.say("Attempts"), shown)


def _attempts(told: Sequence[Step], document: Document, pen: Pen) -> Iterator[Row]:
    zero = document["window"]["from_s"] if document["window"] else 0.0
    for step in told:
        log, first = step["attempt_log"], 0
        while first < len(log):
            last = first
            while step["until"] and last + 1 < len(log) and _alike(log[last], log[last + 1]):
                last += 1
            yield _attempt_row(step["step"], log[first : last + 1], zero, pen)
            first = last + 1


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one[key] == other[key] for key in ("verdict", "cause", "message"))


def _attempt_row(step: str, log: Sequence[Mapping[str, Any]], zero: float, pen: Pen) -> Row:
    first, last = log[0], log[-1]
    spent = [a["elapsed_s"] for a in log if a["elapsed_s"] is not None]
    numbers, took = str(first["attempt"]), pen.duration(last["elapsed_s"])
    if len(log) > 1:
        numbers = f"{first['attempt']}–{last['attempt']}"
        took = pen.say("at most {length}", length=pen.duration(max(spent))) if spent else took
    wait = last["wait_s"]
    then = "" if wait is None else pen.say("waited {length}", length=pen.duration(wait))
    tone = {"pass": "good", None: "idle"}.get(last["verdict"], "bad")
    said = "; ".join(filter(None, (last["message"], then)))
    began = pen.offset(round(first["from_s"] - zero, 3))
    result = tag(pen.say(words.VERDICTS[last["verdict"]]), tone)
    return row(step, numbers, began, took, result, said or NOTHING)
