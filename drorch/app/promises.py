"""Alarms about what was promised of a dataset's copies: how old, how many, where, how proven."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from drorch.app.alarm import alarm
from drorch.app.seen import Seen
from drorch.core.alarms import AlarmWord
from drorch.core.document import rfc3339
from drorch.core.durations import format_duration
from drorch.core.facts import KeyKnown, KeyRevoked
from drorch.core.jurisdictions import jurisdiction_within
from drorch.core.model import Dataset
from drorch.core.posture import Stock
from drorch.core.promises import SPREADING, allowed_age, expected, foreseen, near_breach
from drorch.core.values import Value


def of_copy(seen: Seen, dataset: Dataset, stock: Stock) -> Iterator[dict[str, Value]]:
    """What is wrong with the dataset in one region."""
    name, region = dataset.name, stock.region
    subject = f"{name} in {region}"
    if stock.newest_at is None:
        yield alarm(
            AlarmWord.COPY_MISSING,
            subject,
            None,
            f"{region} holds no snapshot of {name}",
            f"make one: drorch backup {name}",
        )
    else:
        yield from _recovery_point(seen, dataset, region, stock.newest_at)
    if stock.owed_at is not None:
        yield alarm(
            AlarmWord.COPY_OWED,
            subject,
            stock.owed_since,
            f"{region} is owed the copy of {name} from {rfc3339(stock.owed_at)}",
            f"bring it there: drorch replicate --dataset {name} --region {region}",
        )


def _recovery_point(
    seen: Seen, dataset: Dataset, region: str, newest_at: datetime
) -> Iterator[dict[str, Value]]:
    rpo, age = dataset.objectives.rpo, seen.now - newest_at
    if rpo is None:
        return
    if age > rpo:
        yield alarm(
            AlarmWord.RPO_BREACHED,
            f"{dataset.name} in {region}",
            newest_at + rpo,
            f"the newest snapshot of {dataset.name} in {region} is {format_duration(age)} old; "
            f"promised are {format_duration(rpo)}",
            f"back it up: drorch backup {dataset.name}",
        )
    elif near_breach(newest_at, rpo, seen.now):
        took = expected(seen.took(dataset))
        since = seen.backing_up(dataset)
        if took is not None and foreseen(newest_at, rpo, took, seen.now, since):
            yield alarm(
                AlarmWord.RPO_FORESEEN,
                f"{dataset.name} in {region}",
                newest_at + rpo - took,
                f"the newest snapshot of {dataset.name} in {region} is {format_duration(age)} "
                f"old; promised are {format_duration(rpo)}, and a backup takes {format_duration(took)}",
                f"back it up: drorch backup {dataset.name}",
            )


def of_dataset(seen: Seen, dataset: Dataset, stocks: Sequence[Stock]) -> Iterator[dict[str, Value]]:
    """What is wrong with the dataset as a whole; `stocks` are those of its regions."""
    held = min((s.oldest_at for s in stocks if s.oldest_at is not None), default=None)
    if held is not None:
        yield from _too_few(seen, dataset, stocks)
        yield from _checked(seen, dataset, stocks, held)
        yield from _restored(seen, dataset, stocks, held)
    yield from _outside(seen, dataset)
    yield from _old_keys(seen, dataset)


def _too_few(seen: Seen, dataset: Dataset, stocks: Sequence[Stock]) -> Iterator[dict[str, Value]]:
    """The newest snapshot has had its time, and is not everywhere."""
    newest = {stock.region: stock.newest_at for stock in stocks}
    newest_at = max(at for at in newest.values() if at is not None)
    if seen.now - newest_at <= SPREADING:
        return
    holding = [region for region, at in newest.items() if at == newest_at]
    if len(holding) < len(newest):
        lacking = [region for region in newest if region not in holding]
        yield alarm(
            AlarmWord.COPIES_TOO_FEW,
            dataset.name,
            newest_at + SPREADING,
            f"the newest snapshot of {dataset.name} lies in {len(holding)} of {len(newest)} "
            f"regions; {', '.join(lacking)} lacks it",
            f"bring it there: drorch replicate --dataset {dataset.name}",
        )


def _outside(seen: Seen, dataset: Dataset) -> Iterator[dict[str, Value]]:
    """A region that it is not to lie in any more may still hold something of it."""
    if not dataset.residency:
        return
    regions = seen.program.configuration.regions
    for stock in seen.stocks(dataset):
        region = regions.get(stock.region)
        if region is None or stock.newest_at is None or dataset.transfer or region.transfer:
            continue
        if not jurisdiction_within(region.jurisdiction, dataset.residency):
            yield alarm(
                AlarmWord.RESIDENCY_BROKEN,
                f"{dataset.name} in {region.name}",
                None,
                f"{region.name} ({region.jurisdiction}) holds snapshots of {dataset.name}, which "
                f"may lie in {', '.join(dataset.residency)} only, and no transfer is papered",
                "have them deleted there, or name the papers: docs/configuration.md",
            )


def _checked(
    seen: Seen, dataset: Dataset, stocks: Sequence[Stock], held: datetime
) -> Iterator[dict[str, Value]]:
    wanted = dataset.verify.check
    if wanted is None:
        return
    known = [*(stock.verified_at for stock in stocks), seen.checked(dataset.name)]
    checked = max((at for at in known if at is not None), default=None)
    due = (checked or held) + allowed_age(wanted)
    if seen.now > due:
        last = f"last checked {_ago(seen, checked)}" if checked else "never checked"
        yield alarm(
            AlarmWord.CHECK_OVERDUE,
            dataset.name,
            due,
            f"{dataset.name} was {last}; promised is {wanted}",
            f"do it now: drorch check --dataset {dataset.name}",
        )


def _restored(
    seen: Seen, dataset: Dataset, stocks: Sequence[Stock], held: datetime
) -> Iterator[dict[str, Value]]:
    wanted = dataset.verify.restore_test
    if wanted is None:
        return
    tested = max((s.restore_tested_at for s in stocks if s.restore_tested_at), default=None)
    due = (tested or held) + allowed_age(wanted)
    if seen.now > due:
        last = f"last restored for trial {_ago(seen, tested)}" if tested else "never restored"
        yield alarm(
            AlarmWord.RESTORE_TEST_OVERDUE,
            dataset.name,
            due,
            f"{dataset.name} was {last}; promised is {wanted}",
            f"do it now: drorch drill restore-test --set dataset={dataset.name} "
            f"--set region={dataset.primary}",
        )


def _old_keys(seen: Seen, dataset: Dataset) -> Iterator[dict[str, Value]]:
    """By when the journal came to know the key that the dataset's own password opens."""
    wanted = dataset.verify.key
    if wanted is None:
        return
    gone = {k.fact.key for k in seen.facts(KeyRevoked, dataset.name)}
    for home in dict.fromkeys(repository[0] for repository in dataset.repositories):
        secret = _password(dataset, home)
        made = [
            known.recorded_at
            for known in seen.facts(KeyKnown, dataset.name)
            if known.fact.region == home
            and known.fact.secret == secret
            and known.fact.key not in gone
        ]
        if made and seen.now > max(made) + wanted:
            own = "" if home == dataset.primary else f" --region {home}"
            yield alarm(
                AlarmWord.KEY_OLD,
                f"{dataset.name} in {home}",
                max(made) + wanted,
                f"the password of {dataset.name} in {home} was last changed, as far as is known, "
                f"{_ago(seen, max(made))}; promised are {format_duration(wanted)}",
                f"change it: drorch repo rotate-key {dataset.name}{own}",
            )


def _password(dataset: Dataset, home: str) -> str:
    return next((c.password for c in dataset.copies if c.region == home), dataset.password)


def _ago(seen: Seen, at: datetime) -> str:
    return f"{format_duration(seen.now - at)} ago"
