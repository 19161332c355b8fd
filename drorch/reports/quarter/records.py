"""What the quarter left on record: findings with their age, and corrective actions."""

from collections.abc import Mapping, Sequence
from typing import Any

from drorch.core.corrective import wants_action
from drorch.reports.quarter.blocks import Block, Cell, Column, Paragraph, Section, Table
from drorch.reports.quarter.reading import NONE, Reading
from drorch.reports.quarter.summary import left_out
from drorch.reports.recorded import recorded

#: Told one by one.
_MOST = 1000

#: Findings whose subject is a dataset in a region.
_OF_COPIES = ("copy.outside", "rpo.breached")


def findings(reading: Reading) -> Section:
    """Each finding, the open ones first, the oldest before the newer."""
    say = reading.say
    told = sorted(reading.document["findings"], key=_by_need)
    blocks: list[Block] = []
    if not told:
        blocks.append(Paragraph(say("None."), "good"))
    else:
        columns = (
            Column(say("Finding"), width=1.5),
            Column(say("What was found"), width=2.8),
            Column(say("Found"), width=0.9),
            Column(say("Age"), width=0.8),
            Column(say("Corrective action"), width=1.1),
        )
        rows = tuple(_finding(reading, one) for one in told[:_MOST])
        caption = say(
            "What people and other programs said is quoted as it was recorded. The open ones first, the oldest at the top."
        )
        blocks.append(Table(columns, rows, caption))
        blocks += left_out(reading, len(told) - _MOST)
    return Section("findings", say("Findings"), tuple(blocks))


def _by_need(finding: Mapping[str, Any]) -> tuple[bool, bool, float]:
    return (not wants_action(finding["what"]), finding["closed"], -finding["age_s"])


def _finding(reading: Reading, finding: Mapping[str, Any]) -> tuple[Cell, ...]:
    say = reading.say
    advice = recorded(finding["hint"], reading.language)
    hint = say("What to do: {hint}", hint=advice) if advice else ""
    if finding["closed"]:
        action = Cell(finding["action"] or say("closed"), "good", say("closed"))
    elif finding["action"]:
        action = Cell(finding["action"], "warn", say("open"))
    elif wants_action(finding["what"]):
        action = Cell(say("none"), "bad")
    else:
        action = Cell(NONE, small=say("to be allowed for"))
    return (
        Cell(_subject(reading, finding), small=f"{finding['what']} · {finding['id']}"),
        Cell(recorded(finding["message"], reading.language), small=hint),
        Cell(reading.day_of(finding["found_at"])),
        Cell(reading.lasting(finding["age_s"])),
        action,
    )


def _subject(reading: Reading, finding: Mapping[str, Any]) -> str:
    """Of a copy `dataset · region`, as everywhere in the report; of an objective whose it is."""
    subject = str(finding["subject"])
    if finding["what"] == "objective.missed":
        return " · ".join(filter(None, (finding["service"], subject.upper())))
    if subject == "control plane":
        return reading.say("drorch’s own records")
    return subject.replace(" in ", " · ") if finding["what"] in _OF_COPIES else subject


def actions(reading: Reading) -> Section:
    """What is being done about it: open ones first, overdue before others."""
    say = reading.say
    told = sorted(reading.document["actions"], key=_order)
    if not told:
        return Section(
            "actions", say("Corrective actions"), (Paragraph(say("None is on record.")),)
        )
    columns = (
        Column(say("Action"), width=2.3),
        Column(say("Owner"), width=1.1),
        Column(say("Due"), width=0.9),
        Column(say("Status"), width=1.1),
        Column(say("Against the finding"), width=1.5),
        Column(say("Closed by"), width=1.5),
    )
    caption = say("“Carried over” was open when the quarter began.")
    rows = tuple(_action(reading, one) for one in told[:_MOST])
    blocks: Sequence[Block] = (Table(columns, rows, caption), *left_out(reading, len(told) - _MOST))
    return Section("actions", say("Corrective actions"), tuple(blocks))


def _order(action: Mapping[str, Any]) -> tuple[bool, bool, str]:
    return (action["status"] == "closed", not action["overdue"], action["due"] or "9999")


def _action(reading: Reading, action: Mapping[str, Any]) -> tuple[Cell, ...]:
    say = reading.say
    carried = say("carried over") if action["carried_over"] else ""
    closed = action["status"] == "closed"
    if closed:
        status = Cell(say("closed"), "good", reading.day_of(action["closed_at"]))
    elif action["overdue"]:
        status = Cell(say("overdue"), "bad", carried)
    else:
        status = Cell(say("open"), "warn", carried)
    opened = say(
        "opened {day} by {who}", day=reading.day_of(action["opened_at"]), who=action["opened_by"]
    )
    return (
        Cell(f"{action['id']}{reading.language.colon}{action['title']}", small=opened),
        Cell(action["owner"]),
        Cell(action["due"] or NONE, "" if action["due"] or closed else "warn"),
        status,
        Cell(action["finding"] or NONE),
        Cell(_proof(reading, action), small=action["why"] or ""),
    )


def _proof(reading: Reading, action: Mapping[str, Any]) -> str:
    if action["status"] != "closed":
        return NONE
    if action["closed_by_run"]:
        return reading.say("run {run}", run=action["closed_by_run"])
    return reading.say("{who}, without a run", who=action["closed_by"] or NONE)
