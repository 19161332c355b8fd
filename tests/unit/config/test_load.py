import json
import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from drorch.actions.table import TABLE
from drorch.config.load import check_configuration, find_configuration, load_configuration
from drorch.config.models import configuration_schema
from drorch.config.runbook_models import runbook_schema
from drorch.config.runbooks import Runbooks, load_runbook, load_runbooks
from drorch.core.errors import ConfigurationError, UsageError
from drorch.core.model import (
    CopyMode,
    CopyPolicy,
    LockMode,
    ObjectLock,
    SecretSource,
    Transfer,
    evidence_regions,
)
from drorch.core.names import Mode, Phase
from drorch.core.priority import DiskShare, Priority
from drorch.core.settings import KEEP_STATES, EvidencePolicy, Keep

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
SAMPLE, RUNBOOK = HERE / "contract-sample.yaml", HERE / "contract-runbook.yaml"


@pytest.fixture
def home(tmp_path):
    """A folder with the contract's configuration and runbook."""
    shutil.copy(SAMPLE, tmp_path / "drorch.yaml")
    (tmp_path / "runbooks").mkdir()
    shutil.copy(RUNBOOK, tmp_path / "runbooks" / "ehr-failover.yaml")
    return tmp_path


def spec(name):
    action = TABLE.find(name)
    return action.spec if action else None


def test_the_contracts_sample_loads_unchanged(home):
    loaded = check_configuration(home / "drorch.yaml")
    assert loaded.organization == "Centre hospitalier Sainte-Rive"
    assert loaded.runbooks == home / "runbooks"
    assert loaded.work == home / "var"
    assert loaded.secrets["repo-key"] == SecretSource(file=home / "secrets/repo-key")
    assert loaded.secrets["mtl-secret"].command == ("pass", "show", "drorch/mtl")
    qc, tor = loaded.regions["qc"], loaded.regions["tor"]
    assert qc.object_lock == ObjectLock(LockMode.COMPLIANCE, timedelta(days=30))
    assert qc.key("datasets") == "prod/datasets"
    assert (tor.profile, tor.transfer) == ("toronto", Transfer("EFVP-2026-014", "C-2026-031"))
    documents = loaded.datasets["ehr-documents"]
    assert documents.copies == (
        CopyPolicy("qc", CopyMode.MIRROR, "repo-key"),
        CopyPolicy("tor", CopyMode.COPY, "tor-key"),
    )
    assert documents.window.limit_upload == 20 << 20
    assert documents.guard.max_change == pytest.approx(0.4)
    assert loaded.drills["ehr-quarterly"].inputs == {"port": "18080"}
    assert len(loaded.notify[0].when) == 7


@pytest.mark.parametrize("mode", list(Mode))
def test_the_contracts_runbook_compiles_against_it(home, mode):
    loaded = load_configuration(home / "drorch.yaml")
    plan = Runbooks(loaded.runbooks).compile("ehr-failover", loaded, spec, mode, {})
    assert [s.id for s in plan.steps if s.skip] == {
        Mode.DRILL: ["go-ahead"],
        Mode.LIVE: ["stop-ehr", "remove-restored"],
    }[mode]
    assert plan.datasets == ("ehr-documents", "ehr-db")
    assert len(plan.runbook_digest) == len(plan.configuration_digest) == 64


def test_the_example_says_how_polite_and_where_credentials_come_from():
    loaded = check_configuration(ROOT / "configs" / "example.yaml")
    assert loaded.datasets["ehr-documents"].priority == Priority(10, DiskShare.IDLE)
    assert loaded.datasets["ehr-db"].priority == Priority()
    assert SecretSource(credential="control-key") in loaded.secrets.values()


@pytest.mark.parametrize("name", ["lab.yaml", "example.yaml"])
def test_shipped_configurations_load(name):
    assert check_configuration(ROOT / "configs" / name).datasets


def test_the_contracts_runbook_fails_over_only_past_a_fence_or_with_a_reason(home):
    """It asks people, but nobody looks at the primary: see docs/adr/0011."""
    configuration = load_configuration(home / "drorch.yaml")

    def gates():
        plan = Runbooks(home / "runbooks").compile(
            "ehr-failover", configuration, spec, Mode.LIVE, {}
        )
        return [step.do for step in plan.steps if step.phase is Phase.FENCE], plan.notices

    assert gates()[0] == ["fence.check"]  # which knows nothing to look at, and so refuses
    (path,) = (home / "runbooks").glob("*.yaml")
    path.write_text(path.read_text() + "unfenced: nothing is pointed at it yet\n")
    assert gates() == (
        [],
        ("the runbook says that no fence is needed: nothing is pointed at it yet",),
    )


