"""What a run report shows, made from the run's document: words chosen, figures written out.

HTML and Markdown show the same view; only the form is theirs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from drorch.reports import words
from drorch.reports.condense import PhaseSteps, Step, by_phase
from drorch.reports.figures import (
    after,
    clock,
    count,
    duration,
    joined,
    local,
    offset,
    size,
    utc,
    values,
)
from drorch.reports.gantt import Chart, chart

Document: TypeAlias = Mapping[str, Any]

#: Attempts beyond this are told only where something went wrong.
_MOST_ATTEMPTS = 120


@dataclass(frozen=True, slots=True)
class Headline:
    """The verdict: `tone` is good, warn, bad or idle."""

    tone: str
    title: str
    sentence: str


@dataclass(frozen=True, slots=True)
class ObjectiveBox:
    """One objective. `share` is actual against target, 1 being all of it; None if either is missing."""

    title: str
    promised_word: str
    promised: str
    measured_word: str
    measured: str
    tone: str
    verdict: str
    how: str
    share: float | None


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """An attempt, or several looks of one check in a row that came to the same."""

    step: str
    numbers: str
    began: str
    elapsed: str
    verdict: str
    tone: str
    message: str
    then: str


@dataclass(frozen=True, slots=True)
class RunView:
    """Everything a template needs. `document` is for what needs no words."""

    document: Document
    kind: str
    heading: str
    headline: Headline
    objectives: tuple[ObjectiveBox, ...]
    facts: tuple[tuple[str, tuple[str, ...]], ...]
    phases: tuple[PhaseSteps, ...]
    chart: Chart | None
    attempts: tuple[AttemptRow, ...]
    attempts_left_out: int
    restored: tuple[Step, ...]
    verified: tuple[Step, ...]
    people: tuple[tuple[str, str, str], ...]
    skipped: tuple[Mapping[str, Any], ...]
    cleanup: tuple[str, str]
    limits: tuple[str, ...]
    evidence: tuple[tuple[str, int, Mapping[str, Any]], ...]


def view(document: Document) -> RunView:
    """The view of a run's document."""
    phases = tuple(by_phase(document["steps"]))
    told = [s for p in phases for s in p.steps]
    attempts = tuple(_attempts(told, document))
    kept = attempts
    if len(attempts) > _MOST_ATTEMPTS:
        kept = tuple(a for a in attempts if a.tone != "good" or a.numbers != "1")
    return RunView(
        document=document,
        kind=words.KINDS[document["kind"]],
        heading=document["title"] or document["name"],
        headline=headline(document),
        objectives=tuple(_objectives(document)),
        facts=tuple(_facts(document)),
        phases=phases,
        chart=chart(document, phases),
        attempts=kept,
        attempts_left_out=len(attempts) - len(kept),
        restored=tuple(s for s in told if _is_restore(s)),
        verified=tuple(s for s in told if s["phase"] == "verify"),
        people=tuple(_people(document["steps"])),
        skipped=tuple(document["skipped"]),
        cleanup=_cleanup(document),
        limits=tuple(_limits(document)),
        evidence=tuple(
            (s["step"], a["attempt"], e)
            for s in document["steps"]
            for a in s["attempt_log"]
            for e in a["evidence"]
        ),
    )


def headline(document: Document) -> Headline:
    """The verdict in words."""
    outcome = document["outcome"]
    key = (outcome, document["objectives_met"]) if outcome == "passed" else outcome
    tone, title, sentence = words.HEADLINES[key or document["state"]]
    unplanned = {f["what"] for f in document["findings"]} - words.PLANNED_FINDINGS
    if tone == "good" and unplanned:
        tone, title = "warn", words.WITH_FINDINGS.format(title=title)
    asked = joined([s["step"] for s in document["steps"] if s["status"] == "waiting-for-person"])
    return Headline(tone, title, sentence.format(reason=_reason(document), asked=asked))


def _reason(document: Document) -> str:
    abort = document["abort"]
    if abort and document["outcome"] == "aborted":
        return words.REASON_ABORT.format(**abort).removesuffix(": ")
    for step in document["steps"]:
        if step["status"] == "failed" and step["phase"] != "cleanup":
            message = f": {step['message'].rstrip('.')}" if step["message"] else ""
            early = step["phase"] == "preconditions"
            form = words.REASON_PRECONDITION if early else words.REASON_STEP
            if early or step["step"] == (document["failed_step"] or step["step"]):
                return form.format(step=step["step"], message=message)
    return words.REASON_UNKNOWN


