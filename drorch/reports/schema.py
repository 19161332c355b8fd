"""The JSON Schema of a run's report (`report run --format json`), for programs that read it.

Keys may be added in later versions; none changes its meaning while `format` is the same.
"""

import json
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Final, TypeAlias

from drorch.core.document import FORMAT
from drorch.core.exercises import Area, ExerciseType
from drorch.core.judging import Judgement
from drorch.core.names import (
    Mode,
    OnFailure,
    Otherwise,
    Outcome,
    Phase,
    Requester,
    RunKind,
    RunState,
    SlotFate,
    StepStatus,
)

Schema: TypeAlias = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string"}
_FLAG: Final[Schema] = {"type": "boolean"}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_SECONDS: Final[Schema] = {"type": "number", "description": "seconds, to the millisecond"}
_PLACE: Final[Schema] = {"type": "number", "description": "seconds since the run started"}
_TIME: Final[Schema] = {"type": "string", "format": "date-time"}
_DIGEST: Final[Schema] = {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}
_ANY: Final[Schema] = {}


def run_schema() -> bytes:
    """The schema, as it is published in docs/schema/run-report.json."""
    return (json.dumps(_schema(), indent=1, ensure_ascii=False) + "\n").encode()


def _schema() -> Schema:
    whole = _object(
        {
            **_identity(),
            "objectives": _object({"rto": _ref("objective"), "rpo": _ref("objective")}),
            "machine_s": _SECONDS,
            "person_s": _SECONDS,
            "critical_path": _list(_TEXT),
            "steps": _list(_ref("step")),
            "findings": _list(_ref("finding")),
            "journal_head": _DIGEST,
            "format": {"const": FORMAT},
            "objectives_met": _maybe(_FLAG),
            **_circumstances(),
            **_exercise(),
            **_measuring(),
            **_trouble(),
            "report": _ref("report"),
        }
    )
    whole["required"].remove("report")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Report of one run of drorch",
        **whole,
        "$defs": _parts(),
    }


def _identity() -> Schema:
    return {
        "run": _TEXT,
        "kind": _words(RunKind),
        "name": _TEXT,
        "mode": _words(Mode),
        "state": _words(RunState),
        "outcome": _maybe(_words(Outcome)),
        "dirty": _FLAG,
        "trigger": _TEXT,
        "by": _TEXT,
        "started_at": _TIME,
        "finished_at": _maybe(_TIME),
    }


def _circumstances() -> Schema:
    slot = {"job": _TEXT, "due_at": _TIME, "fate": _words(SlotFate), "why": _TEXT}
    missed = {"job": _TEXT, "first_at": _TIME, "last_at": _TIME, "count": _COUNT, "why": _TEXT}
    return {
        "title": _TEXT,
        "service": _TEXT,
        "organization": _TEXT,
        "timezone": _TEXT,
        "reason": _TEXT,
        "declared_at": _maybe(_TIME),
        "due_at": _maybe(_TIME),
        "slot": _maybe(_object(slot)),
        "missed": _list(_object(missed)),
        "jobs_seen": _list(_object({"since": _TIME, "jobs": _list(_TEXT)})),
        "configuration_taken": _maybe(_object({"file": _TEXT, "digest": _DIGEST, "why": _TEXT})),
        "inputs": _map(_TEXT),
        "datasets": _list(_TEXT),
        "parallel": _COUNT,
        "mtpd_s": _maybe(_SECONDS),
        "runbook_digest": _maybe(_DIGEST),
        "configuration_digest": _maybe(_DIGEST),
        "owner": _object({"host": _TEXT, "user": _TEXT, "version": _TEXT}),
        "notices": _list(_TEXT),
    }


def _exercise() -> Schema:
    section = {
        "type": _maybe(_words(ExerciseType)),
        "scenario": _TEXT,
        "scope": _TEXT,
        "objectives": _list(_ref("goal")),
        "criteria": _list(_ref("goal")),
        "assumptions": _list(_TEXT),
        "excluded": _list(_TEXT),
        "areas": _object({area.value: _maybe(_ref("goal")) for area in Area}),
    }
    return {
        "subject": _TEXT,
        "site": _TEXT,
        "exercise": _maybe(_object(section)),
        "participants": _list(_object({"name": _TEXT, "role": _TEXT})),
        "sources": _map(_list(_TEXT)),
    }


def _measuring() -> Schema:
    taken = {"at": _TIME, "at_s": _PLACE, "by": _TEXT, "host": _TEXT, "on_word": _FLAG}
    return {
        "elapsed_s": _SECONDS,
        "window": _maybe(_object({"from_s": _PLACE, "to_s": _PLACE})),
        "data_from": _maybe(_TIME),
        "clock_moved": _list(_object({"at": _TIME, "by_s": _SECONDS})),
        "taken_over": _list(_object(taken)),
    }


def _trouble() -> Schema:
    override = {"what": _among(["retry", "skip"]), "at": _TIME, "step": _TEXT, **_WHO}
    pause = {"from": _TIME, "to": _maybe(_TIME), **_WHO, "ended_by": _maybe(_TEXT)}
    skipped = {"step": _TEXT, "phase": _words(Phase), "why": _TEXT, "planned": _FLAG}
    return {
        "halted": _TEXT,
        "failed_step": _maybe(_TEXT),
        "overrides": _list(_object(override)),
        "pauses": _list(_object(pause)),
        "abort": _maybe(_object({**_WHO, "at": _TIME})),
        "forced": _maybe(_object({**_WHO, "at": _TIME})),
        "left_behind": _list(_TEXT),
        "skipped": _list(_object(skipped)),
    }


