"""Kill -9 at any moment while the control plane is copied, and while it is recovered: regions always
hold a whole state, and a recovery can be repeated.

Moments are counted in requests to a region, so that they fall into the work itself.
"""

import json
import os
import random
import shutil
import subprocess

import pytest

from drorch.app.plane.recovered import Recovered, Wish
from drorch.app.plane.recovering import recover
from drorch.app.program import Program
from drorch.core.model import Region
from tests.e2e.trigger import Trigger
from tests.fakes.facts import begun, ended, stamped, started
from tests.faulty import Faulty
from tests.integration.app.planes import quicken_plane
from tests.integration.app.premises import PASSWORD, Premises, restics
from tests.regions import credentials_of

KILLS = 50 if os.environ.get("DRORCH_CAMPAIGN") else 5
#: So often a process is left alone after one that was killed; else the next one is killed, too.
EVERY = 2 if KILLS < 10 else 3
SEED = os.environ.get("DRORCH_CAMPAIGN_SEED", "20261126")

#: How long a process may take before the test gives up on it; never waited for when all is well.
PATIENCE = 120.0


class Site:
    """Premises whose second region is reached through the trigger."""

    def __init__(self, folder, chance):
        self.premises = Premises.made(folder / "here", restics()[-1])
        self.chance = chance
        self.trigger = Trigger(chance)
        self.proxy = Faulty(self.premises.regions["qc"].as_region(), self.trigger)
        self.premises.configuration["regions"]["qc"]["endpoint"] = self.proxy.endpoint
        self.premises.configuration["control_plane"] = {"keep": {"last": 1}}
        self.premises.save()
        (self.premises.folder / "password").write_text(PASSWORD)
        self.count = 0

    def run_something(self):
        """A run of another day; its id."""
        self.count += 1
        run = f"2026-11-26T00-00-{self.count:02}Z-rumour"
        with self.premises.program() as program:
            told = stamped(started("rumour", f"s{self.count}"), begun(), ended())
            program.journal.begin(run, told, lambda _: None)
        return run

    def carried(self, *words, kill_after=0):
        """Whether a command line came to its end."""
        with self.premises.started(*words) as process:
            self.trigger.set(process if kill_after else None, kill_after)
            process.communicate(timeout=PATIENCE)
            self.trigger.set(None, 0) if kill_after else None
        return process.returncode == 0

    def copied(self, *, kill_after=0):
        """Whether a copy came to its end, with a whole state, and an old one let go."""
        file = self.premises.folder / "var" / "control-plane" / "standing.json"
        if file.exists():  # as if a week were over
            file.write_text(json.dumps(json.loads(file.read_text()) | {"thinned_at": None}))
        return self.carried("replicate", "--control-plane", kill_after=kill_after)

    def copied_first(self):
        """The first copy; what is about kills need not derive keys for half a second each time: a
        forked process makes a vault that costs nothing to open.
        """
        self.premises.forks = True
        assert self.premises.cli("replicate", "--control-plane").code == 0
        with self.premises.program() as program:
            quicken_plane(program)

    def recover_line(self, to):
        keys = self.premises.folder / "lab" / "secrets"
        os.environ["QC_ID"] = (keys / "qc-id").read_text().strip()
        os.environ["QC_SECRET"] = (keys / "qc-secret").read_text().strip()
        return [
            *self.premises.line("recover", "--endpoint", self.proxy.endpoint, "--bucket", "drorch"),
            *("--access-key-env", "QC_ID", "--secret-key-env", "QC_SECRET"),
            *("--password-file", str(self.premises.folder / "password"), "--to", str(to)),
        ]

    def recovered(self, name, to) -> Recovered:
        """What one region alone gives back, in this process."""
        lab = self.premises.regions[name]
        region = Region("(given)", lab.endpoint, "drorch", "ZZ")
        return recover(
            Wish(
                region,
                credentials_of(lab),
                PASSWORD,
                to,
                restic=str(self.premises.binary),
                environment=self.premises.environment,
            )
        )

    def states(self, name):
        """How many whole states a region holds."""
        top = self.premises.regions[name].bucket / "control-plane"
        return len(list(top.glob("*/*/repository/snapshots/*")))

    def close(self):
        self.proxy.close()
        self.premises.down()


def runs_of(folder):
    program = Program.open(folder / "drorch.yaml", {"PATH": os.environ["PATH"]})
    try:
        return {row.run for row in program.journal.rows() if row.name == "rumour"}
    finally:
        program.journal.close()


@pytest.fixture
def site(tmp_path, request):
    made = Site(tmp_path, random.Random(f"{SEED} {request.function.__name__}"))
    yield made
    made.close()


@pytest.mark.campaign
def test_killed_while_it_is_copied_regions_hold_a_whole_state(site, tmp_path):
    known = {site.run_something()}
    site.copied_first()
    for _ in range(2):
        assert site.copied()
    safe, whole, kills = set(known), site.trigger.requests, 0
    assert whole > 10
    for turn in range(KILLS):
        known.add(site.run_something())
        survived = site.copied(kill_after=site.chance.randint(1, whole))
        kills += not survived
        region = ("qc", "mtl")[turn % 2]
        found = site.recovered(region, tmp_path / f"to-{turn}")
        assert found.report.ok
        assert safe <= runs_of(found.to) <= known
        assert all(one.flaws == () for one in found.seen if one.region == region)
        if survived or turn % EVERY == EVERY - 1:
            assert survived or site.copied()
            safe = set(known)
    assert kills >= KILLS // 2
    assert site.copied()
    for region in ("mtl", "qc"):
        assert runs_of(site.recovered(region, tmp_path / region).to) == known
        assert site.states(region) == 2


@pytest.mark.campaign
def test_killed_while_it_recovers_it_can_be_repeated(site, tmp_path):
    known = {site.run_something()}
    site.copied_first()
    known.add(site.run_something())
    assert site.copied()
    line = site.recover_line(tmp_path / "first" / "to")
    site.trigger.set(None, 0)
    subprocess.run(line, check=True, capture_output=True, timeout=PATIENCE)
    whole, kills = site.trigger.requests, 0
    for turn in range(KILLS):
        to = tmp_path / f"site-{turn // EVERY}" / "to"
        line = site.recover_line(to)
        shutil.rmtree(to, ignore_errors=True)
        process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        site.trigger.set(process, site.chance.randint(1, whole))
        process.wait(PATIENCE)
        site.trigger.set(None, 0)
        kills += process.returncode != 0
        if turn % EVERY == EVERY - 1 and not to.exists():
            subprocess.run(line, check=True, capture_output=True, timeout=PATIENCE)
        if to.exists():
            assert runs_of(to) == known
            assert [p.name for p in to.parent.iterdir()] == ["to"]
    assert kills >= KILLS // 2
