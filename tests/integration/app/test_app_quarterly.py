"""The quarterly report as it comes by itself: written once by a process of its own, sent with its
files to a real mail server, told when it cannot be; by the daemon on its day, once.
"""

import hashlib
import json
import socket
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from drorch.adapters.clock import SystemClock
from drorch.app.again import failed_jobs
from drorch.app.delivering import MOST, deliver, owed_before
from drorch.app.keyring import given_keys
from drorch.app.program import Program
from drorch.app.quarterly import _put, write
from drorch.app.runs import Control, Request
from drorch.app.verifying import verify_bundle
from drorch.core.events import AttemptStarted, JobsSeen, SlotsMissed
from drorch.core.jobs import jobs_of
from drorch.core.names import RunKind
from drorch.core.quarter import Quarter, ended_last
from drorch.core.reported import ReportSent
from drorch.core.runbook import Retry
from drorch.loopback import free_port
from tests.fakes.facts import finished, stamped, started
from tests.integration.app.house import House, RunningClock
from tests.integration.app.seeing import wait_for
from tests.receivers import a_mailbox

NOW = datetime.now(UTC)
QUARTER = ended_last(NOW, ZoneInfo("UTC"))
WITHIN = QUARTER.begin(ZoneInfo("UTC")) + timedelta(days=40)
#: In one run each recipient is tried twice.
RETRY = Retry(attempts=2, delay=timedelta(milliseconds=5))

#: All of it in one worker: each test typesets and draws in a process of its own.
pytestmark = pytest.mark.xdist_group("quarterly")


@pytest.fixture
def house(tmp_path):
    """One backup in the quarter that ended last; the report is asked for in two languages."""
    made = House(tmp_path)
    made.clock = RunningClock(WITHIN)
    made.back_up(1)
    made.settings["language"] = "fr"
    made.settings["reports"] = {
        "quarterly": {"languages": ["fr", "en"], "formats": ["md", "json"], "to": []}
    }
    return made


def goes_to(house, name, address):
    (house.folder / name).write_text(address)
    house.settings["secrets"][name] = {"file": name}
    house.settings["reports"]["quarterly"]["to"].append(name)


def mail(port):
    return f"mailto://127.0.0.1:{port}/?from=d@h.example&to=board@h.example&mode=insecure"


def sent(house, quarter=QUARTER, **how):
    """The document of the run that writes and sends."""
    program = house.program()
    try:
        seen = deliver(program, quarter, Request(), retry=RETRY, control=Control(), **how)
        return seen.document
    finally:
        program.journal.close()


def facts(house):
    program = house.program()
    try:
        return [known.fact for known in program.journal.facts(ReportSent, "")]
    finally:
        program.journal.close()


def folder(house):
    return house.folder / "reports" / "quarter" / str(QUARTER)


def lying(house):
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder(house).iterdir()
        if path.name != "contents.json"
    }


def step(document, name):
    return next(one for one in document["steps"] if one["step"] == name)


NAMES = {f"{QUARTER}.{rest}" for rest in ("fr.pdf", "en.pdf", "csv.zip", "json")}


def test_it_is_written_once_and_sent_once_with_its_files(house):
    house.settings["reports"]["quarterly"]["formats"] = ["pdf", "csv", "json"]
    with a_mailbox() as box:
        goes_to(house, "board", mail(box.port))
        first = sent(house)
        assert first["outcome"] == "passed", first["findings"]
        written = lying(house)
        again = sent(house)
    assert set(written) == NAMES
    assert [one["step"] for one in first["steps"]] == ["write", "send-board"]
    assert [one["step"] for one in again["steps"]] == ["write"]
    assert lying(house) == written
    assert not [path for path in folder(house).parent.iterdir() if path.name.endswith(".1")]
    (one,) = box.mails
    assert str(one["Subject"]).startswith("Sainte-Rive")
    assert "Aucun exercice" in str(one["Subject"])
    body = one.get_body(("plain", "html")).get_content()
    assert body.index("Aucun exercice") < body.index("No drill")
    attached = {part.get_filename(): part.get_content() for part in one.iter_attachments()}
    assert set(attached) == NAMES
    pdf = attached[f"{QUARTER}.fr.pdf"]
    assert hashlib.sha256(pdf).hexdigest() == written[f"{QUARTER}.fr.pdf"]
    (fact,) = facts(house)
    assert (fact.quarter, fact.channel, fact.files) == (str(QUARTER), "board", written)