_WHO: Final[Schema] = {"by": _TEXT, "reason": _TEXT}


def _parts() -> Schema:
    objective = {
        "target_s": _maybe(_SECONDS),
        "actual_s": _maybe(_SECONDS),
        "met": _maybe(_FLAG),
        "margin_s": _maybe(_SECONDS),
    }
    goal = {
        "text": _TEXT,
        "shown_by": _list(_TEXT),
        "result": _words(Judgement),
        "failed": _list(_TEXT),
        "unknown": _list(_TEXT),
    }
    finding = {
        "id": _TEXT,
        "what": _TEXT,
        "subject": _TEXT,
        "message": _TEXT,
        "hint": _TEXT,
        "step": _maybe(_TEXT),
    }
    return {
        "objective": _object(objective),
        "goal": _object(goal),
        "finding": _object(finding),
        "step": _step(),
        "attempt": _attempt(),
        "question": _question(),
        "report": _report(),
    }


def _step() -> Schema:
    settled = {"at": _TIME, "happened": _FLAG, **_WHO}
    return _object(
        {
            "step": _TEXT,
            "phase": _words(Phase),
            "status": _words(StepStatus),
            "attempts": _COUNT,
            "elapsed_s": _maybe(_SECONDS),
            "outputs": _map(_ANY),
            "title": _TEXT,
            "do": _TEXT,
            "check": _FLAG,
            "needs": _list(_TEXT),
            "undoes": _maybe(_TEXT),
            "on_failure": _words(OnFailure),
            "until": _FLAG,
            "why": _TEXT,
            "cause": _TEXT,
            "message": _TEXT,
            "hint": _TEXT,
            "critical": _FLAG,
            "slack_s": _maybe(_SECONDS),
            "started_at": _maybe(_TIME),
            "finished_at": _maybe(_TIME),
            "from_s": _maybe(_PLACE),
            "to_s": _maybe(_PLACE),
            "attempt_log": _list(_ref("attempt")),
            "questions": _list(_ref("question")),
            "settled": _list(_object(settled)),
        }
    )


def _attempt() -> Schema:
    evidence = {"name": _TEXT, "sha256": {"type": "string"}, "bytes": _COUNT}
    return _object(
        {
            "attempt": _COUNT,
            "verdict": _maybe(_among(["pass", "fail", "error", "lost"])),
            "started_at": _TIME,
            "from_s": _maybe(_PLACE),
            "to_s": _maybe(_PLACE),
            "elapsed_s": _maybe(_SECONDS),
            "cause": _TEXT,
            "message": _TEXT,
            "hint": _TEXT,
            "wait_s": _maybe(_SECONDS),
            "arguments": _map(_ANY),
            "evidence": _list(_object(evidence)),
        }
    )


def _question() -> Schema:
    answer = {"at": _TIME, "approved": _FLAG, **_WHO}
    return _object(
        {
            "question": _among(["approve", "confirm", "settle", "failed"]),
            "prompt": _TEXT,
            "quorum": _COUNT,
            "within_s": _maybe(_SECONDS),
            "asked_at": _TIME,
            "from_s": _maybe(_PLACE),
            "to_s": _maybe(_PLACE),
            "by": _list(_TEXT),
            "groups": _list(_TEXT),
            "requester": _words(Requester),
            "otherwise": _words(Otherwise),
            "wanting": _TEXT,
            "answers": _list(_object(answer)),
        }
    )


def _report() -> Schema:
    action = {
        "id": _TEXT,
        "title": _TEXT,
        "owner": _TEXT,
        "due": {"type": "string", "format": "date"},
        "finding": _TEXT,
        "status": _among(["open", "closed"]),
        "closed_by_run": _TEXT,
    }
    previous = {
        "run": _TEXT,
        "started_at": _TIME,
        "outcome": _maybe(_words(Outcome)),
        "runbook_digest": _DIGEST,
        "changed": _FLAG,
        "text_changed": _FLAG,
        "objectives_changed": _FLAG,
        "steps_added": _list(_TEXT),
        "steps_removed": _list(_TEXT),
        "steps_changed": _list(_TEXT),
        "inputs_changed": _list(_TEXT),
    }
    return {
        "description": "what the run's own journal does not hold, as it stood when this was written",
        **_object(
            {
                "corrective_actions": _list(_object(action)),
                "previous": _maybe(_object(previous)),
                "retention_until": _TIME,
                "sealed": {**_FLAG, "description": "whether the configuration names a key"},
                "sign_off": _list(_object({"name": _TEXT, "role": _TEXT})),
            }
        ),
    }


def _object(properties: Schema) -> Schema:
    required = list(properties)
    return {"type": "object", "properties": properties, "required": required}


def _map(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _maybe(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _words(words: type[StrEnum]) -> Schema:
    return _among(word.value for word in words)


def _among(words: Iterable[str]) -> Schema:
    return {"enum": list(words)}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}
