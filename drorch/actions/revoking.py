"""Keys that were revoked are taken out of every region, also of one that comes back years later."""

from collections.abc import Iterator, Mapping, Sequence

from drorch.actions.keyfiles import KeyFiles
from drorch.core.errors import ConfigurationError, DrorchError, ResticError, StorageError
from drorch.core.facts import KeyRemoved, KeyRevoked
from drorch.core.mirrors import same_repository
from drorch.core.model import Dataset
from drorch.core.revocation import still_held
from drorch.core.values import Finding
from drorch.ports import Tools


def apply_revocations(
    tools: Tools, dataset: Dataset, region: str
) -> tuple[tuple[Finding, ...], tuple[KeyRemoved, ...]]:
    """Delete revoked keys wherever a living region of this repository still shows one.

    `region` is any of those that hold the repository. Every region keeps a key that the
    dataset's password opens; where there is none but the revoked one, nothing is deleted. Costs
    a look into the journal where nothing was revoked. Never raises for what regions do.
    """
    if not any(True for _ in tools.knowledge.facts(KeyRevoked, dataset.name)):
        return (), ()
    files = KeyFiles(tools, dataset, region)
    try:
        return _applied(tools, files)
    except (StorageError, ResticError, ConfigurationError) as error:
        finding = Finding("key.owed", dataset.name, _untold(error), error.hint)
        return (finding,) if _owed(tools, dataset, files.regions) else (), ()


def revocations(
    tools: Tools, dataset: Dataset, region: str, *, due: bool
) -> tuple[tuple[Finding, ...], tuple[KeyRemoved, ...]]:
    """`apply_revocations` if it is `due`, or if a region is known to owe one."""
    if not due and not _owed(tools, dataset, same_repository(dataset, region)):
        return (), ()
    return apply_revocations(tools, dataset, region)


def _owed(tools: Tools, dataset: Dataset, regions: Sequence[str]) -> dict[str, list[str]]:
    return still_held(
        [k.fact for k in tools.knowledge.facts(KeyRevoked, dataset.name)],
        [k.fact for k in tools.knowledge.facts(KeyRemoved, dataset.name)],
        regions,
    )


def _applied(tools: Tools, files: KeyFiles) -> tuple[tuple[Finding, ...], tuple[KeyRemoved, ...]]:
    due = _owed(tools, files.dataset, files.regions)
    shown = {key: files.holders(key) for key in sorted(files.keyring.revoked)}
    if any(shown.values()):
        _remove(files, shown)
    gone = tuple(
        KeyRemoved(files.dataset.name, region, key)
        for region, keys in due.items()
        for key in keys
        if region in files.living and key not in files.living[region]
    )
    left = files.owed("a revoked key may lie there still") if due else ()
    return (*_came_back(files, shown, due), *left), gone


def _remove(files: KeyFiles, shown: Mapping[str, Sequence[str]]) -> None:
    for key in files.openers():
        files.bring(key)
    _refuse_the_last(files)
    for key, regions in shown.items():
        if regions:
            files.remove(key)


def _refuse_the_last(files: KeyFiles) -> None:
    """A region must not be left without a key, whatever the journal says."""
    openers = files.openers()
    for region, keys in files.living.items():
        if not keys.keys() & set(openers):
            raise StorageError(
                f"region {region} would be left without a key that the password opens",
                "bring its keys back first: drorch replicate",
                "key-in-use",
            )


def _came_back(
    files: KeyFiles, shown: Mapping[str, Sequence[str]], due: Mapping[str, Sequence[str]]
) -> Iterator[Finding]:
    for key, regions in shown.items():
        for region in regions:
            if key in due.get(region, ()):
                continue
            yield Finding(
                "object.quarantined",
                f"{files.dataset.name} in {region}",
                f"somebody had put back keys/{key}, which was revoked; it was deleted again",
                "somebody else may write into this region: change its access key",
            )


def _untold(error: DrorchError) -> str:
    return f"revoked keys could not be taken out of the regions: {error.message}"
