"""A journal that cannot be used stops everything before it begins; and secrets stay secret."""

import json
import sqlite3
import threading
from pathlib import Path

import pytest

from drorch.app.journals import export
from drorch.app.reports import write_run_reports
from drorch.app.runs import view
from tests.integration.app.disks import on_small_disk, read_only
from tests.integration.app.premises import PASSWORD
from tests.integration.app.seeing import step

VERBS = [("backup", "docs"), ("backup", "--all"), ("restore", "docs", "--to", "back"), ("status",)]


def nothing_began(premises, before):
    assert premises.starts() == []
    assert (premises.objects("mtl"), premises.objects("qc")) == before
    assert not (premises.folder / "back").exists()


def told_once(said, message, hint):
    assert said.code == 5
    errors = [x for x in said.errors.splitlines() if x.startswith("error: ")]
    hints = [x for x in said.errors.splitlines() if x.startswith("hint: ")]
    assert len(errors) == len(hints) == 1
    assert message in errors[0]
    assert hint in hints[0]
    assert "Traceback" not in said.errors
    assert said.document["error"]["exit_code"] == 5


def newer(file):
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'r9999'")
    connection.close()


def cut(file):
    content = file.read_bytes()
    file.write_bytes(content[:4096] + bytes(len(content) - 4096))
    for name in ("drorch.db-wal", "drorch.db-shm"):
        file.with_name(name).unlink(missing_ok=True)


SPOILED = {
    "not a database": (lambda f: f.write_bytes(b"shopping list\n" * 999), "not a database", "mend"),
    "damaged": (cut, "damaged", "bring the records back"),
    "newer": (newer, "r9999", "use the version of drorch that wrote it"),
}


@pytest.mark.parametrize("how", SPOILED)
@pytest.mark.parametrize("words", [VERBS[0], VERBS[2], VERBS[3]], ids=lambda w: w[0])
def test_a_state_that_cannot_be_trusted_stops_everything(premises, how, words):
    spoil, message, hint = SPOILED[how]
    before = premises.objects("mtl"), premises.objects("qc")
    spoil(premises.folder / "var" / "drorch.db")
    told_once(premises.cli(*words), message, hint)
    nothing_began(premises, before)


def test_a_state_that_cannot_be_trusted_is_told_once_for_many_datasets(premises):
    newer(premises.folder / "var" / "drorch.db")
    said = premises.cli("backup", "--all")
    told_once(said, "r9999", "use the version")


def test_a_state_in_a_folder_that_is_not_there_is_refused(premises):
    premises.configuration["state"] = "sqlite:///no/such/folder/drorch.db"
    premises.save()
    before = premises.objects("mtl"), premises.objects("qc")
    told_once(premises.cli("backup", "docs"), "does not exist", "make the folder")
    nothing_began(premises, before)


@pytest.mark.parametrize("words", [VERBS[0], VERBS[2]], ids=lambda w: w[0])
def test_a_state_that_cannot_be_written_stops_everything(premises, namespaces, words):
    before = premises.objects("mtl"), premises.objects("qc")
    said = premises.cli(*words, wrap=read_only(premises.folder / "var"))
    told_once(said, "the disk of the state file is read-only", "mount it")
    nothing_began(premises, before)


@pytest.mark.parametrize("words", [VERBS[0], VERBS[2]], ids=lambda w: w[0])
def test_a_full_disk_below_the_state_stops_everything(premises, namespaces, words):
    before = premises.objects("mtl"), premises.objects("qc")
    wrap = on_small_disk(premises.folder / "var", "8m", full=True)
    told_once(premises.cli(*words, wrap=wrap), "disk of the state file is full", "make room")
    nothing_began(premises, before)


def test_a_secret_that_cannot_be_had_stops_a_backup_with_nothing_done(premises):
    (premises.folder / "lab/secrets/repo-key").unlink()
    before = premises.objects("mtl"), premises.objects("qc")
    said = premises.cli("backup", "docs")
    assert said.code == 1
    failed = step(said.document, "backup")
    assert "secret repo-key has no file" in failed["message"]
    assert "mode 600" in failed["hint"]
    nothing_began(premises, before)


# --- secrets, searched by value


def secrets_of(premises):
    folder = premises.folder / "lab" / "secrets"
    return {f.name: f.read_text().strip().encode() for f in folder.iterdir()}


class Watch:
    """Every command line seen in /proc while a block runs."""

    def __init__(self):
        self.lines = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self):
        while not self._over.is_set():
            for entry in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.lines.add(entry.read_bytes())
                except OSError:
                    continue
            self._over.wait(0.01)  # every restic lives a hundred times as long

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()


def test_no_secret_is_ever_written_down_or_shown(premises):
    docs = premises.configuration["datasets"]["docs"]
    # whatever a command prints comes into the journal: also what should not be printed
    docs["before"] = [["cat", "lab/secrets/repo-key", "lab/secrets/mtl-secret"]]
    docs["after"] = [["sh", "-c", "cat lab/secrets/qc-secret >&2; exit 3"]]
    premises.save()
    said = []
    with Watch() as watch:
        said.append(premises.cli("backup", "--all"))
        said.append(premises.cli("restore", "docs", "--to", "back"))
        said.append(premises.cli("check", "--dataset", "docs"))
        said.append(premises.cli("snapshots", "ls", "docs"))
        said.append(premises.cli("doctor"))
        with premises.program() as program:
            rows = program.journal.rows()
            for row in rows:
                write_run_reports(program, view(program, row.run))
                export(program, row.run, premises.folder / "bundles" / row.run)
    assert [s.document is not None for s in said] == [True] * 5
    assert any(b"restic" in line and b"backup" in line for line in watch.lines)

    written = [
        *(premises.folder / "var").rglob("*"),
        *(premises.folder / "bundles").rglob("*"),
        premises.folder / "restic.log",
    ]
    texts = {str(f): f.read_bytes() for f in written if f.is_file()}
    assert len(texts) > 10
    texts |= {f"command line {n}": line for n, line in enumerate(watch.lines)}
    texts |= {f"stdout {n}": json.dumps(s.document).encode() for n, s in enumerate(said)}
    texts |= {f"stderr {n}": s.errors.encode() for n, s in enumerate(said)}
    secrets = secrets_of(premises)
    assert secrets["repo-key"] == PASSWORD.encode()
    leaks = [
        (name, secret)
        for name, text in texts.items()
        for secret, value in secrets.items()
        if value in text and not secret.endswith("-id")
    ]
    assert leaks == []
