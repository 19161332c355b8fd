"""What came back: which snapshot from which region, where to, and whether it is what it should be."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, TypeAlias

from drorch.core.destroying import not_removed
from drorch.core.timing import RESTORES, RESTORING
from drorch.reports import words
from drorch.reports.afteraction.course import said_of
from drorch.reports.blocks import (
    Block,
    Cell,
    Column,
    Points,
    Row,
    Section,
    Text,
    code,
    row,
    table,
    tag,
)
from drorch.reports.condense import Step, by_phase
from drorch.reports.figures import brief
from drorch.reports.language import later
from drorch.reports.paper.words import EXPECTATIONS, EXPECTED
from drorch.reports.pen import NOTHING, Pen

Document: TypeAlias = Mapping[str, Any]

#: What comparisons count.
_COUNTED = (
    ("matched", later("hashes that match: {count}")),
    ("mismatched_count", later("hashes that differ: {count}")),
    ("missing_count", later("missing: {count}")),
    ("different_count", later("different: {count}")),
    ("extra_count", later("extra: {count}")),
)

_AFTER_THE_FACT = ("steps", "verify")
_COMPARING = frozenset({"restore.verify", "files.verify", "sql.check", "snapshot.age"})


def restored(document: Document, pen: Pen) -> Section | None:
    """Snapshots, regions, files, bytes, targets; and that no target is the source."""
    told = [s for phase in by_phase(document["steps"]) for s in phase.steps]
    found = [s for s in told if s["do"] in RESTORES and s["status"] == "passed"]
    replicas = [s for s in told if s["do"] in RESTORING.keys() - RESTORES]
    rows = [_restored(step, pen) for step in found]
    rows += [_replica(s, pen) for s in replicas if s["status"] == "passed"]
    if not rows:
        return None
    head = (
        pen.say("Dataset"),
        Column(pen.say("Snapshot"), wide=True),
        pen.say("Taken"),
        pen.say("Region"),
        Column(pen.say("Files"), number=True),
        Column(pen.say("Size"), number=True),
    )
    blocks: list[Block] = [table(head, rows)]
    if found:
        blocks.append(_targets(found, document, pen))
    if found and document["mode"] == "drill":
        blocks.append(Text(_guarded(pen), "note"))
    return Section("restored", pen.say("What was restored, and where to"), tuple(blocks))


def _restored(step: Step, pen: Pen) -> Row:
    told = step["outputs"]
    return row(
        Cell(str(told.get("dataset", step["step"])), notes=(step["step"],)),
        code(str(told.get("snapshot", NOTHING))),
        pen.moment(told.get("snapshot_at")),
        str(told.get("region", NOTHING)),
        pen.number(told.get("files")),
        pen.size(told.get("bytes")),
    )


def _replica(step: Step, pen: Pen) -> Row:
    told = step["outputs"]
    name = str(told.get("database", step["step"]))
    at = told.get("data_at")
    what = Cell(name, notes=(step["step"], pen.say("a replica: as old as its last transaction")))
    return row(what, NOTHING, pen.moment(at if isinstance(at, str) else None), NOTHING, "", "")


def _targets(found: Sequence[Step], document: Document, pen: Pen) -> Block:
    host = document["owner"]["host"]
    rows = []
    for step in found:
        target = str(step["outputs"].get("path", ""))
        dataset = str(step["outputs"].get("dataset", ""))
        sources = document["sources"].get(dataset)
        lies = ", ".join(sources) if sources else pen.say("not at a path: it is dumped")
        lies = pen.say("not known") if sources is None else lies
        where = pen.say("{path} on {host}", path=target or NOTHING, host=host)
        rows.append(row(dataset or step["step"], where, lies, _apart(target, sources, pen)))
    head = (
        pen.say("Dataset"),
        Column(pen.say("Restored to"), wide=True),
        Column(pen.say("In production at"), wide=True),
        pen.say("Is the target the source?"),
    )
    return table(head, rows, pen.say("Targets, and that they are not the source"))


def _apart(target: str, sources: Sequence[str] | None, pen: Pen) -> Cell:
    if sources is None or not target:
        return tag(pen.say("not known"), "idle")
    place = PurePosixPath(target)
    near = [PurePosixPath(source) for source in sources]
    if any(place.is_relative_to(one) or one.is_relative_to(place) for one in near):
        return tag(pen.say("yes"), "bad")
    return tag(pen.say("no"), "good")


def _guarded(pen: Pen) -> str:
    return pen.say(
        "An exercise that points at what is protected (datasets’ own paths, declared paths and "
        "hosts) is refused when it is compiled, and each step again when it starts, by paths with "
        "links resolved."
    )


def compared(document: Document, pen: Pen) -> Section | None:
    """Expected against found: files, bytes, hashes, rows, canaries, answers."""
    told = [s for phase in by_phase(document["steps"]) for s in phase.steps]
    rows = [_compared(step, pen) for step in told if _compares(step)]
    if not rows:
        return None
    head = (
        pen.say("Check"),
        Column(pen.say("Expected"), wide=True),
        Column(pen.say("Found"), wide=True),
        pen.say("Result"),
    )
    heading = pen.say("Restored against expected")
    caption = pen.say("What came back, and how it answers, against what it should be")
    return Section("compared", heading, (table(head, rows, caption),))


def _compares(step: Step) -> bool:
    if step["phase"] not in _AFTER_THE_FACT or step["status"] in ("waiting", "skipped"):
        return False
    return step["do"] in RESTORES or step["check"] or step["do"] in _COMPARING


def _compared(step: Step, pen: Pen) -> Row:
    looks = pen.say_many("looked {count} time", "looked {count} times", step["attempts"])
    notes = [step["do"] if step["attempts"] < 2 or not step["until"] else f"{step['do']}, {looks}"]
    notes += [step["title"]] if step["title"] else []
    expected = "; ".join(_expected(step, pen)) or pen.say("that it passes")
    found, *more = [*_found(step, pen), *filter(None, (step["message"],))] or [NOTHING]
    status = tag(pen.say(words.STATUSES[step["status"]]), step["status"])
    return row(
        Cell(step["step"], notes=tuple(notes)), expected, Cell(found, notes=tuple(more)), status
    )


def _expected(step: Step, pen: Pen) -> Iterator[str]:
    do, told = step["do"], step["outputs"]
    given = step["attempt_log"][-1]["arguments"] if step["attempt_log"] else {}
    if do in RESTORES:
        count = told.get("expected_files")
        whole = pen.say("all files of the snapshot")
        yield whole if count is None else pen.say_many("{count} file", "{count} files", count)
    if do == "restore.verify":
        short = str(told.get("snapshot", ""))[:8]
        yield pen.say(
            "each file as snapshot {id} has it: none missing, different or extra", id=short
        )
    if do == "files.verify" and "manifest" in given:
        yield pen.say("the hashes of {manifest}", manifest=given["manifest"])
    for name in EXPECTATIONS.get(do, ()):
        if name in given:
            yield f"{name} {_written(given[name], pen)}"
    if do in EXPECTED and not set(EXPECTATIONS.get(do, ())) & set(given):
        name, value = EXPECTED[do]
        yield f"{name} {value}"


def _written(value: object, pen: Pen) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_written(item, pen)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_written(item, pen) for item in value)
    return brief(value, pen)


def _found(step: Step, pen: Pen) -> Iterator[str]:
    do, told = step["do"], step["outputs"]
    if do in ("restore", "restore.verify", "files.verify"):
        yield from _files(told, pen)
        return
    said, json = said_of(told, pen), told.get("json")
    answer = _written(json, pen) if isinstance(json, Mapping) else ""
    if both := "; ".join(filter(None, (said, answer))):
        yield both


def _files(told: Mapping[str, Any], pen: Pen) -> Iterator[str]:
    if "files" in told:
        size = pen.size(told.get("bytes"))
        yield pen.say_many(
            "{count} file, {size}", "{count} files, {size}", told["files"], size=size
        )
    counts = [
        pen.say(said, count=pen.number(told[name])) for name, said in _COUNTED if name in told
    ]
    if counts:
        yield "; ".join(counts)
    if isinstance(told.get("digest"), str):
        yield pen.say("digest {digest}", digest=told["digest"])


def cleanup(document: Document, pen: Pen) -> Section:
    """What was left behind."""
    return Section("cleanup", pen.say("Left-overs and cleanup"), tuple(_cleanup(document, pen)))


def _cleanup(document: Document, pen: Pen) -> Iterator[Block]:
    if document["left_behind"]:
        yield Text(pen.say("Something was left behind."), "strong")
        yield Text(pen.say("What these were to remove may still be there:"))
        yield Points(tuple((name, _left(name, document, pen)) for name in document["left_behind"]))
    elif document["outcome"] is None:
        yield Text(pen.say("Cleanup has not ended yet."))
    elif lying := not_removed(document):
        yield Text(pen.say("Something was left behind."), "strong")
        yield Text(pen.say("The exercise made this, and no step on record removed it:"))
        yield Points(tuple(lying.items()))
    elif any(s["phase"] == "cleanup" and s["attempts"] for s in document["steps"]):
        yield Text(pen.say("Cleanup left nothing behind."))
        yield _removed(document, pen)
    else:
        yield Text(pen.say("There was no cleanup to do."))


def _removed(document: Document, pen: Pen) -> Block:
    done = [s for s in document["steps"] if s["phase"] == "cleanup" and s["status"] == "passed"]
    return Points(tuple((s["step"], s["message"] or said_of(s["outputs"], pen)) for s in done))


def _left(name: str, document: Document, pen: Pen) -> str:
    step = next((s for s in document["steps"] if s["step"] == name), None)
    if step is None:
        return ""
    hint = pen.say("What to do: {hint}", hint=step["hint"]) if step["hint"] else ""
    return ". ".join(filter(None, (step["message"].rstrip("."), hint)))
