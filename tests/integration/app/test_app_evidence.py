"""Evidence in real regions: sealed when runs end, kept side by side, owed while a region is dead, and what
signed heads show of a journal that somebody cut or rewrote.
"""

import json
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from drorch.app.closing import HEADS, close, newest_head
from drorch.app.evidence import alarms
from drorch.app.heads import compare
from drorch.app.journals import export, verify
from drorch.app.keeping import Keeping
from drorch.app.keyring import trusted_keys
from drorch.app.outbox import bring, owed, putting_down, sealed_folder
from drorch.app.program import Program
from drorch.app.runs import Control, Request, carry_out
from drorch.app.sealing import keep_in_regions, seal_files
from drorch.app.verifying import verify_packed
from drorch.cli.carrying import carrying
from drorch.cli.session import Session
from drorch.core.errors import JournalUntrusted, UsageError
from drorch.core.model import SecretSource
from drorch.core.moment import Moment
from drorch.core.names import RunKind
from drorch.core.terming import compile_seen
from drorch.core.terms import Fate, OtherSeen
from drorch.journal.connection import Statement
from drorch.lab.regions import LabRegion
from drorch.sealing.keys import PrivateKey, new_key
from drorch.storage.bucket import Bucket, close_buckets
from tests.fakes.clock import FakeClock
from tests.regions import bucket_of, kill_region, restart_region, running_regions
from tests.unit.sealing.archive import RUN, carry, organisation

AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
BACKUP = "2026-11-23T03-10-00Z-ehr-documents-0001"


class Lines:
    """What the daemon logs."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def info(self, event: str, message: str, **_: object) -> None:
        self.said.append((event, message))

    warning = info


@pytest.fixture(scope="module")
def regions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[LabRegion]]:
    """Two that are there."""
    with running_regions(2, tmp_path_factory.mktemp("regions")) as found:
        yield found


@pytest.fixture
def key() -> PrivateKey:
    """The organisation's."""
    return new_key()


@pytest.fixture
def clock() -> FakeClock:
    """Half a minute after the run."""
    found = FakeClock()
    found.advance(timedelta(seconds=30))
    return found


@pytest.fixture
def program(
    tmp_path: Path, key: PrivateKey, regions: list[LabRegion], clock: FakeClock
) -> Iterator[Program]:
    """One drill has ended; both regions hold no evidence yet."""
    found = organisation(tmp_path, key, *(region.as_region() for region in regions))
    files = [file for region in regions for file in (region.id_file, region.secret_file)]
    secrets = {file.name: SecretSource(file=file) for file in files}
    found.configuration.secrets.update(secrets)  # type: ignore[attr-defined]
    found.__dict__["clock"] = clock
    carry(found)
    yield found
    found.journal.close()
    close_buckets()
    for region in regions:
        restart_region(region)
        for name in names(region):
            bucket_of(region).delete(name)


def names(region: LabRegion) -> list[str]:
    """What evidence a region holds."""
    return [entry.name for entry in bucket_of(region).list_objects("evidence/")]


def what_is_wrong(program: Program) -> list[tuple[object, object]]:
    return [(one["what"], one["subject"]) for one in alarms(program)]


def backup(program: Program, run: str = BACKUP) -> None:
    """A run that is no evidence ends."""
    from tests.fakes.facts import begun, ended, finished, stamped, started

    start = started("ehr-documents", subject=run)
    plan = replace(start.plan, kind=RunKind.BACKUP)
    events = (replace(start, plan=plan), begun(), ended(), finished())
    program.journal.begin(run, stamped(*events, second=600), lambda _: None)


def test_a_drill_is_sealed_and_kept_in_both_regions(
    program: Program, regions: list[LabRegion], key: PrivateKey
) -> None:
    closed = close(program)
    assert closed is not None
    assert (list(closed.runs), closed.head.n) == ([RUN], 2)
    brought = bring(program)
    assert (brought.kept, brought.failed) == ({"mtl": 2, "qc": 2}, {})
    assert names(regions[0]) == names(regions[1])
    head, bundle = names(regions[0])
    assert head.startswith("evidence/heads/000000000002.")
    assert bundle.startswith(f"evidence/runs/{RUN}.")
    for region in regions:
        found = verify_packed(bucket_of(region).get(bundle), bundle, trusted_keys(program))
        assert (found.report.ok, found.signer) == (True, key.public)
    assert (owed(program), what_is_wrong(program)) == ([], [])
    assert not list((program.configuration.work / "sealed" / "runs").iterdir())
    # Again nothing is to be done.
    assert close(program) is None
    assert bring(program).kept == {}


