"""The invented hospital with real files, databases and processes."""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from drorch.adapters.commands import SystemCommands
from drorch.lab.hospital import production
from drorch.lab.hospital.cluster import find_postgresql
from drorch.lab.hospital.production import Database, Facts, Scale
from drorch.lab.regions import LabError
from drorch.ports import Command
from tests.programs import must_have

SMALL = Scale(patients=300, visits=900, results=1_500, documents=120, bytes=2_000_000)
BARE = {"PATH": "/usr/bin:/bin"}


@pytest.fixture(autouse=True)
def postgresql() -> None:
    must_have(find_postgresql(), "postgresql")


both = pytest.mark.parametrize("database", list(Database))


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[SystemCommands]:
    system = SystemCommands("hospital-test", tmp_path)
    yield system
    system.close()


@pytest.fixture
def make(commands):
    """Makes hospitals and takes them away again, with whatever runs for them."""
    made: list[Path] = []

    def generate(folder: Path, database=Database.SQLITE, seed=7, scale=SMALL) -> Facts:
        made.append(folder)
        return production.generate(
            folder, seed=seed, database=database, commands=commands, scale=scale
        )

    yield generate
    for folder in made:
        production.stop(folder, commands)
        production.clear(folder, commands)


def dump(folder: Path) -> bytes:
    """What ehr-dump writes, started as restic starts it: with hardly an environment."""
    done = subprocess.run([folder / "bin" / "ehr-dump"], check=True, capture_output=True, env=BARE)
    assert done.stderr == b""
    return done.stdout


def read(file: Path) -> tuple[int, int, int, str]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        tables = ("patients", "visits", "lab_results")
        counts = [connection.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in tables]
        canary = connection.execute("SELECT value FROM canary ORDER BY id DESC").fetchone()[0]
    return (*counts, canary)


def tool(folder: Path, name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    argv = [folder / "bin" / name, *arguments]
    return subprocess.run(argv, check=False, capture_output=True, text=True, env=BARE)


def get(url: str, path: str = "/") -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url + quote(path), timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@contextmanager
def serving(commands: SystemCommands, folder: Path, documents: Path, database: str):
    """The service on these data; gives its address."""
    log = folder / "service.log"
    argv = (str(folder / "bin" / "ehr-service"), "--port", "0")
    argv += ("--documents", str(documents), "--database", database)
    service = commands.start_service(Command(argv, env=BARE), log)
    try:
        while "http://" not in log.read_text():
            assert commands.service_alive(service), log.read_text()
            time.sleep(0.01)
        yield log.read_text().split()[1].rstrip("/")
    finally:
        assert commands.stop_service(service, timedelta(seconds=5))


def test_the_whole_hospital_is_large_enough_and_written_down(tmp_path, make):
    facts = make(tmp_path / "h", scale=Scale())
    files = [p for p in (tmp_path / "h" / "documents").rglob("*") if p.is_file()]
    assert facts.patients == 5_000
    assert facts.visits == 40_000
    assert facts.documents == len(files) - 1 == 3_000
    assert facts.bytes >= 200_000_000
    assert facts.bytes == sum(p.stat().st_size for p in files if p.name != "SHA256SUMS")
    assert production.load_facts(tmp_path / "h") == facts


def test_the_same_seed_gives_the_same_hospital_also_a_day_later(tmp_path, make, commands):
    one, two = (make(tmp_path / name) for name in ("one", "two"))
    assert one == two
    assert production.change(tmp_path / "one", commands=commands) == production.change(
        tmp_path / "two", commands=commands
    )
    other = make(tmp_path / "other", seed=8)
    assert other.manifest_sha256 != two.manifest_sha256
    assert other.canary != two.canary


def test_the_same_seed_gives_the_same_dump(tmp_path, make):
    for name in ("one", "two"):
        make(tmp_path / name)
    assert dump(tmp_path / "one") == dump(tmp_path / "two")


def test_both_databases_hold_the_same(tmp_path, make):
    one, two = make(tmp_path / "s"), make(tmp_path / "p", Database.POSTGRESQL)
    assert (one.patients, one.visits, one.results, one.canary, one.manifest_sha256) == (
        two.patients,
        two.visits,
        two.results,
        two.canary,
        two.manifest_sha256,
    )


@both
def test_a_working_day_changes_everything_and_the_manifest_follows(
    database, tmp_path, make, commands
):
    folder = tmp_path / "h"
    before = make(folder, database)
    old = {p: p.read_bytes() for p in (folder / "documents").rglob("*.*")}
    after = production.change(folder, commands=commands)
    assert after.patients > before.patients
    assert after.visits > before.visits
    assert after.results > before.results
    assert after.canary != before.canary
    assert after.manifest_sha256 != before.manifest_sha256
    new = {p: p.read_bytes() for p in (folder / "documents").rglob("*.*")}
    assert new.keys() - old.keys()
    assert old.keys() - new.keys()
    assert [p for p in new.keys() & old.keys() if new[p] != old[p]]
    check = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    subprocess.run(check, check=True, cwd=folder / "documents")
    listed = (folder / "documents" / "SHA256SUMS").read_text().splitlines()
    assert len(listed) == after.documents == len(new)
    assert production.load_facts(folder) == after
    third = production.change(folder, commands=commands)
    assert third.canary not in (before.canary, after.canary)


def test_a_sqlite_dump_is_the_database_as_it_was_committed_last(tmp_path, make):
    folder = tmp_path / "h"
    facts = make(folder)
    with closing(sqlite3.connect(folder / "database" / "ehr.db")) as writer:
        writer.execute("INSERT INTO canary VALUES (99, 'not committed', '2026-11-20')")
        (tmp_path / "ehr.dump").write_bytes(dump(folder))
        writer.rollback()
    assert read(tmp_path / "ehr.dump") == (
        facts.patients,
        facts.visits,
        facts.results,
        facts.canary,
    )
    assert not list((folder / "database").glob(".ehr-dump-*"))


def test_no_dump_is_made_of_a_missing_database(tmp_path, make):
    folder = tmp_path / "h"
    make(folder)
    shutil.rmtree(folder / "database")
    (folder / "database").mkdir()
    done = tool(folder, "ehr-dump")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "no dump was made" in done.stderr
    assert not list((folder / "database").iterdir())


def test_no_dump_is_made_of_a_damaged_database(tmp_path, make):
    folder = tmp_path / "h"
    make(folder)
    with (folder / "database" / "ehr.db").open("r+b") as file:
        for page in range(3, 12):
            file.seek(page * 4096)
            file.write(os.urandom(4096))
    done = subprocess.run([folder / "bin" / "ehr-dump"], check=False, capture_output=True, env=BARE)
    assert done.returncode == 1
    assert done.stdout == b""
    assert b"no dump was made" in done.stderr


def test_a_dump_that_nobody_takes_is_a_failure(tmp_path, make):
    folder = tmp_path / "h"
    make(folder)
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [folder / "bin" / "ehr-dump"],
        check=False,
        stdout=writing,
        stderr=subprocess.PIPE,
        env=BARE,
    )
    os.close(writing)
    assert done.returncode == 1
    assert b"no dump was made" in done.stderr


