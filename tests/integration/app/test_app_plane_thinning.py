"""Whole states that no rule keeps go in every region, and nothing else does."""

from dataclasses import replace
from datetime import timedelta

import pytest

from drorch.actions.exclusive import take_lock
from drorch.actions.genuine import judge_of
from drorch.actions.places import address_of, bucket_of, restic_of
from drorch.app.plane.copying import Copier
from drorch.app.plane.forgetting import THIN_EVERY, _Thinning, thin
from drorch.app.plane.now import copy_now
from drorch.app.plane.posture import checks
from drorch.app.plane.standing import read_standing, write_standing
from drorch.app.plane.whole import repository_of_plane
from drorch.core.errors import DrorchError
from drorch.core.plane import plane_regions
from drorch.storage.versions import histories
from tests.fakes.clock import FakeClock
from tests.integration.app.locked import LockedPremises
from tests.integration.app.planes import WAITING, Plane
from tests.integration.app.premises import restics


@pytest.fixture
def plane(premises):
    made = Plane(premises)
    premises.configuration["control_plane"] = {"keep": {"last": 1}}
    premises.save()
    assert all(one.good for one in made.copy_now())
    return made


def repository(program, region):
    vault = read_standing(Copier(program).folder).vault
    place = program.configuration.regions[region]
    return repository_of_plane("repo-key", [place], vault.plane, vault.name)


def states(program, region):
    """The snapshots that a region holds."""
    bucket = bucket_of(program.tools, program.configuration.regions[region])
    found = bucket.list_objects(f"{repository(program, region).home}/snapshots/")
    return {entry.name[-64:] for entry in found}


def held(plane):
    with plane.program() as program:
        return {region: states(program, region) for region in ("mtl", "qc")}


def all_is_whole(plane):
    with plane.program() as program:
        for name in ("mtl", "qc"):
            place = program.configuration.regions[name]
            address = address_of(program.tools, repository(program, name), place)
            assert restic_of(program.tools).check(address).errors == ()


def test_the_newest_and_the_one_before_it_stay_and_the_others_go_everywhere(plane):
    told = []
    plane.back_up()
    for day in (1, 2):
        assert all(one.good for one in plane.copy_now(days=day, told=told))
    assert told == []
    of_three = held(plane)
    assert [len(found) for found in of_three.values()] == [3, 3]
    before = sum(p.stat().st_size for p in plane.objects("mtl"))
    assert all(one.good for one in plane.copy_now(days=8, told=told))
    assert told == ["2 of 4 whole states went: no rule of control_plane.keep keeps them"]
    after = held(plane)
    assert after["mtl"] == after["qc"]
    assert len(after["mtl"]) == 2
    assert len(after["mtl"] & of_three["mtl"]) == 1
    assert sum(p.stat().st_size for p in plane.objects("mtl")) < before
    all_is_whole(plane)
    assert plane.runs(plane.recover("qc", "qc").to) == plane.runs()


def test_a_region_that_is_away_is_waited_for_but_not_for_ever(plane):
    for day in (1, 2):
        assert all(one.good for one in plane.copy_now(days=day))
    plane.premises.kill("qc")
    told = []
    plane.copy_now(days=10, told=told)
    assert told == []
    plane.copy_now(days=40, told=told)
    assert told == ["3 of 5 whole states went: no rule of control_plane.keep keeps them"]
    plane.premises.revive("qc")
    assert all(one.good for one in plane.copy_now(days=48, told=told))
    now = held(plane)
    assert now["mtl"] == now["qc"]
    assert len(now["qc"]) == 2
    all_is_whole(plane)


def of_whole_states(plane):
    """What `doctor` says of them."""
    with plane.program() as program:
        return [one.message for one in checks(program) if one.subject == "whole states"]


