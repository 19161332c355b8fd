"""Why slots were not begun: what was true of each of them, also where another control plane was in charge."""

from datetime import timedelta
from types import SimpleNamespace

from drorch.app.crew import Ended, conclude
from drorch.app.reasons import DOWN, UNSEEN
from drorch.app.starting import begun
from drorch.app.unattended import Unattended
from drorch.core.errors import UsageError
from drorch.core.names import SlotFate
from drorch.core.terms import Fate, OtherSeen, TermBegun
from tests.engine.test_clock_of_the_daemon import JOB, daemon, due, go, told
from tests.fakes.facts import begun as attempted
from tests.fakes.facts import ended, stamped, started

__all__ = ["daemon"]

OURS, THEIRS = "aa" * 8, "bb" * 8
CHARGE = "control plane bbbbbbbb on site (term 1) was in charge"


def other(daemon: Unattended, **said) -> OtherSeen:
    """One that took charge this very moment."""
    now = daemon.program.clock.now().at
    seen = OtherSeen(THEIRS, 1, now, "site", Fate.ALIVE, now)
    return OtherSeen(**{name: getattr(seen, name) for name in seen.__slots__} | said)


def pass_by(daemon: Unattended, minutes: int, leader: OtherSeen | None = None) -> None:
    """Time goes by, and nothing begins; as the loop, whoever is in charge is looked at."""
    for _ in range(minutes):
        daemon.program.clock.advance(timedelta(minutes=1))
        now = daemon.program.clock.now().at
        daemon.look(now)
        daemon.reasons.seen(leader, now)


def reasons_of(daemon: Unattended) -> list[tuple[str, int, str]]:
    """What became of slots that were not begun in time, the oldest first."""
    rows = daemon.program.journal.slots(job=JOB)
    return [(r.fate.value, r.count, r.why) for r in reversed(rows) if r.fate is not SlotFate.FIRED]


def on_record(daemon: Unattended, *facts) -> None:
    """What a run of drorch's own put on record."""
    journal = daemon.program.journal
    run = f"said-{len(journal.rows())}"
    journal.begin(
        run, stamped(started(run, run), attempted(), ended(facts=facts)), lambda row: None
    )


def test_each_slot_says_what_was_true_of_it(daemon: Unattended) -> None:
    """Nobody was there for an hour, another was in charge for one, and then the machine slept."""
    assert go(daemon, 11) == 1
    daemon.program.clock.advance(timedelta(minutes=60))
    again = begun(daemon.program, daemon.program.clock.now().at, "start")
    pass_by(again, 60, other(again))
    again.reasons.seen(None, again.program.clock.now().at)
    again.program.clock.advance(timedelta(minutes=30))
    assert go(again, 1) == 1
    assert reasons_of(again) == [
        ("missed", 6, DOWN),
        ("missed", 6, CHARGE),
        ("missed", 2, UNSEEN),
        ("late", 1, "2m late"),
    ]


def test_after_a_claim_and_a_start_it_is_still_known_who_was_in_charge(daemon: Unattended) -> None:
    assert go(daemon, 11) == 1
    daemon.program.clock.advance(timedelta(minutes=20))
    on_record(daemon, other(daemon))
    daemon.program.clock.advance(timedelta(minutes=30))
    now = daemon.program.clock.now().at
    on_record(daemon, TermBegun(OURS, 2, now, "root", "by accident", OURS, 0, announced=True))
    daemon.program.clock.advance(timedelta(minutes=20))
    again = begun(daemon.program, daemon.program.clock.now().at, "start")
    assert go(again, 1) == 1
    assert reasons_of(again) == [("missed", 2, DOWN), ("missed", 3, CHARGE), ("missed", 1, DOWN),
                                 ("late", 1, DOWN)]  # fmt: skip


def test_a_configuration_that_is_read_again_forgets_no_reason(daemon: Unattended) -> None:
    pass_by(daemon, 25, other(daemon))
    again = begun(daemon.program, daemon.program.clock.now().at, "SIGHUP", daemon)
    assert again.reasons is daemon.reasons
    again.reasons.seen(None, again.program.clock.now().at)
    assert go(again, 1) == 1
    assert reasons_of(again) == [("missed", 1, CHARGE), ("late", 1, CHARGE)]


def test_what_another_recovered_is_no_charge_of_the_one_before(daemon: Unattended) -> None:
    """The records are a copy's: the first one worked until it was lost."""
    assert go(daemon, 11) == 1
    now = daemon.program.clock.now().at
    on_record(daemon, OtherSeen(THEIRS, 0, now - timedelta(days=1), "lost", Fate.SILENT, now))
    on_record(daemon, TermBegun(OURS, 1, now, "root", "recovered", THEIRS, 0, announced=True))
    daemon.program.clock.advance(timedelta(minutes=31))
    again = begun(daemon.program, daemon.program.clock.now().at, "start")
    assert go(again, 1) == 1
    assert [why for _, _, why in reasons_of(again)] == [DOWN, DOWN]


def test_since_when_a_copy_of_this_one_works_is_counted_from_when_it_was_seen(
    daemon: Unattended,
) -> None:
    pass_by(daemon, 21)
    clone = other(daemon, since=daemon.program.clock.now().at - timedelta(days=9), clone=True)
    pass_by(daemon, 20, clone)
    daemon.reasons.seen(None, daemon.program.clock.now().at)
    assert go(daemon, 1) == 1
    copied = "a copy of this very one on site (term 1) was in charge"
    # The first had come, and not begun: it would have, had the other not been there.
    assert reasons_of(daemon) == [("missed", 3, copied), ("late", 1, copied)]


def test_what_could_not_be_begun_at_all_keeps_the_reasons_of_those_before(
    daemon: Unattended,
) -> None:
    pass_by(daemon, 25, other(daemon))
    daemon.reasons.seen(None, daemon.program.clock.now().at)
    pass_by(daemon, 6)
    quiet = SimpleNamespace(info=told, warning=told, error=told)
    found = Ended(due(daemon), UsageError("docs has no source", "mend it"))
    conclude(found, daemon, quiet, daemon.program.clock.now().at)
    assert reasons_of(daemon) == [("missed", 2, CHARGE), ("missed", 1, "docs has no source")]
