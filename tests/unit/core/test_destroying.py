"""What an exercise made and did not remove again, by its own document."""

from collections.abc import Sequence
from typing import Any

import pytest

from drorch.core.destroying import not_removed

HERE = "/srv/drill/db"


def step(
    do: str, second: int, arguments: dict[str, Any], outputs: dict[str, Any]
) -> dict[str, Any]:
    return {
        "do": do,
        "status": "passed",
        "finished_at": f"2026-11-23T03:00:{second:02}Z",
        "attempt_log": [{"arguments": arguments}],
        "outputs": outputs,
    }


RESTORED = step("restore", 5, {"to": HERE}, {"path": HERE, "dataset": "db"})


def removal(path: str, removed: Sequence[str], left: Sequence[str] = (), at: int = 9) -> dict[str, Any]:  # fmt: skip
    return step("files.remove", at, {"path": path}, {"removed": removed, "left": left})


@pytest.mark.parametrize(
    ("steps", "lying"),
    [
        ([RESTORED], {HERE: "db"}),
        ([RESTORED, removal("/srv/drill", ["/srv/drill"])], {}),
        ([RESTORED, removal(HERE, [HERE], ["/srv/drill"])], {"/srv/drill": ""}),
        ([RESTORED, removal("drill", [], ["/srv/drill"])], {HERE: "db", "/srv/drill": ""}),
        ([RESTORED, removal(HERE, [])], {}),
        ([removal(HERE, [], at=2), RESTORED], {HERE: "db"}),
        ([RESTORED | {"status": "failed"}], {}),
    ],
    ids=["none", "above", "its folder", "elsewhere", "gone before", "before it came", "failed"],
)
def test_what_an_exercise_left_is_named(steps: list[Any], lying: dict[str, str]) -> None:
    document = {"kind": "drill", "outcome": "passed", "steps": steps}
    assert not_removed(document) == lying
    assert not_removed(document | {"kind": "restore-test"}) == lying
    assert not_removed(document | {"kind": "restore"}) == {}
    assert not_removed(document | {"outcome": None}) == {}