def test_a_dead_region_is_owed_and_caught_up_when_it_returns(
    program: Program, regions: list[LabRegion]
) -> None:
    kill_region(regions[0])
    close(program)
    brought = bring(program)
    assert (brought.kept["qc"], list(brought.failed)) == (2, ["mtl"])
    assert what_is_wrong(program) == [("evidence.owed", "mtl")]
    assert {one.region for one in owed(program)} == {"mtl"}
    restart_region(regions[0])
    assert bring(program).kept == {"mtl": 2}
    assert names(regions[0]) == names(regions[1])
    assert what_is_wrong(program) == []


def test_the_daemon_does_both_and_tries_a_dead_region_less_and_less_often(
    program: Program, regions: list[LabRegion], clock: FakeClock
) -> None:
    log = Lines()
    keeping = Keeping(program, log)  # type: ignore[arg-type]
    kill_region(regions[0])
    keeping.go()
    assert [event for event, _ in log.said] == ["evidence.sealed", "evidence.owed", "evidence.kept"]
    restart_region(regions[0])
    keeping.go()
    assert len(owed(program)) == 2  # not asked again within a minute
    clock.advance(timedelta(minutes=1))
    keeping.go()
    assert owed(program) == []
    assert log.said[-1] == ("evidence.kept", "mtl has what is sealed")


def test_heads_alone_go_to_the_regions_once_an_hour(
    program: Program, regions: list[LabRegion], clock: FakeClock
) -> None:
    close(program)
    bring(program)
    backup(program)
    closed = close(program)
    assert closed is not None
    assert (list(closed.runs), closed.head.n, owed(program)) == ([], 4, [])
    clock.advance(HEADS)
    backup(program, "another-backup")
    close(program)
    assert bring(program).kept == {"mtl": 1, "qc": 1}
    assert [name for name in names(regions[0]) if "/heads/000000000006." in name]
    clock.advance(HEADS)
    backup(program, "a-backup-at-the-command-line")
    close(program, heads=False)
    head = newest_head(program)
    assert (head and head.n, owed(program)) == (8, [])


def test_killed_between_sealing_and_bringing_nothing_is_lost_or_doubled(
    program: Program, regions: list[LabRegion]
) -> None:
    close(program)
    waiting = owed(program)
    # The head was not kept any more: all is sealed again, to the same bytes.
    (program.configuration.work / "sealed" / "head.json").unlink()
    close(program)
    assert [one.name for one in owed(program)] == [one.name for one in waiting]
    bring(program)
    assert len(names(regions[0])) == 2


def test_what_lies_in_a_region_is_never_written_over(
    program: Program, regions: list[LabRegion]
) -> None:
    close(program)
    bundle = next(one.name for one in owed(program) if one.name.startswith("runs/"))
    bucket_of(regions[0]).put(f"evidence/{bundle}", b"somebody else's")
    brought = bring(program)
    assert "holds something else than was sealed" in brought.failed["mtl"].message
    assert bucket_of(regions[0]).get(f"evidence/{bundle}") == b"somebody else's"
    assert what_is_wrong(program) == [("evidence.owed", "mtl")]


def test_bundles_of_files_are_kept_too(program: Program, regions: list[LabRegion]) -> None:
    sealed = seal_files(program, "2026Q4", {"report.fr.html": b"<p>"})
    kill_region(regions[1])
    brought = keep_in_regions(program, "2026Q4", sealed)
    assert (brought.kept["mtl"], list(brought.failed)) == (1, ["qc"])
    (name,) = names(regions[0])
    assert name.startswith("evidence/files/2026Q4.")
    assert bucket_of(regions[0]).get(name) == sealed


def test_a_backup_waits_for_nobody_who_is_sealing(program: Program) -> None:
    close(program)
    backup(program)
    with putting_down(program):
        assert close(program, heads=False) is None
    head = newest_head(program)
    assert head is not None
    assert head.n == 2
    close(program, heads=False)
    head = newest_head(program)
    assert head is not None
    assert head.n == 4


def test_whoever_puts_something_down_keeps_nobody_waiting_who_has_brought(
    program: Program, clock: FakeClock
) -> None:
    close(program)
    with putting_down(program):
        assert bring(program).kept == {"mtl": 2, "qc": 2}
    runs = sealed_folder(program) / "runs"
    assert list(runs.iterdir()), "the records stay until the next time"
    stale = sealed_folder(program) / "owed" / "qc" / "runs" / f".{RUN}.zip.half"
    stale.touch()
    clock.advance(HEADS)
    backup(program)
    close(program)
    bring(program)
    assert (list(runs.iterdir()), stale.exists()) == ([], False)


