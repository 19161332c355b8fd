"""Use case `repo unlock`: stale locks removed in every region, a run for each dataset."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from drorch.app.backups import Watchers, nobody
from drorch.app.program import Program
from drorch.app.runs import Control, Request, RunView, carry_out
from drorch.core.model import Dataset
from drorch.core.policy import compile_unlock


def unlock(
    program: Program,
    datasets: Sequence[Dataset],
    region: str | None,
    *,
    wait: bool,
    control: Control,
    watchers: Watchers = nobody,
) -> list[dict[str, Any]]:
    """A row for each dataset and region; see `repository.unlock` for what they hold.

    With `wait` old locks are looked at a second time, some minutes later.
    """
    plans = [compile_unlock(d.name, region, program.configuration, wait=wait) for d in datasets]
    # The parts are made once, before threads ask for them side by side.
    _ = program.tools, program.journal

    def carry(number: int) -> RunView:
        look_on = watchers(datasets[number].name)
        return carry_out(program, plans[number], Request(), control=control, watchers=look_on)

    with ThreadPoolExecutor(max(1, min(8, len(plans)))) as pool:
        seen = list(pool.map(carry, range(len(plans))))
    return [row for one in seen for row in _rows(one.document)]


def _rows(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    (step,) = document["steps"]
    rows = step["outputs"].get("regions")
    if rows:
        return [{"dataset": document["name"], **row} for row in rows]
    failed = {"result": "failed", "message": step["message"], "hint": step["hint"]}
    return [{"dataset": document["name"], "region": "any", **failed}]
