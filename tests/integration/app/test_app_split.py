"""Two control planes of the same records: who is in charge, who stands back, and what is said of it."""

import json
import shutil
from contextlib import ExitStack
from datetime import timedelta

import pytest

from drorch.actions.places import bucket_of
from drorch.adapters.lease import Lease
from drorch.app.plane import posts, posture
from drorch.app.plane.claiming import claim
from drorch.app.plane.deleting import refuse_deleting
from drorch.app.plane.lookout import Lookout
from drorch.app.plane.standing import Standing, Vault, folder_of, read_standing, write_standing
from drorch.app.plane.terms import own_term
from drorch.app.records import record
from drorch.app.runs import Control
from drorch.core.errors import AlreadyRunning, UsageError
from drorch.core.terms import ALIVE_FOR, Fate
from drorch.sealing.vault import new_vault
from tests.fakes.clock import FakeClock
from tests.fakes.postgres import postgres_url
from tests.faulty import in_front_of
from tests.harms import Harm
from tests.integration.app.premises import PASSWORD
from tests.integration.app.sites import cloned, copy, recovered

postgres_database = pytest.fixture(postgres_url)


@pytest.fixture
def stack():
    with ExitStack() as found:
        yield found


def lookout(stack, site):
    """One daemon's eye, in this process; regions may take as long as they do on a busy machine."""
    return Lookout(stack.enter_context(site.program()), tells=True, within=60.0)


def first_and_second(stack, premises, folder):
    """One that works, and one that was recovered from its records and has not looked yet."""
    copy(premises)
    first = lookout(stack, premises)
    first.look()
    site, _ = recovered(premises, folder / "site")
    return first, lookout(stack, site)


def alarmed(program):
    return [a["message"] for a in posture.alarms(program, program.clock.now().at)
            if a["what"] == "control-plane.split"]  # fmt: skip


def objects(premises):
    """What lies in every region, but for what daemons tell of themselves."""
    everywhere = ((name, path) for name in premises.regions for path in premises.objects(name))
    return {one for one in everywhere if "/present/" not in one[1]}


def test_the_first_stands_back_for_one_that_was_recovered(premises, tmp_path, stack):
    copy(premises)
    first = lookout(stack, premises)
    assert first.look().leader is None
    site, said = recovered(premises, tmp_path / "site")
    assert said.document["term"] == 1
    (other,) = said.document["others"]
    assert (other["state"], other["term"]) == ("alive", 0)
    assert first.look().leader is None, "a copy that was only looked at outranks nobody"
    assert alarmed(first.program) == []
    before = objects(premises)

    second = lookout(stack, site)
    seen = second.look()
    assert seen.leader is None
    assert [(one.fate, one.term, one.back) for one in seen.others] == [(Fate.ALIVE, 0, False)]
    (told,) = alarmed(second.program)
    assert "this one is in charge; control plane" in told
    back = first.look()
    assert back.leader.instance == own_term(second.program).instance
    (told,) = alarmed(first.program)
    assert "is in charge, and lives: this one stands back" in told
    for program, why in ((first.program, "is in charge"), (second.program, "lives and may count")):
        with pytest.raises(AlreadyRunning, match=why):
            refuse_deleting(program)

    assert [one.back for one in second.look().others] == [True]
    first.stop()
    assert [one.fate for one in second.look().others] == [Fate.STOPPED]
    assert alarmed(second.program) == []
    refuse_deleting(second.program)
    second.stop()
    again = lookout(stack, premises).look()
    assert again.leader.fate is Fate.STOPPED, "what it recorded, this one lacks"
    assert "it said that it stopped" in alarmed(first.program)[0]
    assert before <= objects(premises)


def test_one_that_was_just_recovered_deletes_nothing_either(premises, tmp_path, stack):
    copy(premises)
    lookout(stack, premises).look()
    site, _ = recovered(premises, tmp_path / "site")
    program = stack.enter_context(site.program())
    with pytest.raises(AlreadyRunning, match="lives and may count"):
        refuse_deleting(program)

    # By hand it is refused; a runbook's step is not: people have declared it, and no version goes.
    then = "2026-11-01 00:00"
    by_hand = site.cli("rewind", "--region", "mtl", "--dataset", "docs", "--to", then)
    assert (by_hand.code, "lives and may count" in by_hand.error) == (4, True)
    step = f"{{step: back, do: rewind, with: {{dataset: docs, region: mtl, to: '{then}'}}}}"
    runbook = f"runbook: take-back\nunfenced: nothing can write twice\nsteps:\n  - {step}\n"
    (site.folder / "runbooks" / "take-back.yaml").write_text(runbook)
    declared = site.cli("failover", "take-back", "--declare", "ransomware")
    assert declared.code == 1, declared.errors
    (failed,) = [one for one in declared.document["steps"] if one["step"] == "back"]
    assert "keeps no versions" in failed["message"]