@pytest.mark.parametrize("harm", ["changed", "cut", "unreadable"])
def test_a_record_that_is_damaged_here_is_brought_nowhere_and_holds_no_other_up(
    program: Program, regions: list[LabRegion], harm: str
) -> None:
    close(program)
    name = next(one.name for one in owed(program) if one.name.startswith("runs/"))
    record = sealed_folder(program) / name
    content = record.read_bytes()
    record.unlink()
    if harm == "unreadable":
        record.mkdir()
    else:
        record.write_bytes(content[:-1] + (b"?" if harm == "changed" else b""))
    brought = bring(program)
    assert brought.kept == {"mtl": 1, "qc": 1}, "the head"
    why = "cannot be read: Is a directory" if harm == "unreadable" else "is not what was sealed"
    for region in ("mtl", "qc"):
        assert f"{record} {why}" in brought.failed[region].message
        assert f"drorch journal export RUN --output {record}" in brought.failed[region].hint
    assert what_is_wrong(program) == [("evidence.owed", "mtl"), ("evidence.owed", "qc")]
    assert not [one for one in names(regions[0]) if "/runs/" in one]
    shutil.rmtree(record) if harm == "unreadable" else record.unlink()
    export(program, RUN, record)
    assert bring(program).kept == {"mtl": 1, "qc": 1}
    assert what_is_wrong(program) == []


def test_what_a_killed_process_was_making_goes_at_the_next_sealing(program: Program) -> None:
    left = sealed_folder(program) / ".making-0001"
    left.mkdir(parents=True)
    (left / f"{RUN}.zip").write_bytes(b"half")
    close(program)
    assert not left.exists()


def test_a_defect_while_sealing_is_an_alarm_until_it_is_mended(program: Program) -> None:
    class Shelf:
        """Evidence whose reading breaks in a way that nobody thought of."""

        def read(self, *_: str) -> bytes:
            raise Broken("no more")

    whole = program.evidence
    program.__dict__["evidence"] = Shelf()
    with pytest.raises(Broken):
        close(program)
    assert what_is_wrong(program) == [("evidence.unsealed", "evidence")]
    program.__dict__["evidence"] = whole
    close(program)
    assert ("evidence.unsealed", "evidence") not in what_is_wrong(program)


class Broken(Exception):
    """Whatever it is."""


class Clock:
    """One that tells the time no more."""

    def __init__(self, trouble: BaseException) -> None:
        self._trouble = trouble

    def now(self) -> Moment:
        raise self._trouble


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (UsageError("it cannot be", "let it be"), ("it cannot be", "hint: let it be")),
        (KeyboardInterrupt(), ("interrupted", "hint: seal it with: drorch journal seal")),
        (Broken("no\nmore"), ("Broken: no | more", "hint: seal it with: drorch journal seal")),
    ],
    ids=("refused", "interrupted", "broken"),
)
def test_trouble_with_sealing_is_a_warning_after_a_run(
    program: Program,
    capsys: pytest.CaptureFixture[str],
    trouble: BaseException,
    told: Sequence[str],
) -> None:
    session = Session()
    session.program = program
    program.__dict__["clock"] = Clock(trouble)
    with carrying(session):
        pass
    why, hint = told
    said = capsys.readouterr()
    assert said.err.splitlines() == [f"warning: evidence is not sealed: {why}", hint]
    assert said.out == ""


def test_a_new_key_seals_on_where_the_old_one_is_still_trusted(
    program: Program, key: PrivateKey, tmp_path: Path
) -> None:
    close(program)
    backup(program)
    changed = new_key()
    (tmp_path / "evidence-key").write_text(changed.pem)
    for trusted, works in (((changed.public.pem,), False), ((changed, key), True)):
        keys = tuple(one if isinstance(one, str) else one.public.pem for one in trusted)
        evidence = replace(program.configuration.evidence, public_keys=keys)
        renewed = program.renewed(replace(program.configuration, evidence=evidence))
        if not works:
            with pytest.raises(JournalUntrusted, match="cannot be believed"):
                close(renewed)
            continue
        close(renewed)
        head = newest_head(renewed)
        assert head is not None
        assert head.n == 4


# --- a journal that somebody changed


def flaws(program: Program, *, offline: bool = False) -> list[tuple[str, str]]:
    found = verify(program, offline=offline)
    told = json.loads(json.dumps(found))
    assert told["ok"] is not bool(told["flaws"])
    return [(flaw["subject"], flaw["message"]) for flaw in told["flaws"]]


def sealed_and_kept(program: Program) -> None:
    backup(program)
    close(program)
    bring(program)


