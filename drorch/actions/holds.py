"""Holding a snapshot: retention must keep it until it is released."""

from drorch.actions.arguments import Arguments, make_action
from drorch.actions.places import dataset_named
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.facts import Forgotten, Held
from drorch.core.values import Result, Value, failed, passed
from drorch.ports import Call, Tools


def _hold(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    dataset = dataset_named(tools, arguments.text("dataset"))
    snapshot = arguments.text("snapshot")
    released = arguments.boolean("release", False)
    gone = {k.fact.snapshot: k.fact for k in tools.knowledge.facts(Forgotten, dataset.name)}
    if snapshot in gone:
        return failed(
            "forgotten",
            f"snapshot {snapshot[:8]} of {dataset.name} was forgotten: {gone[snapshot].reason}",
            "see what is left with: drorch snapshots list",
        )
    fact = Held(
        dataset.name, snapshot, arguments.text("reason", ""), arguments.text("by"), released
    )
    outputs: dict[str, Value] = {
        "dataset": dataset.name,
        "held": not released,
        "reason": fact.reason,
    }
    return passed(outputs, facts=(fact,))


SNAPSHOT_HOLD = make_action(
    ActionSpec(
        "snapshot.hold",
        "Hold a snapshot, so that retention keeps it, or release it.",
        (
            Parameter("dataset", Kind.DATASET, doc="which dataset"),
            Parameter("snapshot", Kind.TEXT, doc="its id, all 64 digits"),
            Parameter("by", Kind.TEXT, doc="who holds it"),
            Parameter("reason", Kind.TEXT, required=False, doc="why; stands in every plan"),
            Parameter("release", Kind.BOOLEAN, required=False, doc="release it instead"),
        ),
        ("dataset", "held", "reason"),
        repeatable=True,
    ),
    _hold,
)
