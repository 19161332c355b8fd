"""Every block of YAML in the documents is a configuration that loads or a runbook that compiles."""

from pathlib import Path

import pytest

from drorch.actions.table import TABLE
from drorch.config.load import check_configuration, load_configuration
from drorch.config.runbooks import Runbooks
from drorch.config.source import parse
from drorch.core.names import Mode
from tests.unit.docs.pages import PAGES, ROOT, blocks

PHASES = {"preconditions", "steps", "verify", "cleanup"}
EXAMPLE = ROOT / "configs" / "example.yaml"
BLOCKS = [block for page in PAGES for block in blocks(page, "yaml")]


def keys_of(block) -> set[str]:
    return set(parse(block.text, block.place).value)


RUNBOOKS = [b for b in BLOCKS if keys_of(b) & (PHASES | {"runbook"})]
CONFIGURATIONS = [b for b in BLOCKS if b not in RUNBOOKS]


@pytest.fixture
def shelf(tmp_path):
    """A folder with the ready runbooks, and room for one more."""
    for path in (ROOT / "runbooks").glob("*.yaml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def compiled(block, shelf: Path, mode: Mode):
    text, keys = block.text, keys_of(block)
    if "runbook" not in keys:  # a part of one
        text = f"runbook: fragment\n{text}"
    (shelf / "fragment.yaml").write_text(text, encoding="utf-8")
    name = parse(text, block.place).value["runbook"]
    return Runbooks(shelf).compile(
        name, load_configuration(EXAMPLE), spec_of, mode, {}, action_names=TABLE.names()
    )


def spec_of(name):
    from tests.unit.docs.example_action import package

    action = TABLE.find(name)
    return action.spec if action else package().get(name)


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("block", RUNBOOKS, ids=lambda b: b.place)
def test_a_runbook_in_a_document_compiles(block, mode, shelf):
    assert compiled(block, shelf, mode).steps


@pytest.mark.parametrize("block", CONFIGURATIONS, ids=lambda b: b.place)
def test_a_configuration_in_a_document_loads(block, tmp_path):
    path = tmp_path / "drorch.yaml"
    path.write_text(block.text, encoding="utf-8")
    assert check_configuration(path).file == path


def test_there_are_such_blocks():
    assert len(RUNBOOKS) >= 8
    assert CONFIGURATIONS


def test_a_step_that_a_page_calls_side_by_side_is(shelf):
    (block,) = [b for b in RUNBOOKS if "side by side with the documents" in b.text]
    needs = {step.id: step.needs for step in compiled(block, shelf, Mode.DRILL).steps}
    assert needs["database"] == ()
    assert set(needs["both-are-here"]) == {"documents", "database"}


def test_a_live_run_keeps_what_it_built_but_what_says_always(shelf):
    (block,) = [b for b in RUNBOOKS if "forget-token" in b.text]
    skips = {s.id: bool(s.skip) for s in compiled(block, shelf, Mode.LIVE).steps}
    assert skips == {"open-firewall": False, "undo:open-firewall": False, "forget-token": False}
    (small,) = [b for b in RUNBOOKS if "documents-drill" in b.text]
    live = {s.id: bool(s.skip) for s in compiled(small, shelf, Mode.LIVE).steps}
    assert live["undo:serve"]
    assert live["remove"]
    assert not any(s.skip for s in compiled(small, shelf, Mode.DRILL).steps)
