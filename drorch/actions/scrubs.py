"""The action that hashes what lies in a region, day after day, and remembers what was proven when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from drorch.actions.arguments import Arguments, WrongArgument, make_action
from drorch.actions.places import bucket_of, dataset_named, region_named, repository_folder
from drorch.actions.proofs import proofs_of
from drorch.actions.windows import flow_of
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.durations import format_duration
from drorch.core.errors import StorageError
from drorch.core.facts import Fact, Forgotten, KeyKnown, KeyRevoked, Proven, Scrubbed
from drorch.core.mirrors import is_mirror
from drorch.core.model import Dataset, Region
from drorch.core.schedules import promised_age
from drorch.core.scrubbing import (
    CONFIG,
    advanced,
    daily_budget,
    doubtful,
    size_of,
    spent_on,
    standing,
    turns,
)
from drorch.core.units import format_size, parse_size
from drorch.core.values import Finding, Result, Value, failed, passed
from drorch.ports import Call, Knowledge, Tools
from drorch.storage.bucket import Bucket
from drorch.storage.probe import Depth, probe_all
from drorch.storage.scrub import ScrubDone, configs_of, estimated_size, scrub

#: The word for a budget without an end.
ALL = "all"

#: How many damaged objects a finding names.
_NAMED = 10


@dataclass(frozen=True, slots=True)
class Books:
    """What was known of a region before it is scrubbed, and the day by local time."""

    dataset: Dataset
    region: Region
    proofs: Mapping[str, Proven]
    scrubbed: Scrubbed | None
    now: datetime
    day: str

    @classmethod
    def opened(cls, tools: Tools, dataset: Dataset, region: Region) -> "Books":
        """As the journal has them now."""
        now = tools.clock.now().at
        zone = ZoneInfo(tools.configuration.timezone)
        proven = proofs_of(tools.knowledge, dataset, region.name)
        scrubbed = tools.knowledge.facts(Scrubbed, dataset.name)
        return cls(
            dataset,
            region,
            {proof.part: proof for proof in proven},
            next((k.fact for k in scrubbed if k.fact.region == region.name), None),
            now,
            now.astimezone(zone).date().isoformat(),
        )

    def closed(self, done: ScrubDone) -> tuple[Fact, ...]:
        """The facts to record."""
        proven = [
            advanced(
                self.proofs.get(hashed.turn.part),
                hashed,
                dataset=self.dataset.name,
                region=self.region.name,
                began=self.now,
            )
            for hashed in done.parts
        ]
        spent = Scrubbed(
            self.dataset.name,
            self.region.name,
            self.day,
            spent_on(self.day, self.scrubbed) + done.bytes,
            self.scrubbed.first_at if self.scrubbed else self.now,
        )
        return (*proven, spent)


def _scrub(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    dataset = dataset_named(tools, arguments.text("dataset"))
    region = region_named(tools, arguments.text("region", dataset.primary))
    bucket = bucket_of(tools, region)
    siblings = _siblings(tools, dataset, region)
    health, *others = probe_all([bucket, *siblings], Depth.REACHABLE)
    if health.trouble is not None:
        return failed(health.trouble.cause, health.trouble.message, health.trouble.hint)
    living = [b for b, h in zip(siblings, others, strict=True) if h.trouble is None]
    books = Books.opened(tools, dataset, region)
    size = size_of(books.proofs.values())
    if size is None:
        size = estimated_size(bucket, repository_folder(dataset))
    budget = _budget(arguments, books, size)
    if budget is not None and budget <= 0:
        return passed(_outputs(books, ScrubDone((), 0), 0), message="today's budget is spent")
    config = _config(books, bucket, living)
    done = scrub(
        bucket,
        repository_folder(dataset),
        None if budget is None or size < budget / 2 else turns(books.proofs.values()),
        budget=budget,
        expected=expected_in(tools.knowledge, dataset, region),
        pace=flow_of(tools, dataset).receiving,
        progress=call.progress,
        cancel=call.cancel,
    )
    return _told(books, done, budget, config)


def _siblings(tools: Tools, dataset: Dataset, region: Region) -> list[Bucket]:
    """The other regions that hold the very same repository."""
    if not is_mirror(dataset, region.name):
        return []
    others = (n for n in dataset.regions if n != region.name and is_mirror(dataset, n))
    return [bucket_of(tools, region_named(tools, name)) for name in others]


def _budget(arguments: Arguments, books: Books, size: int) -> int | None:
    """Bytes to hash now; None: everything."""
    if arguments.has("budget"):
        return _asked(arguments.text("budget"))
    verify = books.dataset.verify
    if verify.scrub_budget is not None:
        return verify.scrub_budget - spent_on(books.day, books.scrubbed)
    if verify.scrub is None:
        return None
    return daily_budget(size, promised_age(verify.scrub)) - spent_on(books.day, books.scrubbed)


def _asked(text: str) -> int | None:
    if text == ALL:
        return None
    try:
        return parse_size(text)
    except ValueError as error:
        raise WrongArgument(f"budget: {error}", f"write it like 20GiB, or {ALL}") from None


def expected_in(knowledge: Knowledge, dataset: Dataset, region: Region) -> dict[str, set[str]]:
    """What the journal knows to lie there: whoever takes a snapshot or a key away leaves a gap."""
    forgotten = {k.fact.snapshot for k in knowledge.facts(Forgotten, dataset.name)}
    revoked = {k.fact.key for k in knowledge.facts(KeyRevoked, dataset.name)}
    held = (c for c in knowledge.copies(dataset.name) if c.region == region.name and not c.owed)
    keys = (k.fact for k in knowledge.facts(KeyKnown, dataset.name))
    return {
        "snapshots": {f"snapshots/{c.snapshot}" for c in held if c.snapshot not in forgotten},
        "keys": {f"keys/{k.key}" for k in keys if k.region == region.name and k.key not in revoked},
    }


def _config(books: Books, bucket: Bucket, others: Sequence[Bucket]) -> Proven:
    """The proof of the one object that no hash names: it is the same in all mirrors."""
    ours, *theirs = configs_of([bucket, *others], repository_folder(books.dataset))
    known = None if isinstance(ours, StorageError) else ours
    bad = doubtful(known, [one for one in theirs if isinstance(one, bytes)])
    return Proven(
        books.dataset.name,
        books.region.name,
        CONFIG,
        1,
        len(known or b""),
        (CONFIG,) if bad else (),
        since=books.now,
    )


def _told(books: Books, done: ScrubDone, budget: int | None, config: Proven) -> Result:
    outputs = _outputs(books, done, None if budget is None else max(0, budget - done.bytes))
    facts = (*books.closed(done), config)
    damaged = (*config.damaged, *done.damaged)
    findings = damage_found(books.dataset, books.region, damaged)
    if done.trouble is not None:
        error = done.trouble
        return failed(
            error.cause, error.message, error.hint, outputs=outputs, findings=findings, facts=facts
        )
    if findings:
        message = f"{len(damaged)} object(s) are damaged, or gone: {damaged[0]}" + (
            ", …" if len(damaged) > 1 else ""
        )
        hint = findings[0].hint
        return failed("damaged", message, hint, outputs=outputs, findings=findings, facts=facts)
    return passed(outputs, message=_sentence(books, done, facts), facts=facts)


def _outputs(books: Books, done: ScrubDone, left: int | None) -> dict[str, Value]:
    return {
        "dataset": books.dataset.name,
        "region": books.region.name,
        "objects": sum(part.objects for part in done.parts),
        "bytes": done.bytes,
        "parts": sum(part.whole for part in done.parts),
        "left": left,
        "damaged": list(done.damaged[:_NAMED]),
    }


def _sentence(books: Books, done: ScrubDone, facts: Sequence[Fact]) -> str:
    promised = books.dataset.verify.scrub
    age = promised_age(promised) if promised else None
    now_proven = dict(books.proofs) | {f.part: f for f in facts if isinstance(f, Proven)}
    share = standing(now_proven.values(), age, books.now).share
    objects = sum(part.objects for part in done.parts)
    within = f" within {format_duration(age)}" if age else ""
    return (
        f"{objects} objects ({format_size(done.bytes)}) are whole; "
        f"{share:.0%} of the region is proven{within}"
    )


def damage_found(dataset: Dataset, region: Region, damaged: Sequence[str]) -> tuple[Finding, ...]:
    """The finding that names damaged objects, if there are any."""
    if not damaged:
        return ()
    named = ", ".join(damaged[:_NAMED])
    more = f" (and {len(damaged) - _NAMED} more)" if len(damaged) > _NAMED else ""
    return (
        Finding(
            "object.damaged",
            f"{dataset.name} in {region.name}",
            f"{len(damaged)} object(s) are not what their names say, or are gone: {named}{more}",
            f"mend them from the other regions: drorch heal --dataset {dataset.name}",
        ),
    )


SCRUB = make_action(
    ActionSpec(
        "scrub",
        "Hash what lies in a region against its names, the oldest proof first, within a budget.",
        (
            Parameter("dataset", Kind.DATASET, doc="which dataset"),
            Parameter("region", Kind.REGION, required=False, doc="default: the primary"),
            Parameter(
                "budget",
                Kind.TEXT,
                required=False,
                doc="how much now, or `all`; default: what is left of the day's",
            ),
        ),
        ("dataset", "region", "objects", "bytes", "parts", "left", "damaged"),
        check=True,
        repeatable=True,
    ),
    _scrub,
)
