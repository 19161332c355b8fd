"""That a recovery kit was made is put on record: what it said, by whom, with which secrets' names."""

from drorch.actions.arguments import Arguments, make_action
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.kit_made import KitMade
from drorch.core.values import Result, passed
from drorch.ports import Call, Tools


def _record(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    parts = arguments.mapping("parts")
    made = KitMade(
        tools.clock.now().at,
        arguments.text("by"),
        arguments.text("digest"),
        {name: str(digest) for name, digest in parts.items()},
        tuple(map(str, arguments.list("secrets", ()))),
        arguments.integer("holders", 0),
        arguments.integer("needed", 0),
    )
    return passed({"digest": made.digest, "secrets": list(made.secrets)}, facts=(made,))


KIT_RECORD = make_action(
    ActionSpec(
        "kit.record",
        "Record that a recovery kit was made; used by `drorch kit`",
        (
            Parameter("by", Kind.TEXT, doc="who made it"),
            Parameter("digest", Kind.TEXT, doc="the fingerprint of what it says"),
            Parameter("parts", Kind.MAPPING, doc="part to the fingerprint of what is said of it"),
            Parameter("secrets", Kind.LIST, required=False, doc="names of the secrets in it"),
            Parameter("holders", Kind.INTEGER, required=False, doc="how many hold a share"),
            Parameter("needed", Kind.INTEGER, required=False, doc="how many open it together"),
        ),
        ("digest", "secrets"),
        repeatable=True,
        own=True,
    ),
    _record,
)
