"""The loss of drorch's own records, drilled: from one region alone, without touching what lives."""

import hashlib
import json
import re
import shutil
import subprocess
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from drorch.app import drills
from drorch.app.runs import Control
from drorch.core.events import Owner
from drorch.core.names import Outcome, RunKind
from drorch.reports.language import language
from drorch.reports.recorded import recorded
from tests.fakes.facts import begun, stamped, started
from tests.integration.app.disks import on_small_disk
from tests.integration.app.planes import Plane
from tests.integration.app.premises import SOURCE
from tests.integration.app.seeing import wait_for

RUNBOOK = "control-plane-lost"


class Loss(Plane):
    """A control plane with the ready runbook, whose loss can be drilled."""

    def __init__(self, premises):
        super().__init__(premises)
        for name in (f"{RUNBOOK}.yaml", f"{RUNBOOK}.test.yaml"):
            shutil.copy(SOURCE / "runbooks" / name, premises.folder / "runbooks" / name)
        premises.configuration["control_plane"] = {"password": "repo-key"}
        premises.save()

    def drill(self, region="qc", **inputs):
        """In this process, which copies nothing by itself; the run's document."""
        with self.program() as program:
            given = {"region": region, "dataset": "docs", "failover": "bring-back", **inputs}
            done = drills.drill(program, RUNBOOK, given, control=Control())
        return done.view.document

    @property
    def scratch(self):
        return self.premises.folder / "var" / RUNBOOK

    def works_in_scratch(self):
        """Processes whose working folder is there."""
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if (entry / "cwd").readlink().is_relative_to(self.scratch):
                    yield entry.name

    def held(self):
        """Every object of every region, by its content."""
        tops = [region.bucket for region in self.premises.regions.values()]
        return {
            str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for top in tops
            for path in sorted(top.rglob("*"))
            if path.is_file()
        }


@pytest.fixture
def loss(premises):
    return Loss(premises)


def outputs(run, step):
    return next(one["outputs"] for one in run["steps"] if one["step"] == step)


def of_plane(doctor):
    return [
        (one["subject"], one["result"], one["message"], one["hint"])
        for one in doctor.document["checks"]
        if one["check"] == "control-plane"
    ]


def found(run, what):
    return [one["message"] for one in run["findings"] if one["what"] == what]


def failed(run):
    return next(one for one in run["steps"] if one["status"] == "failed")


def test_the_loss_is_drilled_from_one_region_and_nothing_is_touched(loss):
    assert all(one.good for one in loss.copy_now())
    loss.back_up()
    before, runs = loss.held(), loss.runs()
    loss.premises.kill("mtl")

    run = loss.drill()

    assert run["outcome"] == Outcome.PASSED, run["findings"]
    assert not run["dirty"]
    loss.premises.revive("mtl")
    assert loss.held() == before
    assert not loss.scratch.exists()
    assert loss.runs()[1:] == runs
    recovered, compared = outputs(run, "recover"), outputs(run, "as-it-lives")
    assert (recovered["region"], recovered["runs"]) == ("qc", len(runs))
    assert (compared["events_behind"], compared["behind_s"]) == (0, 0.0)
    assert compared["configuration_same"]
    assert not [name for name, value in compared.items() if "runbooks" in name and value]
    restored = outputs(run, "restore")
    assert restored["files"] == restored["compared"] == 3
    assert 0 < restored["since_s"] <= run["objectives"]["rto"]["actual_s"] + 1
    assert run["objectives"]["rpo"]["actual_s"] is not None
    with loss.program() as program:
        (stock,) = [
            one
            for one in program.journal.whole.stocks()
            if (one.dataset, one.region) == ("docs", "qc")
        ]
    assert stock.restore_tested_at is not None
    planned = outputs(run, "failover-plans")
    assert (planned["runbook"], planned["steps"]) == ("bring-back", 1)
    (alone,) = found(run, "secret.only-here")
    assert "repo-key (a file)" in alone
    assert "QC_ID" not in json.dumps(run)
    assert loss.keys["QC_SECRET"] not in json.dumps(run)


def test_a_copy_that_is_behind_is_measured_and_fails_beyond_what_is_promised(loss):
    assert all(one.good for one in loss.copy_now())
    lost = loss.back_up(copied=False)
    (loss.premises.folder / "runbooks" / "bring-back.yaml").write_text(
        "runbook: bring-back\nsteps:\n  - {step: w, do: wait, with: {for: 1s}}\n"
    )
    assert lost

    run = loss.drill(behind="1ms", failover="")

    step = failed(run)
    (planned,) = (one for one in run["steps"] if one["step"] == "failover-plans")
    assert planned["status"] == "skipped"
    assert (step["step"], step["cause"]) == ("as-it-lives", "behind")
    said = step["outputs"]
    assert said["events_behind"] > 0
    assert said["runs_behind"] == [loss.runs()[1]]
    assert said["runbooks_different"] == ["bring-back.yaml"]
    assert "runbooks that came back otherwise" in found(run, "control-plane.runbooks")[0]
    assert outputs(run, "recover")["adopted"] == 1  # the backup itself is not lost
    french = language("fr")
    ours = [one for one in run["findings"] if one["what"].startswith(("control-plane.", "secret."))]
    assert {one["what"] for one in ours} >= {"control-plane.runbooks", "secret.only-here"}
    for one in ours:
        assert recorded(one["message"], french) != one["message"]
        assert recorded(one["hint"], french) != one["hint"]
    assert not loss.scratch.exists()


