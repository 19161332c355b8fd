"""A run in words: what it came to, against what was promised, and what to do about it."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from drorch.cli.complaint import complaint, decisive
from drorch.cli.failing import lines_of
from drorch.cli.session import Session
from drorch.cli.tables import show_table
from drorch.cli.words import clean, counted, lasted, moment, one_line, size
from drorch.core.corrective import OPEN_ONE, wants_action
from drorch.core.destroying import not_removed
from drorch.core.errors import DrorchError
from drorch.core.exercises import EVIDENCE
from drorch.core.phrases import named

if TYPE_CHECKING:
    from pathlib import Path

    from drorch.app.runs import RunView

Document = Mapping[str, Any]

#: Findings that only repeat why a step failed, which is told with its hint.
_TOLD_ABOVE = frozenset({"step.failed", "cleanup.failed"})

#: Actions that say in a sentence what they came to.
_SAY_IT = frozenset(
    {"heal", "lock.extend", "retention.decide", "retention.delete", "rewind", "scrub"}
)

_OBJECTIVES = (("rto", "RTA", "RTO"), ("rpo", "RPA", "RPO"))


def summary(document: Document, zone: str, *, besides: str = "") -> list[str]:
    """The lines that end a drill, a restore or a backup, and begin `run show`.

    `besides`: the step whose failure stands beside them as an error.
    """
    return [
        _headline(document),
        f"  run: {document['run']}",
        *_times(document, zone),
        *_schedule(document, zone),
        *_objectives(document["objectives"]),
        *_path(document),
        *_results(document["steps"]),
        *_lying(document),
        *_keys(document["steps"]),
        *_trouble(document, besides),
        *_findings(document),
        *ways_on(document),
    ]


def _headline(document: Document) -> str:
    word = document["outcome"] or document["state"]
    if word == "passed" and document.get("objectives_met") is False:
        word = "passed, but an objective was missed"
    dirty = ", and left something behind" if document["dirty"] else ""
    return f"{document['kind']} {document['name']}: {word}{dirty}"


def _times(document: Document, zone: str) -> Iterator[str]:
    began = moment(document["started_at"], zone)
    took = lasted(document["elapsed_s"])
    person = document["person_s"]
    people = f", {lasted(person)} of it waiting for people" if person else ""
    yield f"  began: {began} ({zone}), took {took}{people}"
    if document["reason"]:
        yield f"  reason: {one_line(document['reason'])}"


def _schedule(document: Document, zone: str) -> Iterator[str]:
    """Which slot the run was due for, and what else it recorded of schedules."""
    slot = document["slot"]
    if slot is not None:
        late = f", began late: {one_line(slot['why'])}" if slot["fate"] == "late" else ""
        yield f"  slot: {slot['job']} at {moment(slot['due_at'], zone)}{late}"
    for gap in document["missed"]:
        span = moment(gap["first_at"], zone)
        if gap["count"] > 1:
            span = f"{span} to {moment(gap['last_at'], zone)}"
        yield f"  missed: {counted(gap['count'], 'slot')} of {gap['job']}, {span}: {one_line(gap['why'])}"
    for seen in document["jobs_seen"]:
        yield f"  from {moment(seen['since'], zone)} on: {named(seen['jobs'])}"
    taken = document["configuration_taken"]
    if taken is not None:
        yield f"  configuration: {clean(taken['file'])} ({taken['digest'][:15]}): {one_line(taken['why'])}"


def _objectives(objectives: Mapping[str, Document]) -> Iterator[str]:
    for key, measured, promised in _OBJECTIVES:
        one = objectives[key]
        if one["target_s"] is None and one["actual_s"] is None:
            continue
        met = {True: ": met", False: ": missed", None: ""}[one["met"]]
        promise = f"{promised} {lasted(one['target_s'])}" if one["target_s"] is not None else ""
        if one["actual_s"] is None:
            yield f"  {measured} not measured ({promise}){met}"
        else:
            of = f" of {promise}" if promise else ""
            yield f"  {measured} {lasted(one['actual_s'])}{of}{met}"


def _path(document: Document) -> Iterator[str]:
    if len(document["critical_path"]) > 1:
        yield f"  critical path: {' > '.join(document['critical_path'])}"


def _results(steps: Sequence[Document]) -> Iterator[str]:
    """What was stored, brought back or proven, by step."""
    for step in steps:
        outputs = step["outputs"]
        if step["status"] == "passed" and step["do"] in _SAY_IT:
            yield f"  {step['step']}: {one_line(step['message'])}"
        if step["status"] == "passed" and outputs.get("objects") and step["do"] == "replicate":
            brought = counted(outputs["objects"], "object")
            yield f"  {step['step']}: {brought}, {size(outputs['bytes'])} brought"
        if step["status"] != "passed" or "snapshot" not in outputs:
            continue
        told = [f"snapshot {str(outputs['snapshot'])[:8]}"]
        where = outputs.get("regions") or [outputs.get("region")]
        if where != [None]:
            told.append(f"in {' and '.join(where)}")
        if isinstance(outputs.get("files"), int):
            told.append(counted(outputs["files"], "file"))
        if isinstance(outputs.get("bytes"), int):
            told.append(size(outputs["bytes"]))
        yield f"  {step['step']}: {', '.join(told)}"


def _lying(document: Document) -> Iterator[str]:
    """What an exercise brought back, or else made, and did not remove."""
    for path, dataset in not_removed(document).items():
        of = f" (of {dataset})" if dataset else ""
        yield f"  left behind: {one_line(path)}{of}"


def _keys(steps: Sequence[Document]) -> Iterator[str]:
    """What became of keys, by step."""
    for step in steps:
        outputs = step["outputs"]
        if step["status"] != "passed":
            continue
        if "key" in outputs and "regions" in outputs:
            where = ", ".join(outputs["regions"])
            gone = ", ".join(key[:8] for key in outputs.get("revoked", ()))
            revoked = f"; revoked: {gone}" if gone else ""
            yield f"  {step['step']}: key {outputs['key'][:8]}, in {where}{revoked}"
        if "into" in outputs:
            count = counted(outputs["copied"], "snapshot")
            whole = counted(outputs["snapshots"], "snapshot")
            yield f"  {step['step']}: {count} copied, {whole} in {outputs['into']} proven"
        if outputs.get("deleted"):
            yield f"  {step['step']}: deleted {', '.join(outputs['deleted'])}"


def _trouble(document: Document, besides: str) -> Iterator[str]:
    if document["abort"]:
        abort = document["abort"]
        yield f"  ended by {abort['by']}: {one_line(abort['reason'])}"
    for step in document["steps"]:
        if step["status"] == "failed" and step["step"] != besides:
            yield f"  {step['step']} failed: {one_line(step['message'])}"
            if step["hint"]:
                yield f"    hint: {one_line(step['hint'])}"


def _findings(document: Document) -> Iterator[str]:
    """Each by its number, of an exercise or a recovery all: corrective actions name them so."""
    practised = document["kind"] in EVIDENCE
    told = [
        (number, one)
        for number, one in enumerate(document["findings"], 1)
        if practised or one["what"] not in _TOLD_ABOVE
    ]
    if told:
        yield "  findings:"
    for number, finding in told:
        head = f"    {number}. {finding['what']} {finding['subject']}"
        if finding["what"] in _TOLD_ABOVE:
            yield head
            continue
        yield f"{head}: {one_line(finding['message'])}"
        if finding["hint"]:
            yield f"       hint: {one_line(finding['hint'])}"
    wanting = any(wants_action(one["what"]) for _, one in told)
    if practised and wanting and document["state"] == "finished":
        yield f"  have it seen to: {OPEN_ONE} --finding {document['run']}/N"


def ways_on(document: Document) -> Iterator[str]:
    """What somebody can do about a run that waits."""
    run = document["run"]
    if document["state"] == "paused":
        pause = document["pauses"][-1]
        yield f"  paused by {pause['by']}: {one_line(pause['reason'])}"
    if document["state"] == "interrupted":
        yield f"  go on: drorch run resume {run}"
        yield f"  or end it: drorch run abort {run}"
    for step in document["steps"]:
        open_question = next((q for q in step["questions"] if q["to_s"] is None), None)
        if step["status"] != "waiting-for-person" or open_question is None:
            continue
        yield f"  {step['step']} waits for a person: {clean(open_question['prompt'])}"
        if open_question["question"] == "settle":
            say = "--happened|--did-not-happen --reason TEXT"
            yield f"    say which: drorch run settle {run} {step['step']} {say}"
        elif open_question["question"] == "failed":
            yield f"    again: drorch run retry {run} {step['step']} --reason TEXT"
            yield f"    without it: drorch run skip {run} {step['step']} --reason TEXT"
            yield f"    or end it: drorch run abort {run} --reason TEXT"
        else:
            yield from _asked_of(open_question)
            yield f"    answer: drorch run approve {run} {step['step']} --reason TEXT"


def _asked_of(question: Document) -> Iterator[str]:
    may = [*question["by"], *(f"the group {g}" for g in question["groups"])]
    if may:
        yield f"    it asks {', '.join(may)}"
    if question["wanting"] and (question["answers"] or question["quorum"] > 1):
        yield f"    {question['wanting']}"


def say_ended(
    session: Session,
    seen: "RunView",
    report: "Path | DrorchError | None" = None,
    *,
    wanted: bool = False,
) -> None:
    """What a run came to, where its report lies, or why one was not written, and why it did not pass.

    `wanted`: that it did not pass is what was asked for.
    """
    document = seen.document
    why = None if wanted else complaint(document)
    lies = None if isinstance(report, DrorchError) else report
    if session.json:
        session.emit({**document, **({"report": str(lies)} if lies else {})})
    else:
        told = [f"  report: {lies}"] if lies else []
        # At a terminal the error stands right below; a stream that is kept tells all by itself.
        step = decisive(document) if why and session.at_terminal and sys.stderr.isatty() else None
        besides = str(step["step"]) if step else ""
        session.paragraph(*summary(document, session.zone, besides=besides), *told)
    if isinstance(report, DrorchError):
        session.tell(f"warning: {report.message}", f"hint: {report.hint}")
    if why is not None:
        session.tell(*lines_of(why))


def show_run(session: Session, document: Document, zone: str) -> None:
    """The whole run: its summary, then its steps."""
    session.say(*summary(document, zone), "")
    show_table(
        session,
        ("step", "phase", "status", "attempts", "took", "why"),
        [
            (
                step["step"],
                step["phase"],
                step["status"],
                str(step["attempts"] or "-"),
                lasted(step["elapsed_s"]),
                step["message"] or step["why"],
            )
            for step in document["steps"]
        ],
        empty="no steps",
        right=("attempts", "took"),
    )
