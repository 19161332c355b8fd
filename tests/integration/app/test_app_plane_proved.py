"""Whole states that rot where they lie: noticed, and brought back from a region that has them whole."""

from datetime import UTC, datetime, timedelta

import pytest

from drorch.actions.places import bucket_of
from drorch.app.plane.copying import Copier
from drorch.app.plane.posture import alarms, checks
from drorch.app.plane.proving import prove, turns_on
from drorch.core.scrubbing import PARTS
from tests.fakes.clock import FakeClock
from tests.integration.app.planes import WAITING, Plane, quicken_plane


@pytest.fixture
def plane(premises):
    return Plane(premises)


def rot(program, region):
    """Flip a bit of the largest pack of the whole states; its name, and what it was."""
    bucket = bucket_of(program.tools, program.region(region))
    packs = (
        one for one in bucket.list_objects("control-plane/") if "/repository/data/" in one.name
    )
    name = max(packs, key=lambda one: one.size).name
    good = bucket.get(name)
    bucket.put(name, bytes([good[0] ^ 1]) + good[1:])
    return bucket, name, good


def test_what_rots_in_one_region_is_brought_back_and_in_all_is_an_alarm(plane):
    plane.back_up()
    assert all(one.good for one in plane.copy_now())
    with plane.program() as program:
        quicken_plane(program)
        bucket, name, good = rot(program, "mtl")
        assert prove(Copier(program, WAITING)).sentences == [], "it was looked at by what copied it"
        clock = FakeClock(program.clock.now().at + timedelta(days=1))
        program.__dict__["clock"] = clock
        (told,) = prove(Copier(program, WAITING)).sentences
        assert "was damaged in mtl, and was brought back from qc" in told
        assert bucket.get(name) == good

        for region in ("mtl", "qc"):
            rot(program, region)
        clock.advance(timedelta(days=1))
        proved = prove(Copier(program, WAITING))
        assert [len(names) for names in proved.damaged.values()] == [1, 1]
        assert all("no region that answers has it whole" in one for one in proved.sentences)
        found = alarms(program, clock.now().at)
        about = {a["subject"]: a["hint"] for a in found if "is damaged" in a["message"]}
        assert set(about) == {"whole states in mtl", "whole states in qc"}
        assert "/repository in each region" in about["whole states in mtl"]
        wrong = [one.subject for one in checks(program) if "is damaged" in one.message]
        assert wrong == ["mtl", "qc"]


def test_of_many_parts_each_comes_first_some_day():
    day = datetime(2026, 11, 27, tzinfo=UTC)
    turns = [turns_on(day + timedelta(days=n)) for n in range(len(PARTS))]
    assert {one[0].part for one in turns} == set(PARTS)
    assert {one.part for one in turns[0]} == set(PARTS)