def test_one_region_is_enough_and_without_any_what_was_known_holds(premises, tmp_path, stack):
    copy(premises)
    premises.kill("qc")
    first = lookout(stack, premises)
    assert first.look().asked == ("mtl",)
    site, _ = recovered(premises, tmp_path / "site")
    lookout(stack, site).look()
    view = first.look()
    assert view.leader is not None
    assert list(view.unasked) == ["qc"]
    premises.kill("mtl")

    alone, restarted = lookout(stack, site).look(), lookout(stack, premises).look()
    assert alone.leader is None
    assert alone.unknown_since is not None
    assert set(alone.unasked) == set(premises.regions)
    assert restarted.leader is not None, "that it stands back is on record"


def test_regions_that_take_nothing_show_others_all_the_same(premises, tmp_path, stack):
    copy(premises)
    site, _ = recovered(premises, tmp_path / "site")
    lookout(stack, site).look()
    for name, region in premises.regions.items():
        proxy = stack.enter_context(in_front_of(region, full))
        premises.configuration["regions"][name]["endpoint"] = proxy.endpoint
    premises.save()
    first = lookout(stack, premises)

    for _ in range(2):
        view = first.look()
        assert view.leader is not None
        assert set(view.asked) == set(first.untold) == set(premises.regions)


def full(asked):
    """A store that has no room left."""
    return Harm.SERVER_ERROR if asked.method == "PUT" and "/present/" in asked.target else None


def test_one_that_begins_a_vault_of_its_own_is_seen(premises, tmp_path, stack, monkeypatch):
    """As where no region answers it in time; its presence is there before the vault's key is."""
    monkeypatch.setattr(posts, "_VAULTS_EVERY", 0.0)
    copy(premises)
    first = lookout(stack, premises)
    site, _ = recovered(premises, tmp_path / "site")
    second = lookout(stack, site)
    plane = read_standing(folder_of(first.program.configuration)).vault.plane
    vault = Vault(plane, "ab" * 8, *new_vault(PASSWORD))
    write_standing(folder_of(second.program.configuration), Standing(vault))
    second.look()
    assert first.look().leader is None
    copy(site)
    assert first.look().leader is not None


def test_presences_that_are_not_given_or_far_too_large_hide_nobody(premises, tmp_path, stack):
    copy(premises)
    site, _ = recovered(premises, tmp_path / "site")
    second = lookout(stack, site)
    second.look()
    for name, region in premises.regions.items():
        bucket = bucket_of(second.program.tools, second.program.region(name))
        names = (e.name for e in list(bucket.list_objects("control-plane/")))
        folder = next(n for n in names if "/present/" in n).rpartition("/")[0]
        bucket.put(f"{folder}/{'0' * 16}", b"")
        bucket.put(f"{folder}/{'1' * 16}", b" " * (1 << 17))
        proxy = stack.enter_context(in_front_of(region, archived))
        premises.configuration["regions"][name]["endpoint"] = proxy.endpoint
    premises.save()

    view = lookout(stack, premises).look()
    assert view.leader is not None
    assert view.unasked == {}


def test_many_planted_vaults_blind_no_look(premises, tmp_path, stack):
    """Each is asked for little, and few of their keys are tried at once: a look has seconds."""
    copy(premises)
    site, _ = recovered(premises, tmp_path / "site")
    second = lookout(stack, site)
    second.look()
    key = json.loads(new_vault("some other")[1]) | {"n": 2, "r": 1}  # cheap to try
    bucket = bucket_of(second.program.tools, second.program.region("mtl"))
    plane = read_standing(folder_of(second.program.configuration)).vault.plane
    for n in range(30):
        bucket.put(f"control-plane/{plane}/{n:016}/key", json.dumps(key).encode())
        bucket.put(f"control-plane/{plane}/{n:016}/present/{n:016}", b"")
    asked: list[str] = []
    proxy = stack.enter_context(
        in_front_of(premises.regions["mtl"], lambda one: asked.append(f"{one.method} {one.target}"))
    )
    premises.configuration["regions"]["mtl"]["endpoint"] = proxy.endpoint
    premises.save()

    first = lookout(stack, premises)
    view = first.look()
    assert view.leader is not None
    assert view.unasked == {}
    assert sum("list-type=2" in one for one in asked) <= 22
    assert sum(one.endswith("/key") for one in asked) == 4
    for _ in range(6):
        first.look()
    assert sum(one.endswith("/key") for one in asked) == 20