def test_shipped_runbooks_compile_in_the_lab():
    lab = load_configuration(ROOT / "configs" / "lab.yaml")
    shipped = load_runbooks(lab.runbooks)
    assert "ehr-failover" in shipped
    for name, runbook in shipped.items():
        answers = {"dataset": "ehr-documents", "region": "qc", "tier": "1"}
        answers["before"] = "2026-11-22 18:00"
        asked = [one.name for one in runbook.inputs if one.default is None]
        given = {one: answers.get(one, "postgresql://dr@127.0.0.1/ehr") for one in asked}
        assert Runbooks(lab.runbooks).compile(name, lab, spec, Mode.DRILL, given).steps


def test_a_second_load_gives_the_same_without_yaml_and_pydantic(home):
    (home / "var").mkdir()
    first = load_configuration(home / "drorch.yaml")
    script = (
        "import sys, pathlib; from drorch.config.load import load_configuration\n"
        "from drorch.core.codec import canonical, encode\n"
        "loaded = load_configuration(pathlib.Path(sys.argv[1]))\n"
        "assert not {'yaml', 'pydantic'} & set(sys.modules)\n"
        "print(list(loaded.datasets), hash(str(loaded)) and loaded.digest)"
    )
    argv = [sys.executable, "-c", script, str(home / "drorch.yaml")]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == f"{list(first.datasets)} {first.digest}\n"
    assert load_configuration(home / "drorch.yaml") == first


def _compiled(home):
    return list((home / "var" / ".cache").iterdir())


def test_what_was_compiled_is_private_and_damaged_or_foreign_it_is_passed_over(home):
    (home / "var").mkdir()
    first = load_configuration(home / "drorch.yaml")
    (kept,) = _compiled(home)
    assert kept.stat().st_mode & 0o777 == 0o600
    whole = json.loads(kept.read_text())
    forged = json.dumps({**whole, "organization": "Mallory"})
    for damage in ("", "{", "[]", '{"folder": 1}', '{"unknown": 1}'):
        kept.write_text(damage)
        assert load_configuration(home / "drorch.yaml") == first
    kept.write_text(forged)
    kept.chmod(0o666)
    assert load_configuration(home / "drorch.yaml") == first
    (kept,) = _compiled(home)
    assert kept.stat().st_mode & 0o777 == 0o600


def test_another_text_or_place_is_compiled_anew(home, tmp_path_factory):
    (home / "var").mkdir()
    load_configuration(home / "drorch.yaml")
    file = home / "drorch.yaml"
    file.write_text(file.read_text().replace("language: fr", "language: en"))
    assert load_configuration(file).language == "en"
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(home, elsewhere / "copy")
    assert load_configuration(elsewhere / "copy" / "drorch.yaml").folder == elsewhere / "copy"


def test_nothing_is_kept_where_there_is_no_state_yet(home):
    load_configuration(home / "drorch.yaml")
    assert sorted(p.name for p in home.iterdir()) == ["drorch.yaml", "runbooks"]


def test_a_renamed_runbook_stops_a_check_and_no_backup(home):
    (home / "runbooks" / "ehr-failover.yaml").unlink()
    load_configuration(home / "drorch.yaml")
    with pytest.raises(ConfigurationError, match="there is no runbook 'ehr-failover'"):
        check_configuration(home / "drorch.yaml")


def test_the_configuration_is_looked_for_in_order(home, tmp_path):
    named = home / "drorch.yaml"
    assert find_configuration(named, {"DRORCH_CONFIG": "/nowhere"}) == named
    assert find_configuration(None, {"DRORCH_CONFIG": str(named)}) == named
    before = Path.cwd()
    os.chdir(home)
    try:
        assert find_configuration(None, {}) == Path("drorch.yaml")
    finally:
        os.chdir(before)
    with pytest.raises(UsageError, match=r"no such file \(named by --config\)"):
        find_configuration(tmp_path / "gone.yaml", {})
    with pytest.raises(UsageError, match=r"no such file \(named by DRORCH_CONFIG\)"):
        find_configuration(None, {"DRORCH_CONFIG": "/nowhere"})


