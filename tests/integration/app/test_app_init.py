"""What `drorch init` writes, used as it is."""

from drorch.app.drills import check
from drorch.app.program import Program
from drorch.app.setup import initialise_folder
from drorch.config.load import load_runbooks
from tests.integration.app.premises import SOURCE

INPUTS = {"region", "dataset"}


def test_its_runbooks_are_sound_and_name_nothing_of_the_lab(tmp_path):
    written = initialise_folder(tmp_path / "new")["written"]
    program = Program.open(tmp_path / "new" / "drorch.yaml", {})
    names = ("control-plane-lost", "restore-test")

    assert check(program) == {name: [] for name in names}
    for name in names:
        file = tmp_path / "new" / "runbooks" / f"{name}.yaml"
        assert str(file) in written
        mine, ready = file.read_text().splitlines(), (SOURCE / "runbooks" / file.name).read_text()
        assert mine[-40:] == ready.splitlines()[-40:]
        runbook = load_runbooks(file.parent)[name]
        assert {one.name for one in runbook.inputs if one.default is None} == INPUTS
        assert not runbook.owner
        assert not [one.name for one in runbook.inputs if "ehr" in str(one.default)]


def test_what_is_there_stays(tmp_path):
    mine = tmp_path / "runbooks" / "control-plane-lost.yaml"
    mine.parent.mkdir()
    mine.write_text("mine\n")
    assert str(mine) not in initialise_folder(tmp_path)["written"]
    assert mine.read_text() == "mine\n"
