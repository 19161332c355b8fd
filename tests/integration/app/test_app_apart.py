"""What a process that lives for years has done by another: the same files, the same words where it fails."""

import pytest

from drorch.app.apart import apart
from drorch.app.closing import close
from drorch.app.outbox import sealed_folder
from drorch.app.sealing import seal_run
from drorch.core.errors import DrorchError
from drorch.core.names import RunKind
from drorch.sealing.packing import packed
from tests.integration.app.house import House


@pytest.fixture
def house(tmp_path):
    """A drill has ended; there is a key to seal it with."""
    made = House(tmp_path)
    made.seals()
    return made


def test_a_bundle_made_apart_has_the_very_same_bytes(house):
    run = house.record(kind=RunKind.DRILL, name="ehr")
    program = house.program()
    program.lasting = True
    closed = close(program)
    assert closed is not None
    assert closed.runs == [run]
    (bundle,) = (sealed_folder(program) / "runs").iterdir()
    assert bundle.read_bytes() == packed(seal_run(program, run))
    program.journal.close()


def test_what_went_wrong_apart_is_told_as_it_was_there(house):
    program = house.program()
    with pytest.raises(DrorchError) as caught:
        apart(program, "report", "run", "nowhere", "--kept")
    assert caught.value.message == "there is no run 'nowhere'"
    assert "drorch run list" in caught.value.hint
