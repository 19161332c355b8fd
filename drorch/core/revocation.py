"""Revoked keys that a region may still hold. Pure."""

from collections.abc import Iterable, Sequence

from drorch.core.facts import KeyRemoved, KeyRevoked


def still_held(
    revoked: Iterable[KeyRevoked], removed: Iterable[KeyRemoved], regions: Sequence[str]
) -> dict[str, list[str]]:
    """By region the revoked keys that, as far as is known, it still holds; `regions` are those of
    one repository.
    """
    gone = {(one.region, one.key) for one in removed}
    meant = [one.key for one in revoked if not one.region or one.region in regions]
    found = {region: [k for k in meant if (region, k) not in gone] for region in regions}
    return {region: keys for region, keys in found.items() if keys}