def _objectives(document: Document) -> Iterator[ObjectiveBox]:
    for key, how in (("rto", _how_rto(document)), ("rpo", _how_rpo(document))):
        measured = document["objectives"][key]
        target, actual = measured["target_s"], measured["actual_s"]
        if target is None and actual is None:
            continue
        title, promised_word, measured_word = words.OBJECTIVES[key]
        tone, verdict = _judged(key, document)
        share = actual / target if target and actual is not None else None
        yield ObjectiveBox(
            title,
            promised_word,
            duration(target),
            measured_word,
            duration(actual),
            tone,
            verdict,
            how,
            share,
        )


def _judged(key: str, document: Document) -> tuple[str, str]:
    measured = document["objectives"][key]
    margin = measured["margin_s"]
    if measured["met"] is True:
        return "good", words.MET.format(margin=duration(margin))
    if measured["met"] is False:
        if margin is not None:
            return "bad", words.MISSED.format(margin=duration(-margin))
        return "bad", words.NOT_RECOVERED if document["outcome"] else words.TOO_LATE
    if measured["target_s"] is None:
        return "idle", words.NO_TARGET
    if document["outcome"] is None:
        return "idle", words.STILL_COUNTING if key == "rto" else words.NOT_FINAL
    return "idle", words.NOT_MEASURED if measured["actual_s"] is None else words.NOT_PROVEN


def _how_rto(document: Document) -> str:
    window = document["window"]
    if window is None:
        return words.HOW_RTO_NONE
    declared = _declared(document)
    start = words.START_DECLARED if declared else words.START_FIRST_STEP
    begin = after(document["started_at"], window["from_s"])
    length = duration(window["to_s"] - window["from_s"])
    if document["outcome"] is None:
        return words.HOW_RTO_OPEN.format(start=start, from_=clock(begin), length=length)
    finish = after(document["started_at"], window["to_s"])
    verified = any(s["phase"] == "verify" and s["status"] == "passed" for s in document["steps"])
    end = words.END_VERIFIED if verified else words.END_LAST_STEP
    end = end if document["outcome"] == "passed" else words.END_BROKEN
    return words.HOW_RTO.format(
        start=start, from_=clock(begin), end=end, to=clock(finish), length=length
    )


def _how_rpo(document: Document) -> str:
    if document["data_from"] is None:
        return words.HOW_RPO_NONE
    declared = _declared(document)
    return words.HOW_RPO.format(
        start=words.FROM_DECLARED if declared else words.FROM_STARTED,
        from_=clock(declared or document["started_at"]),
        snapshot=utc(document["data_from"]),
    )


def _declared(document: Document) -> str | None:
    """The declaration that starts the clock: an exercise has none."""
    declared: str | None = document["declared_at"]
    return declared if document["mode"] == "live" else None


def _facts(document: Document) -> Iterator[tuple[str, tuple[str, ...]]]:
    zone = document["timezone"]
    owner = document["owner"]
    inputs = tuple(f"{k} = {v}" for k, v in document["inputs"].items())
    due = words.WHEN_DUE.format(due=utc(document["due_at"])) if document["due_at"] else ""
    took = words.TOOK if document["finished_at"] else words.TOOK_SO_FAR
    rows = {
        "declared": (utc(document["declared_at"]), local(document["declared_at"], zone)),
        "started": (utc(document["started_at"]), local(document["started_at"], zone)),
        "finished": (utc(document["finished_at"]), local(document["finished_at"], zone)),
        "took": (took.format(length=duration(document["elapsed_s"])),),
        "by": (document["by"],),
        "reason": (document["reason"],),
        "trigger": (document["trigger"], due),
        "mode": (words.MODES[document["mode"]],),
        "service": (document["service"],),
        "datasets": tuple(document["datasets"]),
        "mtpd": (duration(document["mtpd_s"]),),
        "inputs": inputs,
        "owner": (words.OWNER.format(**owner), _version(owner["version"])),
    }
    for key, texts in rows.items():
        said = tuple(t for t in texts if t and t != "–")
        if said:
            yield words.FACTS[key], said


def _version(version: str) -> str:
    return words.VERSION.format(version=version) if version else ""


def _is_restore(step: Step) -> bool:
    return (
        step["status"] == "passed" and "snapshot_at" in step["outputs"] and step["do"] == "restore"
    )


def _attempts(steps: Sequence[Step], document: Document) -> Iterator[AttemptRow]:
    zero = document["window"]["from_s"] if document["window"] else 0.0
    for step in steps:
        log = step["attempt_log"]
        first = 0
        while first < len(log):
            last = first
            while step["until"] and last + 1 < len(log) and _alike(log[last], log[last + 1]):
                last += 1
            yield _attempt_row(step["step"], log[first : last + 1], zero)
            first = last + 1


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one[key] == other[key] for key in ("verdict", "cause", "message"))