def test_who_has_not_got_it_is_told_of_and_gets_it_later_and_nobody_twice(house):
    house.settings["reports"]["quarterly"]["formats"] = ["json"]
    with a_mailbox() as box:
        goes_to(house, "board", mail(box.port))
        goes_to(house, "auditor", mail(free_port()))
        first = sent(house)
        assert first["outcome"] == "failed"
        assert step(first, "send-board")["status"] == "passed"
        assert step(first, "send-auditor")["attempts"] == 2
        wrong = house.alarms()
        assert ("run.failed", "report of last-quarter") in wrong
        assert ("channel.failing", "auditor") in wrong
        (house.folder / "auditor").write_text(mail(box.port))
        again = sent(house)
        assert [one["step"] for one in again["steps"]] == ["write", "send-auditor"]
        assert again["outcome"] == "passed"
        assert len(box.mails) == 2
        everybody = sent(house, everybody=True)
        assert len(everybody["steps"]) == 3
        assert len(box.mails) == 4
    assert not {what for what, _ in house.alarms()} & {"run.failed", "channel.failing"}


def test_what_a_signal_ended_is_told_of_and_tried_again(house):
    """As SIGTERM does that meets `drorch daemon --once`: else no report would come, and nobody know."""
    house.settings["datasets"]["docs"]["schedule"] = "monthly on 1 at 04:00"
    stopped = Control()
    stopped.abort("root", "interrupted by SIGTERM")
    program = house.program()
    seen = deliver(program, QUARTER, Request(), retry=RETRY, control=stopped)
    jobs = {one.name: one for one in jobs_of(program.configuration)}
    (again,) = failed_jobs(program, jobs)
    program.journal.close()
    assert seen.document["outcome"] == "aborted"
    assert again[0].name == "report:quarter"
    (told,) = [one for one in house.status()["alarms"] if one["what"] == "run.failed"]
    assert "ended by root: interrupted by SIGTERM" in told["message"]


def line(house, *words):
    house.program()  # writes the configuration
    return [
        sys.executable, "-m", "drorch", "--config", str(house.folder / "drorch.yaml"), *words
    ]  # fmt: skip


ENVIRONMENT = {"PATH": "/usr/bin:/bin"}


def drorch(house, *words):
    return subprocess.run(
        line(house, *words), capture_output=True, text=True, check=False, env=ENVIRONMENT
    )


def sending(house):
    """The run whose recipient is being told, if one is."""
    program = Program.open(house.folder / "drorch.yaml", ENVIRONMENT)
    try:
        for row in program.journal.rows(name="last-quarter"):
            for recorded in program.journal.read(row.run):
                event = recorded.event
                if isinstance(event, AttemptStarted) and event.step == "send-board":
                    return row.run
    finally:
        program.journal.close()
    return None


def test_killed_while_it_is_sent_it_goes_on_and_is_not_written_again(house):
    house.settings["reports"]["quarterly"]["formats"] = ["json"]
    with socket.create_server(("127.0.0.1", 0)) as silent, a_mailbox() as box:
        goes_to(house, "board", mail(silent.getsockname()[1]))
        process = subprocess.Popen(
            line(house, "report", "send", "--json"), stdout=subprocess.DEVNULL, env=ENVIRONMENT
        )
        try:
            wait_for(lambda: sending(house))
        finally:
            process.kill()
            process.wait()
        written = lying(house)
        (house.folder / "board").write_text(mail(box.port))
        ended = json.loads(drorch(house, "run", "resume", sending(house), "--json").stdout)
    assert ended["outcome"] == "passed", ended["findings"]
    assert step(ended, "write")["attempts"] == 1
    assert lying(house) == written
    assert len(box.mails) == 1
    assert [fact.files for fact in facts(house)] == [written]


