"""Preconditions really looked at, with a region that is gone (pains 16: from the surviving side)."""

import threading

import pytest

from drorch.app import readiness
from drorch.app.posture import status
from drorch.app.proving import standings
from drorch.app.readiness import Look
from drorch.app.runs import Control, Request
from drorch.core.errors import AlreadyRunning
from drorch.ports import Progress
from tests.regions import kill_region

REGIONS = """
runbook: {name}
inputs: {{region: {{default: {region}}}}}
preconditions:
  - check: answers
    do: region.reachable
    with: {{region: "{{region}}"}}
steps:
  - step: act
    do: command
    with: {{argv: [touch, acted]}}
"""

MANY = """
runbook: many
preconditions:
{looks}
steps:
  - {{step: act, do: command, with: {{argv: [touch, acted]}}}}
"""

ONE = '  - {{check: look-{n}, needs: [], do: command, with: {{argv: [./beside, "{n}"]}}}}'


def write(premises, name, text):
    (premises.folder / "runbooks" / f"{name}.yaml").write_text(text)


@pytest.fixture
def two_ways(premises):
    for name, region in (("from-mtl", "mtl"), ("from-qc", "qc")):
        write(premises, name, REGIONS.format(name=name, region=region))
    return premises


def found(readiness_):
    return {one.runbook: one.look for one in readiness_.preconditions}


def test_a_dead_region_is_found_by_the_runbooks_that_rest_on_it(two_ways):
    with two_ways.program() as program:
        whole = readiness.look(program, control=Control())
        assert found(whole) == {"from-mtl": Look.PASS, "from-qc": Look.PASS}
        first = standings(program)["from-mtl"]
        kill_region(two_ways.regions["mtl"])
        without = readiness.look(program, control=Control(), request=Request("schedule"))
        assert found(without) == {"from-mtl": Look.FAIL, "from-qc": Look.PASS}
        assert not (two_ways.folder / "acted").exists()
        after = standings(program)
        (alarm,) = [a for a in status(program)["alarms"] if a["what"] == "runbook.not-ready"]
    assert after["from-qc"].proven_at > first.proven_at
    assert after["from-mtl"].proven_at == first.proven_at
    assert after["from-mtl"].looked_at > first.looked_at
    assert alarm["subject"] == "from-mtl"
    assert "mtl" in alarm["message"]
    # The run is in the journal like any other, and what is known comes back from it.
    assert without.view.document["trigger"] == "schedule"
    assert two_ways.cli("journal", "rebuild").document["differences"] == []


def test_no_more_look_at_once_than_workers(premises):
    """Each look leaves a mark while it is under way, and writes down how many marks there are."""
    premises.program_file(
        "beside", 'mkdir -p busy; touch "busy/$1"; ls busy | wc -l >> seen; rm "busy/$1"'
    )
    looks = "\n".join(ONE.format(n=n) for n in range(12))
    write(premises, "many", MANY.format(looks=looks))
    with premises.program() as program:
        done = readiness.look(program, ["many"], control=Control(), workers=2)
    assert all(one.look is Look.PASS for one in done.preconditions)
    counts = [int(line) for line in (premises.folder / "seen").read_text().split()]
    assert len(counts) == 12
    assert max(counts) <= 2


class _Looking:
    """Tells when the first look has begun."""

    def __init__(self) -> None:
        self.begun = threading.Event()

    def happened(self, state, event, at) -> None:
        if state.running:
            self.begun.set()

    def progress(self, step: str, progress: Progress) -> None:
        """Nothing is told."""


def test_two_looks_at_once_are_one_and_an_ended_one_says_nothing(premises):
    looks = '  - {check: hangs, do: command, with: {argv: [sleep, "1000"]}}'
    write(premises, "many", MANY.replace("{{", "{").replace("}}", "}").replace("{looks}", looks))
    control, looking = Control(), _Looking()
    carried = []

    def carry() -> None:
        with premises.program() as program:
            carried.append(readiness.look(program, control=control, watchers=[looking]))

    first = threading.Thread(target=carry)
    first.start()
    assert looking.begun.wait(60)
    with premises.program() as other:
        with pytest.raises(AlreadyRunning):
            readiness.look(other, control=Control())
        control.abort("tester", "enough")
        first.join(60)
        assert not standings(other)
    assert found(carried[0]) == {"many": Look.ERROR}
