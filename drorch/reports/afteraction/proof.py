"""Findings with what is done about them, and how all of this can be checked by somebody else."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from drorch.reports import words
from drorch.reports.afteraction.summary import judged
from drorch.reports.blocks import Block, Cell, Code, Column, Facts, Section, Text, code, row, table
from drorch.reports.pen import NOTHING, Pen
from drorch.reports.recorded import recorded

Document: TypeAlias = Mapping[str, Any]

_MOST_FILES = 1000

#: Arguments of a restore and the options that say the same.
_RESTORE = {"to": "--to", "region": "--region", "at": "--at", "purpose": "--purpose"}


def findings(document: Document, pen: Pen) -> Section:
    """Every finding with its id, what to do, and its corrective actions."""
    heading = pen.say("Findings and corrective actions")
    found = document["findings"]
    if not found:
        return Section("findings", heading, (Text(pen.say("None.")),))
    about = document.get("report")
    done = _by_finding(about["corrective_actions"]) if about else {}
    rows = []
    for number, finding in enumerate(found, 1):
        title = words.FINDINGS.get(finding["what"])
        what = (pen.say(title),) if title else ()
        advice = recorded(finding["hint"], pen.language)
        hint = pen.say("What to do: {hint}", hint=advice) if advice else ""
        rows.append(
            row(
                Cell(str(number), notes=(*what, finding["what"])),
                finding["subject"],
                Cell(
                    recorded(finding["message"], pen.language), notes=tuple(filter(None, (hint,)))
                ),
                _actions(done.get(finding["id"], ()), pen) if about else pen.say("not known here"),
            )
        )
    head = (
        pen.say("Finding"),
        pen.say("Subject"),
        Column(pen.say("What was found"), wide=True),
        pen.say("Corrective actions"),
    )
    caption = pen.say(
        "The id of a finding is {run}/N. What was found is quoted as it was recorded.",
        run=document["run"],
    )
    return Section("findings", heading, (table(head, rows, caption),))


def _by_finding(actions: Sequence[Document]) -> dict[str, list[Document]]:
    found: dict[str, list[Document]] = {}
    for action in actions:
        found.setdefault(action["finding"], []).append(action)
    return found


def _actions(actions: Sequence[Document], pen: Pen) -> Cell:
    if not actions:
        return Cell(pen.say("none"))
    first, *more = [_action(action, pen) for action in actions]
    return Cell(first, notes=tuple(more))


def _action(action: Document, pen: Pen) -> str:
    values = {"id": action["id"], "title": action["title"], "owner": action["owner"]}
    if action["status"] == "closed":
        run = action["closed_by_run"]
        proven = pen.say("closed, proven by run {run}", run=run) if run else pen.say("closed")
        return pen.say("{id}: {title} ({owner}, {state})", **values, state=proven)
    due = pen.say("due {day}", day=action["due"])
    return pen.say("{id}: {title} ({owner}, {state})", **values, state=due)


def evidence(document: Document, pen: Pen) -> Section | None:
    """The files kept beside the journal, each with its hash."""
    found = [
        (step["step"], attempt["attempt"], one)
        for step in document["steps"]
        for attempt in step["attempt_log"]
        for one in attempt["evidence"]
    ]
    if not found:
        return None
    rows = [
        row(one["name"], step, pen.number(attempt), pen.size(one["bytes"]), code(one["sha256"]))
        for step, attempt, one in found[:_MOST_FILES]
    ]
    head = (
        pen.say("File"),
        pen.say("Step"),
        Column(pen.say("Attempt"), number=True),
        Column(pen.say("Size"), number=True),
        Column(pen.say("SHA-256"), wide=True),
    )
    caption = [pen.say("Files kept beside the journal: sha256sum of each must give the hash here.")]
    if len(found) > _MOST_FILES:
        caption.append(
            pen.say(
                "The first {count} of {all}; all are in the JSON document.",
                count=pen.number(_MOST_FILES),
                all=pen.number(len(found)),
            )
        )
    return Section("evidence", pen.say("Evidence files"), (table(head, rows, " ".join(caption)),))


def versions(document: Document, pen: Pen) -> Section:
    """The runbook's text, what changed in it, the tools, and the command that does it again."""
    blocks: list[Block] = [Facts(tuple(_versions(document, pen)), code=True)]
    blocks += _changes(document, pen)
    command = reproduction(document)
    if command:
        again = pen.say("The same again, with the same configuration:")
        if document["runbook_digest"]:
            again = pen.say(
                "The same again, with the same configuration and the same text of the runbook:"
            )
        blocks += [Text(again), Code((command,))]
    return Section("versions", pen.say("Runbook, tools, and how to do it again"), tuple(blocks))


def _versions(document: Document, pen: Pen) -> Iterator[tuple[str, tuple[str, ...]]]:
    say, owner = pen.say, document["owner"]
    digest, configuration = document["runbook_digest"], document["configuration_digest"]
    if digest:
        yield say("Runbook"), (document["name"], digest)
    if configuration:
        yield say("Configuration"), (configuration,)
    tools = [f"drorch {owner['version']}" if owner["version"] else ""]
    restics = {s["outputs"].get("restic") for s in document["steps"]} - {None}
    tools += [f"restic {version}" for version in sorted(map(str, restics))]
    if any(tools):
        yield say("Tools"), tuple(filter(None, tools))


