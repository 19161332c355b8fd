"""What `drorch recover` says to people, line by line."""

import shlex
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from drorch.adapters.secrets import SecretLook
from drorch.app.plane.adopting import Adopted
from drorch.app.plane.finishing import next_command
from drorch.app.plane.recovered import Elsewhere, Recovered, RelativePath, Seen
from drorch.cli.main import carry_out
from drorch.cli.recovered import document as documented
from drorch.cli.recovered import tell
from drorch.cli.session import Session
from drorch.core.errors import ExitCode
from drorch.core.model import Configuration, Dataset, Service
from drorch.core.names import Mode, RunKind, RunState
from drorch.core.plane import Point
from drorch.core.posture import RunRow
from drorch.core.terms import Fate, OtherSeen, TermBegun
from drorch.journal.report import Flaw, VerifyReport

AT = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
END = Point(18, "aa")

FOUND = Recovered(
    to=Path("/srv/drorch"),
    region="qc",
    at=AT,
    until=END,
    organization="Centre hospitalier Sainte-Rive",
    events=18,
    report=VerifyReport(3, 18, "ff", ()),
    seen=(
        Seen("qc", AT, END),
        Seen(
            "mtl", AT - timedelta(hours=1), Point(12, "bb"), ("segments/x/3 is missing or damaged",)
        ),
        Seen("tor", message="secret tor-id is not set"),
        Seen("cal"),
    ),
    secrets=(
        SecretLook("mtl-id", "environment variable MTL_ID", False, "no value", "set MTL_ID"),
        SecretLook("pass", "command pass", None),
    ),
    written=Path("/srv/drorch/secrets/repo-key"),
    left_out=("runbooks/huge.yaml",),
    adopted=(
        Adopted("docs", 2, "2026-11-26T03:15:00+00:00", ("tor",)),
        Adopted("db", 0, "", ("tor",)),
    ),
    command='drorch --config /srv/drorch/drorch.yaml failover ehr-failover --declare "WHY"',
    term=TermBegun("1f2e3d4c5b6a7988", 3, AT + timedelta(hours=1), "root", "recovered"),
)

SAID = """\
recovered the control plane of Centre hospitalier Sainte-Rive into /srv/drorch
  as it was at 2026-11-26 03:00:00 UTC, from region qc
  journal: good, 3 runs, 18 events
  region qc: holds it
  region mtl: lags, its newest state is of 2026-11-26 02:00:00 UTC
    damaged: segments/x/3 is missing or damaged
  region tor: not looked at: secret tor-id is not set
  region cal: holds no whole state
  not copied, for it was too large or could not be read: runbooks/huge.yaml
  newer than the last copy, and adopted: 2 snapshots of docs, the newest of 2026-11-26 03:15:00 UTC
  not asked for backups newer than the last copy: tor
  the password given was put into /srv/drorch/secrets/repo-key

Provide these secrets again:
  mtl-id: set MTL_ID
  pass: see that it can be had: command pass

Start a failover with:
  drorch --config /srv/drorch/drorch.yaml failover ehr-failover --declare "WHY"
"""


def test_what_people_are_told(capsys):
    tell(Session(), FOUND)
    assert capsys.readouterr().out == SAID


def test_one_is_not_several_and_what_regions_say_stays_on_its_line(capsys):
    said = Seen("tor", message="no answer\nfrom tor\x1b[2J")
    once = replace(FOUND, report=VerifyReport(1, 1, "ff", ()), seen=(said,))
    tell(Session(), once)
    lines = capsys.readouterr().out.splitlines()
    assert "  journal: good, 1 run, 1 event" in lines
    assert "  region tor: not looked at: no answer | from tor[2J" in lines


def test_what_a_region_holds_and_could_not_be_brought_back_is_told(capsys):
    gap = Seen("qc", AT, END, goes_on=AT + timedelta(hours=1))
    shut = Seen("mtl", AT, END, shut_since=AT + timedelta(days=2))
    found = replace(FOUND, seen=(gap, shut))
    tell(Session(), found)
    assert TOLD_OF_MORE in capsys.readouterr().out
    told = [(one["goes_on_to"], one["shut_since"]) for one in documented(found)["regions"]]
    assert told == [("2026-11-26T04:00:00Z", None), (None, "2026-11-28T03:00:00Z")]


TOLD_OF_MORE = """\
  region qc: holds it
    records lie there until 2026-11-26 04:00:00 UTC, but something before them is missing or damaged: \
see whether another region has it
  region mtl: holds it
    since 2026-11-28 03:00:00 UTC records are sealed there with another password: if it was changed, \
recover with the newer one
"""


def test_who_else_may_work_is_told(capsys):
    alive, silent = (
        OtherSeen("aa" * 8, term, AT, "old-host", fate, AT + timedelta(minutes=59, seconds=20))
        for term, fate in ((0, Fate.ALIVE), (2, Fate.SILENT))
    )
    elsewhere = Elsewhere("aa" * 8, 0, "mtl", AT + timedelta(minutes=30))
    tell(Session(), replace(FOUND, others=(alive, silent), elsewhere=(elsewhere,)))
    assert TOLD_OF_OTHERS in capsys.readouterr().out
    tell(Session(), replace(FOUND, others=(alive, silent), exercise=True))
    assert "stop its daemon" not in (said := capsys.readouterr().out)
    assert "last seen" not in said


TOLD_OF_OTHERS = """\
Control plane aaaaaaaa (term 0) was alive 40.0s ago on old-host:
  stop its daemon. It stands back by itself within a minute once a daemon works here, or after: \
drorch --config /srv/drorch/drorch.yaml schedule claim --reason TEXT

Control plane aaaaaaaa (term 2) was last seen 40.0s ago on old-host: whether it is dead cannot be known

Another history, of control plane aaaaaaaa (term 0), goes on to 2026-11-26 03:30:00 UTC in region mtl.
  What was done there is not in these records. To look at it: recover --instance aaaaaaaa --to \
ANOTHER-FOLDER
"""