def test_a_passphrase_that_does_not_open_it_fails_and_a_lost_region_says_nothing(loss):
    assert all(one.good for one in loss.copy_now())

    run = loss.drill(password="tor-key")

    step = failed(run)
    assert step["step"] == "recover"
    assert "the passphrase does not open the control plane" in step["message"]
    real = loss.cli(
        *("failover", RUNBOOK, "--declare", "gone", "--set", "dataset=docs"),
        *("--set", "failover=bring-back"),
    )
    assert (real.code, failed(real.document)["cause"]) == (1, "drill-only")
    loss.premises.kill("qc")
    assert loss.drill()["outcome"] == Outcome.ABORTED
    assert not loss.scratch.exists()


def test_a_damaged_copy_fails_by_name_and_what_lies_in_the_safe_is_no_finding(loss):
    assert all(one.good for one in loss.copy_now())
    for path in loss.objects("qc"):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    loss.seen_anew()

    run = loss.drill()

    step = failed(run)
    assert step["step"] == "recover"
    assert "qc" in step["message"] or "bucket" in step["message"]
    run = loss.drill("mtl", safe=", ".join(loss.premises.configuration["secrets"]))
    assert (run["outcome"], run["findings"]) == (Outcome.PASSED, [])


def test_a_secret_that_the_recovered_dataset_wants_is_named(loss):
    """Nobody hands over what the drill was not told of: the dataset's own password."""
    assert all(one.good for one in loss.copy_now())
    loss.premises.configuration["datasets"]["docs"]["password"] = "renamed"
    loss.premises.configuration["secrets"]["renamed"] = {"file": "lab/secrets/repo-key"}
    loss.premises.save()

    run = loss.drill()

    step = failed(run)
    assert step["step"] == "restore"
    assert "secret repo-key counts as lost in this exercise" in step["message"]


def test_what_was_recovered_as_an_exercise_only_reads(loss):
    assert all(one.good for one in loss.copy_now())
    before = loss.held()
    line = loss.recover_line("qc", "copy", "--exercise")
    assert line.code == 0, line.errors
    assert line.document["exercise"]
    config = ("--config", str(loss.to("copy") / "drorch.yaml"))
    assert not list(loss.to("copy").rglob("repo-key"))

    for words in (
        ("backup", "docs"),
        ("daemon", "--once"),
        ("drill", RUNBOOK, "--set", "dataset=docs", "--set", "failover=bring-back"),
        ("failover", "bring-back", "--declare", "really"),
        ("replicate", "--control-plane"),
        ("retention", "apply"),
        ("schedule", "claim", "--reason", "to see"),
        ("kit", "--output", str(loss.to("copy") / "kit.html")),
    ):
        said = loss.cli(*words, *config)
        assert said.code == 2, words
        assert "this is the copy of an exercise" in said.errors, words
    assert loss.held() == before
    doctor = loss.cli("doctor", *config)
    assert of_plane(doctor) == [("", "pass", "the copy of an exercise is copied nowhere", "")]
    assert "kit" not in {one["check"] for one in doctor.document["checks"]}
    told = loss.cli("journal", "compare", str(loss.to("copy")))
    assert told.code == 0
    assert told.document["same_history"]


def test_a_run_that_the_loss_left_open_does_not_go_on_in_an_exercise(loss):
    """Nor is it cleaned up: its commands would be carried out for real, on whichever machine."""
    done, cleaned = loss.premises.folder / "done", loss.premises.folder / "cleaned"
    (loss.premises.folder / "runbooks" / "open.yaml").write_text(
        "runbook: open\nsteps:\n"
        "  - {step: sure, do: approve, with: {prompt: Sure?}}\n"
        f"  - {{step: act, do: command, with: {{argv: [touch, {done}]}}, undo: "
        f"{{do: command, with: {{argv: [touch, {cleaned}]}}}}}}\n"
        f"cleanup:\n  - {{step: tidy, do: command, with: {{argv: [touch, {cleaned}]}}}}\n"
    )
    said = loss.cli("drill", "open", "--no-wait")
    assert said.code == 7, said.errors
    run = said.document["run"]
    assert all(one.good for one in loss.copy_now())
    assert loss.recover_line("qc", "copy", "--exercise").code == 0
    config = ("--config", str(loss.to("copy") / "drorch.yaml"))
    loss.cli("run", "approve", run, "--reason", "to see", *config)

    for words in (("resume", run, "--no-wait"), ("resume", run, "--gone"), ("abort", run)):
        said = loss.cli("run", *words, *config)
        assert (said.code, "this is the copy of an exercise" in said.errors) == (2, True), words

    assert not done.exists()
    assert not cleaned.exists()
    # Where it lives it goes on.
    assert loss.cli("run", "approve", run, "--reason", "yes").code == 0
    assert loss.cli("run", "resume", run).code == 0
    assert done.exists()


