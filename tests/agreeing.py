"""What the figures of a run's report must be to each other, whatever the run went through."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

Document = Mapping[str, Any]

#: Figures are rounded to the millisecond, each by itself.
ROUNDING = 0.0025


def figures_agree(document: Document) -> None:
    """Every figure of the document follows from the others, or is in order with them."""
    steps = {step["step"]: step for step in document["steps"]}
    for step in document["steps"]:
        _attempts_agree(step, document["elapsed_s"])
        _step_agrees(step, steps)
    _window_agrees(document)
    if document["outcome"] == "passed":
        _path_agrees(document, steps)
    assert [o["step"] for o in document["skipped"]] == [
        name for name, step in steps.items() if step["status"] == "skipped"
    ]


def _attempts_agree(step: Document, whole: float) -> None:
    log = step["attempt_log"]
    assert step["attempts"] == len(log)
    assert [a["attempt"] for a in log] == list(range(1, len(log) + 1))
    ended = 0.0
    for attempt in log:
        assert ended - ROUNDING <= attempt["from_s"] <= attempt["to_s"] + ROUNDING, step["step"]
        ended = attempt["to_s"]
        if attempt["elapsed_s"] is not None:
            lasted = attempt["to_s"] - attempt["from_s"]
            assert 0 <= attempt["elapsed_s"] <= lasted + ROUNDING, step["step"]
    assert ended <= whole + ROUNDING


def _step_agrees(step: Document, steps: Mapping[str, Document]) -> None:
    if step["from_s"] is None:
        return
    lasted = step["to_s"] - step["from_s"]
    assert step["elapsed_s"] == pytest.approx(lasted, abs=ROUNDING)
    for need in step["needs"]:
        ended = steps[need]["to_s"]
        assert ended is None or ended <= step["from_s"] + ROUNDING, (need, step["step"])


def _window_agrees(document: Document) -> None:
    window, rto = document["window"], document["objectives"]["rto"]
    if window is None:
        assert (document["machine_s"], document["person_s"]) == (0, 0)
        return
    length = window["to_s"] - window["from_s"]
    assert min(document["machine_s"], document["person_s"]) >= 0
    together = document["machine_s"] + document["person_s"]
    assert together == pytest.approx(length, abs=ROUNDING)
    if rto["actual_s"] is None:
        return
    assert rto["actual_s"] == pytest.approx(length, abs=ROUNDING)
    within = rto["target_s"] is not None and rto["actual_s"] <= rto["target_s"] + ROUNDING
    assert rto["met"] == (within if rto["target_s"] is not None else None)


def _path_agrees(document: Document, steps: Mapping[str, Document]) -> None:
    """The critical path leads, one end after the other, to where the window ends."""
    path: Sequence[Document] = [steps[name] for name in document["critical_path"]]
    assert path, "a run that came through has a critical path"
    ends = [step["to_s"] for step in path]
    assert ends == sorted(ends)
    assert ends[-1] == pytest.approx(document["window"]["to_s"], abs=ROUNDING)
    for step in document["steps"]:
        assert step["critical"] == (step["step"] in document["critical_path"])
        assert step["slack_s"] is None or step["slack_s"] >= 0
        assert not step["critical"] or step["slack_s"] == 0
