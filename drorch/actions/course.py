"""`wait`, `approve`, `confirm` and `runbook`: what steers a run rather than does something.

Only `wait` is ever carried out: questions are put by the engine, nested runbooks are inlined
by the compiler.
"""

from drorch.actions.arguments import Arguments, make_action
from drorch.actions.patience import pause
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.durations import format_duration
from drorch.core.values import Result, errored, passed
from drorch.ports import Call, Tools


def _wait(call: Call, tools: Tools) -> Result:
    length = Arguments.of(call, tools).duration("for")
    if pause(call.cancel, length):
        return passed({"waited_s": length.total_seconds()})
    return errored("cancelled", f"stopped while waiting {format_duration(length)}")


def _never(call: Call, tools: Tools) -> Result:  # noqa: ARG001 - every action has this shape
    return errored(
        "not-executable",
        "this step is not carried out by an action",
        "report it: the plan should have been compiled differently",
    )


_PROMPT = Parameter("prompt", Kind.TEXT, doc="the question")
_BY = Parameter("by", Kind.LIST, required=False, doc="the accounts that may answer")
_GROUPS = Parameter(
    "groups", Kind.LIST, required=False, doc="groups of the system whose members may answer"
)
_REQUESTER = Parameter(
    "requester",
    Kind.TEXT,
    required=False,
    doc="who started the run may agree `alone` (default in drills), `not-alone` (default of "
    "approve for real) or `never`",
    choices=("alone", "not-alone", "never"),
)
_OTHERWISE = Parameter(
    "otherwise",
    Kind.TEXT,
    required=False,
    doc="without an answer in time: `fail` (default), `abort` the run, or `continue`",
    choices=("fail", "abort", "continue"),
)
_WITHIN = Parameter("within", Kind.DURATION, required=False, doc="the deadline")

WAIT = make_action(
    ActionSpec(
        "wait",
        "Let time pass; prefer `until:` on a check",
        (Parameter("for", Kind.DURATION, doc="how long"),),
        ("waited_s",),
        repeatable=True,
    ),
    _wait,
)

APPROVE = make_action(
    ActionSpec(
        "approve",
        "Ask people to agree before the run goes on",
        (
            _PROMPT,
            Parameter("quorum", Kind.INTEGER, required=False, doc="how many must agree, default 1"),
            _BY,
            _GROUPS,
            _REQUESTER,
            _WITHIN,
            _OTHERWISE,
        ),
        person=True,
    ),
    _never,
)

CONFIRM = make_action(
    ActionSpec(
        "confirm",
        "Ask a person to do something by hand and say when it is done",
        (_PROMPT, _BY, _GROUPS, _WITHIN, _OTHERWISE),
        person=True,
    ),
    _never,
)

RUNBOOK = make_action(
    ActionSpec(
        "runbook",
        "Carry out another runbook's steps here, under the same rules",
        (
            Parameter("runbook", Kind.TEXT, doc="its name"),
            Parameter("inputs", Kind.MAPPING, required=False, doc="values for its inputs"),
        ),
        open_outputs=True,
    ),
    _never,
)