def _attempt_row(step: str, log: Sequence[Mapping[str, Any]], zero: float) -> AttemptRow:
    first, last = log[0], log[-1]
    spent = [a["elapsed_s"] for a in log if a["elapsed_s"] is not None]
    many = len(log) > 1
    return AttemptRow(
        step=step,
        numbers=f"{first['attempt']}–{last['attempt']}" if many else str(first["attempt"]),
        began=offset(round(first["from_s"] - zero, 3)),
        elapsed=f"{duration(max(spent))} at most"
        if many and spent
        else duration(last["elapsed_s"]),
        verdict=words.VERDICTS[last["verdict"]],
        tone={"pass": "good", None: "idle"}.get(last["verdict"], "bad"),
        message=last["message"],
        then="" if last["wait_s"] is None else words.WAITED.format(length=duration(last["wait_s"])),
    )


def _people(steps: Sequence[Step]) -> Iterator[tuple[str, str, str]]:
    """Step, what was asked, and what came of it."""
    for step in steps:
        for question in step["questions"]:
            asked = words.ASKED.format(at=clock(question["asked_at"]), prompt=question["prompt"])
            answers = [_answer(a) for a in question["answers"]]
            if question["question"] == "settle":
                answers += [_settled(s) for s in step["settled"]]
            if question["to_s"] is None:
                given = words.STILL_OPEN.format(given=len(answers), quorum=question["quorum"])
                answers.append(given)
            yield step["step"], asked, "; ".join(answers) or step["why"] or words.NO_ANSWER


def _answer(answer: Mapping[str, Any]) -> str:
    said = words.APPROVED if answer["approved"] else words.REFUSED
    return _because(said, answer)


def _settled(settled: Mapping[str, Any]) -> str:
    return _because(words.HAPPENED if settled["happened"] else words.DID_NOT_HAPPEN, settled)


def _because(form: str, answer: Mapping[str, Any]) -> str:
    said = form.format(by=answer["by"], at=clock(answer["at"]))
    reason = answer["reason"]
    return words.BECAUSE.format(said=said, reason=reason) if reason else said


def _cleanup(document: Document) -> tuple[str, str]:
    """Tone and sentence."""
    if document["left_behind"]:
        return "bad", ""
    if document["outcome"] is None:
        return "idle", words.CLEANUP_OPEN
    did = any(s["phase"] == "cleanup" and s["attempts"] for s in document["steps"])
    return "good", words.NOTHING_LEFT if did else words.NO_CLEANUP


def _limits(document: Document) -> Iterator[str]:
    """What this run does not prove."""
    steps = document["steps"]
    for skipped in document["skipped"]:
        if skipped["planned"]:
            do = next(s["do"] for s in steps if s["step"] == skipped["step"])
            yield words.LIMIT_SKIPPED.format(step=skipped["step"], do=do, why=skipped["why"])
    for step in steps:
        for settled in step["settled"]:
            yield words.LIMIT_SETTLED.format(step=step["step"], by=settled["by"])
    if document["kind"] == "backup":
        yield words.LIMIT_BACKUP
    if document["kind"] not in ("drill", "failover", "failback"):
        return
    if document["outcome"] in ("failed", "aborted"):
        yield words.LIMIT_OUTCOME
    if not any(_is_restore(s) for s in steps):
        yield words.LIMIT_NO_RESTORE
    if not any(s["phase"] == "verify" and s["status"] == "passed" for s in steps):
        yield words.LIMIT_NO_VERIFY
    if document["mode"] == "drill":
        yield words.LIMIT_DRILL
    yield words.LIMIT_AREAS


def _found(step: Step, most: int = 8) -> list[tuple[str, str]]:
    """What the step gave, as name and text; a restore's is written out for people."""
    outputs = step["outputs"]
    if not _is_restore(step):
        return values(outputs, most)
    told = {name: outputs[name] for name in ("dataset", "region") if name in outputs}
    return [
        *values(told),
        (words.FILES, count(outputs.get("files"))),
        (words.SIZE, size(outputs.get("bytes"))),
    ]


#: What both templates may use beside the view.
FILTERS = {
    "duration": duration,
    "offset": offset,
    "size": size,
    "count": count,
    "utc": utc,
    "clock": clock,
    "found": _found,
    "status": words.STATUSES.__getitem__,
    "phase": words.PHASES.__getitem__,
}
