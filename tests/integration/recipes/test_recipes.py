"""The recipes of docs/recipes.md, word for word, on real servers: dumped, lost, brought back."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from drorch.config.source import parse
from tests.btrfs import a_btrfs
from tests.integration.app.premises import Premises, restics
from tests.mariadb import a_mariadb
from tests.sshd import an_sshd
from tests.unit.docs.pages import ROOT, blocks


@pytest.fixture(scope="module")
def recipes():
    (block,) = blocks(ROOT / "docs" / "recipes.md", "yaml")
    return parse(block.text, block.place).value["datasets"]


def dumped(argv, **instead: str) -> bytes:
    """What the recipe's command gives, with this machine's places instead of the page's."""
    words = list(argv)
    for old, new in instead.items():
        words = [word.replace(old, new) for word in words]
    return subprocess.run(words, check=True, capture_output=True).stdout


def test_a_mariadb_database_comes_back(recipes):
    command = recipes["mariadb"]["dump"]["command"]
    tables = "CHECKSUM TABLE ehr.patients, ehr.notes; SHOW PROCEDURE STATUS WHERE Db = 'ehr'"
    with a_mariadb() as server:
        server.ask(
            "CREATE DATABASE ehr CHARACTER SET utf8mb4; USE ehr;"
            "CREATE TABLE patients (id INT PRIMARY KEY AUTO_INCREMENT, name TEXT, photo BLOB) ENGINE=InnoDB;"
            "CREATE TABLE notes (patient INT, at DATETIME(6), CONSTRAINT f FOREIGN KEY (patient) REFERENCES patients (id)) ENGINE=InnoDB;"
            "INSERT INTO patients (name, photo) SELECT CONCAT('é', seq), UNHEX(SHA2(seq, 256)) FROM seq_1_to_500;"
            "INSERT INTO notes SELECT id, '2026-11-23 03:00:00.123456' FROM patients;"
            "CREATE PROCEDURE count_them() SELECT count(*) FROM patients;"
        )
        where = {"/etc/drorch/mariadb.cnf": str(server.options)}
        before, dump = server.ask(tables), dumped(command, **where)
        assert dumped(command, **where) == dump  # nothing changed: the same bytes
        server.ask("DROP DATABASE ehr")
        server.ask(dump.decode())
        assert server.ask(tables).split()[:4] == before.split()[:4]
        assert server.ask("CALL ehr.count_them()") == "500\n"


def test_a_dump_of_a_database_that_is_not_there_fails(recipes):
    with a_mariadb() as server, pytest.raises(subprocess.CalledProcessError):
        dumped(
            recipes["mariadb"]["dump"]["command"],
            **{"/etc/drorch/mariadb.cnf": str(server.options)},
        )


def test_files_are_pulled_from_another_host(recipes, tmp_path):
    command = recipes["pulled"]["dump"]["command"]
    (tmp_path / "srv" / "ehr").mkdir(parents=True)
    (tmp_path / "srv" / "ehr" / "été.txt").write_text("a summer")
    with an_sshd() as host:
        where = {
            "/etc/drorch/known_hosts": str(host.known_hosts),
            "/etc/drorch/id_backup": str(host.folder / "user"),
            "backup@files.example": f"ssh://{host.user}@127.0.0.1:{host.port}",
            "-C /srv": f"-C {tmp_path}/srv",
        }
        archive = dumped(command, **where)
        out = tmp_path / "out"
        out.mkdir()
        subprocess.run(["tar", "-x", "-C", str(out)], input=archive, check=True)
        assert (out / "ehr" / "été.txt").read_text() == "a summer"
        assert dumped(command, **where) == archive
        where["-C /srv"] = f"-C {Path('/no/such/place')}"
        with pytest.raises(subprocess.CalledProcessError):  # so that it leaves no snapshot
            dumped(command, **where)


@contextmanager
def closing_down(folder: Path) -> Iterator[Premises]:
    """Premises whose regions end, whatever happens."""
    premises = Premises.made(folder, restics()[-1])
    try:
        yield premises
    finally:
        premises.down()


def test_a_btrfs_snapshot_is_backed_up_while_the_volume_changes(recipes, tmp_path):
    recipe = recipes["on-btrfs"]
    with a_btrfs(tmp_path) as mounted, closing_down(tmp_path / "here") as premises:
        subprocess.run(["btrfs", "subvolume", "create", f"{mounted}/ehr"], check=True)
        (mounted / "ehr" / "record").write_text("before\n")

        def here(command):
            return [word.replace("/srv/", f"{mounted}/") for word in command]

        # What a killed backup left behind; and a change once the snapshot stands.
        left = ["btrfs", "subvolume", "snapshot", "-r", f"{mounted}/ehr", f"{mounted}/.ehr-drorch"]
        subprocess.run(left, check=True)
        change = ["sh", "-c", f"echo meanwhile > {mounted}/ehr/record"]
        premises.configuration["datasets"] = {
            "docs": premises.dataset(
                before=[*map(here, recipe["before"]), change],
                paths=here(recipe["paths"]),
                after=[*map(here, recipe["after"])],
            )
        }
        premises.save()
        assert premises.cli("repo", "init").code == 0
        assert premises.back_up()["outcome"] == "passed"
        assert (mounted / "ehr" / "record").read_text() == "meanwhile\n"
        assert not (mounted / ".ehr-drorch").exists()
        assert premises.restore()["outcome"] == "passed"
        assert (premises.folder / "back" / "record").read_text() == "before\n"
