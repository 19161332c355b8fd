"""A run as one JSON document: the contract's keys first, in its order, then everything a report needs.

Texts are as recorded (already redacted). Times are RFC 3339 in UTC (`Z`), to the millisecond
where there is one; durations are seconds to the millisecond. Keys ending in `from_s` and `to_s`
are places on the run's own line of time, in seconds since it started (see core/axis.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from drorch.core.axis import Axis, began
from drorch.core.consent import Terms
from drorch.core.events import (
    AbortRequested,
    ConfigurationTaken,
    FenceForced,
    JobsSeen,
    RetryRequested,
    ScheduleFact,
    SkipRequested,
    SlotsMissed,
    SlotTaken,
)
from drorch.core.exercises import Area, Goal
from drorch.core.findings import all_findings
from drorch.core.judging import Judged, judged
from drorch.core.moment import Moment
from drorch.core.names import RunState, SlotFate
from drorch.core.outcome import left_behind
from drorch.core.state import Attempt, Pause, Question, RunFold, StepState
from drorch.core.timing import Measured, Timing, time_run
from drorch.core.values import Evidence, Finding

Document: TypeAlias = dict[str, Any]

#: Raised when a key changes its meaning; new keys do not raise it.
FORMAT = 1


def run_document(
    state: RunFold, *, run: str, journal_head: str, state_word: RunState, now: Moment
) -> Document:
    """The whole run. `journal_head` is hex SHA-256; `now` matters only to a run under way."""
    timing = time_run(state, now)
    view = _View(
        Axis.of(state), timing, frozenset(timing.critical_path), state.finished_at or now, state.by
    )
    plan = state.plan
    return {
        "run": run,
        "kind": plan.kind.value,
        "name": plan.name,
        "mode": plan.mode.value,
        "state": state_word.value,
        "outcome": state.finished.outcome.value if state.finished else None,
        "dirty": bool(left_behind(state)),
        "trigger": state.trigger,
        "by": state.by,
        "started_at": rfc3339(state.started.at),
        "finished_at": rfc3339(state.finished_at.at) if state.finished_at else None,
        "objectives": {"rto": _objective(timing.rto), "rpo": _objective(timing.rpo)},
        "machine_s": seconds(timing.machine),
        "person_s": seconds(timing.person),
        "critical_path": list(timing.critical_path),
        "steps": [view.step(s) for s in state.steps.values()],
        "findings": [
            _finding(f"{run}/{number}", step, f)
            for number, (step, f) in enumerate(all_findings(state, timing), 1)
        ],
        "journal_head": head_of(journal_head),
        "format": FORMAT,
        "objectives_met": timing.objectives_met,
        **_circumstances(state),
        **_exercise(state, timing),
        **_measuring(state, timing, view),
        **_trouble(state),
    }


def without_steps(document: Mapping[str, Any]) -> Document:
    """The document as `run list --json` prints it."""
    return {key: value for key, value in document.items() if key != "steps"}


def rfc3339(at: datetime) -> str:
    """`2026-11-23T03:00:00Z`, with milliseconds where there are any."""
    text = at.astimezone(UTC).isoformat(timespec="milliseconds")
    return f"{text[:23].rstrip('0') if text[20:23] != '000' else text[:19]}Z"


def seconds(duration: timedelta) -> float:
    """Seconds, to the millisecond."""
    return round(duration.total_seconds(), 3)


def _optional_seconds(duration: timedelta | None) -> float | None:
    return seconds(duration) if duration is not None else None


def _objective(measured: Measured) -> Document:
    known = measured.target is not None and measured.actual is not None
    return {
        "target_s": _optional_seconds(measured.target),
        "actual_s": _optional_seconds(measured.actual),
        "met": measured.met,
        "margin_s": seconds(measured.target - measured.actual) if known else None,  # type: ignore[operator] # known says so
    }


def _finding(name: str, step: str, finding: Finding) -> Document:
    return {
        "id": name,
        "what": finding.what,
        "subject": finding.subject,
        "message": finding.message,
        "hint": finding.hint,
        "step": step or None,
    }


def head_of(hex_hash: str) -> str:
    """The hash with its kind before it, whether it was there or not."""
    return hex_hash if hex_hash.startswith("sha256:") else f"sha256:{hex_hash}"


def _circumstances(state: RunFold) -> Document:
    plan = state.plan
    return {
        "title": plan.title,
        "service": plan.service,
        "organization": plan.organization,
        "timezone": plan.timezone,
        "reason": state.reason,
        "declared_at": rfc3339(state.declared_at) if state.declared_at else None,
        "due_at": rfc3339(state.due_at) if state.due_at else None,
        **_scheduled(state.schedule),
        "inputs": dict(plan.inputs),
        "datasets": list(plan.datasets),
        "parallel": plan.parallel,
        "mtpd_s": _optional_seconds(plan.objectives.mtpd),
        "runbook_digest": head_of(plan.runbook_digest) if plan.runbook_digest else None,
        "configuration_digest": (
            head_of(plan.configuration_digest) if plan.configuration_digest else None
        ),
        "owner": {
            "host": state.owner.host,
            "user": state.owner.user,
            "version": state.owner.version,
        },
        "notices": list(plan.notices),
    }


def _exercise(state: RunFold, timing: Timing) -> Document:
    """What it was for and who took part; of an exercise's goals, what came of each."""
    plan, section = state.plan, state.plan.exercise

    def goals(wanted: Sequence[Goal]) -> list[Document]:
        return [_judged(judged(one, state, timing)) for one in wanted]

    told: Document | None = None
    if section is not None:
        areas = {area: goals([goal])[0] for area, goal in section.areas.items()}
        told = {
            "type": section.type.value if section.type else None,
            "scenario": section.scenario,
            "scope": section.scope,
            "objectives": goals(section.objectives),
            "criteria": goals(section.criteria),
            "assumptions": list(section.assumptions),
            "excluded": list(section.excluded),
            "areas": {area.value: areas.get(area) for area in Area},
        }
    return {
        "subject": plan.subject,
        "site": plan.site,
        "exercise": told,
        "participants": [{"name": one.name, "role": one.role} for one in plan.participants],
        "sources": {name: list(paths) for name, paths in plan.sources.items()},
    }