def archived(asked):
    """One object that would have to be asked for hours before."""
    planted = asked.method == "GET" and f"/present/{'0' * 16}" in asked.target
    return Harm.ARCHIVED if planted else None


def test_a_claim_takes_it_back_and_is_harmless_twice(premises, tmp_path, stack):
    first, second = first_and_second(stack, premises, tmp_path)
    second.look()
    assert first.look().leader is not None
    with pytest.raises(UsageError, match="the reason is empty"):
        claim(first.program, "  ", control=Control())

    done = claim(first.program, "started by accident", control=Control())
    assert (done.term.term, done.term.why) == (2, "started by accident")
    assert done.run
    assert first.look().leader is None
    assert second.look().leader.term == 2
    second.stop()
    first.look()

    again = claim(first.program, "to be sure", control=Control())
    assert again.run == ""
    assert again.term == done.term


def test_a_claim_beside_a_daemon_outlives_no_daemon(premises, tmp_path, stack):
    """The daemon that stood back is told at once, and what the claim told is no second one."""
    first, second = first_and_second(stack, premises, tmp_path)
    second.look()
    first.look()

    with Lease(first.program.configuration.work):
        claim(first.program, "started by accident", control=Control())
    seen = second.look().leader
    assert (seen.term, seen.fate) == (2, Fate.ALIVE)
    first.look()
    first.stop()
    assert second.look().leader.fate is Fate.STOPPED
    claim(second.program, "the first one is down", control=Control())
    refuse_deleting(second.program)


def test_a_machine_that_was_started_twice_is_noticed(premises, tmp_path, stack):
    copy(premises)
    premises.back_up()
    twin = cloned(premises, tmp_path / "twin")
    premises.back_up("db")
    twin.back_up("db")
    first, second = lookout(stack, premises), lookout(stack, twin)
    assert first.look().others == ()
    assert second.look().leader.clone
    assert first.look().leader is None
    streams = [
        {place.stream for place in read_standing(site.folder / "var/control-plane").places.values()}
        for site in (premises, twin)
    ]
    assert streams == [{""}, {""}], "neither goes on with streams that both know"

    done = claim(second.program, "the other image is the old one", control=Control())
    assert done.term.instance != done.term.of, "two of one name cannot be told apart"
    assert first.look().leader.instance == done.term.instance
    assert second.look().leader is None


def test_a_journal_that_was_put_back_is_noticed(premises, tmp_path, stack):
    copy(premises)
    shutil.copytree(premises.folder / "var", tmp_path / "kept")
    premises.back_up("db")
    first = lookout(stack, premises)
    first.look()
    first.stop()
    first.program.journal.close()
    shutil.rmtree(premises.folder / "var")
    shutil.copytree(tmp_path / "kept", premises.folder / "var")

    again = lookout(stack, premises)
    view = again.look()
    assert view.leader is None
    assert [(one.clone, one.fate) for one in view.others] == [(True, Fate.STOPPED)]
    (told,) = alarmed(again.program)
    assert "put back to an earlier state" in told
    claim(again.program, "the file system was restored", control=Control())
    assert alarmed(again.program) == []


def test_machines_that_share_a_journal_are_no_others(premises, tmp_path, stack, postgres_database):
    url = postgres_database.replace("postgresql:", "postgresql+psycopg:")
    premises.configuration["state"] = url
    premises.save()
    premises.back_up("db")
    copy(premises)
    second = cloned(premises, tmp_path / "second")
    many = [lookout(stack, premises), lookout(stack, second), lookout(stack, premises)]
    for _ in range(2):
        for one, machine in zip(many, (second, premises, second), strict=True):
            view = one.look()
            assert (view.leader, view.others) == (None, ())
            record(one.program)
            with machine.program() as program:
                record(program)
    many[0].stop()
    assert many[1].look().others == ()
    assert claim(many[1].program, "to see", control=Control()).run == ""