def test_a_sqlite_dump_is_served_as_it_is(tmp_path, make, commands):
    folder = tmp_path / "h"
    facts = make(folder)
    restored = tmp_path / "restored"
    shutil.copytree(folder / "documents", restored / "documents")
    (restored / "ehr.dump").write_bytes(dump(folder))
    with serving(commands, folder, restored / "documents", f"sqlite:///{restored}/ehr.dump") as url:
        assert_serves(url, facts, restored / "documents")
        assert get(url, "/documents/../ehr.dump")[0] == 404
        assert get(url, "/documents/%2e%2e/ehr.dump")[0] == 404
        assert get(url, "/documents/2021")[0] == 404
        assert get(url, "/elsewhere")[0] == 404
        (restored / "ehr.dump").unlink()
        assert get(url)[0] == 503
    assert sorted(p.name for p in restored.iterdir()) == ["documents"]


def assert_serves(url: str, facts: Facts, documents: Path) -> None:
    status, body = get(url)
    assert status == 200
    assert json.loads(body) == {
        "hospital": "Centre hospitalier Sainte-Rive",
        "patients": facts.patients,
        "visits": facts.visits,
        "canary": facts.canary,
        "documents": facts.documents,
    }
    assert json.loads(get(url, "/patients/count")[1]) == {"patients": facts.patients}
    assert json.loads(get(url, "/canary")[1]) == {"canary": facts.canary}
    for line in (documents / "SHA256SUMS").read_text().splitlines()[:10]:
        digest, path = line.split("  ", 1)
        status, content = get(url, f"/documents/{path}")
        assert (status, hashlib.sha256(content).hexdigest()) == (200, digest)


