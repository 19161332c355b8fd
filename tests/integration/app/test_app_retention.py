"""Retention by hand and for real: what a plan says, what goes, what is held, what the brake stops."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest

from drorch.core.facts import Forgotten, Held
from tests.integration.app.history import (
    imagined,
    learn,
    let_go,
    locks,
    master_of,
    printed,
    put,
    repository,
    rules,
    snapshots,
    somebody_at_work,
    whole,
)
from tests.integration.app.seeing import findings, step


def days_ago(days, hour=12):
    noon = datetime.now(UTC).replace(hour=hour, minute=0, second=0, microsecond=0)
    return noon - timedelta(days=days)


def decisions(found, repository=0):
    """By id, what a plan says of it."""
    told = found["repositories"][repository]["snapshots"]
    return {s["snapshot"]: (s["decision"], s["reasons"]) for s in told}


def facts(premises, kind):
    with premises.program() as program:
        return [k.fact for k in program.journal.facts(kind, "docs")]


def test_a_plan_says_why_each_snapshot_stays_and_changes_nothing(premises):
    rules(premises, keep={"last": 1, "daily": 2})
    (newest,) = snapshots(premises, "mtl")
    older = imagined(premises, *(days_ago(d) for d in (2, 3, 4)))
    planted = imagined(premises, days_ago(-300), regions=("mtl",), known=False)
    before = repository(premises, "mtl")
    said = premises.cli("retention", "plan")
    assert said.code == 0
    (found,) = said.document
    assert found["restic_flags"] == ["--group-by=", "--keep-last=1", "--keep-daily=2"]
    assert decisions(found) == {
        planted[0]: ("keep", ["later than this clock"]),
        newest: (
            "keep",
            ["newest copy in mtl", "newest copy in qc", "newest snapshot", "last 1", "daily 1"],
        ),
        older[0]: ("keep", ["daily 2"]),
        older[1]: ("forget", ["no rule keeps it"]),
        older[2]: ("forget", ["no rule keeps it"]),
    }
    assert found["repositories"][0]["braked"].startswith("of 5 snapshots 3 would remain")
    again = premises.cli("retention", "apply", "--dry-run").document
    assert [r | {"at": ""} for r in again] == [found | {"at": ""}]
    assert repository(premises, "mtl") == before
    assert premises.verbs() == []
    with premises.program() as program:
        assert "retention" not in [row.kind for row in program.journal.rows()]


def test_people_read_the_same_as_a_table(premises):
    rules(premises, keep={"last": 1}, prune="weekly")
    imagined(premises, days_ago(2), days_ago(3))
    text = printed(premises, "retention", "plan")
    assert text[0] == "docs in mtl, qc: 3 snapshots, of which 2 would go"
    assert text[1] == "  rules: restic forget --group-by= --keep-last=1 (UTC)"
    assert text[2] == "  space is freed weekly: due"
    assert text[3].startswith("  braked: of 3 snapshots 1 would remain: 67 % fewer than there are")
    assert text[5].split() == ["snapshot", "time", "regions", "decision", "why"]
    assert text[6].endswith("newest copy in mtl; newest copy in qc; newest snapshot; last 1")
    assert text[7].split()[3:] == ["mtl,", "qc", "goes", "no", "rule", "keeps", "it"]


def test_what_no_rule_keeps_goes_everywhere_without_restic_and_its_space_later(any_premises):
    premises = any_premises
    (newest,) = snapshots(premises, "mtl")
    rules(premises, keep={"last": 3}, brake="60%")
    ids = imagined(premises, *(days_ago(d) for d in (1, 2, 3, 4)))
    run = let_go(premises)
    assert (run["outcome"], run["findings"]) == ("passed", [])
    assert premises.verbs() == []
    for region in ("mtl", "qc"):
        assert sorted(snapshots(premises, region)) == sorted([newest, *ids[:2]])
        assert locks(premises, region) == []
    assert {f.snapshot: f.reason for f in facts(premises, Forgotten)} == dict.fromkeys(
        ids[2:], "no rule keeps it"
    )
    with premises.program() as program:
        known = {(c.region, c.snapshot) for c in program.journal.copies("docs")}
    assert known == {(r, s) for r in ("mtl", "qc") for s in [newest, *ids[:2]]}
    assert whole(premises, "mtl", "qc") == [[*reversed(ids[:2]), newest]] * 2

    assert let_go(premises)["steps"][1]["status"] == "skipped"  # there is nothing to do
    run = let_go(premises, prune="yes")
    assert premises.verbs()[-1] == "prune"
    assert step(run, "delete-qc")["status"] == "passed"
    assert whole(premises, "mtl", "qc") == [[*reversed(ids[:2]), newest]] * 2


def test_what_was_deleted_by_one_who_died_before_saying_so_is_no_more(premises):
    rules(premises, keep={"last": 1}, brake="60%")
    at = days_ago(1)
    (old,) = imagined(premises, at)
    let_go(premises)
    learn(premises, [(old, at, region) for region in ("mtl", "qc")])
    assert [what for what, _ in premises.alarms()] == ["prune.owed"] * 2
    assert let_go(premises)["outcome"] == "passed"
    assert premises.alarms() == []


def test_a_prune_frees_the_space_of_what_was_forgotten_in_every_region(any_premises):
    premises = any_premises
    rules(premises, keep={"last": 1}, prune="weekly", brake="60%")
    scan = premises.folder / "src" / "docs" / "scan.bin"
    scan.write_bytes(os.urandom(400_000))
    premises.back_up()
    run = let_go(premises)
    assert (run["outcome"], run["findings"]) == ("passed", [])
    assert repository(premises, "mtl") == repository(premises, "qc")
    for region in ("mtl", "qc"):
        data = sum(p.stat().st_size for p in premises.files(region, "docs", "data"))
        assert 400_000 < data < 500_000
        assert locks(premises, region) == []
    (kept,) = premises.listed()
    assert whole(premises, "mtl", "qc") == [[kept["id"]]] * 2
    premises.forget_starts()
    run = let_go(premises)
    assert step(run, "decide")["outputs"]["needed"] is False
    assert premises.verbs() == []
    assert premises.alarms() == []


def test_what_was_forgotten_never_comes_back_from_any_region(premises):
    rules(premises, keep={"last": 1}, brake="60%")
    (old,) = imagined(premises, days_ago(1))
    path = premises.regions["qc"].bucket / "datasets" / "docs" / "snapshots" / old
    content = path.read_bytes()
    let_go(premises)
    # An attacker, or a bucket that was brought back.
    put(premises, "qc", f"snapshots/{old}", content)
    premises.replicate()
    assert old not in snapshots(premises, "mtl")
    (found,) = premises.cli("retention", "plan").document
    assert decisions(found)[old] == ("forget", ["forgotten already: no rule keeps it"])
    assert let_go(premises)["outcome"] == "passed"
    assert old not in snapshots(premises, "qc")


def test_without_rules_everything_stays(premises):
    rules(premises)
    ids = imagined(premises, days_ago(1), days_ago(900))
    assert let_go(premises, prune="yes")["outcome"] == "passed"
    assert set(ids) <= set(snapshots(premises, "mtl"))
    assert premises.cli("retention", "plan").document[0]["restic_flags"] == []


def test_the_brake_stops_everything_and_only_a_reason_overrides_it(premises):
    rules(premises, keep={"last": 2}, prune="weekly")
    imagined(premises, *(days_ago(d) for d in range(1, 10)))
    before = repository(premises, "mtl"), repository(premises, "qc")
    said = premises.cli("retention", "apply", "--dataset", "docs")
    assert said.code == 1
    failed = step(said.document, "decide")
    assert failed["cause"] == "braked"
    assert failed["message"].startswith("nothing was deleted: of 10 snapshots 2 would remain")
    assert findings(said.document)[-1] == "retention.braked"
    assert (repository(premises, "mtl"), repository(premises, "qc")) == before
    assert facts(premises, Forgotten) == []
    assert premises.alarms() == [("retention.braked", "docs in mtl")]

    said = premises.cli("retention", "apply", "--force-brake", " ")
    assert (said.code, said.error) == (
        2,
        "error: the brake is not overridden without a reason",
    )
    said = premises.cli("retention", "apply", "--force-brake", "agreed with m.tremblay")
    assert said.code == 0
    (run,) = said.document
    assert run["reason"] == "agreed with m.tremblay"
    assert run["by"]
    (forced,) = [f for f in run["findings"] if f["what"] == "retention.forced"]
    assert forced["message"].endswith("the reason given: agreed with m.tremblay")
    assert len(snapshots(premises, "mtl")) == len(snapshots(premises, "qc")) == 2
    assert premises.alarms() == []


def test_the_turn_of_things_is_no_mass_deletion(premises):
    rules(premises, keep={"last": 3})
    imagined(premises, days_ago(1), days_ago(2))
    assert let_go(premises)["outcome"] == "passed"
    imagined(premises, *(days_ago(0, hour=0) + timedelta(minutes=n) for n in range(1, 20)))
    run = let_go(premises)
    assert run["outcome"] == "passed"
    assert step(run, "decide")["outputs"]["forget"] == 19


def test_the_brake_looks_at_data_too_and_leaves_no_tombstone(premises):
    rules(premises, keep={"last": 1}, brake="60%")
    scan = premises.folder / "src" / "docs" / "scan.bin"
    scan.unlink()
    premises.back_up()
    before = snapshots(premises, "mtl"), snapshots(premises, "qc")
    run = let_go(premises, prune="yes")
    assert step(run, "prepare")["cause"] == "braked"
    assert "bytes of data" in step(run, "prepare")["message"]
    assert (snapshots(premises, "mtl"), snapshots(premises, "qc")) == before
    assert facts(premises, Forgotten) == []
    assert locks(premises, "mtl") == locks(premises, "qc") == []
    assert premises.alarms() == [("retention.braked", "docs in mtl")]
    whole(premises, "mtl", "qc")
    assert let_go(premises, prune="yes", force="the scans went")["outcome"] == "passed"
    assert premises.alarms() == []
    assert len(snapshots(premises, "qc")) == 1


def test_a_held_snapshot_stays_until_it_is_released(premises):
    rules(premises, keep={"last": 1}, brake="60%")
    old, other = imagined(premises, days_ago(1), days_ago(2))
    said = premises.cli("snapshots", "hold", old[:10], "--reason", "court order 12-B")
    assert (said.code, said.document["kind"], said.document["outcome"]) == (0, "hold", "passed")
    rows = {r["snapshot"]: r for r in premises.cli("snapshots", "list").document}
    assert [rows[s]["held"] for s in (old, other)] == ["court order 12-B", None]
    let_go(premises)
    assert old in snapshots(premises, "mtl")
    assert old in snapshots(premises, "qc")
    assert other not in snapshots(premises, "mtl")
    (fact,) = facts(premises, Held)
    assert (fact.reason, fact.by, fact.released) == ("court order 12-B", said.document["by"], False)

    assert premises.cli("snapshots", "hold", old, "--release").code == 0
    let_go(premises)
    assert old not in snapshots(premises, "qc")
    said = premises.cli("snapshots", "hold", old, "--reason", "too late", "--dataset", "docs")
    assert said.code == 2


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        (("hold", "ffffffff", "--reason", "x"), "no snapshot begins with", "snapshots list"),
        (("hold", "", "--reason", "x"), "2 snapshots begin with", "more digits"),
        (("hold", "0"), "a hold needs a reason", "--reason TEXT"),
        (("hold", "x", "--dataset", "dcos", "--reason", "x"), "no dataset 'dcos'", "docs"),
    ],
)
def test_what_cannot_be_held_is_said(premises, words, error, hint):
    imagined(premises, days_ago(1))
    said = premises.cli("snapshots", *words)
    assert said.code == 2
    assert error in said.error
    assert hint in said.hint


def test_what_is_not_held_cannot_be_released(premises):
    said = premises.cli("snapshots", "hold", snapshots(premises, "mtl")[0], "--release")
    assert said.code == 2
    assert "is not held" in said.error


def test_what_a_failed_backup_left_goes_once_a_whole_one_is_newer(premises):
    rules(premises, keep={"last": 5}, brake="60%")
    with premises.program() as program:
        run = program.journal.rows()[-1].run
    tags = {"tags": ["drorch", f"run={run}"]}
    (left,) = imagined(premises, days_ago(1), known=False, **tags)
    (later,) = imagined(premises, days_ago(-1), known=False, **tags)
    (found,) = premises.cli("retention", "plan").document
    assert decisions(found)[left] == (
        "forget",
        ["left by a failed backup, and a whole one is newer"],
    )
    assert decisions(found)[later][0] == "keep"


def test_what_does_not_open_with_the_key_is_not_judged(premises):
    rules(premises, keep={"last": 1})
    put(premises, "mtl", f"snapshots/{'ab' * 32}", os.urandom(300))
    said = premises.cli("retention", "plan")
    assert said.code == 0
    assert len(decisions(said.document[0])) == 1


def test_another_that_works_there_is_given_way_to_and_nothing_is_left_locked(any_premises):
    premises = any_premises
    rules(premises, keep={"last": 1}, brake="60%")
    imagined(premises, days_ago(1))
    with somebody_at_work(premises):
        before = locks(premises, "mtl")
        assert len(before) == 1
        run = let_go(premises)
        failed = step(run, "prepare")
        assert failed["cause"] == "locked"
        assert "in region mtl is locked by process" in failed["message"]
        assert "drorch repo unlock" in failed["hint"]
        assert len(snapshots(premises, "mtl")) == 2
        assert locks(premises, "mtl") == before
        assert locks(premises, "qc") == []
    # It was killed: its lock is still there, and certainly dead.
    assert len(locks(premises, "mtl")) == 1
    assert let_go(premises)["outcome"] == "passed"
    assert locks(premises, "mtl") == []


def test_a_region_or_dataset_that_is_not_there_is_said(premises):
    assert "there is no region 'cq'" in premises.cli("retention", "apply", "--region", "cq").error
    said = premises.cli("retention", "apply", "--dataset", "dcos")
    assert (said.code, "there is no dataset 'dcos'" in said.error) == (2, True)


def test_the_key_is_needed_and_its_loss_is_told(premises):
    rules(premises, keep={"last": 1})
    assert master_of(premises)
    imagined(premises, days_ago(1), known=False)
    (premises.folder / "lab" / "secrets" / "repo-key").write_text("wrong\n")
    said = premises.cli("retention", "plan")
    assert said.code == 1
    assert "the password opens no key" in said.error
    assert json.dumps(said.document).count("exit_code") == 1
