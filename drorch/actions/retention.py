"""The action that decides what retention lets go; nothing is changed by it.

The steps after it (pruning.py, deleting.py) do what it decided: their order in a plan makes the
journal know what goes, by name, before anything is deleted.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from drorch.actions.arguments import Arguments, make_action
from drorch.actions.lists import owing_of
from drorch.actions.places import dataset_named
from drorch.actions.verdicts import Verdict, verdicts
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.document import rfc3339
from drorch.core.due import nearly_due
from drorch.core.facts import Braked, Fact, Forgotten, Pruned, Retained
from drorch.core.model import Dataset
from drorch.core.posture import CopyFact, CopyFactKind
from drorch.core.values import Finding, Result, Value, failed, passed
from drorch.ports import Call, Tools

#: What a plan says about freeing space: when it is due, in any case, or not now.
PRUNING = ("due", "yes", "no")

FORCE_HINT = "see `drorch retention plan`; if it is meant, let it go with --force-brake REASON"


def _decide(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    dataset = dataset_named(tools, arguments.text("dataset"))
    force = arguments.text("force", "")
    now = tools.clock.now().at
    found = verdicts(tools, dataset, now)
    told = json.dumps([verdict_document(v) for v in found], ensure_ascii=False, indent=1)
    evidence = tools.evidence.keep(call.run, "retention.json", told.encode())
    for verdict in found:
        if verdict.braked and not force:
            finding, fact = stopped(dataset, verdict.name, verdict.braked)
            message, hint = finding.message, finding.hint
            return failed(
                "braked", message, hint, findings=(finding,), evidence=(evidence,), facts=(fact,)
            )
    pruning = arguments.text("prune", PRUNING[0])
    decided = {v.name: _decided(tools, dataset, v, pruning, now) for v in found}
    outputs: dict[str, Value] = {
        "dataset": dataset.name,
        "needed": any(d["needed"] for d in decided.values()),
        "repositories": decided,
        "keep": sum(len(v.staying) for v in found),
        "forget": sum(len(v.going) for v in found),
    }
    forced = tuple(forced_finding(dataset, v.name, v.braked, force) for v in found if v.braked)
    facts = tuple(
        fact for v in found for fact in _facts(tools, dataset, v, decided[v.name]["needed"])
    )
    message = f"{outputs['keep']} snapshot(s) stay, {outputs['forget']} go"
    return passed(
        outputs,
        message=message,
        findings=forced,
        evidence=(evidence,),
        copies=tuple(_gone_meanwhile(tools, dataset, found)),
        facts=facts,
    )


def _gone_meanwhile(tools: Tools, dataset: Dataset, found: Sequence[Verdict]) -> Iterator[CopyFact]:
    """Forgotten snapshots that a region shows no more: who deleted them died before saying so."""
    forgotten = {k.fact.snapshot for k in tools.knowledge.facts(Forgotten, dataset.name)}
    shown = {region: ids for verdict in found for region, ids in verdict.shown.ids.items()}
    for c in tools.knowledge.copies(dataset.name):
        there = shown.get(c.region)
        if c.snapshot in forgotten and there is not None and c.snapshot not in there:
            yield CopyFact(CopyFactKind.GONE, dataset.name, c.region, c.snapshot, c.snapshot_at)


def verdict_document(verdict: Verdict) -> dict[str, Value]:
    """A verdict as plans and evidence tell of it."""
    return {
        "repository": verdict.name,
        "regions": list(verdict.shown.regions),
        "unreachable": {r: error.message for r, error in verdict.shown.dead.items()},
        "braked": verdict.braked or None,
        "snapshots": [
            {
                "snapshot": judged.candidate.snapshot,
                "time": rfc3339(judged.candidate.at),
                "regions": list(judged.candidate.regions),
                "decision": "keep" if judged.keep else "forget",
                "reasons": list(judged.reasons),
            }
            for judged in verdict.judged
        ],
    }


def _decided(
    tools: Tools, dataset: Dataset, verdict: Verdict, pruning: str, now: datetime
) -> Mapping[str, Value]:
    """What is to be done in one repository: whom to forget and why, and whether to free space."""
    reasons = {j.candidate.snapshot: "; ".join(j.reasons) for j in verdict.judged}
    going = {snapshot: reasons[snapshot] for snapshot in verdict.going}
    prune = pruning == "yes" or (
        pruning == "due"
        and (prune_due(tools, dataset, verdict.name, now) or _is_owed(tools, dataset, verdict))
    )
    living = bool(verdict.shown.ids)
    return {
        "needed": living and (bool(going) or prune),
        "prune": prune,
        "forget": going,
        "keep": len(verdict.staying),
    }


def prune_due(tools: Tools, dataset: Dataset, region: str, now: datetime) -> bool:
    """Whether the dataset's `prune:` has come due for the repository that begins in a region."""
    if dataset.prune is None:
        return False
    facts = tools.knowledge.facts(Pruned, dataset.name)
    last = next((k.recorded_at for k in facts if k.fact.region == region), None)
    return nearly_due(dataset.prune, last, now, ZoneInfo(tools.configuration.timezone))


def _is_owed(tools: Tools, dataset: Dataset, verdict: Verdict) -> bool:
    """Whether a region that answers owes what an earlier prune decided."""
    return not owing_of(tools, dataset).keys().isdisjoint(verdict.shown.ids)


def _facts(tools: Tools, dataset: Dataset, verdict: Verdict, needed: Value) -> tuple[Fact, ...]:
    """A brake that stood is lifted; where nothing is to be done, this is what retention left."""
    standing = (k.fact for k in tools.knowledge.facts(Braked, dataset.name))
    lifted = [
        Braked(f.dataset, f.region, f.why, lifted=True)
        for f in standing
        if f.region == verdict.name and not f.lifted
    ]
    if needed or not verdict.shown.ids:
        return tuple(lifted)
    return (*lifted, Retained(dataset.name, verdict.name, len(verdict.staying)))


def stopped(dataset: Dataset, region: str, why: str) -> tuple[Finding, Braked]:
    """How it is told that the brake has stopped everything."""
    subject = f"{dataset.name} in {region}"
    finding = Finding("retention.braked", subject, f"nothing was deleted: {why}", FORCE_HINT)
    return finding, Braked(dataset.name, region, why)


def forced_finding(dataset: Dataset, region: str, why: str, reason: str) -> Finding:
    """How it is told that somebody has overridden the brake."""
    subject = f"{dataset.name} in {region}"
    message = f"let go although {why}; the reason given: {reason}"
    return Finding("retention.forced", subject, message, "")


RETENTION_DECIDE = make_action(
    ActionSpec(
        "retention.decide",
        "Judge every snapshot of a dataset by its `keep`; nothing is changed.",
        (
            Parameter("dataset", Kind.DATASET, doc="which dataset"),
            Parameter(
                "prune", Kind.TEXT, required=False, doc="free space: default: due", choices=PRUNING
            ),
            Parameter("force", Kind.TEXT, required=False, doc="why the brake is not to stop it"),
        ),
        ("dataset", "needed", "repositories", "keep", "forget"),
        repeatable=True,
    ),
    _decide,
)