def test_a_clock_that_runs_ahead_is_braked_until_somebody_says_that_it_is_meant(plane):
    plane.premises.configuration["control_plane"] = {"keep": {"within": "30d"}}
    plane.premises.save()
    for day in (1, 2):
        plane.copy_now(days=day)
    folder = plane.premises.folder / "var" / "control-plane"
    write_standing(folder, replace(read_standing(folder), left=4))
    told = []
    assert all(one.good for one in plane.copy_now(days=400, told=told))
    why, hint = told
    assert why == (
        "whole states that need not stay could not be let go: nothing was deleted: of 4 whole states "
        "2 would remain: 50 % fewer than the last time left, more than the 30 % that may vanish at once"
    )
    assert hint.startswith("hint: see that this machine's clock is right")
    assert [why.endswith(one) for one in of_whole_states(plane)] == [True]
    assert {len(found) for found in held(plane).values()} == {4}
    told.clear()
    assert all(one.good for one in plane.copy_now(days=401, told=told, force="it stood still"))
    assert told == ["3 of 5 whole states went: no rule of control_plane.keep keeps them"]
    assert of_whole_states(plane) == []
    said = plane.cli("run", "show", plane.runs()[0]).document
    (forced,) = said["findings"]
    assert (said["trigger"], forced["what"]) == ("operator", "control-plane.forced")
    assert forced["message"].endswith("the reason given: it stood still")


def test_beside_another_machine_nothing_goes_and_nothing_is_lost(plane, monkeypatch):
    for day in (1, 2):
        plane.copy_now(days=day)
    with plane.program() as program:
        program.__dict__["clock"] = FakeClock(program.clock.now().at + THIN_EVERY * 2)
        copier, pruned = Copier(program, WAITING), _Thinning._pruned

        def robbed(self, repository, lock, old):
            found = pruned(self, repository, lock, old)
            for bucket in lock.buckets[1:]:
                bucket.delete(f"{repository.home}/locks/{lock.id}")
            return found

        with monkeypatch.context() as other:
            other.setattr(_Thinning, "_pruned", robbed)
            with pytest.raises(DrorchError, match="is gone"):
                thin(copier)
        assert {len(states(program, region)) for region in ("mtl", "qc")} == {3}
        assert thin(copier).forgotten == 1


def test_a_lock_that_a_machine_left_that_is_no_more_holds_nothing_up_for_long(plane, monkeypatch):
    with plane.program() as program, monkeypatch.context() as elsewhere:
        elsewhere.setattr("drorch.restic.locking.own_host", lambda: "drorch@elsewhere")
        program.__dict__["clock"] = FakeClock(program.clock.now().at - timedelta(hours=1))
        mine = repository(program, "qc")
        bucket = bucket_of(program.tools, program.configuration.regions["qc"])
        master = judge_of(program.tools, mine, "qc").keyring.master
        take_lock(program.tools, mine, [bucket], master)
    assert all(one.good for one in plane.copy_now())


def test_in_buckets_with_object_lock_they_go_from_sight(ceph, tmp_path):
    premises = LockedPremises.in_ceph(tmp_path / "here", restics()[-1], ceph)
    premises.configuration["control_plane"] = {"keep": {"last": 1}}
    premises.save()
    with premises.program() as program:
        run(program)
        clock = program.__dict__["clock"] = FakeClock(program.clock.now().at)
        for _ in range(3):
            assert all(one.good for one in copy_now(program))
            clock.advance(THIN_EVERY)
        for region in plane_regions(program.configuration):
            home = repository(program, region.name).home
            assert len(states(program, region.name)) == 2
            bucket = bucket_of(program.tools, region)
            kept = [v for v, *_ in histories(bucket, f"{home}/snapshots/")]
            assert len(kept) == 3


def run(program):
    from tests.fakes.facts import begun, ended, stamped, started

    told = stamped(started("rumour", "rumour"), begun(), ended())
    program.journal.begin("2026-11-26T00-00-00Z-rumour", told, lambda _: None)
