"""The actions that put on record which control plane is in charge, and what was seen of others."""

from datetime import datetime

from drorch.actions.arguments import Arguments, make_action
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.codec import decode, parse
from drorch.core.terms import OtherSeen, TermBegun
from drorch.core.values import Result, Value, passed
from drorch.ports import Call, Tools


def _begin(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    term = TermBegun(
        arguments.text("instance"),
        arguments.integer("term"),
        datetime.fromisoformat(arguments.text("at")),
        arguments.text("by"),
        arguments.text("why"),
        arguments.text("of", ""),
        arguments.integer("of_term", 0),
        arguments.boolean("announced", False),
        arguments.boolean("renamed", False),
    )
    outputs: dict[str, Value] = {"instance": term.instance, "term": term.term, "why": term.why}
    return passed(outputs, facts=(term,))


def _others(call: Call, tools: Tools) -> Result:
    seen = decode(tuple[OtherSeen, ...], parse(Arguments.of(call, tools).text("others")))
    told = [f"{one.short} on {one.host}: {one.fate}" for one in seen]
    return passed({"others": told}, facts=tuple(seen))


TERM_BEGIN = make_action(
    ActionSpec(
        "term.begin",
        "Record whose these records are from now on, in which term; used by `recover` and `claim`",
        (
            Parameter("instance", Kind.TEXT, doc="the control plane, 16 digits"),
            Parameter("term", Kind.INTEGER, doc="the higher one is in charge", minimum=0),
            Parameter("at", Kind.TEXT, doc="when that was decided, RFC 3339"),
            Parameter("by", Kind.TEXT, doc="who says so"),
            Parameter("why", Kind.TEXT, doc="why"),
            Parameter("of", Kind.TEXT, required=False, doc="whose they were before"),
            Parameter("of_term", Kind.INTEGER, required=False, doc="in which term"),
            Parameter(
                "announced", Kind.BOOLEAN, required=False, doc="something works in it by itself"
            ),
            Parameter(
                "renamed", Kind.BOOLEAN, required=False, doc="the same machine, by another name"
            ),
        ),
        ("instance", "term", "why"),
        repeatable=True,
        own=True,
    ),
    _begin,
)

TERM_OTHERS = make_action(
    ActionSpec(
        "term.others",
        "Record what the daemon saw of other control planes of the same records",
        (Parameter("others", Kind.TEXT, doc="what was seen of each, as JSON"),),
        ("others",),
        repeatable=True,
        own=True,
    ),
    _others,
)