def test_sources_that_are_sought_elsewhere_now_are_told(capsys):
    relative = (
        RelativePath("docs", Path("/srv/drorch/src/docs"), there=False),
        RelativePath("notes", Path("/srv/notes"), there=True),
    )
    tell(Session(), replace(FOUND, relative=relative))
    assert TOLD_OF_SOURCES in capsys.readouterr().out
    tell(Session(), replace(FOUND, relative=relative, exercise=True))
    said = capsys.readouterr().out
    assert "after a loss the data is to be brought there, or drorch.yaml has to say where" in said
    assert [one["there"] for one in documented(replace(FOUND, relative=relative))["relative"]] == [
        False,
        True,
    ]


OPEN = RunRow(
    "2026-11-26T02-50-00Z-ehr-failover-7f3a", RunKind.FAILOVER, "ehr-failover", "s", Mode.LIVE, "operator",
    "m", AT, None, RunState.RUNNING, None, dirty=False, seq=2, head="", owner_host="lost", owner_pid=1,
    owner_started=1, owner_boot="b", owner_token="t",
)  # fmt: skip


def test_runs_that_were_left_open_are_told_with_what_to_do(capsys):
    tell(Session(), replace(FOUND, left_open=(OPEN,)))
    said = capsys.readouterr().out
    assert TOLD_OF_RUNS in said
    assert "rewind" not in said
    line = next(x for x in said.splitlines() if "abort ID" in x)
    assert shlex.split(line.partition("look: ")[2].partition(";")[0])[:3] == ["drorch", "--config", "/srv/drorch/drorch.yaml"]  # fmt: skip


TOLD_OF_RUNS = """\
These were under way when the records were copied, and are left open:
  2026-11-26T02-50-00Z-ehr-failover-7f3a: failover ehr-failover, begun 2026-11-26 03:00:00 UTC
  look: drorch --config /srv/drorch/drorch.yaml run show ID; if it runs nowhere any more, \
go on with it: drorch --config /srv/drorch/drorch.yaml run resume ID --gone, or \
end it: drorch --config /srv/drorch/drorch.yaml run abort ID --gone

Start a failover with (go on with what is left open of its runbook, or end it first):
"""


def test_of_a_rewind_that_was_left_open_is_told_what_becomes_of_it(capsys):
    rewind = replace(OPEN, kind=RunKind.REWIND, name="docs")
    tell(Session(), replace(FOUND, left_open=(rewind,)))
    assert TOLD_OF_A_REWIND in capsys.readouterr().out


TOLD_OF_A_REWIND = """\
  a rewind or a change of keys that nobody goes on with is ended, half done, by the next backup of its \
dataset: do it again

Start a failover with:
"""


def test_everything_that_was_given_wrongly_is_told_at_once(monkeypatch, capsys, tmp_path):
    for name in ("NO_ID", "NO_SECRET"):
        monkeypatch.delenv(name, raising=False)
    line = ["recover", "--endpoint", "127.0.0.1", "--bucket", "b", "--to", str(tmp_path / "to")]
    line += ["--access-key-env", "NO_ID", "--secret-key-env", "NO_SECRET"]
    assert carry_out([*line, "--password-file", str(tmp_path / "none")]) == ExitCode.USAGE
    said = [one for one in capsys.readouterr().err.splitlines() if one.startswith("error: ")]
    assert ["--endpoint" in said[0], "NO_ID" in said[1], "NO_SECRET" in said[2]] == [True] * 3
    assert "none cannot be read" in said[3]
    assert len(said) == 4


TOLD_OF_SOURCES = """\
These datasets have relative paths, which count from the recovered folder now:
  docs: /srv/drorch/src/docs, where nothing lies
  notes: /srv/notes, where something lies; see that it is the data
  before the daemon or a backup starts here, bring the data there, or write in drorch.yaml where it lies

Start a failover with:
"""


def test_what_machines_are_told():
    document = documented(FOUND)
    assert [r["behind_s"] for r in document["regions"]] == [0.0, 3600.0, None, None]
    assert document["journal"] == {
        "ok": True, "runs": 3, "events": 18, "head": "sha256:ff", "flaws": [],
    }  # fmt: skip
    assert [s["secret"] for s in document["secrets"]] == ["mtl-id", "pass"]


def test_a_journal_that_is_broken_says_so():
    assert not VerifyReport(1, 3, "ff", (Flaw("run-1", "event 2 is missing"),)).ok


def test_commands_can_be_typed_whatever_the_folder_is_called(capsys):
    folder = Path("/srv/the way back")
    service = Service("ehr", runbook="ehr-failover")
    configuration = Configuration(folder, services={"ehr": service})
    typed = shlex.split(next_command(configuration, folder))
    assert typed == [
        "drorch", "--config", str(folder / "drorch.yaml"), "failover", "ehr-failover",
        "--declare", "WHY",
    ]  # fmt: skip
    datasets = {n: Dataset(n, "key", "mtl", tier=t) for n, t in (("docs", None), ("db", 1))}
    without = shlex.split(next_command(Configuration(folder, datasets=datasets), folder))
    assert without[-4:] == ["restore", "db", "--to", "FOLDER"]
    tell(Session(), replace(FOUND, fails_over=False))
    assert "\nNo service has a runbook; restore a dataset with:\n" in capsys.readouterr().out
    tell(Session(), replace(FOUND, to=folder, exercise=True))
    assert shlex.split(capsys.readouterr().out.splitlines()[-1])[-1] == str(folder)
