"""The page of actions: its tables are what the actions promise, its example package works."""

import json
import os
import subprocess
import sys

import pytest

from drorch.actions.table import BUILT_IN
from drorch.core.action import Kind
from tests.unit.docs.action_pages import PAGE, parts, spec_of, written
from tests.unit.docs.example_action import install, texts
from tests.unit.docs.pages import ROOT


def test_the_tables_are_what_the_actions_promise():
    _, between, after = parts(PAGE.read_text(encoding="utf-8"))
    hint = "write them anew: python -m tests.unit.docs.action_pages"
    assert between == written(), hint
    assert "python -m tests.unit.docs.action_pages" in after


def test_the_page_explains_every_kind_of_argument():
    before, _, _ = parts(PAGE.read_text(encoding="utf-8"))
    used = {p.kind for name in BUILT_IN for p in spec_of(name).parameters}
    told = {word for line in before.splitlines() if line.startswith("| ") for word in _words(line)}
    assert {kind.value for kind in used} <= told
    assert used <= set(Kind)


def _words(line: str) -> list[str]:
    return line.split("|")[1].replace(",", " ").split()


@pytest.fixture
def home(tmp_path):
    """A configuration, the page's runbook in it, and the page's package installed beside it."""
    _, _, runbook = texts()
    site = tmp_path / "site"
    site.mkdir()
    install(site)
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "interfaces.yaml").write_text(runbook, encoding="utf-8")
    (tmp_path / "drorch.yaml").write_text("organization: A hospital\n", encoding="utf-8")
    (tmp_path / "spool").mkdir()
    return tmp_path


def drorch(home, *words):
    """One command line in a process of its own, with the package among what is installed."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": f"{ROOT}:{home / 'site'}",
    }
    command = [sys.executable, "-W", "error", "-m", "drorch", *words, "--json"]
    done = subprocess.run(
        command, cwd=home, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, json.loads(done.stdout)


def test_the_example_package_works_in_a_drill(home):
    (home / "spool" / "message-1").write_text("MSH|")
    code, run = drorch(home, "drill", "interfaces")
    (step,) = run["steps"]
    assert (code, run["outcome"], step["outputs"]) == (0, "passed", {"waiting": 1})
    assert "hl7.waiting" in {finding["what"] for finding in run["findings"]}
    (evidence,) = (home / "var" / "evidence" / run["run"]).iterdir()
    assert evidence.read_text() == "message-1"


def test_the_example_package_finds_what_it_is_for(home):
    for number in range(11):
        (home / "spool" / f"message-{number}").touch()
    code, run = drorch(home, "drill", "interfaces")
    (step,) = run["steps"]
    assert (code, run["outcome"], step["cause"]) == (1, "failed", "backlog")


def test_its_arguments_are_checked_before_anything_runs(home):
    path = home / "runbooks" / "interfaces.yaml"
    path.write_text(path.read_text().replace("most:", "mots:"))
    code, said = drorch(home, "drill", "interfaces")
    assert code == 2
    (problem,) = said["error"]["problems"]
    assert "hl7.backlog takes no argument 'mots'" in problem["message"]