def test_of_a_quarter_before_the_journal_there_is_nothing_to_report(house):
    goes_to(house, "board", mail(free_port()))
    run = sent(house, QUARTER.moved(-1))
    assert (run["outcome"], run["steps"]) == ("passed", [])
    began = f"{WITHIN:%Y-%m-%d}"
    assert run["title"] == f"No report of {QUARTER.moved(-1)}: the journal begins on {began}"
    assert not folder(house).parent.exists()


def test_by_hand_it_is_written_and_put_aside(house):
    running = QUARTER.moved(1)
    for word in ("write", "send"):
        refused = drorch(house, "report", word, str(running))
        assert refused.returncode == 2
        assert f"error: {running} is not over" in refused.stderr
    runs = json.loads(drorch(house, "run", "list", "--json").stdout)
    assert {run["kind"] for run in runs} == {"backup"}, "what is refused is no run"
    house.settings["reports"]["quarterly"] = {"formats": ["json"], "languages": ["en"]}
    said = json.loads(drorch(house, "report", "write", "--json").stdout)
    assert list(said["files"]) == [f"{QUARTER}.json"]
    assert (said["sealed"], said["no_drill"], said["regions"]) == (False, True, [])
    assert "nothing is sealed" in said["message"]
    assert json.loads((folder(house) / f"{QUARTER}.json").read_bytes())["quarter"] == str(QUARTER)
    anew = json.loads(drorch(house, "report", "write", str(QUARTER), "--anew", "--json").stdout)
    older = Path(f"{said['folder']}.1") / f"{QUARTER}.json"
    assert hashlib.sha256(older.read_bytes()).hexdigest() == said["files"][older.name]
    (folder(house) / f"{QUARTER}.json").write_text("{}")
    mended = json.loads(drorch(house, "report", "write", "--json").stdout)
    assert mended["files"].keys() == anew["files"].keys()
    assert json.loads((folder(house) / f"{QUARTER}.json").read_bytes()) != {}


def written(house):
    """What writing by hand gives, today."""
    program = house.program()
    program.clock = SystemClock()
    try:
        return write(program, QUARTER)
    finally:
        program.journal.close()


def test_where_the_bundle_is_gone_or_changed_the_report_is_made_anew(house):
    house.seals()
    first = written(house)
    bundle = folder(house) / first["bundle"]
    was = bundle.read_bytes()
    assert written(house)["files"] == first["files"]
    assert bundle.read_bytes() == was, "what is whole is left as it is"
    for n, harm in enumerate((Path.unlink, lambda path: path.write_bytes(was[:-1])), 1):
        was_there = {name: lying(house)[name] for name in first["files"]}
        harm(bundle)
        written(house)
        aside = folder(house).with_name(f"{QUARTER}.{n}")
        assert {
            name: hashlib.sha256((aside / name).read_bytes()).hexdigest() for name in was_there
        } == was_there
        assert [name for name in lying(house) if "bundle" in name] == [bundle.name]
        assert verify_bundle(bundle, given_keys([str(house.folder / "seal.pub")])).report.ok
    told = json.loads((folder(house) / "contents.json").read_bytes())
    assert told["bundle_sha256"] == lying(house)[bundle.name]


