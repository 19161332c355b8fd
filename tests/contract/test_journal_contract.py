"""What every journal promises: the same tests for SQLite, PostgreSQL and the one in memory."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from drorch.core.alarms import AlarmTold, ChannelTried, RunEnded
from drorch.core.corrective import Change, ChangeKind, Corrective
from drorch.core.errors import AlreadyRunning, FenceLost, JournalUntrusted, UsageError
from drorch.core.events import (
    AbortRequested,
    AttemptLost,
    PersonAnswered,
    PersonAsked,
    RunFinished,
    RunTaken,
    SlotsMissed,
    SlotTaken,
    StepGivenUp,
    StepSettled,
)
from drorch.core.facts import (
    WORDS,
    BackupFigures,
    Braked,
    Fact,
    Forgotten,
    Guarded,
    Held,
    KeyKnown,
    KeyRemoved,
    KeyRevoked,
    Known,
    Locked,
    LocksSeen,
    Proven,
    Pruned,
    PruneOwed,
    Quarantined,
    ReadinessLooked,
    ReadinessProven,
    Retained,
    Rotation,
    Scrubbed,
    ServiceActive,
)
from drorch.core.guard import Figures
from drorch.core.kit_made import KitMade
from drorch.core.names import Outcome, RunKind, RunState
from drorch.core.posture import CopyFactKind, RunRow
from drorch.core.reported import ReportSent
from drorch.core.staleness import Seen
from drorch.core.terms import Fate, OtherSeen, TermBegun
from drorch.core.vitals import Counted, EndedRuns
from drorch.ports import Journal
from tests.fakes.facts import (
    DAWN,
    OWNER,
    at,
    begun,
    copy,
    ended,
    finished,
    stamped,
    started,
    whole_run,
)

RUN = "2026-11-23T03-00-00Z-ehr-failover-7f3a"

#: Facts that follow from runs as a whole, and concern no dataset.
OF_RUNS = {
    ServiceActive,
    ReadinessLooked,
    ReadinessProven,
    RunEnded,
    AlarmTold,
    ChannelTried,
    Corrective,
    KitMade,
    OtherSeen,
    ReportSent,
    TermBegun,
}


def welcome(_: RunRow) -> None:
    """Every run may begin."""


def test_what_is_recorded_is_read_in_order(journal: Journal) -> None:
    story = whole_run()
    first = journal.begin(RUN, story[:2], welcome)
    assert first.seq == 2
    last = journal.append(RUN, 2, story[2:])
    recorded = list(journal.read(RUN))
    assert [r.event for r in recorded] == [s.event for s in story]
    assert [r.at for r in recorded] == [s.at for s in story]
    assert [r.seq for r in recorded] == [1, 2, 3, 4, 5, 6]
    assert {r.run for r in recorded} == {RUN}
    assert (recorded[1].head, recorded[-1].head) == (first.hash, last.hash)
    assert len({r.head for r in recorded}) == 6


@pytest.mark.parametrize("journal", ["sqlite", "sqlite-by-sqlalchemy", "postgresql"], indirect=True)
def test_what_runs_and_slots_came_to_is_counted_once_and_then_only_what_came_since(
    journal: Any,
) -> None:
    assert journal.counted() == Counted(0)
    journal.begin("one", whole_run("a"), welcome)
    slot = SlotTaken("backup:a", at(60).at, late=True, why="no daemon was running")
    gap = SlotsMissed("backup:a", at(10).at, at(50).at, 5, "no daemon was running")
    journal.begin("two", [*stamped(started("a"), gap, slot, second=60)], welcome)
    journal.append("two", 3, stamped(finished(), second=65), 0)
    journal.begin("three", stamped(started("a", "b"), begun()), welcome)
    first = journal.counted()
    passed = EndedRuns(RunKind.DRILL, "a", Outcome.PASSED, 2, at(60).at, at(65).at)
    assert first.runs == (passed,)
    assert first.slots == {("backup", "late"): 1, ("backup", "missed"): 5}
    assert journal.counted(first.entry) == Counted(first.entry)
    # It began before the count, and ends after it.
    journal.append("three", 2, stamped(ended(), finished(Outcome.FAILED), second=90))
    another = SlotTaken("backup:b", at(100).at)
    journal.begin("four", stamped(started("b"), another, second=100), welcome)
    since = journal.counted(first.entry)
    failed = EndedRuns(RunKind.DRILL, "a", Outcome.FAILED, 1, at(0).at, at(91).at)
    assert (since.runs, since.slots) == ((failed,), {("backup", "fired"): 1})
    together, whole = first.with_more(since), journal.counted()
    assert (together.entry, together.slots) == (whole.entry, whole.slots)
    assert set(together.runs) == set(whole.runs)


def test_heads_depend_on_everything_before(journal: Journal) -> None:
    one = journal.begin("one", stamped(started(), begun(), ended()), welcome)
    two = journal.begin("two", stamped(started(), begun(), ended()), welcome)
    assert one.hash != two.hash


def test_nothing_to_record_changes_nothing(journal: Journal) -> None:
    head = journal.begin(RUN, stamped(started()), welcome)
    assert journal.append(RUN, 1, []) == head


def test_a_run_begins_with_its_start(journal: Journal) -> None:
    for events in ([], stamped(begun())):
        with pytest.raises(ValueError, match="begins with"):
            journal.begin(RUN, events, welcome)
    assert journal.rows() == []


def test_of_two_owners_one_is_fenced(journal: Journal) -> None:
    head = journal.begin(RUN, stamped(started()), welcome)
    other = replace(OWNER, pid=1, token="other")
    taken = journal.append(RUN, head.seq, stamped(RunTaken(other, "m.tremblay"), second=9))
    with pytest.raises(FenceLost):
        journal.append(RUN, head.seq, stamped(begun()))
    assert [type(r.event).__name__ for r in journal.read(RUN)] == ["RunStarted", "RunTaken"]
    assert journal.append(RUN, taken.seq, stamped(begun(), second=10)).seq == 3


def test_a_run_begins_once(journal: Journal) -> None:
    journal.begin(RUN, stamped(started()), welcome)
    with pytest.raises(FenceLost):
        journal.begin(RUN, stamped(started(subject="another")), welcome)
    assert len(journal.rows()) == 1


def test_nothing_follows_the_end(journal: Journal) -> None:
    journal.begin(RUN, whole_run(), welcome)
    with pytest.raises(FenceLost):
        journal.append(RUN, 6, stamped(AbortRequested("a", "b")))


def test_what_was_never_recorded_cannot_be_followed(journal: Journal) -> None:
    journal.begin(RUN, stamped(started()), welcome)
    with pytest.raises(JournalUntrusted):
        journal.append(RUN, 5, stamped(begun()))
    with pytest.raises(UsageError):
        journal.append("nobody", 1, stamped(begun()))
    assert journal.find(RUN).seq == 1


def test_only_unfinished_runs_of_the_same_subject_stand_in_the_way(journal: Journal) -> None:
    seen: list[str] = []
    journal.begin("r1", whole_run("a"), lambda row: seen.append(row.run))
    journal.begin("r2", stamped(started("a")), lambda row: seen.append(row.run))
    journal.begin("r3", stamped(started("b")), lambda row: seen.append(row.run))
    assert seen == []

    def refuse(row: RunRow) -> None:
        seen.append(row.run)
        raise AlreadyRunning("it runs", "wait")

    with pytest.raises(AlreadyRunning):
        journal.begin("r4", stamped(started("a")), refuse)
    assert seen == ["r2"]
    assert [row.run for row in journal.rows(unfinished=True)] == ["r3", "r2"]
    with pytest.raises(UsageError):
        list(journal.read("r4"))


def test_a_run_in_short(journal: Journal) -> None:
    head = journal.begin(RUN, stamped(started()), welcome)
    row = journal.find(RUN)
    assert row.started_at == DAWN
    assert (row.name, row.subject, row.by) == ("ehr-failover", "runbook:ehr-failover", "m.tremblay")
    assert (row.state, row.outcome, row.finished_at) == (RunState.RUNNING, None, None)
    assert (row.seq, row.head) == (1, head.hash)
    assert (row.owner_host, row.owner_pid, row.owner_token) == ("dr-quebec-1", 4711, "t0k3n")
    other = replace(OWNER, host="dr-quebec-2", pid=99, started=7, boot="b2", token="z")
    journal.append(RUN, 1, stamped(RunTaken(other, "j.roy"), second=3))
    row = journal.find(RUN)
    assert (row.owner_host, row.owner_pid, row.owner_started) == ("dr-quebec-2", 99, 7)
    assert (row.owner_boot, row.owner_token, row.by) == ("b2", "z", "m.tremblay")
    last = journal.append(
        RUN, 2, stamped(replace(finished(Outcome.FAILED), left_behind=("x",)), second=60)
    )
    row = journal.find(RUN)
    assert (row.state, row.outcome, row.dirty) == (RunState.FINISHED, Outcome.FAILED, True)
    assert row.finished_at == DAWN + timedelta(seconds=60)
    assert (row.seq, row.head) == (3, last.hash)


APPROVED = PersonAnswered("go", True, "a")


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([PersonAsked("go", "approve", "?")], RunState.WAITING_FOR_PERSON),
        ([begun(), PersonAsked("go", "approve", "?")], RunState.RUNNING),
        ([begun(), PersonAsked("go", "approve", "?"), ended()], RunState.WAITING_FOR_PERSON),
        ([begun(), PersonAsked("go", "approve", "?"), AttemptLost("step-0", 1)], RunState.WAITING_FOR_PERSON),
        ([PersonAsked("go", "approve", "?"), APPROVED], RunState.RUNNING),
        ([PersonAsked("go", "approve", "?", 2), APPROVED], RunState.WAITING_FOR_PERSON),
        ([PersonAsked("go", "approve", "?", 2), APPROVED, APPROVED], RunState.WAITING_FOR_PERSON),
        ([PersonAsked("go", "approve", "?", 2), APPROVED, PersonAnswered("go", True, "b")], RunState.RUNNING),
        ([PersonAsked("go", "approve", "?", 2), PersonAnswered("go", False, "b")], RunState.RUNNING),
        ([PersonAsked("a", "confirm", "?"), PersonAsked("b", "confirm", "?"), PersonAnswered("a", True, "b")], RunState.WAITING_FOR_PERSON),
        ([PersonAsked("go", "settle", "?"), StepSettled("go", True, "b", "seen")], RunState.RUNNING),
        ([PersonAsked("go", "approve", "?"), StepGivenUp("go", "no-answer", "late")], RunState.RUNNING),
        ([PersonAnswered("go", True, "nobody asked")], RunState.RUNNING),
    ],
)  # fmt: skip
def test_a_run_waits_for_a_person_when_nothing_else_goes_on(
    journal: Journal, events: list[Any], state: RunState
) -> None:
    journal.begin(RUN, stamped(started()), welcome)
    for seq, event in enumerate(events, 1):
        journal.append(RUN, seq, stamped(event, second=seq))
    assert journal.find(RUN).state is state


def test_runs_are_listed_newest_first(journal: Journal) -> None:
    for number, name in enumerate(["a", "b", "a", "b"]):
        journal.begin(f"r{number}", whole_run(name, second=number * 10), welcome)
    journal.begin("r4", stamped(started("a"), second=-10), welcome)
    assert [r.run for r in journal.rows()] == ["r3", "r2", "r1", "r0", "r4"]
    assert [r.run for r in journal.rows(limit=2)] == ["r3", "r2"]
    assert [r.run for r in journal.rows(name="a")] == ["r2", "r0", "r4"]
    assert [r.run for r in journal.rows(unfinished=True)] == ["r4"]
    assert journal.rows(name="c") == []


def test_a_run_is_found_by_a_part_of_its_id(journal: Journal) -> None:
    for number, run in enumerate(["2026-a-7f3a", "2026-b-7f3b", "2027_a-7f3b", "2026"]):
        journal.begin(run, whole_run(second=number), welcome)
    assert journal.find("7f3a").run == "2026-a-7f3a"
    assert journal.find("2026").run == "2026"
    assert journal.find("2027").run == "2027_a-7f3b"
    for wrong in ("7f3b", "2026-", "nobody", "", "%", "2027%", "2026_a"):
        with pytest.raises(UsageError):
            journal.find(wrong)


def test_a_run_that_is_not_there_cannot_be_read(journal: Journal) -> None:
    with pytest.raises(UsageError):
        list(journal.read("nobody"))


def test_requests_wait_until_they_are_among_the_events(journal: Journal) -> None:
    journal.begin(RUN, stamped(started()), welcome)
    journal.begin("other", stamped(started("other")), welcome)
    requests = [PersonAnswered("go", True, "a"), AbortRequested("b", "enough")]
    journal.post(RUN, requests[0])
    journal.post("other", requests[1])
    journal.post(RUN, requests[1])
    found = journal.take_posted(RUN, 0)
    assert [event for _, event in found] == requests
    assert [number for number, _ in found] == sorted(number for number, _ in found)
    assert journal.take_posted(RUN, found[0][0]) == found[1:]
    journal.append(RUN, 1, stamped(requests[0]), found[0][0])
    assert journal.take_posted(RUN, 0) == found[1:]
    journal.append(RUN, 2, stamped(requests[1]), taken=found[1][0])
    assert journal.take_posted(RUN, 0) == []
    assert len(journal.take_posted("other", 0)) == 1
    journal.post(RUN, requests[0])
    ((number, _),) = journal.take_posted(RUN, found[1][0])
    assert number > found[1][0]


def test_a_request_is_still_there_for_the_next_owner_of_a_fenced_one(journal: Journal) -> None:
    journal.begin(RUN, stamped(started()), welcome)
    journal.post(RUN, AbortRequested("b", "enough"))
    ((number, event),) = journal.take_posted(RUN, 0)
    journal.append(RUN, 1, stamped(RunTaken(replace(OWNER, pid=1), "a")))
    with pytest.raises(FenceLost):
        journal.append(RUN, 1, stamped(event), taken=number)
    assert journal.take_posted(RUN, 0) == [(number, event)]


def test_requests_for_a_finished_run_are_refused_and_dropped(journal: Journal) -> None:
    journal.begin(RUN, stamped(started()), welcome)
    journal.post(RUN, AbortRequested("b", "enough"))
    journal.append(RUN, 1, stamped(finished()))
    assert journal.take_posted(RUN, 0) == []
    for run in (RUN, "nobody"):
        with pytest.raises(UsageError):
            journal.post(run, AbortRequested("b", "enough"))


def tell(journal: Journal, *facts: Any, second: float = 0) -> None:
    """Record facts about copies by a run of their own."""
    run = f"run-{len(journal.rows())}"
    events = (started(run), begun(), ended(copies=facts), finished())
    journal.begin(run, stamped(*events, second=second), welcome)


def learn(journal: Journal, *facts: Fact, second: float = 0) -> None:
    """Record facts by a run of their own."""
    run = f"run-{len(journal.rows())}"
    events = (started(run), begun(), ended(facts=facts), finished())
    journal.begin(run, stamped(*events, second=second), welcome)


def told(journal: Journal) -> list[tuple[str, str, bool]]:
    """What is known, in short."""
    return [(c.snapshot[0], c.region, c.owed) for c in journal.copies("ehr-db")]


def test_copies_are_listed_newest_snapshot_first(journal: Journal) -> None:
    held = CopyFactKind.HELD
    tell(journal, copy(held, "a", hours=1, files=10, bytes=2**40), copy(held, "b", hours=3))
    tell(journal, copy(held, "c", hours=2), copy(held, "b", region="mtl", hours=3))
    assert told(journal) == [
        ("b", "mtl", False),
        ("b", "qc", False),
        ("c", "qc", False),
        ("a", "qc", False),
    ]
    known = journal.copies("ehr-db")[-1]
    assert (known.files, known.bytes) == (10, 2**40)
    assert known.snapshot_at == DAWN + timedelta(hours=1)
    assert known.recorded_at == DAWN + timedelta(seconds=2)
    assert journal.copies("nothing") == []


def test_what_was_owed_is_held_once_it_arrives(journal: Journal) -> None:
    tell(journal, copy(CopyFactKind.OWED, "a", hours=1))
    assert told(journal) == [("a", "qc", True)]
    tell(journal, copy(CopyFactKind.HELD, "a", hours=1), second=60)
    assert told(journal) == [("a", "qc", False)]
    assert journal.copies("ehr-db")[0].recorded_at == DAWN + timedelta(seconds=62)


def test_a_region_owes_its_newest_snapshot_only(journal: Journal) -> None:
    owed = CopyFactKind.OWED
    tell(journal, copy(owed, "a", hours=1), copy(owed, "a", region="tor", hours=1))
    tell(journal, copy(owed, "b", hours=2))
    assert told(journal) == [("b", "qc", True), ("a", "tor", True)]
    tell(journal, copy(CopyFactKind.HELD, "c", hours=3))
    assert told(journal) == [("c", "qc", False), ("a", "tor", True)]
    tell(journal, copy(CopyFactKind.VERIFIED, "d", region="tor", hours=4))
    assert ("a", "tor", True) in told(journal)


def test_proofs_are_remembered_until_the_copy_is_owed_again(journal: Journal) -> None:
    tell(journal, copy(CopyFactKind.HELD, "a", files=3))
    tell(journal, copy(CopyFactKind.VERIFIED, "a"), second=10)
    tell(journal, copy(CopyFactKind.RESTORE_TESTED, "a"), second=20)
    (known,) = journal.copies("ehr-db")
    assert known.verified_at == DAWN + timedelta(seconds=12)
    assert known.restore_tested_at == DAWN + timedelta(seconds=22)
    assert (known.files, known.recorded_at) == (3, DAWN + timedelta(seconds=2))
    tell(journal, copy(CopyFactKind.OWED, "a"), second=30)
    (known,) = journal.copies("ehr-db")
    assert (known.owed, known.verified_at, known.restore_tested_at) == (True, None, None)


def test_a_copy_that_is_gone_is_known_no_more(journal: Journal) -> None:
    tell(journal, copy(CopyFactKind.HELD, "a"), copy(CopyFactKind.HELD, "a", region="mtl"))
    tell(journal, copy(CopyFactKind.GONE, "a"), copy(CopyFactKind.GONE, "never-there"))
    assert told(journal) == [("a", "mtl", False)]


def test_the_newest_fact_of_a_place_stands(journal: Journal) -> None:
    first = Proven("ehr-db", "qc", "data/4f", 12, 2**40, damaged=("data/4f/4f00",))
    other = Proven("ehr-db", "mtl", "data/4f", 3, 9)
    learn(journal, first, other, Forgotten("ehr-db", "a" * 64, "by policy"))
    assert journal.facts(Proven, "ehr-db") == [
        Known(other, DAWN + timedelta(seconds=2)),
        Known(first, DAWN + timedelta(seconds=2)),
    ]
    newer = Proven("ehr-db", "qc", "data/4f", 13, 2**41)
    learn(journal, newer, second=10)
    assert [known.fact for known in journal.facts(Proven, "ehr-db")] == [other, newer]
    assert journal.facts(Proven, "ehr-documents") == []
    (forgotten,) = journal.facts(Forgotten, "ehr-db")
    assert forgotten.fact.reason == "by policy"


def test_every_kind_of_fact_is_kept_and_found_again(journal: Journal) -> None:
    facts: list[Fact] = [
        Forgotten("ehr-db", "a" * 64, "by policy"),
        Held("ehr-db", "b" * 64, "litigation", "m.tremblay"),
        KeyKnown("ehr-db", "qc", "c" * 64, "escrow"),
        KeyRevoked("ehr-db", "d" * 64, "left the hospital", "qc"),
        KeyRemoved("ehr-db", "qc", "d" * 64),
        Rotation("ehr-db", "qc", "c" * 64, ("d" * 64,)),
        BackupFigures("ehr-db", 7, Figures("a" * 64, DAWN, 9, 2**40, 3, 2**20)),
        Guarded("ehr-db", "a" * 64, DAWN, "it holds 9 files, usually 1000 files"),
        LocksSeen("ehr-db", "qc", (Seen("f" * 64, DAWN, at(60)),)),
        Proven("ehr-db", "qc", "index", 1, 2, through="e" * 64, began=DAWN),
        Scrubbed("ehr-db", "qc", "2026-11-23", 2**40, DAWN),
        Quarantined("ehr-db", "qc", "snapshots/" + "f" * 64, "it does not authenticate"),
        Locked("ehr-db", "qc", 5, DAWN),
        Retained("ehr-db", "mtl", 47),
        Pruned("ehr-db", "qc", 1200, 2**40),
        PruneOwed("ehr-db", "qc", "no answer", ("run-1/prune-qc.txt",)),
        Braked("ehr-db", "mtl", "all 9 snapshots would go"),
    ]
    learn(journal, *facts)
    assert {type(fact) for fact in facts} == set(WORDS) - OF_RUNS
    for fact in facts:
        assert [known.fact for known in journal.facts(type(fact), "ehr-db")] == [fact]


def test_what_a_run_as_a_whole_led_to_is_kept_with_its_end(journal: Journal) -> None:
    moved = ServiceActive("ehr", "quebec", RUN, failed_over=True)
    home = replace(moved, site="", failed_over=False)
    looked = ReadinessLooked("ehr-failover", RUN, ("answers: no route",))
    proven = ReadinessProven("ehr-failover", RUN)
    ended = RunEnded("drill", "ehr-failover", RUN, good=False, outcome="failed", why="no route")
    told = AlarmTold("oncall", "rpo.breached", "docs in qc", DAWN)
    tried = ChannelTried("oncall", "refused", "look at it", DAWN, 3)
    pairs = [(moved, home), (looked, replace(looked, wrong=())), (proven, proven)]
    pairs += [(ended, replace(ended, good=True, why="")), (told, replace(told, cleared=True))]
    pairs.append((tried, ChannelTried("oncall")))
    action = Corrective("A1", "look", "anne", "2026-12-31", DAWN, "root", f"{RUN}/1")
    done = Change(DAWN, "eve", ChangeKind.CLOSED, "done", run=RUN)
    pairs.append((action, replace(action, changes=(done,))))
    sent = ReportSent("2026Q4", "board", DAWN, {"2026Q4.json": "a" * 64})
    pairs.append((sent, replace(sent, files={})))
    kit = KitMade(DAWN, "root", "c" * 64, {"regions": "d" * 64}, ("repo-key",), 5, 3)
    pairs.append((kit, replace(kit, digest="e" * 64, secrets=(), holders=0, needed=0)))
    term = TermBegun("f" * 16, 1, DAWN, "root", "recovered", "a" * 16)
    pairs.append((term, replace(term, term=2, announced=True)))
    other = OtherSeen("a" * 16, 0, DAWN, "old-host", Fate.ALIVE, DAWN)
    pairs.append((other, replace(other, fate=Fate.SILENT)))
    assert {type(first) for first, _ in pairs} == OF_RUNS
    for number, pair in enumerate(pairs):
        for turn, fact in enumerate(pair):
            run = f"{RUN}-{number}{turn}"
            journal.begin(run, stamped(started()), welcome)
            journal.append(run, 1, stamped(RunFinished(Outcome.PASSED, facts=(fact,))))
            assert [known.fact for known in journal.facts(type(fact), "")] == [fact]


def test_names_of_any_bytes_are_kept(journal: Journal) -> None:
    odd = replace(started(), by="caf\udce9\x00", reason="\ud800 \udfff \x00")
    journal.begin(RUN, stamped(odd), welcome)
    (recorded,) = journal.read(RUN)
    assert recorded.event == odd
    assert journal.find(RUN).by == "caf\\udce9\\0"


def test_what_cannot_be_kept_leaves_nothing_behind(journal: Journal) -> None:
    journal.begin(RUN, stamped(started()), welcome)
    with pytest.raises(TypeError):
        journal.append(RUN, 1, stamped(begun(), replace(ended(), outputs={"a": object()})))
    assert journal.find(RUN).seq == 1
    assert journal.append(RUN, 1, stamped(begun())).seq == 2


def test_many_threads_record_side_by_side(journal: Journal) -> None:
    def carry(number: int) -> None:
        run = f"run-{number}"
        seq = journal.begin(run, stamped(started(run)), welcome).seq
        for _ in range(10):
            seq = journal.append(run, seq, stamped(begun(), ended())).seq
            assert journal.find(run).seq == seq
        journal.append(run, seq, stamped(finished()))

    in_threads([lambda n=n: carry(n) for n in range(4)])
    assert {row.seq for row in journal.rows()} == {22}
    assert all(len(list(journal.read(row.run))) == 22 for row in journal.rows())


def test_of_many_who_append_at_the_same_place_one_wins(journal: Journal) -> None:
    journal.begin(RUN, stamped(started()), welcome)
    fenced: list[FenceLost] = []

    def append() -> None:
        try:
            journal.append(RUN, 1, stamped(begun()))
        except FenceLost as lost:
            fenced.append(lost)

    in_threads([append] * 5)
    assert len(fenced) == 4
    assert journal.find(RUN).seq == 2


def in_threads(work: list[Callable[[], None]]) -> None:
    """Do everything at the same time; what one raises is raised here."""
    failures: list[BaseException] = []

    def guarded(one: Callable[[], None]) -> None:
        try:
            one()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def test_moments_are_kept_to_the_bit(journal: Journal) -> None:
    odd = replace(at(0), at=DAWN + timedelta(microseconds=1), ticks=0.1 + 0.2)
    journal.begin(RUN, [replace(stamped(started())[0], at=odd)], welcome)
    (recorded,) = journal.read(RUN)
    assert recorded.at == odd