def test_where_another_is_in_charge_cron_begins_nothing(premises, tmp_path, stack):
    copy(premises)
    site, _ = recovered(premises, tmp_path / "site")
    lookout(stack, site).look()
    premises.configuration["datasets"]["db"]["schedule"] = "every 1s"
    premises.save()

    said = premises.cli("daemon", "--once")

    assert said.code == 4
    assert "is in charge: nothing scheduled begins here" in said.error
    assert "drorch schedule claim" in said.hint
    assert premises.cli("run", "list", "--name", "db").document == []
    assert [a["what"] for a in premises.cli("status").document["alarms"]
            if a["what"] == "control-plane.split"]  # fmt: skip


def test_a_silent_one_is_spoken_of_and_its_fate_is_on_record(premises, tmp_path, stack):
    _, second = first_and_second(stack, premises, tmp_path)
    assert [one.fate for one in second.look().others] == [Fate.ALIVE]
    # As when its presence was deleted, and it was killed: only what was seen is left.
    for region in premises.regions:
        bucket = bucket_of(second.program.tools, second.program.region(region))
        for entry in list(bucket.list_objects("control-plane/")):
            if "/present/" in entry.name:
                bucket.delete(entry.name)
    clock = FakeClock(second.program.clock.now().at + ALIVE_FOR + timedelta(minutes=1))
    second.program.__dict__["clock"] = clock

    assert [one.fate for one in second.look().others] == [Fate.SILENT]
    (told,) = alarmed(second.program)
    assert "whether it is dead cannot be known" in told
    refuse_deleting(second.program)
    clock.advance(timedelta(days=1))
    assert alarmed(second.program) == []


def test_an_older_presence_that_is_put_back_is_no_sign_of_life(premises, tmp_path, stack):
    first, second = first_and_second(stack, premises, tmp_path)
    (before,) = second.look().others
    tools = second.program.tools
    kept = {}
    for region in premises.regions:
        bucket = bucket_of(tools, second.program.region(region))
        for entry in list(bucket.list_objects("control-plane/")):
            if "/present/" in entry.name:
                kept[region, entry.name] = bucket.get(entry.name)
    first.stop()
    assert [one.fate for one in second.look().others] == [Fate.STOPPED]
    for (region, name), content in kept.items():
        bucket_of(tools, second.program.region(region)).put(name, content)

    assert [one.fate for one in second.look().others] == [Fate.STOPPED]
    assert before.fate is Fate.ALIVE


def test_histories_are_ranked_by_term_and_the_other_can_be_had(premises, tmp_path, stack):
    copy(premises)
    site, _ = recovered(premises, tmp_path / "site")
    second = lookout(stack, site)
    second.look()
    site.back_up("db")
    copy(site)
    second.stop()
    premises.back_up("docs")  # the first one goes on, and tells so later
    copy(premises)

    _, best = recovered(premises, tmp_path / "best")
    assert best.document["term"] == 2
    (elsewhere,) = best.document["elsewhere"]
    assert elsewhere["term"] == 0
    runs = best.document["journal"]["runs"]
    _, old = recovered(premises, tmp_path / "old", "--instance", elsewhere["instance"][:8])
    assert old.document["elsewhere"] == []
    assert old.document["journal"]["runs"] != runs


def test_what_anybody_could_put_there_hides_nobody(premises, tmp_path, stack):
    """Objects that do not open under names that come first, and vaults without a key."""
    copy(premises)
    site, _ = recovered(premises, tmp_path / "site")
    second = lookout(stack, site)
    second.look()
    for region in premises.regions:
        bucket = bucket_of(second.program.tools, second.program.region(region))
        names = (e.name for e in list(bucket.list_objects("control-plane/")))
        folder = next(n for n in names if "/present/" in n).rpartition("/")[0]
        plane = folder.split("/")[1]
        for n in range(1005 if region == "mtl" else 5):  # a page of a listing has a thousand
            bucket.put(f"{folder}/{n:016}", b"drorchS1 and nothing that opens")
        bucket.put(f"control-plane/{plane}/{'0' * 16}/present/{'f' * 16}", b"of no vault")

    first = lookout(stack, premises)
    view = first.look()
    assert view.leader is not None
    assert view.unasked == {}
    assert [one.instance for one in view.others] == [own_term(second.program).instance]
