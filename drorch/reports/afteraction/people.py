"""Who took part, what people were asked, and what they answered and ordered."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from drorch.reports.afteraction.summary import judged
from drorch.reports.blocks import Block, Cell, Column, Row, Section, Text, row, table
from drorch.reports.pen import Pen
from drorch.reports.recorded import recorded

Document: TypeAlias = Mapping[str, Any]

#: What a yes and a no come to, by what was asked.
_ANSWERS = {"approve": ("approved", "refused"), "confirm": ("confirmed", "denied")}


def people(document: Document, pen: Pen) -> Section | None:
    """Participants with their roles, and what each did."""
    deeds = [one for one in deeds_of(document) if one["what"] != "taken-over"]
    if not judged(document) and not deeds:
        return None
    blocks: list[Block] = []
    present = {one["name"]: one["role"] for one in document["participants"]}
    rows = [row(name, role or pen.say("not said")) for name, role in present.items()]
    if rows:
        named = (pen.say("Name"), pen.say("Role"))
        blocks.append(table(named, rows, pen.say("Who took part, as named when it started")))
    else:
        blocks.append(Text(pen.say("No participants were named when it started.")))
    started = row(
        pen.clock(document["started_at"]),
        document["by"],
        pen.say("started it"),
        "",
        document["reason"],
    )
    told = [started, *(_deed(one, pen) for one in deeds)]
    head = (
        pen.say("When"),
        pen.say("Who"),
        pen.say("What"),
        pen.say("Step"),
        Column(pen.say("Reason"), wide=True),
    )
    blocks.append(table(head, told, pen.say("Approvals, answers and orders, by their accounts")))
    return Section("people", pen.say("Participants, roles and approvals"), tuple(blocks))


def deeds_of(document: Document) -> list[dict[str, str]]:
    """What people said and ordered: `at`, `by`, `what`, `step`, `reason`, in order of time."""
    found = [*_answered(document), *_ordered(document)]
    return sorted(found, key=lambda one: one["at"])


def _answered(document: Document) -> Iterator[dict[str, str]]:
    for step in document["steps"]:
        for question in step["questions"]:
            yes, no = _ANSWERS.get(question["question"], _ANSWERS["approve"])
            for answer in question["answers"]:
                yield _word(answer, yes if answer["approved"] else no, step["step"])
        for word in step["settled"]:
            what = "settled-happened" if word["happened"] else "settled-not"
            yield _word(word, what, step["step"])


def _ordered(document: Document) -> Iterator[dict[str, str]]:
    for word in document["overrides"]:
        yield _word(word, f"override-{word['what']}", word["step"])
    for pause in document["pauses"]:
        yield _word({**pause, "at": pause["from"]}, "paused")
        if pause["to"] and pause["ended_by"]:
            yield _word({"at": pause["to"], "by": pause["ended_by"], "reason": ""}, "continued")
    for taking in document["taken_over"]:
        yield _word({**taking, "reason": taking["host"]}, "taken-over")
    for what in ("forced", "abort"):
        if document[what]:
            yield _word(document[what], what)


def _word(told: Document, what: str, step: str = "") -> dict[str, str]:
    return {**{key: told[key] for key in ("at", "by", "reason")}, "what": what, "step": step}


def _deed(one: Mapping[str, str], pen: Pen) -> Row:
    at = pen.clock(one["at"])
    return row(at, one["by"], deed_word(one["what"], pen), one["step"], one["reason"])


def deed_word(what: str, pen: Pen) -> str:
    """What somebody did, in words."""
    say = pen.say
    return {
        "approved": say("approved"),
        "refused": say("refused"),
        "confirmed": say("confirmed that it is done"),
        "denied": say("said that it is not done"),
        "settled-happened": say("said that it happened"),
        "settled-not": say("said that it did not happen"),
        "override-retry": say("had it tried again"),
        "override-skip": say("had it left out"),
        "paused": say("paused the run"),
        "continued": say("let the run go on"),
        "taken-over": say("took the run over, on this host:"),
        "forced": say("let the fencing gate be passed"),
        "abort": say("ended the run"),
    }[what]


def questions(document: Document, pen: Pen) -> Section | None:
    """What people were asked, how long it took them, and what they answered."""
    rows = [
        row(
            Cell(step["step"], notes=tuple(filter(None, (step["title"],)))),
            question["prompt"],
            pen.clock(question["asked_at"]),
            _waited(question, pen),
            _answers(step, question, document, pen),
        )
        for step in document["steps"]
        for question in step["questions"]
    ]
    if not rows:
        return None
    head = (
        pen.say("Step"),
        Column(pen.say("Question"), wide=True),
        pen.say("Asked"),
        Column(pen.say("Open for"), number=True),
        Column(pen.say("Answer"), wide=True),
    )
    return Section("questions", pen.say("Questions and answers"), (table(head, rows),))


def _waited(question: Document, pen: Pen) -> str:
    if question["to_s"] is None:
        return pen.say("still open")
    return pen.duration(round(question["to_s"] - question["from_s"], 3))


def _answers(step: Document, question: Document, document: Document, pen: Pen) -> Cell:
    told = [_answer(answer, question, pen) for answer in question["answers"]]
    if question["question"] == "failed":
        told += [
            _ordered_so(word, pen) for word in document["overrides"] if word["step"] == step["step"]
        ]
    if question["question"] == "settle":
        told += [_settled(word, pen) for word in step["settled"]]
    if question["to_s"] is None:
        wanted = {"given": len(told), "quorum": question["quorum"]}
        told.append(pen.say("still open, {given} of {quorum} given", **wanted))
    first, *more = told or [recorded(step["why"], pen.language) or pen.say("no answer")]
    return Cell(first, notes=tuple(more))


def _answer(answer: Document, question: Document, pen: Pen) -> str:
    yes = pen.say("yes") if question["question"] == "confirm" else pen.say("approved")
    no = pen.say("no") if question["question"] == "confirm" else pen.say("refused")
    return _because(yes if answer["approved"] else no, answer, pen)


def _ordered_so(word: Document, pen: Pen) -> str:
    return _because(deed_word(f"override-{word['what']}", pen), word, pen)


def _settled(word: Document, pen: Pen) -> str:
    said = pen.say("it happened") if word["happened"] else pen.say("it did not happen")
    return _because(said, word, pen)


def _because(said: str, word: Document, pen: Pen) -> str:
    values = {"said": said, "by": word["by"], "at": pen.clock(word["at"]), "why": word["reason"]}
    if word["reason"]:
        return pen.say("{said} ({by}, {at}): {why}", **values)
    return pen.say("{said} ({by}, {at})", **values)
