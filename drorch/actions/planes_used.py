"""Recovered records, used as they would be after a loss: a dataset restored by them and compared, a
failover planned. What was recovered as an exercise does no more than that.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from drorch.actions.arguments import Arguments, make_action
from drorch.actions.bare import bare, made_anew, not_done
from drorch.actions.comparing import restored_whole
from drorch.actions.ourselves import printed
from drorch.actions.patience import limit_of
from drorch.actions.places import dataset_named, password_name, region_named
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.values import Result, Value, failed, passed
from drorch.ports import Call, Completed, Tools

_LONG = timedelta(hours=12)


def _restore(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    copy, to = arguments.path("path"), arguments.path("to")
    region = region_named(tools, arguments.text("region"))
    dataset = dataset_named(tools, arguments.text("dataset"))
    wanted = (password_name(dataset, region.name), region.access_key, region.secret_key)
    secrets = {name: tools.secrets.get(name) for name in wanted if name is not None}
    made_anew(call, tools, to)
    words = ["--config", str(copy / "drorch.yaml"), "restore", dataset.name]
    words += ["--region", region.name, "--to", str(to), "--verify", "--purpose", _PURPOSE]
    for path in arguments.list("include", ()):
        words += ["--include", str(path)]
    done = bare(
        tools,
        words,
        home=copy,
        limit=limit_of(_LONG, call.timeout),
        cancel=call.cancel,
        secrets=secrets,
    )
    document = printed(done)
    steps = {str(step.get("step")): step for step in document.get("steps", ())}
    if done.exit_code != 0 or "restore" not in steps:
        return _undone(done, steps)
    restored, whole = steps["restore"]["outputs"], steps["whole"]["outputs"]
    outputs: dict[str, Value] = {
        name: restored[name]
        for name in ("dataset", "region", "snapshot", "snapshot_at", "files", "bytes", "path")
    }
    outputs |= {"compared": whole["files"], "purpose": _PURPOSE}
    if arguments.has("since"):
        since = arguments.time("since", "UTC")
        outputs["since_s"] = round((tools.clock.now().at - since).total_seconds(), 3)
    whole_one = not arguments.has("include")
    proven = restored_whole(tools, dataset, region, str(restored["snapshot"])) if whole_one else ()
    return passed(outputs, copies=proven)


_PURPOSE = "drill of the loss of drorch's own records"


def _undone(done: Completed, steps: Mapping[str, Mapping[str, Any]]) -> Result:
    """Why nothing came back, in the words of the step that failed."""
    for step in steps.values():
        if step["status"] == "failed":
            cause, message, hint = (str(step[word] or "") for word in ("cause", "message", "hint"))
            return failed(cause or "not-restored", message, hint)
    return not_done(done, "not-restored")


def _plan(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    copy, runbook = arguments.path("path"), arguments.text("runbook")
    words = ["--config", str(copy / "drorch.yaml"), "runbook", "plan", runbook, "--failover"]
    for name, value in arguments.mapping("inputs", {}).items():
        words += ["--set", f"{name}={value}"]
    limit = limit_of(timedelta(minutes=10), call.timeout)
    done = bare(tools, words, home=copy, limit=limit, cancel=call.cancel)
    found = printed(done)
    if "steps" not in found:
        return not_done(done, "not-planned")
    outputs: dict[str, Value] = {
        "runbook": runbook,
        "steps": len(found["steps"]),
        "missing_inputs": [str(one["input"]) for one in found["missing_inputs"]],
        "secrets": [str(one["secret"]) for one in found["secrets"]],
    }
    return passed(outputs)


RESTORE = make_action(
    ActionSpec(
        "plane.restore",
        "Restore a dataset with recovered records, from their one region, and compare every byte",
        (
            Parameter("path", Kind.READ_PATH, doc="the folder that they were recovered into"),
            Parameter("dataset", Kind.DATASET, doc="which dataset"),
            Parameter("region", Kind.REGION, doc="the one that is left"),
            Parameter("to", Kind.WRITE_PATH, doc="a new folder"),
            Parameter("include", Kind.LIST, required=False, doc="only these paths: a part will do"),
            Parameter(
                "since",
                Kind.TIME,
                required=False,
                doc='when the loss was known, as in "{recover.began_at}", for since_s',
            ),
        ),
        (
            "dataset",
            "region",
            "snapshot",
            "snapshot_at",
            "files",
            "bytes",
            "path",
            "compared",
            "purpose",
            "since_s",
        ),
        repeatable=True,
    ),
    _restore,
)

PLAN = make_action(
    ActionSpec(
        "plane.plan",
        "Plan a failover with recovered records, to show that it would start; nothing happens",
        (
            Parameter("path", Kind.READ_PATH, doc="the folder that they were recovered into"),
            Parameter("runbook", Kind.TEXT, doc="which runbook"),
            Parameter("inputs", Kind.MAPPING, required=False, doc="its inputs"),
        ),
        ("runbook", "steps", "missing_inputs", "secrets"),
        check=True,
        repeatable=True,
    ),
    _plan,
)
