"""What a quarter can show, and where it falls short: one function for each stable word. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Final

from drorch.core.corrective import wants_action
from drorch.core.jurisdictions import jurisdiction_within
from drorch.core.quarter_controls import Gap, Shown
from drorch.core.quarter_document import QuarterDocument
from drorch.core.quarter_drills import DrillQuarter
from drorch.core.quarter_records import CopyPlace, Destruction

#: Runs or names given for one fact.
_MOST = 5

#: Records are to be kept for so many years from when they were made (45 CFR 164.316(b)(2)(i)).
_YEARS = 6

#: ISO 3166-2.
_QUEBEC = ("CA-QC",)


def _runs(runs: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(runs))[:_MOST]


def _passed(document: QuarterDocument) -> list[DrillQuarter]:
    return [d for d in document.drills if d.outcome == "passed"]


def _switches(document: QuarterDocument) -> list[DrillQuarter]:
    """What passed at the other place: failovers, failbacks, exercises that were isolated or live."""
    moved = ("failover", "failback")
    return [d for d in _passed(document) if d.kind in moved or d.exercise in ("isolated", "live")]


def _work(key: str, what: str) -> Callable[[QuarterDocument], Shown]:
    def found(document: QuarterDocument) -> Shown:
        work = getattr(document.totals, key)
        return Shown(what, work.done, work.due)

    return found


def _copies_within(document: QuarterDocument) -> Shown:
    judged = [c.rpo_met for d in document.datasets for c in d.copies if c.rpo_met is not None]
    return Shown("copy-within-rpo", judged.count(True), len(judged))


def _several_regions(document: QuarterDocument) -> Shown:
    kept = [d for d in document.datasets if d.configured]
    several = [d for d in kept if len([c for c in d.copies if c.newest_at]) > 1]
    return Shown("several-regions", len(several), len(kept))


def _restore_tests(document: QuarterDocument) -> Shown:
    work = document.totals.restore_tests
    shown = [r.run for r in document.restores if r.kind == "restore-test" and r.verdict == "pass"]
    return Shown("restore-test-passed", work.done, work.due, _runs(shown))


def _restored(document: QuarterDocument) -> Shown:
    whole = [r.run for r in document.restores if r.verdict == "pass"]
    return Shown("restore-whole", len(whole), len(document.restores), _runs(whole))


def _drills_ended(document: QuarterDocument) -> Shown:
    ended = [d.run for d in document.drills if d.outcome]
    return Shown("drill-ended", len(ended), None, _runs(ended))


def _drills_passed(document: QuarterDocument) -> Shown:
    passed = [d.run for d in _passed(document)]
    ended = sum(d.outcome is not None for d in document.drills)
    return Shown("drill-passed", len(passed), ended, _runs(passed))


def _on_time(document: QuarterDocument) -> Shown:
    work = document.totals.drills
    return Shown("drill-on-time", work.on_time + work.late, work.due)


def _switched(document: QuarterDocument) -> Shown:
    runs = [d.run for d in _switches(document)]
    return Shown("switched", len(runs), None, _runs(runs))


def _proven(document: QuarterDocument) -> Shown:
    proven = [r for r in document.coverage.runbooks if r.changed == () and not r.gone]
    runs = _runs(r.last_run for r in proven if r.last_run)
    return Shown("runbook-proven", len(proven), len(document.coverage.runbooks), runs)


def _judged(drill: DrillQuarter) -> bool:
    return drill.rto.met is not None or drill.rpo.met is not None


def _met(drill: DrillQuarter) -> bool:
    return drill.rto.met is not False and drill.rpo.met is not False


def _reached(document: QuarterDocument) -> Shown:
    judged = [d for d in document.drills if _judged(d)]
    met = [d.run for d in judged if _met(d)]
    return Shown("objective-reached", len(met), len(judged), _runs(met))


def _closed(document: QuarterDocument) -> Shown:
    closed = [a for a in document.actions if a.status == "closed"]
    runs = _runs(a.closed_by_run for a in closed if a.closed_by_run)
    return Shown("action-closed", len(closed), len(document.actions), runs)


def _tiers(document: QuarterDocument) -> Shown:
    named = [s for s in document.services if s.tier is not None]
    return Shown("tier-named", len(named), len(document.services))


def _objectives(document: QuarterDocument) -> Shown:
    named = [s for s in document.services if s.rto is not None and s.rpo is not None]
    return Shown("objective-named", len(named), len(document.services))


def _journal(document: QuarterDocument) -> Shown:
    return Shown("journal-entries", document.verifying.ledger_entries)


def _long_enough(document: QuarterDocument) -> bool:
    kept, made = document.retention_until, document.made_at.date()
    leap = made.month == 2 and made.day == 29
    until = date(made.year + _YEARS, made.month, 28 if leap else made.day)
    return kept is not None and kept >= until


def _kept(document: QuarterDocument) -> Shown:
    return Shown("kept-six-years", int(_long_enough(document)), 1)


def _in_quebec(jurisdiction: str | None) -> bool:
    """What Québec's statutes ask about, whatever a dataset's residency allows: a country alone, or
    nothing, is not known to be Québec.
    """
    return jurisdiction is not None and jurisdiction_within(jurisdiction, _QUEBEC)


def _here(document: QuarterDocument) -> Shown:
    held = [_in_quebec(p.jurisdiction) for p in document.residency if p.holds]
    return Shown("copy-in-quebec", held.count(True), len(held))


def _abroad(document: QuarterDocument) -> list[CopyPlace]:
    held = [p for p in document.residency if p.holds and p.jurisdiction is not None]
    return [p for p in held if not _in_quebec(p.jurisdiction)]


def _papered(document: QuarterDocument) -> Shown:
    papered = [p.papered for p in _abroad(document)]
    return Shown("copy-outside-papered", papered.count(True), len(papered))


def _targets(document: QuarterDocument) -> Shown:
    runs = [t.run for t in document.targets if _in_quebec(t.jurisdiction)]
    return Shown("target-in-quebec", len(runs), len(document.targets), _runs(runs))


def _targets_abroad(document: QuarterDocument) -> Iterator[str]:
    """Those that no papers are named for."""
    for target in document.targets:
        papered = target.assessment and target.agreement
        if not _in_quebec(target.jurisdiction) and not papered:
            yield f"{target.run} · {target.dataset} · {target.to}"


def _logged(document: QuarterDocument) -> Shown:
    return Shown("access-logged", len(document.restores))


def _destroyed(document: QuarterDocument) -> Shown:
    due = [r for r in document.restores if r.state in (Destruction.DESTROYED, Destruction.LEFT)]
    gone = [r.run for r in due if r.state is Destruction.DESTROYED]
    return Shown("data-destroyed", len(gone), len(due), _runs(gone))


def _records(document: QuarterDocument) -> Shown:
    drills = [d for d in document.own_records.drills if d.telling]
    passed = [d.run for d in drills if d.outcome == "passed"]
    return Shown("records-drilled", len(passed), len(drills), _runs(passed))


SHOWN: Final[Mapping[str, Callable[[QuarterDocument], Shown]]] = {
    "backup-done": _work("backups", "backup-done"),
    "check-passed": _work("checks", "check-passed"),
    "copy-within-rpo": _copies_within,
    "several-regions": _several_regions,
    "restore-test-passed": _restore_tests,
    "restore-whole": _restored,
    "drill-ended": _drills_ended,
    "drill-passed": _drills_passed,
    "drill-on-time": _on_time,
    "switched": _switched,
    "runbook-proven": _proven,
    "objective-reached": _reached,
    "action-closed": _closed,
    "tier-named": _tiers,
    "objective-named": _objectives,
    "journal-entries": _journal,
    "kept-six-years": _kept,
    "copy-in-quebec": _here,
    "copy-outside-papered": _papered,
    "target-in-quebec": _targets,
    "access-logged": _logged,
    "data-destroyed": _destroyed,
    "records-drilled": _records,
}


def _named(
    what: str, names: Callable[[QuarterDocument], Iterable[str]]
) -> tuple[str, Callable[[QuarterDocument], Gap]]:
    """A gap that is so many named things."""

    def found(document: QuarterDocument) -> Gap:
        subjects = tuple(dict.fromkeys(names(document)))
        return Gap(what, len(subjects), subjects[:_MOST])

    return what, found


def _counted(
    what: str, count: Callable[[QuarterDocument], int]
) -> tuple[str, Callable[[QuarterDocument], Gap]]:
    """A gap that is a number."""
    return what, lambda document: Gap(what, count(document))


GAPS: Final[Mapping[str, Callable[[QuarterDocument], Gap]]] = dict(
    (
        _counted("backup-missed", lambda q: q.totals.backups.missed + q.totals.backups.failed),
        _counted("drill-missed", lambda q: q.totals.drills.missed),
        _counted(
            "restore-test-failed",
            lambda q: q.totals.restore_tests.failed + q.totals.restore_tests.missed,
        ),
        _counted("no-drill", lambda q: int(q.headline.no_drill)),
        _counted("records-undrilled", lambda q: int(not _records(q).of)),
        _counted("no-switch", lambda q: int(not _switches(q))),
        _counted("not-sealed", lambda q: int(not q.verifying.sealed)),
        _counted("kept-shorter", lambda q: int(not _long_enough(q))),
        _named(
            "copy-over-rpo",
            lambda q: (
                f"{d.dataset} · {c.region}"
                for d in q.datasets for c in d.copies if c.rpo_met is False
            ),
        ),
        _named(
            "one-region",
            lambda q: (
                d.dataset for d in q.datasets
                if d.configured and len([c for c in d.copies if c.newest_at]) < 2
            ),
        ),
        _named("never-restored", lambda q: q.coverage.never_restored),
        _named("never-drilled", lambda q: (n for t in q.coverage.tiers for n in t.never)),
        _named("no-runbook", lambda q: (n for t in q.coverage.tiers for n in t.no_runbook)),
        _named("drill-not-passed", lambda q: (d.run for d in q.drills if d.outcome not in (None, "passed"))),
        _named(
            "objective-missed",
            lambda q: (d.run for d in q.drills if _judged(d) and not _met(d)),
        ),
        _named(
            "runbook-changed",
            lambda q: (r.runbook for r in q.coverage.runbooks if r.changed != () or r.gone),
        ),
        _named(
            "finding-without-action",
            lambda q: (
                f.id
                for f in q.findings
                if f.action is None and not f.closed and wants_action(f.what)
            ),
        ),
        _named("action-overdue", lambda q: (a.id for a in q.actions if a.overdue)),
        _named("no-tier", lambda q: (s.service for s in q.services if s.tier is None)),
        _named(
            "no-objective",
            lambda q: (s.service for s in q.services if s.rto is None or s.rpo is None),
        ),
        _named(
            "copy-outside-unpapered",
            lambda q: (f"{p.dataset} · {p.region}" for p in _abroad(q) if not p.papered),
        ),
        _named(
            "copy-place-unknown",
            lambda q: (f"{p.dataset} · {p.region}" for p in q.residency if p.jurisdiction is None),
        ),
        _named("target-outside-unpapered", _targets_abroad),
        _named(
            "data-left",
            lambda q: (f"{r.run} · {r.step}" for r in q.restores if r.state is Destruction.LEFT),
        ),
    )
)  # fmt: skip