def test_runs_that_the_loss_left_open_hold_no_backup_up_and_people_are_told_of_theirs(loss):
    """Their processes were on a machine that is not seen from here, nor will anybody say they are gone."""
    elsewhere = Owner("lost-host", 4711, 1, "boot-of-lost-host", "drorch", "t0ken-of-lost-host")
    with loss.program() as program:
        kinds = {"db": RunKind.BACKUP, "bring-back": RunKind.FAILOVER, "docs": RunKind.REWIND}
        for name, kind in kinds.items():
            opening = replace(started(name, f"dataset:{name}"), owner=elsewhere)
            opening = replace(opening, plan=replace(opening.plan, kind=kind))
            program.journal.begin(f"open-{name}", stamped(opening, begun()), lambda _: None)
    assert all(one.good for one in loss.copy_now())

    said = loss.recover_line("qc", "site")

    assert said.code == 0, said.errors
    told = {(one["run"], one["kind"], one["name"]) for one in said.document["left_open"]}
    assert told == {
        ("open-bring-back", "failover", "bring-back"),
        ("open-docs", "rewind", "docs"),
    }
    config = ("--config", str(loss.to("site") / "drorch.yaml"))
    shutil.copy(loss.premises.folder / "dump", loss.to("site"))
    shutil.copytree(loss.premises.folder / "src", loss.to("site") / "src")
    done = loss.cli("backup", "db", *config)
    assert done.code == 0, done.errors
    ended = loss.cli("run", "show", "open-db", *config).document
    assert (ended["state"], ended["outcome"]) == ("finished", "aborted")
    assert loss.cli("run", "resume", "open-bring-back", *config).code == 4  # for a person to say
    assert loss.cli("run", "abort", "open-bring-back", "--gone", *config).code == 0
    assert loss.cli("journal", "verify", "--offline", *config).code == 0


def test_a_copy_that_worked_on_by_itself_is_another_history(loss):
    assert all(one.good for one in loss.copy_now())
    assert loss.recover_line("qc", "second").code == 0
    there = ("--config", str(loss.to("second") / "drorch.yaml"))
    assert loss.cli("journal", "compare", str(loss.to("second"))).document["same_history"]
    told = of_plane(loss.cli("doctor", *there))
    assert [(region, result) for region, result, _, _ in told] == [("mtl", "warn"), ("qc", "warn")]
    for _, _, message, hint in told:
        assert re.fullmatch(
            "drorch's records that lie there are those of control plane [0-9a-f]{8}, which this one "
            "was recovered from; its own first copy is still to come",
            message,
        )
        assert "with the next command that records something" in hint
        assert hint.endswith(": drorch replicate --control-plane")

    words = ("action", "add", "look after the copy", "--owner", "M. Roy", "--due", "2999-01-01")
    assert loss.cli(*words, *there).code == 0

    told = loss.cli("journal", "compare", str(loss.to("second")))
    assert not told.document["same_history"]
    assert not any("first copy" in one[2] for one in of_plane(loss.cli("doctor", *there)))


def test_a_drill_that_was_killed_goes_on_and_leaves_nothing(loss):
    assert all(one.good for one in loss.copy_now())
    before = loss.held()
    words = ("drill", RUNBOOK, "--set", "dataset=docs", "--set", "failover=bring-back")
    with subprocess.Popen(
        loss.premises.line(*words),
        env=loss.premises.environment | loss.keys,
        cwd=loss.premises.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        wait_for(lambda: list(loss.scratch.glob(".records.drorch-recover-*")))
        process.kill()
    wait_for(lambda: not any(loss.works_in_scratch()))
    assert loss.scratch.exists()

    done = loss.cli("run", "resume", loss.runs()[0])

    assert done.code == 0, done.errors
    assert (done.document["outcome"], done.document["dirty"]) == (Outcome.PASSED, False)
    attempts = {one["step"]: one["attempts"] for one in done.document["steps"]}
    assert (attempts["recover"], attempts["restore"]) == (2, 1)
    assert not loss.scratch.exists()
    gone = before.keys() - loss.held().keys()
    new = {
        path.partition("/drorch/")[2].split("/")[0] for path in loss.held().keys() - before.keys()
    }
    assert (gone, new) == (set(), {"control-plane"})  # what the command lines themselves copied


@pytest.mark.usefixtures("namespaces")
def test_a_scratch_that_is_full_fails_and_is_emptied(loss):
    assert all(one.good for one in loss.copy_now())
    small = loss.premises.folder / "small"
    small.mkdir()
    words = ("drill", RUNBOOK, "--set", "dataset=docs", "--set", "failover=bring-back")

    done = loss.premises.cli(
        *words,
        "--set",
        "workdir=small/work",
        wrap=on_small_disk(small, "32k", full=False),
        **loss.keys,
    )

    assert done.code == 1, done.errors
    step = failed(done.document)
    assert (step["step"], done.document["dirty"]) == ("recover", False)
    assert "no space" in step["message"].lower() or "room" in step["hint"]
    assert outputs(done.document, "remove-recovered")["left"] == []