def _judged(found: Judged) -> Document:
    return {
        "text": found.goal.text,
        "shown_by": list(found.goal.shown_by),
        "result": found.result.value,
        "failed": list(found.failed),
        "unknown": list(found.unknown),
    }


def _scheduled(facts: Sequence[ScheduleFact]) -> Document:
    """Which slot the run is for, and what else its start told of schedules."""
    slot: Document | None = None
    missed: list[Document] = []
    seen: list[Document] = []
    configuration: Document | None = None
    for fact in facts:
        match fact:
            case SlotTaken(job, due_at, late, why):
                fate = SlotFate.LATE if late else SlotFate.FIRED
                slot = {"job": job, "due_at": rfc3339(due_at), "fate": fate.value, "why": why}
            case SlotsMissed(job, first, last, count, why):
                span = {"first_at": rfc3339(first), "last_at": rfc3339(last), "count": count}
                missed.append({"job": job, **span, "why": why})
            case JobsSeen(jobs, since):
                seen.append({"since": rfc3339(since), "jobs": list(jobs)})
            case ConfigurationTaken(file, digest, why):
                configuration = {"file": file, "digest": head_of(digest), "why": why}
    return {
        "slot": slot,
        "missed": missed,
        "jobs_seen": seen,
        "configuration_taken": configuration,
    }


def _measuring(state: RunFold, timing: Timing, view: "_View") -> Document:
    window = timing.window
    return {
        "elapsed_s": round(view.axis.at(view.end), 3),
        "window": (
            {"from_s": round(window.begin, 3), "to_s": round(window.end, 3)} if window else None
        ),
        "data_from": rfc3339(timing.data_from) if timing.data_from else None,
        "clock_moved": [
            {"at": rfc3339(step.at.at), "by_s": seconds(step.by)} for step in state.clock_steps
        ],
        "taken_over": [
            {
                "at": rfc3339(at.at),
                "at_s": view.place(at),
                "by": t.by,
                "host": t.owner.host,
                "on_word": t.on_word,
            }
            for at, t in state.takings
        ],
    }


def _trouble(state: RunFold) -> Document:
    return {
        "halted": state.halted,
        "failed_step": state.failed_step or None,
        "overrides": [_override(at, word) for at, word in state.overrides],
        "pauses": [_pause(one) for one in state.pauses],
        "abort": _order(state.aborted_at, state.abort),
        "forced": _order(state.forced_at, state.forced),
        "left_behind": list(left_behind(state)),
        "skipped": [
            {
                "step": s.plan.id,
                "phase": s.plan.phase.value,
                "why": s.why,
                "planned": bool(s.plan.skip),
            }
            for s in state.steps.values()
            if s.status.value == "skipped"
        ],
    }