def test_a_postgresql_dump_comes_back_in_a_new_cluster_and_is_served(tmp_path, make, commands):
    folder, place = tmp_path / "h", tmp_path / "restored" / "postgresql"
    facts = make(folder, Database.POSTGRESQL)
    dumped = tmp_path / "ehr.dump"
    dumped.write_bytes(dump(folder))
    production.stop(folder, commands)
    made = tool(folder, "ehr-database", "init", place)
    assert made.returncode == 0, made.stderr
    assert tool(folder, "ehr-database", "init", place).stdout == made.stdout
    address = json.loads(made.stdout)["url"]
    argv = (str(folder / "bin" / "ehr-database"), "serve", str(place))
    server = commands.start_service(Command(argv, env=BARE), tmp_path / "server.log")
    try:
        restore = [find_postgresql() / "pg_restore", "--no-owner", "--exit-on-error"]
        restore += [f"--dbname={address}", dumped]
        until(lambda: subprocess.run(restore, check=False, capture_output=True).returncode == 0)
        busy = tool(folder, "ehr-database", "remove", place)
        assert busy.returncode == 1
        assert "is running" in busy.stderr
        with serving(commands, folder, folder / "documents", address) as url:
            assert_serves(url, facts, folder / "documents")
            assert commands.stop_service(server, timedelta(seconds=20))
            assert get(url)[0] == 503
    finally:
        assert commands.stop_service(server, timedelta(seconds=20))
    assert tool(folder, "ehr-database", "remove", place).returncode == 0
    assert not (place / "cluster").exists()


def until(holds) -> None:
    """Look again until it holds; another process has no other way to tell us."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_path_too_long_for_a_socket_leads_elsewhere_and_back(tmp_path, make, commands):
    folder = tmp_path / ("un-chemin-beaucoup-trop-long-" * 4) / "h"
    make(folder, Database.POSTGRESQL)
    link = folder / "database" / "cluster"
    place = link.resolve()
    # For root it does so already because pytest's folders are closed to the server's account.
    assert link.is_symlink()
    assert place.is_dir()
    assert dump(folder).startswith(b"PGDMP")
    production.clear(folder, commands)
    assert not place.exists()


def test_after_stop_nothing_runs_and_no_dump_is_made_until_start(tmp_path, make, commands):
    folder = tmp_path / "h"
    make(folder, Database.POSTGRESQL)
    pid = int((folder / "database/cluster/data/postmaster.pid").read_text().split()[0])
    production.stop(folder, commands)
    production.stop(folder, commands)
    assert not Path(f"/proc/{pid}").exists()
    done = tool(folder, "ehr-dump")
    assert done.returncode != 0
    assert done.stdout == ""
    assert "connection to server" in done.stderr
    production.start(folder, commands)
    production.start(folder, commands)
    assert dump(folder).startswith(b"PGDMP")


def test_a_hospital_is_made_again_in_place_of_the_one_before(tmp_path, make, commands):
    first = make(tmp_path / "h")
    production.change(tmp_path / "h", commands=commands)
    assert make(tmp_path / "h") == first


def test_a_change_of_database_leaves_nothing_of_the_other_behind(tmp_path, make):
    if find_postgresql() is not None:
        make(tmp_path / "h", Database.POSTGRESQL)
    make(tmp_path / "h", Database.SQLITE)
    assert [p.name for p in (tmp_path / "h" / "database").iterdir()] == ["ehr.db"]


def test_somebody_elses_folder_is_left_alone(tmp_path, make, commands):
    (tmp_path / "h").mkdir()
    (tmp_path / "h" / "thesis.txt").write_text("years of work")
    with pytest.raises(LabError, match="is not an invented hospital"):
        production.generate(
            tmp_path / "h", seed=7, database=Database.SQLITE, commands=commands, scale=SMALL
        )
    assert (tmp_path / "h" / "thesis.txt").read_text() == "years of work"


def test_what_an_interrupted_generation_left_makes_way_for_the_next(tmp_path, make, commands):
    class Interrupted(Exception):
        pass

    def interrupt(_progress) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        production.generate(
            tmp_path / "h",
            seed=7,
            database=Database.SQLITE,
            commands=commands,
            scale=SMALL,
            progress=interrupt,
        )
    with pytest.raises(LabError, match="there is no hospital"):
        production.load_facts(tmp_path / "h")
    facts = make(tmp_path / "h")
    assert facts == make(tmp_path / "other")


def test_progress_counts_every_file_and_byte(tmp_path, commands):
    told = []
    facts = production.generate(
        tmp_path / "h",
        seed=7,
        database=Database.SQLITE,
        commands=commands,
        scale=SMALL,
        progress=told.append,
    )
    assert [p.files_done for p in told] == list(range(1, SMALL.documents + 1))
    assert told[-1].bytes_done == facts.bytes
    assert {p.files_total for p in told} == {SMALL.documents}


def test_a_port_that_is_taken_is_said(tmp_path, make, commands):
    folder = tmp_path / "h"
    make(folder)
    database = str(folder / "database" / "ehr.db")
    with serving(commands, folder, folder / "documents", database) as url:
        port = url.rpartition(":")[2]
        options = ("--documents", folder / "documents", "--database", database, "--port", port)
        second = tool(folder, "ehr-service", *options)
    assert second.returncode == 1
    assert second.stderr == f"ehr-service: port {port}: Address already in use\n"
