"""Where a quarter's copies lie and by what right, and how old the passwords are that open them."""

from collections.abc import Iterator

from drorch.app.quarter_seen import QuarterSeen
from drorch.core.facts import KeyKnown, KeyRevoked, Locked
from drorch.core.jurisdictions import jurisdiction_within
from drorch.core.model import Dataset, Region, SecretSource
from drorch.core.quarter_document import PromiseQuarter
from drorch.core.quarter_judging import key_promise
from drorch.core.quarter_records import CopyPlace


def places_of(seen: QuarterSeen) -> Iterator[CopyPlace]:
    """Every copy that is to lie somewhere, and every one that is known to, by dataset."""
    configuration = seen.program.configuration
    holding = {key for key, stock in seen.stocks.items() if stock.newest_at is not None}
    locks = _locks(seen)
    for dataset in configuration.datasets.values():
        others = sorted(r for d, r in holding if d == dataset.name and r not in dataset.regions)
        for region in (*dataset.regions, *others):
            yield _place(
                seen, dataset.name, dataset, region, locks, (dataset.name, region) in holding
            )
    for name, region in sorted(holding):
        if name not in configuration.datasets:
            yield _place(seen, name, None, region, locks, holds=True)


def _locks(seen: QuarterSeen) -> dict[tuple[str, str], Locked]:
    known = seen.program.journal.whole.facts(Locked)
    return {(k.fact.dataset, k.fact.region): k.fact for each in known.values() for k in each}


def _place(
    seen: QuarterSeen,
    name: str,
    dataset: Dataset | None,
    region: str,
    locks: dict[tuple[str, str], Locked],
    holds: bool,
) -> CopyPlace:
    configuration = seen.program.configuration
    known: Region | None = configuration.regions.get(region)
    residency = dataset.residency if dataset else ()
    papers = (dataset.transfer if dataset else None) or (known.transfer if known else None)
    key = _key(dataset, region)
    source = configuration.secrets.get(key) if key else None
    lock = known.object_lock if known else None
    locked = locks.get((name, region))
    return CopyPlace(
        dataset=name,
        region=region,
        role=_role(dataset, region),
        configured=dataset is not None and region in dataset.regions,
        holds=holds,
        jurisdiction=known.jurisdiction if known else None,
        residency=residency,
        inside=jurisdiction_within(known.jurisdiction, residency) if known and dataset else None,
        assessment=papers.assessment if papers else None,
        agreement=papers.agreement if papers else None,
        papered=papers is not None,
        key=key,
        key_lies=lies(source) if source else None,
        lock=lock.mode.value if lock else None,
        lock_keep=lock.keep if lock else None,
        locked_until=locked.until if locked else None,
    )


def _role(dataset: Dataset | None, region: str) -> str:
    if dataset is None or region not in dataset.regions:
        return "left"
    if region == dataset.primary:
        return "primary"
    return next(copy.mode.value for copy in dataset.copies if copy.region == region)


def _key(dataset: Dataset | None, region: str) -> str | None:
    """The name of the secret that opens the copy there."""
    if dataset is None or region not in dataset.regions:
        return None
    return next((c.password for c in dataset.copies if c.region == region), dataset.password)


def key_promises(seen: QuarterSeen) -> Iterator[PromiseQuarter]:
    """Of each repository whose password is to be changed: how long ago it was, as far as is known."""
    made = seen.program.journal.whole.facts(KeyKnown)
    gone = seen.program.journal.whole.facts(KeyRevoked)
    for dataset in seen.program.configuration.datasets.values():
        if dataset.verify.key is None:
            continue
        revoked = {k.fact.key for k in gone.get(dataset.name, ()) if k.recorded_at < seen.until}
        for home in dict.fromkeys(repository[0] for repository in dataset.repositories):
            ages = [
                seen.until - known.recorded_at
                for known in made.get(dataset.name, ())
                if known.fact.region == home
                and known.fact.secret == _key(dataset, home)
                and known.fact.key not in revoked
                and known.recorded_at < seen.until
            ]
            subject = f"{dataset.name} in {home}"
            yield key_promise(subject, dataset.verify.key, min(ages, default=None))


def lies(source: SecretSource) -> str:
    """Where a secret comes from, in words; never its value."""
    if source.file is not None:
        return f"file {source.file}"
    if source.env is not None:
        return f"environment {source.env}"
    if source.credential is not None:
        return f"credential {source.credential}"
    return f"command {(source.command or ('',))[0]}"