def _override(at: Moment, word: RetryRequested | SkipRequested) -> Document:
    what = "retry" if isinstance(word, RetryRequested) else "skip"
    told = {"at": rfc3339(at.at), "step": word.step, "by": word.by, "reason": word.reason}
    return {"what": what, **told}


def _order(at: Moment | None, word: AbortRequested | FenceForced | None) -> Document | None:
    if at is None or word is None:
        return None
    return {"by": word.by, "reason": word.reason, "at": rfc3339(at.at)}


def _pause(pause: Pause) -> Document:
    return {
        "from": rfc3339(pause.at.at),
        "to": rfc3339(pause.ended.at) if pause.ended else None,
        "by": pause.asked.by,
        "reason": pause.asked.reason,
        "ended_by": pause.by or None,
    }


@dataclass(frozen=True, slots=True)
class _View:
    """Steps and attempts on the run's line of time."""

    axis: Axis
    timing: Timing
    critical: frozenset[str]
    end: Moment
    requester: str

    def place(self, moment: Moment | None) -> float | None:
        return round(self.axis.at(moment), 3) if moment is not None else None

    def step(self, step: StepState) -> Document:
        plan = step.plan
        begin = began(step)
        end = step.closed or self.end
        slack = (self.timing.slack or {}).get(plan.id)
        return {
            "step": plan.id,
            "phase": plan.phase.value,
            "status": step.status.value,
            "attempts": len(step.attempts),
            "elapsed_s": self._between(begin, end) if begin else None,
            "outputs": dict(step.outputs),
            "title": plan.title,
            "do": plan.do,
            "check": plan.check,
            "needs": list(plan.needs),
            "undoes": plan.undoes or None,
            "on_failure": plan.on_failure.value,
            "until": plan.until is not None,
            "why": step.why,
            "cause": step.cause,
            "message": step.message,
            "hint": step.hint,
            "critical": plan.id in self.critical,
            "slack_s": _optional_seconds(slack),
            "started_at": rfc3339(begin.at) if begin else None,
            "finished_at": rfc3339(step.closed.at) if step.closed else None,
            "from_s": self.place(begin),
            "to_s": self.place(step.closed) if begin else None,
            "attempt_log": [self._attempt(a) for a in step.attempts],
            "questions": [self._question(q) for q in step.questions],
            "settled": [
                {"at": rfc3339(at.at), "happened": s.happened, "by": s.by, "reason": s.reason}
                for at, s in step.settled
            ],
        }

    def _between(self, begin: Moment, end: Moment) -> float:
        return round(max(0.0, self.axis.at(end) - self.axis.at(begin)), 3)

    def _attempt(self, attempt: Attempt) -> Document:
        return {
            "attempt": attempt.number,
            "verdict": _verdict(attempt),
            "started_at": rfc3339(attempt.started.at),
            "from_s": self.place(attempt.started),
            "to_s": self.place(attempt.finished),
            "elapsed_s": _optional_seconds(attempt.elapsed),
            "cause": attempt.cause,
            "message": attempt.message,
            "hint": attempt.hint,
            "wait_s": _optional_seconds(attempt.wait),
            "arguments": dict(attempt.arguments),
            "evidence": [_evidence(e) for e in attempt.evidence],
        }

    def _wanting(self, question: Question) -> str:
        """What an open question still wants, in words."""
        if question.closed is not None or question.asked.question not in ("approve", "confirm"):
            return ""
        agreed = {a.by for _, a in question.answers if a.approved}
        return Terms.of(question.asked).wanting(agreed, self.requester)

    def _question(self, question: Question) -> Document:
        asked = question.asked
        return {
            "question": asked.question,
            "prompt": asked.prompt,
            "quorum": asked.quorum,
            "within_s": _optional_seconds(asked.within),
            "asked_at": rfc3339(question.at.at),
            "from_s": self.place(question.at),
            "to_s": self.place(question.closed),
            "by": list(asked.by),
            "groups": list(asked.groups),
            "requester": asked.requester.value,
            "otherwise": asked.otherwise.value,
            "wanting": self._wanting(question),
            "answers": [
                {"at": rfc3339(at.at), "approved": a.approved, "by": a.by, "reason": a.reason}
                for at, a in question.answers
            ],
        }


def _verdict(attempt: Attempt) -> str | None:
    """The verdict's word, `lost` where nobody was left to say, None while it runs."""
    if attempt.lost:
        return "lost"
    return attempt.verdict.value if attempt.verdict else None


def _evidence(evidence: Evidence) -> Document:
    return {"name": evidence.name, "sha256": evidence.sha256, "bytes": evidence.bytes}
