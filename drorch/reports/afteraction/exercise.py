"""What the exercise was for, who took part, what it tested and what it did not."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from drorch.core.exercises import NOT_TESTED
from drorch.core.timing import RESTORES
from drorch.reports import words
from drorch.reports.afteraction.summary import judged
from drorch.reports.blocks import (
    Block,
    Cell,
    Column,
    Facts,
    Points,
    Row,
    Section,
    Text,
    row,
    table,
    tag,
)
from drorch.reports.pen import Pen
from drorch.reports.recorded import recorded

Document: TypeAlias = Mapping[str, Any]

_RUNBOOKS = ("drill", "failover", "failback")


def scope(document: Document, pen: Pen) -> Section | None:
    """Type, scope and scenario, goals and what came of them, assumptions, exclusions."""
    if not judged(document):
        return None
    section = document["exercise"]
    facts = Facts(tuple((name, (text,)) for name, text in _scope(document, pen) if text))
    blocks: list[Block] = [facts]
    if section is None:
        blocks += [Text(text) for text in _unsaid(document, pen)]
    else:
        blocks += _goals(section, document, pen)
        blocks += _listed(pen.say("Assumptions"), section["assumptions"], pen)
        blocks += _listed(pen.say("Left out on purpose"), section["excluded"], pen)
    heading = pen.say("Scope, scenario and success criteria")
    return Section("scope", heading, tuple(blocks))


def _scope(document: Document, pen: Pen) -> Iterator[tuple[str, str]]:
    say, section = pen.say, document["exercise"] or {}
    exercise = document["mode"] == "drill"
    usual = "component" if document["kind"] == "restore-test" else None
    kind = words.TYPES[section.get("type") or usual]
    yield say("Type of exercise"), say(kind) if exercise or usual else ""
    if exercise:
        yield say("Scenario"), section.get("scenario", "")
    else:
        restored = document["kind"] not in _RUNBOOKS
        yield say("Purpose") if restored else say("Scenario"), document["reason"]
    datasets = pen.listed(document["datasets"])
    yield say("Scope"), section.get("scope") or _covered(document, datasets, pen)
    yield say("Datasets"), datasets


def _covered(document: Document, datasets: str, pen: Pen) -> str:
    if document["service"]:
        return pen.say("service {name}", name=document["service"])
    return "" if datasets else pen.say("not said")


def _unsaid(document: Document, pen: Pen) -> Iterator[str]:
    if document["kind"] not in _RUNBOOKS:
        return
    if document["mode"] == "drill":
        yield pen.say(
            "The runbook does not say what this exercise was to show (it has no section "
            "“exercise”): there are no success criteria to judge."
        )
    else:
        yield pen.say("This was no exercise: the scenario is the reason of the declaration.")


def _goals(section: Document, document: Document, pen: Pen) -> Iterator[Block]:
    rows: list[Row] = []
    for key, what in (
        ("objectives", pen.say("Objective")),
        ("criteria", pen.say("Success criterion")),
    ):
        for goal in section[key]:
            tone, word = words.JUDGEMENTS[goal["result"]]
            why = _judged_by(goal, document, pen)
            rows.append(row(Cell(goal["text"], notes=(what,)), tag(pen.say(word), tone), why))
    if not rows:
        yield Text(pen.say("No objectives and no success criteria were set."))
        return
    head = (
        Column(pen.say("What was to be shown"), wide=True),
        pen.say("Result"),
        Column(pen.say("Why"), wide=True),
    )
    yield table(head, rows, pen.say("Objectives of the exercise, and criteria of its success"))


def _judged_by(goal: Document, document: Document, pen: Pen) -> str:
    if not goal["shown_by"]:
        return pen.say("No step is named that shows it: for the reviewers to judge.")
    if goal["result"] == "failed":
        return pen.say("Failed: {names}", names=pen.listed(goal["failed"]))
    if goal["result"] == "passed":
        return pen.say("Shown by {names}", names=pen.listed(goal["shown_by"]))
    names = [_unknown(name, document, pen) for name in goal["unknown"]]
    return pen.say("Nothing was shown by {names}", names=pen.listed(names))


def _unknown(name: str, document: Document, pen: Pen) -> str:
    found = [s["status"] for s in document["steps"] if s["step"] == name]
    return f"{name} ({pen.say(words.STATUSES[found[0]])})" if found else name


def _listed(name: str, texts: Sequence[str], pen: Pen) -> Iterator[Block]:
    if texts:
        yield Points(tuple((name, text) for text in texts))
    else:
        yield Points(((name, pen.say("none were named")),))


def areas(document: Document, pen: Pen) -> Section | None:
    """The areas that NIST SP 800-34 wants tested, each by name."""
    if document["kind"] not in _RUNBOOKS:
        return None
    rows = []
    for area, title in words.AREAS.items():
        result, said = _area(area, document, pen)
        tone, word = result
        rows.append(row(pen.say(title), tag(word, tone), said))
    head = (pen.say("Area"), pen.say("Result"), Column(pen.say("What was done"), wide=True))
    caption = pen.say("The areas that NIST SP 800-34 names; “not tested” is an answer")
    return Section("areas", pen.say("Areas tested"), (table(head, rows, caption),))


def _area(area: str, document: Document, pen: Pen) -> tuple[tuple[str, str], str]:
    untested = ("idle", pen.say("not tested"))
    if area == "recovery":
        return _recovery(document, pen)
    section = document["exercise"]
    goal = section["areas"][area] if section else None
    if goal is None and document["mode"] == "live":
        return ("idle", pen.say("not recorded")), pen.say("A recovery for real does not say.")
    if goal is None:
        return untested, pen.say("The runbook says nothing of it.")
    if goal["text"].strip().lower() == NOT_TESTED:
        return untested, pen.say("The runbook says so.")
    tone, word = words.JUDGEMENTS[goal["result"]]
    why = pen.say("{text} ({why})", text=goal["text"], why=_judged_by(goal, document, pen))
    return (tone, pen.say(word)), why


def _recovery(document: Document, pen: Pen) -> tuple[tuple[str, str], str]:
    steps = document["steps"]
    restored = [s for s in steps if s["do"] in RESTORES and s["status"] == "passed"]
    checks = [s for s in steps if s["phase"] == "verify" and s["status"] == "passed"]
    if not restored:
        return ("idle", pen.say("not tested")), pen.say("No data was restored.")
    said = pen.say(
        "{restored} restored on {host}, {checks} passed",
        restored=pen.say_many("{count} dataset", "{count} datasets", len(restored)),
        host=document["owner"]["host"],
        checks=pen.say_many("{count} check", "{count} checks", len(checks)),
    )
    outcome = document["outcome"]
    result = {"passed": "passed", "failed": "failed"}.get(outcome, "not-judged")
    tone, word = words.JUDGEMENTS[result]
    return (tone, pen.say(word)), said


def limits(document: Document, pen: Pen) -> Section | None:
    """What this run does not prove."""
    found = tuple(_limits(document, pen))
    if not found:
        return None
    heading = pen.say("What was not tested, and what this run does not prove")
    return Section("limits", heading, (Points(tuple(("", text) for text in found)),))


def _limits(document: Document, pen: Pen) -> Iterator[str]:
    say, steps, kind = pen.say, document["steps"], document["kind"]
    doing = {s["step"]: s["do"] for s in steps}
    for skipped in document["skipped"]:
        values = {
            "step": skipped["step"],
            "do": doing[skipped["step"]],
            "why": recorded(skipped["why"], pen.language),
        }
        yield say("{step} ({do}) was not tried: {why}", **values)
    for step in steps:
        for word in step["settled"]:
            values = {"step": step["step"], "by": word["by"]}
            yield say(
                "{step}: what happened rests on the word of {by}, on no measurement.", **values
            )
    if kind == "backup":
        yield say("A backup shows that data was stored; only a restore shows that it comes back.")
    if not judged(document):
        return
    yield from _beyond(document, pen)


def _beyond(document: Document, pen: Pen) -> Iterator[str]:
    say, steps = pen.say, document["steps"]
    if document["outcome"] in ("failed", "aborted"):
        yield say("It did not come through: what comes after the point of failure was not tried.")
    if document["kind"] in _RUNBOOKS and not any(
        s["do"] in RESTORES and s["status"] == "passed" for s in steps
    ):
        yield say("No data was restored.")
    if not any(
        s["check"] and s["status"] == "passed" and s["phase"] != "preconditions" for s in steps
    ):
        yield say("No check looked at the result: nothing shows that what came back works.")
    if document["kind"] == "drill":
        yield say(
            "It was an exercise: nothing in production was switched over, so it does not show that "
            "users, names and networks follow."
        )
        untested = [
            pen.say(title) for area, title in words.AREAS.items() if _silent(area, document)
        ]
        for name in untested:
            yield say("Not tested: {what}", what=name)


def _silent(area: str, document: Document) -> bool:
    if area == "recovery":
        return False
    section = document["exercise"]
    goal = section["areas"][area] if section else None
    return goal is None or goal["text"].strip().lower() == NOT_TESTED