def test_files_that_cannot_be_read_are_one_problem(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        load_configuration(tmp_path)
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("language: fr\norganization: Québec\n".encode("latin-1"))
    with pytest.raises(ConfigurationError) as caught:
        load_configuration(latin)
    (problem,) = caught.value.problems
    assert (problem.line, problem.column, problem.message) == (2, 17, "is not UTF-8 text")


def test_runbooks_are_found_by_the_name_they_give(home):
    other = home / "runbooks" / "zz.yml"
    other.write_text("runbook: restore-one  # not the file's name\nverify: [{check: a, do: x}]\n")
    shelf = Runbooks(home / "runbooks")
    assert shelf.find("restore-one") == load_runbook(other)
    assert shelf.find("zz") is None
    with pytest.raises(UsageError, match="there is no runbook 'ehr-failovr'") as caught:
        shelf.get("ehr-failovr")
    assert caught.value.hint == "did you mean 'ehr-failover'?"


def test_loading_a_folder_tells_of_all_its_files(home):
    folder = home / "runbooks"
    shutil.copy(RUNBOOK, folder / "again.yaml")
    (folder / "broken.yaml").write_text("runbook: broken\nstep: []\n")
    with pytest.raises(ConfigurationError) as caught:
        load_runbooks(folder)
    said = [problem.message for problem in caught.value.problems]
    assert any("the runbook 'ehr-failover' is in" in message for message in said)
    assert "unknown key 'step'" in said
    assert load_runbooks(home / "nowhere") == {}


def test_schemas_describe_what_the_samples_use():
    configuration, runbook = configuration_schema(), runbook_schema()
    assert set(configuration["properties"]) >= {"regions", "datasets", "control_plane"}
    assert set(runbook["$defs"]["StepShape"]["properties"]) >= {"with", "needs", "live_only"}
    assert {"is", "in"} <= set(runbook["$defs"]["WhenShape"]["properties"])
    json.dumps([configuration, runbook])


REGIONS_AND_DATASETS = """
secrets: {key: {env: KEY}, evidence-key: {file: secrets/evidence-key}}
regions:
  qc: {endpoint: "http://127.0.0.1:9101", bucket: drorch, jurisdiction: CA-QC}
  on: {endpoint: "http://127.0.0.1:9102", bucket: drorch, jurisdiction: CA-ON}
  eu:
    endpoint: http://127.0.0.1:9103
    bucket: drorch
    jurisdiction: FR
    transfer: {assessment: EFVP-1, agreement: C-1}
datasets:
  a: {paths: [/srv/a], password: key, primary: qc, residency: [CA-QC]}
  b: {paths: [/srv/b], password: key, primary: qc}
"""


def test_evidence_goes_where_every_dataset_may_lie_unless_it_is_told(tmp_path):
    file = tmp_path / "drorch.yaml"
    file.write_text(REGIONS_AND_DATASETS)
    found = load_configuration(file)
    assert evidence_regions(found) == ("qc", "eu")
    assert found.evidence == EvidencePolicy()
    told = "{key: evidence-key, public_key: secrets/evidence-key.pub, regions: [eu], keep: 7y}"
    file.write_text(f"{REGIONS_AND_DATASETS}\nevidence: {told}\n")
    found = load_configuration(file)
    assert evidence_regions(found) == ("eu",)
    assert found.evidence.public_keys == (str(tmp_path / "secrets" / "evidence-key.pub"),)
    assert found.evidence.keep == timedelta(days=7 * 365.25)


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("", KEEP_STATES),
        ("{}", Keep()),
        ("{last: 3, within: 30d}", Keep(last=3, within=timedelta(days=30))),
    ],
    ids=["left-out", "no-rule", "rules"],
)
def test_which_whole_states_stay_is_told_or_usual_also_from_what_was_remembered(
    tmp_path, told, meant
):
    file = tmp_path / "drorch.yaml"
    (tmp_path / "var").mkdir()
    named = f"control_plane: {{keep: {told}}}\n" if told else ""
    file.write_text(f"{REGIONS_AND_DATASETS}\n{named}")
    for _ in range(2):
        assert load_configuration(file).control_plane.keep == meant
    assert list((tmp_path / "var").rglob("*.json"))