def _changes(document: Document, pen: Pen) -> Iterator[Block]:
    about = document.get("report")
    if not about or not document["runbook_digest"]:
        return
    before = about["previous"]
    if before is None:
        yield Text(pen.say("It was never drilled before: there is nothing to compare it with."))
        return
    at = pen.moment(before["started_at"])
    values = {"run": before["run"], "at": at}
    if not before["changed"]:
        yield Text(pen.say("Unchanged since its drill of {at}, run {run}.", **values))
        return
    yield Text(pen.say("Changed since its drill of {at}, run {run}:", **values))
    yield Facts(tuple(_changed(before, pen)))


def _changed(before: Document, pen: Pen) -> Iterator[tuple[str, tuple[str, ...]]]:
    named = {
        "steps_added": pen.say("Steps added"),
        "steps_removed": pen.say("Steps removed"),
        "steps_changed": pen.say("Steps changed"),
        "inputs_changed": pen.say("Inputs changed"),
    }
    for key, name in named.items():
        if before[key]:
            yield name, (", ".join(before[key]),)
    if before["objectives_changed"]:
        yield pen.say("Objectives"), (pen.say("changed"),)
    if before["text_changed"]:
        yield (
            pen.say("Text of the runbook"),
            (pen.say("changed; before: {digest}", digest=before["runbook_digest"]),),
        )


def reproduction(document: Document) -> str:
    """The command that does the same again; empty if no command of ours does."""
    kind, runbook = document["kind"], document["subject"].removeprefix("runbook:")
    words_: list[str] = []
    if kind == "drill":
        words_ = ["drorch", "drill", runbook, *(["--failback"] * (runbook != document["name"]))]
    elif kind in ("failover", "failback"):
        words_ = ["drorch", kind, runbook, "--declare", document["reason"]]
    elif kind == "restore":
        return _restore(document)
    if not words_:
        return ""
    for name, value in document["inputs"].items():
        words_ += ["--set", f"{name}={value}"]
    for one in document["participants"]:
        words_ += ["--participant", ", ".join(filter(None, (one["name"], one["role"])))]
    return shlex.join(words_)


def _restore(document: Document) -> str:
    log = [a for s in document["steps"] if s["do"] == "restore" for a in s["attempt_log"]]
    if not log:
        return ""
    given = log[0]["arguments"]
    told = ["drorch", "restore", str(given.get("dataset", document["name"]))]
    for name, option in _RESTORE.items():
        if name in given:
            told += [option, str(given[name])]
    for pattern in given.get("include", ()):
        told += ["--include", str(pattern)]
    return shlex.join(told)


def check(document: Document, pen: Pen) -> Section:
    """The journal's head, and the commands that check it and write it out."""
    run = document["run"]
    blocks: list[Block] = [
        Facts(((pen.say("Journal head"), (document["journal_head"],)),), code=True),
        Text(
            pen.say(
                "Every figure here comes from the run’s journal, in which each entry carries the "
                "hash of the one before. These check the journal, show its head again, and write "
                "it out for somebody who trusts nobody:"
            )
        ),
        Code(
            (
                "drorch journal verify",
                f"drorch run show {run} --json",
                f"drorch journal export {run} --output PATH",
            )
        ),
    ]
    if document.get("report"):
        blocks.append(Facts(tuple(_kept(document["report"], pen))))
    return Section("check", pen.say("How to check this report"), tuple(blocks))


def _kept(about: Document, pen: Pen) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield pen.say("To be kept until"), (pen.moment(about["retention_until"]),)
    sealed = pen.say("with the organisation’s key; the bundle’s verifier checks it")
    unsealed = pen.say("not sealed: the configuration names no key (section “evidence”)")
    yield pen.say("Signature"), (sealed if about["sealed"] else unsealed,)


def sign_off(document: Document, pen: Pen) -> Section | None:
    """The table that reviewers fill in: those that the configuration names, or by their part."""
    if not judged(document):
        return None
    usual = [
        (pen.say("Prepared by"), ""),
        (pen.say("Reviewed by"), ""),
        (pen.say("Approved by"), ""),
    ]
    decision = Cell(
        "☐ " + pen.say("accepted"),
        notes=("☐ " + pen.say("accepted with reservations"), "☐ " + pen.say("rejected")),
    )
    named = [(one["role"], one["name"]) for one in document.get("report", {}).get("sign_off", ())]
    rows = [row(role or NOTHING, name, decision, "", "", "") for role, name in named or usual]
    head = (
        pen.say("Role"),
        Column(pen.say("Name"), wide=True),
        pen.say("Decision"),
        pen.say("Date"),
        pen.say("Next exercise"),
        Column(pen.say("Signature"), wide=True),
    )
    return Section("sign-off", pen.say("Sign-off"), (table(head, rows),))
