"""Rows that a transaction of PostgreSQL commits late, when a whole state was taken without them."""

import threading
from contextlib import contextmanager

import psycopg
import pytest

from drorch.app.plane import whole
from drorch.app.plane.copying import Copier
from drorch.app.program import Program
from drorch.journal.store import SqlJournal
from drorch.journal.verify import verify_journal
from tests.fakes.facts import begun, ended, stamped, started
from tests.fakes.postgres import postgres_url
from tests.integration.app.planes import WAITING, Plane
from tests.integration.app.seeing import wait_for

LATE = "2026-11-26T00-00-00Z-late"

_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"


class Shared:
    """A control plane whose journal lies in PostgreSQL, where other machines record, too."""

    def __init__(self, premises):
        self.url = postgres_url()
        url = self.url.replace("postgresql:", "postgresql+psycopg:")
        premises.configuration["state"] = self.url_of_journal = url
        self.plane = Plane(premises)
        self.begin(LATE)

    def begin(self, run):
        with SqlJournal(self.url_of_journal) as journal:
            told = stamped(started("rumour", run), begun())
            journal.begin(run, told, lambda _: None)

    @contextmanager
    def under_way(self):
        """Another machine has recorded an event, but not committed it; it does so at the end.

        Its transaction waits for the run's row, which somebody locks.
        """
        other = threading.Thread(target=self._append)
        with psycopg.connect(self.url) as gate:
            gate.execute("SELECT 1 FROM runs WHERE run = %s FOR UPDATE", (LATE,))
            other.start()
            with psycopg.connect(self.url, autocommit=True) as eye:
                name = self.url.rpartition("/")[2]
                wait_for(lambda: next(iter(eye.execute(_WAITING, (name,))))[0])
            yield
        other.join()

    def _append(self):
        with SqlJournal(self.url_of_journal) as journal:
            journal.append(LATE, 2, stamped(ended()))

    def take_whole(self):
        with self.plane.program() as program:
            assert {b.result for b in whole.take(Copier(program, WAITING))} == {"copied"}

    def copy(self):
        with self.plane.program() as program:
            assert {b.result for b in Copier(program, WAITING).copy()} == {"copied"}

    def recovered(self, region):
        """How many events each rumoured run has that came back from there."""
        found = self.plane.recover(region, region)
        program = Program.open(found.to / "drorch.yaml", {"PATH": "/usr/bin:/bin"})
        try:
            assert verify_journal(program.journal).ok
            runs = [row.run for row in program.journal.rows(name="rumour")]
            return {run: len(list(program.journal.read(run))) for run in runs}
        finally:
            program.journal.close()


@pytest.fixture
def shared(premises):
    return Shared(premises)


def test_it_comes_after_a_whole_state_that_segments_begin_with(shared):
    with shared.under_way():
        shared.begin("soon")
        shared.take_whole()
    shared.copy()
    assert shared.recovered("mtl") == {LATE: 3, "soon": 2}


def test_it_comes_after_a_whole_state_that_was_far_ahead_of_the_segments(shared, monkeypatch):
    monkeypatch.setattr(whole, "EVENTS", 1)
    shared.copy()
    with shared.under_way():
        for run in ("soon", "soon-too"):
            shared.begin(run)
        shared.take_whole()
    shared.copy()
    assert shared.recovered("qc") == {LATE: 3, "soon": 2, "soon-too": 2}


def test_it_comes_where_segments_went_on_meanwhile(shared):
    shared.copy()
    with shared.under_way():
        shared.begin("soon")
        shared.copy()
        shared.take_whole()
    shared.copy()
    assert shared.recovered("qc") == {LATE: 3, "soon": 2}
