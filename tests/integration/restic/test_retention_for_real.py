"""Our rules against restic's own: hundreds of random histories, and as many policies as are worth it."""

import json
import random
import subprocess
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from drorch.core.retention import Candidate, judge, matches
from drorch.core.settings import Keep
from drorch.restic.policy import forget_flags
from tests.integration.app.quick_keys import quicken
from tests.integration.restic.conftest import binaries
from tests.integration.restic.forged import forge

ZONE = ZoneInfo("America/Toronto")
NOW = datetime(2026, 11, 20, tzinfo=UTC)
PASSWORD = "correct horse"
HISTORIES = 120

#: The first says nothing but one rule at a time; the others mix what people mix.
POLICIES = (
    Keep(last=3),
    Keep(hourly=5),
    Keep(daily=4),
    Keep(weekly=4),
    Keep(monthly=5),
    Keep(yearly=3),
    Keep(within=timedelta(days=45)),
    Keep(within=timedelta(days=2, hours=7)),
    Keep(last=4, hourly=24, daily=7, weekly=5, monthly=12, yearly=7),
    Keep(last=1, daily=3, monthly=2, within=timedelta(days=10)),
    Keep(hourly=1, weekly=52),
    Keep(daily=10_000),
)


def history(chance):
    """Some snapshots before NOW: often or rarely, in bursts, around midnights and years' ends."""
    at = NOW - timedelta(seconds=chance.randrange(1, 400 * 86_400))
    times = set()
    for _ in range(chance.randrange(1, 30)):
        scale = chance.choice((60, 1800, 3600, 86_400, 7 * 86_400, 31 * 86_400, 200 * 86_400))
        at -= timedelta(seconds=chance.randrange(1, 2 * scale))
        if chance.random() < 0.2:
            local = at.astimezone(ZONE).replace(hour=chance.choice((0, 1, 23)), minute=0, second=0)
            at = local.astimezone(UTC)
        times.add(at.replace(microsecond=0))
    return sorted(times, reverse=True)


@pytest.fixture(scope="module")
def histories(tmp_path_factory):
    """A repository that holds them all, each under a host's name of its own."""
    chance = random.Random(20261123)
    folder = tmp_path_factory.mktemp("histories")
    binary = binaries()[0]
    environment = {"RESTIC_PASSWORD": PASSWORD, "HOME": str(folder)}
    line = [binary, "-r", folder / "repo", "init"]
    subprocess.run(line, env=environment, check=True, stdout=subprocess.DEVNULL)
    quicken([folder / "repo" / "keys"], PASSWORD)
    made = {f"host-{number}": history(chance) for number in range(HISTORIES)}
    forge(
        binary,
        folder / "repo",
        PASSWORD,
        {host: [t.astimezone(ZONE) for t in times] for host, times in made.items()},
    )
    return folder / "repo", made


def asked(binary, repository, keep):
    """What restic would keep, by host, and its reasons."""
    flags = [flag for flag in forget_flags(keep) if not flag.startswith("--group-by")]
    words = ["forget", "--dry-run", "--json", "--group-by=host", *flags]
    done = subprocess.run(
        [binary, "--no-cache", "-r", repository, *words],
        env={"RESTIC_PASSWORD": PASSWORD, "HOME": str(repository), "TZ": str(ZONE)},
        check=True,
        capture_output=True,
        text=True,
    )
    return {
        group["host"]: {
            datetime.fromisoformat(r["snapshot"]["time"]).astimezone(UTC): r["matches"]
            for r in group["reasons"]
        }
        for group in json.loads(done.stdout.splitlines()[0])
    }


def ours(times, keep):
    """What our rules keep, with their words."""
    found = zip(times, matches(times, keep, ZONE), strict=True)
    return {at: reasons for at, reasons in found if reasons}


def word(reason):
    """restic's word for a reason of ours."""
    rule, _, rest = reason.partition(" ")
    if rule == "within":
        return f"within {rest}"
    return f"oldest {rule} snapshot" if rest.endswith("oldest there is") else f"{rule} snapshot"


@pytest.mark.parametrize("binary", binaries(), ids=lambda p: p.name)
@pytest.mark.parametrize("keep", POLICIES, ids=lambda k: " ".join(forget_flags(k)[1:]))
def test_the_same_snapshots_stay_for_the_same_reasons(binary, keep, histories):
    repository, made = histories
    theirs = asked(binary, repository, keep)
    assert set(theirs) == set(made)
    old = binary.name.endswith("0.14.0")
    for host, times in made.items():
        kept = {at: [word(r) for r in reasons] for at, reasons in ours(times, keep).items()}
        if old:  # which lets the oldest go
            kept = _without_oldest(kept)
        assert kept == theirs[host], host


def _without_oldest(kept):
    plain = {at: [r for r in reasons if not r.startswith("oldest")] for at, reasons in kept.items()}
    return {at: reasons for at, reasons in plain.items() if reasons}


def test_nothing_else_is_lost_on_the_way_to_a_judgement(histories):
    _, made = histories
    keep = POLICIES[8]
    for times in made.values():
        judged = judge((Candidate(f"{n:064x}", at) for n, at in enumerate(times)), keep, now=NOW, zone=ZONE)  # fmt: skip
        assert [j.candidate.at for j in judged if j.keep] == list(ours(times, keep))
