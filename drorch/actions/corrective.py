"""Corrective actions are put on record: one is opened, or something becomes of it.

Only one run does so at a time (core/correcting.py): what is known when it looks is still so when
it has ended.
"""

from collections.abc import Sequence
from dataclasses import replace

from drorch.actions.arguments import Arguments, make_action
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.corrective import Change, ChangeKind, Corrective, next_id, unfit
from drorch.core.values import Result, Value, failed, passed
from drorch.ports import Call, Tools


def _open(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    action = Corrective(
        next_id(_known(tools)),
        arguments.text("title"),
        arguments.text("owner"),
        arguments.text("due"),
        tools.clock.now().at,
        arguments.text("by"),
        arguments.text("finding", ""),
        arguments.text("run", ""),
    )
    return _recorded(action)


def _change(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    wanted = arguments.text("action")
    action = next((one for one in _known(tools) if one.id == wanted), None)
    if action is None:
        return failed("no-action", f"there is no action {wanted}", "see: drorch action list")
    change = Change(
        tools.clock.now().at,
        arguments.text("by"),
        ChangeKind(arguments.text("what")),
        arguments.text("why"),
        arguments.text("owner", ""),
        arguments.text("due", ""),
        arguments.text("run", ""),
    )
    wrong = unfit(action, change.what)
    if wrong is not None:
        return failed("unfit", *wrong)
    return _recorded(replace(action, changes=(*action.changes, change)))


def _known(tools: Tools) -> Sequence[Corrective]:
    return [known.fact for known in tools.knowledge.facts(Corrective, "")]


def _recorded(action: Corrective) -> Result:
    outputs: dict[str, Value] = {
        "action": action.id,
        "status": action.status,
        "owner": action.owner,
        "due": action.due,
    }
    return passed(outputs, facts=(action,))


_BY = Parameter("by", Kind.TEXT, doc="who says so")
_OUTPUTS = ("action", "status", "owner", "due")

CORRECTIVE_OPEN = make_action(
    ActionSpec(
        "corrective.open",
        "Open a corrective action and give it an id; used by `drorch action`",
        (
            Parameter("title", Kind.TEXT, doc="what is to be done"),
            Parameter("owner", Kind.TEXT, doc="who is to see to it"),
            Parameter("due", Kind.TEXT, doc="the local day by whose end: 2026-12-31"),
            _BY,
            Parameter(
                "finding",
                Kind.TEXT,
                required=False,
                doc="RUN/N, of the run's document, or QUARTER/WORD/SUBJECT",
            ),
            Parameter("run", Kind.TEXT, required=False, doc="the run it came from"),
        ),
        _OUTPUTS,
        repeatable=True,
        own=True,
    ),
    _open,
)

CORRECTIVE_CHANGE = make_action(
    ActionSpec(
        "corrective.change",
        "Record what became of a corrective action; used by `drorch action`",
        (
            Parameter("action", Kind.TEXT, doc="its id: A1"),
            Parameter("what", Kind.TEXT, doc="what became of it", choices=tuple(ChangeKind)),
            _BY,
            Parameter("why", Kind.TEXT, doc="why; stands in reports"),
            Parameter("owner", Kind.TEXT, required=False, doc="who is to see to it from now on"),
            Parameter("due", Kind.TEXT, required=False, doc="the day by which, from now on"),
            Parameter("run", Kind.TEXT, required=False, doc="the run that proved it"),
        ),
        _OUTPUTS,
        repeatable=True,
        own=True,
    ),
    _change,
)
