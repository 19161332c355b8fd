"""What lies in the regions is hashed day after day, and `status` says how far that has come."""

import subprocess

import pytest

from drorch.core.facts import Forgotten, Proven, Scrubbed
from tests.fakes.facts import begun, ended, stamped, started
from tests.integration.app.seeing import step
from tests.regions import bucket_of


def promise(premises, **verify):
    del premises.configuration["datasets"]["db"]
    premises.configuration["datasets"]["docs"]["verify"] = verify
    premises.save()


def flip(premises, region="mtl", kind="data"):
    """Flip a bit of the largest object of a kind, by the region's own door."""
    bucket = bucket_of(premises.regions[region])
    name = max(bucket.list_objects(f"datasets/docs/{kind}/"), key=lambda o: o.size).name
    content = bytearray(bucket.get(name))
    content[len(content) // 2] ^= 1
    bucket.put(name, bytes(content))
    bucket.close()
    return name.removeprefix("datasets/docs/")


def remove(premises, name, region="mtl"):
    bucket = bucket_of(premises.regions[region])
    bucket.delete(f"datasets/docs/{name}")
    bucket.close()


def facts(premises, kind, region="mtl"):
    with premises.program() as program:
        return [k.fact for k in program.journal.facts(kind, "docs") if k.fact.region == region]


def learn(premises, *told):
    with premises.program() as program:
        events = stamped(started("rumour"), begun(), ended(facts=list(told)))
        program.journal.begin(f"rumour-{len(program.journal.rows())}", events, lambda _: None)


def test_a_repository_of_any_restic_is_proven_without_starting_restic(any_premises):
    any_premises.back_up()
    any_premises.forget_starts()
    run = any_premises.scrub()
    assert (run["outcome"], run["findings"], run["kind"]) == ("passed", [], "scrub")
    assert any_premises.starts() == []
    for region in ("mtl", "qc"):
        outputs = step(run, f"scrub-{region}")["outputs"]
        assert (outputs["parts"], outputs["damaged"]) == (259, [])
        copy = any_premises.status(region=region)
        assert (copy["scrubbed_share"], copy["damaged"]) == (1.0, 0)
        assert copy["scrubbed_at"] is not None
        assert 0 <= copy["scrubbed_age_s"] < 120


def test_damage_fails_the_scrub_and_alarms_until_it_is_hashed_whole(premises):
    promise(premises, scrub="30d")
    name = flip(premises)
    said = premises.cli("scrub", "--dataset", "docs")
    assert said.code == 1
    run = said.document
    assert step(run, "scrub-mtl")["cause"] == "damaged"
    assert step(run, "scrub-qc")["status"] == "passed"
    (found,) = [f for f in run["findings"] if f["what"] == "object.damaged"]
    assert (found["subject"], name in found["message"]) == ("docs in mtl", True)
    assert premises.alarms() == [("object.damaged", "docs in mtl")]
    assert premises.status()["damaged"] == 1
    assert premises.cli("status", "--check").code == 1

    good = bucket_of(premises.regions["qc"]).get(f"datasets/docs/{name}")
    bucket_of(premises.regions["mtl"]).put(f"datasets/docs/{name}", good)
    assert premises.scrub()["outcome"] == "passed"
    assert premises.alarms() == []


def test_a_snapshot_that_somebody_took_away_is_missed_until_it_is_let_go(premises):
    promise(premises)
    snapshot = premises.status()["snapshot"]
    remove(premises, f"snapshots/{snapshot}")
    run = premises.scrub()
    assert step(run, "scrub-mtl")["cause"] == "damaged"
    assert f"snapshots/{snapshot}" in step(run, "scrub-mtl")["message"]
    assert ("object.damaged", "docs in mtl") in premises.alarms()
    learn(premises, Forgotten("docs", snapshot, "by policy"))
    assert step(premises.scrub(), "scrub-mtl")["status"] == "passed"


def test_a_config_that_is_gone_or_another_is_named(premises):
    promise(premises)
    remove(premises, "config", region="qc")
    run = premises.scrub()
    assert step(run, "scrub-mtl")["status"] == "passed"
    assert "config" in step(run, "scrub-qc")["message"]
    bucket_of(premises.regions["qc"]).put("datasets/docs/config", b"somebody else's")
    run = premises.scrub()
    assert [step(run, f"scrub-{r}")["cause"] for r in ("mtl", "qc")] == ["damaged", "damaged"]


def test_a_days_budget_is_spent_once_whatever_restarts(premises):
    promise(premises, scrub="30d", scrub_budget="200KB")
    first = step(premises.scrub(region="mtl"), "scrub-mtl")["outputs"]
    assert 0 < first["bytes"] <= 200_000
    assert first["parts"] < 259
    second = step(premises.scrub(region="mtl"), "scrub-mtl")
    # The 300 kB that are left do not fit, but something is hashed while anything is left.
    assert second["outputs"]["bytes"] >= 300_000
    third = step(premises.scrub(region="mtl"), "scrub-mtl")
    assert (third["status"], third["outputs"]["bytes"]) == ("passed", 0)
    assert "today's budget is spent" in third["message"]
    (spent,) = facts(premises, Scrubbed)
    assert spent.bytes == first["bytes"] + second["outputs"]["bytes"]
    asked = step(premises.scrub(region="mtl", budget="all"), "scrub-mtl")["outputs"]
    assert (asked["parts"], asked["left"]) == (259, None)


def test_a_turn_is_continued_by_the_next_scrub(premises):
    promise(premises)
    for _ in range(3):
        premises.back_up()
    part = step(premises.scrub(region="mtl", budget="1000B"), "scrub-mtl")
    assert part["status"] == "passed"
    (begun_part,) = [p for p in facts(premises, Proven) if p.began]
    assert begun_part.since is None
    premises.scrub(region="mtl", budget="all")
    assert not [p for p in facts(premises, Proven) if p.began]
    assert premises.status()["scrubbed_share"] == 1.0


def test_what_is_not_proven_in_time_is_overdue(premises):
    promise(premises, scrub="30d")
    assert premises.alarms() == []
    assert premises.status()["scrubbed_share"] == 0
    premises.configuration["datasets"]["docs"]["verify"]["scrub"] = "1ms"
    premises.save()
    assert premises.alarms() == [("scrub.overdue", "docs in mtl"), ("scrub.overdue", "docs in qc")]
    premises.scrub()
    copy = premises.status()
    assert (copy["scrubbed_share"], copy["scrubbed_at"] is None) == (0.0, False)
    premises.configuration["datasets"]["docs"]["verify"]["scrub"] = "1h"
    premises.save()
    assert premises.alarms() == []
    assert premises.status()["scrubbed_share"] == 1.0


def test_a_dead_region_is_said_to_be_and_the_other_is_proven(premises):
    premises.kill("qc")
    run = premises.scrub()
    assert step(run, "scrub-qc")["cause"] == "unreachable"
    assert step(run, "scrub-mtl")["status"] == "passed"


def test_a_scrub_and_a_backup_of_one_dataset_do_not_mind_each_other(premises):
    with premises.started("scrub", "--dataset", "docs", "--json") as process:
        assert premises.back_up()["outcome"] == "passed"
        process.communicate(timeout=90)
    assert process.returncode == 0


@pytest.mark.parametrize("budget", ["12x", "-1", "everything"])
def test_what_is_no_budget_is_refused(premises, budget):
    said = premises.cli("scrub", "--budget", budget)
    assert said.code == 2
    assert "is not a size" in said.error


def test_the_status_tables_columns_say_it_for_people(premises):
    promise(premises, scrub="30d")
    premises.scrub(region="mtl")
    name = flip(premises, region="qc")
    premises.scrub(region="qc")
    said = subprocess.run(
        premises.line("status"),
        env=premises.environment,
        cwd=premises.folder,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    ages, mtl, qc = [line for line in said.splitlines() if line.startswith("docs ")]
    assert "damaged" in ages
    assert "100%, " in mtl
    assert "damaged" in qc
    assert name in said
