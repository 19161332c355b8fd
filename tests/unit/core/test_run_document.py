"""docs/state-machine.md names every event, status, phase and outcome there is."""

import re
from pathlib import Path

import pytest

from drorch.core.codec import KINDS
from drorch.core.names import Outcome, Phase, RunState, StepStatus
from drorch.core.run import LOST_LIMIT

TEXT = (Path(__file__).parents[3] / "docs" / "state-machine.md").read_text(encoding="utf-8")
ROWS = {row.split("|")[1].strip(): row for row in TEXT.splitlines() if row.startswith("| ")}


@pytest.mark.parametrize("word", [*(f"`{k}`" for k in KINDS), *(f"`{s}`" for s in StepStatus)])
def test_every_event_and_status_has_a_row_that_says_what_it_means(word):
    assert len(ROWS[word].split("|")[2]) > 20


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_has_a_row(phase):
    assert phase in ROWS


def test_no_event_and_no_status_is_named_that_there_is_not():
    told = {w.strip("`") for w in ROWS if w.startswith("`")}
    assert told == set(KINDS) | set(StepStatus)


def test_every_status_is_reached_in_the_diagram():
    diagrams = re.findall(r"```mermaid\n(.*?)```", TEXT, re.DOTALL)
    assert len(diagrams) == 2
    run, step = (set(re.findall(r"--> (\w+)", d)) for d in diagrams)
    assert step == {s.replace("-", "_") for s in StepStatus}
    assert run == {s.replace("-", "_") for s in RunState}


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_is_explained(outcome):
    assert f"**{outcome}**" in TEXT


def test_the_number_of_losses_is_the_one_that_holds():
    assert LOST_LIMIT == 3
    assert "for the third time" in TEXT