def test_what_somebody_wrote_beside_the_hashes_is_never_signed(house):
    """Who can write there can change a file and its hash, and take the bundle away."""
    house.seals()
    first = written(house)
    contents, file = folder(house) / "contents.json", folder(house) / f"{QUARTER}.json"
    forged = b'{"quarter": "all is well"}'
    file.write_bytes(forged)
    told = json.loads(contents.read_bytes())
    told["files"][file.name] = hashlib.sha256(forged).hexdigest()
    contents.write_text(json.dumps(told))
    (folder(house) / first["bundle"]).unlink()
    again = written(house)
    assert json.loads(file.read_bytes())["quarter"] == str(QUARTER)
    with zipfile.ZipFile(folder(house) / again["bundle"]) as bundle:
        inside = {name: bundle.read(name) for name in bundle.namelist()}
    assert forged not in inside.values()
    assert file.read_bytes() in inside.values()


def test_of_a_report_that_an_older_drorch_wrote_the_bundle_needs_only_be_there(house):
    house.seals()
    bundle = folder(house) / written(house)["bundle"]
    contents = folder(house) / "contents.json"
    older = json.loads(contents.read_bytes())
    del older["bundle_sha256"]
    contents.write_text(json.dumps(older))
    was = bundle.read_bytes()
    written(house)
    assert bundle.read_bytes() == was
    bundle.unlink()
    written(house)
    assert bundle.is_file()


def test_the_daemon_does_it_once_for_each_day_on_which_nobody_was_there(house):
    """The newest slot lies some weeks back; those before it were missed, and are owed, too."""
    house.clock = RunningClock(NOW - timedelta(days=400))
    house.back_up(2)
    house.settings["datasets"]["docs"]["schedule"] = "monthly on 1 at 04:00"
    house.settings["reports"]["quarterly"]["formats"] = ["json"]
    program = house.program()
    seen = JobsSeen(("report:quarter", "backup:docs"), NOW - timedelta(days=200))
    program.journal.begin("seen", stamped(started(), seen, finished()), lambda row: None)
    program.journal.close()
    with a_mailbox() as box:
        goes_to(house, "board", mail(box.port))
        drorch(house, "daemon", "--once", "--json")
        subjects = [str(one["Subject"]) for one in box.mails]
        drorch(house, "daemon", "--once", "--json")
        assert len(box.mails) == len(subjects)
    program = house.program()
    slots = program.journal.slots(job="report:quarter")
    runs = [row for row in program.journal.rows() if row.kind is RunKind.REPORT]
    program.journal.close()
    fates = [(row.fate.value, row.count) for row in slots]
    assert fates in ([("late", 1), ("missed", 1)], [("late", 1), ("missed", 2)])
    owed = [str(QUARTER.moved(-back)) for back in range(fates[1][1], -1, -1)]
    assert [name for text in subjects for name in owed if name in text] == owed
    assert [row.trigger for row in reversed(runs)] == [*(["daemon"] * (len(owed) - 1)), "schedule"]


def test_only_quarters_whose_day_was_missed_are_owed_two_years_at_the_most(house):
    house.clock = RunningClock(NOW - timedelta(days=400))
    house.back_up(2)
    house.clock = RunningClock(NOW)
    house.settings["reports"]["quarterly"]["formats"] = ["json"]
    zone = ZoneInfo("UTC")
    first, last = (QUARTER.moved(-back).end(zone) for back in (20, 2))
    gap = SlotsMissed("report:quarter", first, last, 19, "no daemon was running")
    begun = Quarter.of(NOW - timedelta(days=400), zone)
    program = house.program()
    try:
        assert owed_before(program, QUARTER) == []
        known = owed_before(program, QUARTER, [gap])
        assert known == [q for n in range(MOST, 1, -1) if (q := QUARTER.moved(-n)) >= begun]
    finally:
        program.journal.close()
    assert sent(house, known[0])["outcome"] == "passed"
    program = house.program()
    try:
        assert owed_before(program, QUARTER, [gap]) == known[1:]
    finally:
        program.journal.close()


def test_half_a_report_stays_nowhere(tmp_path):
    for place in ("first", "second"):
        with pytest.raises(OSError, match="No such file"):
            _put(tmp_path / place, {"report.md": b"#", "no/such/folder": b"#"})
    assert list(tmp_path.iterdir()) == []
