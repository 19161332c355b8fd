"""The ready runbooks for PostgreSQL, on two real servers: both ways, and what they refuse."""

import os
from pathlib import Path

import pytest

from drorch.app.drills import drill
from drorch.app.program import Program
from drorch.app.runs import Control
from drorch.config.load import load_configuration
from drorch.core.errors import ConfigurationError
from drorch.core.names import Outcome
from tests.nodes import INSTALLED, a_pair, free_ports

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
