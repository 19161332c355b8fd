"""The ready runbooks for PostgreSQL, on two real servers: both ways, and what they refuse."""

import os
import shutil
from pathlib import Path

import pytest

from drorch.app.drills import compile_plan, drill
from drorch.app.failovers import compile_live
from drorch.app.posture import status
from drorch.app.program import Program
from drorch.app.runs import Control
from drorch.config.load import load_configuration
from drorch.core.errors import ConfigurationError, UsageError
from drorch.core.names import Mode, Outcome
from drorch.loopback import free_ports
from tests.integration.lab.sites import carried_live
from tests.nodes import INSTALLED, a_pair

ROOT = Path(__file__).parents[3]
pytestmark = [
    pytest.mark.skipif(
        not INSTALLED and os.environ.get("CI") != "true", reason="PostgreSQL is not installed"
    ),
    pytest.mark.xdist_group("postgres-nodes"),
]


def program_in(folder: Path, more: str = "") -> Program:
    path = folder / "drorch.yaml"
    path.write_text(f"state: sqlite:///drorch.db\nrunbooks: {ROOT}/runbooks\n{more}")
    return Program(load_configuration(path), os.environ)


def run(program: Program, name: str, **inputs: str):
    given = {key.replace("_", "-"): value for key, value in inputs.items()}
    given.setdefault("hands", f"{ROOT}/runbooks/programs/postgres-nodes")
    return drill(program, name, given, control=Control()).view


def test_over_and_back_by_one_command_leaves_nothing(tmp_path):
    folder = Path("/tmp") / f"drorch-postgres-lab-{os.getpid()}"
    port_a, port_b = map(str, free_ports(2))
    seen = run(
        program_in(tmp_path), "postgres-lab", folder=str(folder), port_a=port_a, port_b=port_b
    )
    assert seen.state.finished.outcome is Outcome.PASSED
    assert not seen.document["dirty"]
    assert seen.document["objectives"]["rpo"]["met"] is True
    assert seen.state.outputs["nothing-is-lost"]["value"] == 2
    assert not folder.exists()


def test_over_and_back_in_two_runs_with_the_primary_killed(tmp_path):
    program = program_in(tmp_path)
    with a_pair() as pair:
        a, b, folder = pair.url("a"), pair.url("b"), str(pair.folder)
        pair.ask("a", "INSERT INTO patients VALUES (3000, 'new') RETURNING id")
        pair.kill("a")
        over = run(program, "postgres-failover", primary=a, standby=b, folder=folder)
        assert over.state.finished.outcome is Outcome.PASSED
        assert over.document["objectives"]["rpo"]["actual_s"] < 600
        back = run(program, "postgres-failback", home=a, away=b, folder=folder)
        assert back.state.finished.outcome is Outcome.PASSED
        assert pair.ask("a", "SELECT count(*) FROM patients WHERE id = 3000") == 1
        assert pair.ask("a", "SELECT sync_state FROM pg_stat_replication") == "sync"


def test_protected_servers_are_refused(tmp_path):
    program = program_in(tmp_path, "protected: {hosts: [db1.hospital.example]}\n")
    with pytest.raises(ConfigurationError) as refused:
        run(
            program,
            "postgres-failover",
            primary="postgresql://u@db1.hospital.example/ehr",
            standby="postgresql://u@db2.hospital.example/ehr",
        )
    assert "db1.hospital.example, which is protected" in str(refused.value.problems[0])


SERVICE = """
sites: {montreal: {jurisdiction: CA-QC}, quebec: {jurisdiction: CA-QC}}
services: {ehr: {objectives: {rto: 1h, rpo: 1h}}}
"""


def of_a_service(folder: Path) -> Program:
    """The ready runbooks as a hospital copies them: postgres-failover moves its service."""
    shutil.copytree(ROOT / "runbooks", folder / "runbooks")
    text = (folder / "runbooks" / "postgres-failover.yaml").read_text()
    text = text.replace(
        "runbook: postgres-failover\n",
        "runbook: postgres-failover\nservice: ehr\nsite: quebec\n",
        1,
    )
    text = text.replace(
        "  runbook: postgres-failback\n", "  runbook: postgres-failback\n  site: montreal\n"
    )
    (folder / "runbooks" / "postgres-failover.yaml").write_text(text)
    (folder / "drorch.yaml").write_text(
        f"state: sqlite:///drorch.db\nrunbooks: runbooks\n{SERVICE}"
    )
    return Program(load_configuration(folder / "drorch.yaml"), os.environ)


def test_for_real_over_and_home_by_the_failovers_own_name(tmp_path):
    program = of_a_service(tmp_path)
    with a_pair() as pair:
        given = {"primary": pair.url("a"), "standby": pair.url("b"), "folder": str(pair.folder)}
        given["hands"] = f"{ROOT}/runbooks/programs/postgres-nodes"
        over, asked = carried_live(program, "postgres-failover", given)
        assert over.state.finished.outcome is Outcome.PASSED
        assert list(asked) == ["go-ahead"]
        (notice,) = [f for f in over.document["findings"] if f["what"] == "plan.notice"]
        assert "no fence is needed: its own steps stop the old primary" in notice["message"]
        assert sites_of(program) == {"ehr": "quebec"}
        pair.ask("b", "INSERT INTO patients VALUES (3001, 'meanwhile') RETURNING id")
        back, asked = carried_live(program, "postgres-failover", given, homeward=True)
        assert back.state.finished.outcome is Outcome.PASSED
        assert back.document["kind"] == "failback"
        assert list(asked) == ["home/go-ahead"]
        assert sites_of(program) == {"ehr": "montreal"}
        assert pair.ask("a", "SELECT count(*) FROM patients WHERE id = 3001") == 1


def sites_of(program: Program) -> dict[str, str]:
    """Where each service runs, as `status` has it."""
    return {s["service"]: s["active"] for s in status(program)["services"]}


def test_the_way_home_is_practised_and_its_own_name_says_whose_it_is(tmp_path):
    program = program_in(tmp_path)
    with pytest.raises(UsageError) as told:
        compile_live(program, "postgres-failback", {}, homeward=True)
    assert told.value.message == "runbook postgres-failback is the way home of postgres-failover"
    given = {"primary": "postgresql://u@h/x", "standby": "postgresql://u@i/x", "how": "reseed"}
    plan = compile_plan(program, "postgres-failover", Mode.DRILL, given, homeward=True)
    steps = {step.id: step.arguments for step in plan.steps}
    assert plan.inputs["how"] == "reseed"
    assert steps["home/promote"] == {"database": "{primary}", "within": "5m"}
    assert plan.subject == "runbook:postgres-failover"