def forget(program: Program, run: str) -> None:
    """Delete a run wherever it stands, and chain the ledger anew: nothing in the file shows it."""
    from drorch.journal.chain import LEDGER_GENESIS, Entry
    from drorch.journal.records import entries

    with program.journal.reading() as connection:
        left = [entry for entry in entries(connection) if entry.run != run]
    with program.journal.writing() as connection:
        for table, where in (("events", run), ("runs", run), ("ledger", "%")):
            connection.execute(Statement(f"DELETE FROM {table} WHERE run LIKE '{where}'", ""))
        prev = LEDGER_GENESIS
        for n, entry in enumerate(left, 1):
            bare = Entry(n, entry.run, entry.what, entry.head, entry.at, prev)
            prev = bare.computed()
            values = (n, entry.run, str(entry.what), entry.head, entry.at, bare.prev, prev)
            text = ", ".join(
                f"'{value}'" if isinstance(value, str) else str(value) for value in values
            )
            columns = "n, run, what, head, at, prev, hash"
            connection.execute(Statement(f"INSERT INTO ledger ({columns}) VALUES ({text})", ""))


def test_an_honest_journal_is_held_against_every_head(program: Program) -> None:
    sealed_and_kept(program)
    assert flaws(program) == []
    assert [one.where for one in compare(program)] == ["here", "region mtl", "region qc"]
    assert [one.head.n for one in compare(program) if one.head] == [4, 4, 4]
    assert [one.where for one in compare(program, offline=True)] == ["here"]


def test_a_run_deleted_from_the_journal_shows_here_and_by_the_regions(program: Program) -> None:
    sealed_and_kept(program)
    forget(program, RUN)
    places = ("here", "region mtl", "region qc")
    said = [message for subject, message in flaws(program) if subject == "ledger"]
    assert [message.rpartition(" (")[2] for message in said] == [f"{where})" for where in places]
    assert all("the ledger ends at 2: its tail was cut" in message for message in said)


def test_a_rewritten_ledger_shows(program: Program) -> None:
    sealed_and_kept(program)
    forget(program, RUN)
    backup(program, "a-backup-in-its-place")
    said = flaws(program, offline=True)
    assert any("the ledger was rewritten (here)" in message for _, message in said)


def test_a_journal_put_back_as_a_whole_shows_by_the_regions_alone(
    program: Program, tmp_path: Path
) -> None:
    program.journal.close()
    shutil.copytree(tmp_path / "var", tmp_path / "before")
    del program.__dict__["journal"]
    sealed_and_kept(program)
    program.journal.close()
    del program.__dict__["journal"]
    shutil.rmtree(tmp_path / "var")
    (tmp_path / "before").rename(tmp_path / "var")
    assert flaws(program, offline=True) == []
    said = [message for _, message in flaws(program)]
    assert len(said) == 2
    assert not any("another control plane" in message for message in said)

    seen = OtherSeen("ab" * 8, 1, AT, "there", Fate.ALIVE, AT)
    plan = compile_seen(program.configuration, "schedule:seen", None, [seen])
    carry_out(program, plan, Request("daemon"), control=Control())
    said = [message for _, message in flaws(program)]
    assert all("or another control plane of the same records signed it" in m for m in said)


def test_what_was_cut_is_not_sealed_over(program: Program) -> None:
    sealed_and_kept(program)
    head = newest_head(program)
    forget(program, RUN)
    with pytest.raises(JournalUntrusted, match="is not what was sealed"):
        close(program)
    assert newest_head(program) == head
    assert what_is_wrong(program) == [("evidence.unsealed", "evidence")]


def test_a_head_that_another_key_signed_is_no_head(
    program: Program, regions: list[LabRegion]
) -> None:
    from drorch.sealing.head import signed_head

    sealed_and_kept(program)
    head = newest_head(program)
    assert head is not None
    forged = signed_head(replace(head, n=999), new_key())
    bucket: Bucket = bucket_of(regions[1])
    bucket.put("evidence/heads/000000000999.0123456789abcdef.json", forged)
    (one,) = flaws(program)
    assert one[0] == "evidence/heads/000000000999.0123456789abcdef.json"
    assert "signed by a key that is not trusted here" in one[1]
    (program.configuration.work / "sealed" / "head.json").write_bytes(forged)
    with pytest.raises(JournalUntrusted, match="cannot be believed"):
        close(program)


def test_a_dead_region_is_named_and_does_not_fail_the_journal(
    program: Program, regions: list[LabRegion]
) -> None:
    sealed_and_kept(program)
    kill_region(regions[0])
    assert flaws(program) == []
    unread = {one.where: one.unread for one in compare(program) if one.unread}
    assert list(unread) == ["region mtl"]


def test_the_bundle_from_a_region_is_a_plain_zip(
    program: Program, regions: list[LabRegion], tmp_path: Path
) -> None:
    close(program)
    bring(program)
    _, bundle = names(regions[1])
    bucket_of(regions[1]).get_file(bundle, tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        assert archive.read("evidence/restore.log") == b"42 files restored\n"
