"""Use cases around keys: which there are, a further one, one less, another password."""

from collections.abc import Iterator, Sequence

from drorch.actions.keyfiles import KeyFiles
from drorch.actions.keys import refuse_addition, refuse_needed, refuse_rotation
from drorch.app.exercised import refuse
from drorch.app.program import Program
from drorch.app.repositories import initialise
from drorch.app.runs import Control, Request, RunView, carry_out
from drorch.core.errors import DrorchError, UsageError
from drorch.core.model import Dataset
from drorch.core.nearest import did_you_mean
from drorch.core.policy import compile_keys
from drorch.core.render import literal
from drorch.core.values import Value
from drorch.engine.loop import Watcher
from drorch.restic.authentic import KeyFile, NotGenuine, read_key_file


def list_keys(program: Program, dataset: Dataset, region: str | None) -> list[dict[str, Value]]:
    """Every key file of the repository, in all regions that hold it; restic is not started.

    `standing` is `known`, `unknown` (the journal does not know it, and the dataset's password does
    not open it) or `revoked`. `current`: the dataset's password opens it. `missing` are regions
    that answer and lack it, `unreachable` those that do not answer.
    """
    files = KeyFiles(program.tools, dataset, _region(program, dataset, region))
    return [_row(files, key) for key in sorted(files.every())]


def _region(program: Program, dataset: Dataset, region: str | None) -> str:
    if region is None:
        return dataset.primary
    name = program.region(region).name
    if name not in dataset.regions:
        hint = did_you_mean(name, dataset.regions, "it lies in")
        raise UsageError(f"dataset {dataset.name} has no copy in region {name}", hint)
    return name


def _row(files: KeyFiles, key: str) -> dict[str, Value]:
    known = files.keyring.facts.get(key)
    written = _written(files, key)
    opens = files.opens(key)
    holders = files.holders(key)
    revoked = key in files.keyring.revoked
    return {
        "dataset": files.dataset.name,
        "region": files.home,
        "id": key,
        "label": known.label if known else "",
        "standing": "revoked" if revoked else "known" if known or opens else "unknown",
        "current": opens,
        "user": written.user if written else None,
        "host": written.host if written else None,
        "created": written.created if written else None,
        "regions": list(holders),
        "missing": [region for region in files.living if region not in holders],
        "unreachable": list(files.lost),
    }


def _written(files: KeyFiles, key: str) -> KeyFile | None:
    try:
        return read_key_file(files.content(key))
    except NotGenuine:
        return None


def add_key(
    program: Program,
    dataset: Dataset,
    region: str | None,
    *,
    secret: str,
    label: str,
    reason: str,
    control: Control,
) -> RunView:
    """Let a further password, that of a secret, open the repository in every mirror.

    UsageError for a password that restic would read otherwise.
    """
    where, files = _changing(program, dataset, region)
    refuse_addition(program.tools, files, secret)
    arguments = {"secret": literal(secret), "label": literal(label), "region": where}
    plan = compile_keys(
        dataset.name,
        f"Add a key to {dataset.name}",
        [("key.add", arguments)],
        program.configuration,
    )
    return carry_out(program, plan, Request(reason=reason), control=control)


def remove_key(
    program: Program,
    dataset: Dataset,
    region: str | None,
    *,
    key: str,
    reason: str,
    control: Control,
) -> RunView:
    """Let a key open the repository nowhere any more. `key` is the beginning of its id.

    UsageError if there is no such key, or no other that the dataset's password opens.
    """
    where, files = _changing(program, dataset, region)
    full = _meant(files, key)
    refuse_needed(files, full)
    plan = compile_keys(
        dataset.name,
        f"Remove key {full[:8]} of {dataset.name}",
        [
            ("key.revoke", {"key": full, "reason": literal(reason), "region": where}),
            ("key.delete", {"region": where}),
        ],
        program.configuration,
    )
    return carry_out(program, plan, Request(reason=reason), control=control)


def rotate_key(
    program: Program,
    dataset: Dataset,
    region: str | None,
    *,
    secret: str | None,
    reason: str,
    control: Control,
) -> RunView:
    """Begin to change the password to that of a secret, or finish once the dataset uses it.

    UsageError where there is nothing to begin, to go on with, or to end.
    """
    where, files = _changing(program, dataset, region)
    refuse_rotation(program.tools, files, secret or "")
    arguments: dict[str, Value] = {"reason": literal(reason), "region": where}
    if secret is not None:
        arguments["secret"] = literal(secret)
    plan = compile_keys(
        dataset.name,
        f"Change the password of {dataset.name}",
        [("key.rotate", arguments), ("key.delete", {"region": where})],
        program.configuration,
    )
    return carry_out(program, plan, Request(reason=reason), control=control)


def _changing(program: Program, dataset: Dataset, region: str | None) -> tuple[str, KeyFiles]:
    """Where keys are to be changed, and those that are there; UsageError in the copy of an exercise."""
    refuse(program, "no key is changed")
    where = _region(program, dataset, region)
    return where, KeyFiles(program.tools, dataset, where)


def renew(
    program: Program,
    old: Dataset,
    new: Dataset,
    *,
    reason: str,
    control: Control,
    watchers: Sequence[Watcher] = (),
) -> RunView:
    """Encrypt a dataset anew: copy all of it into the repository of another, which is made if
    it is not there. Raises UsageError if the two are not the same data, DrorchError if the
    repository cannot be made.
    """
    if old.name == new.name or (old.paths, old.dump) != (new.paths, new.dump):
        raise UsageError(
            f"{new.name} cannot take the place of {old.name}: it has other sources"
            if old.name != new.name
            else f"{old.name} cannot take its own place",
            "name a dataset of drorch.yaml with the same paths or dump, and another password",
        )
    for made in initialise(program, [new], like=old):
        if not made.ok and made.region == new.primary:  # a mirror that is away is owed it
            raise DrorchError(f"{made.dataset} in {made.region}: {made.message}", made.hint)
    plan = compile_keys(
        old.name,
        f"Encrypt {old.name} anew into {new.name}",
        [("repository.renew", {"into": new.name})],
        program.configuration,
    )
    return carry_out(program, plan, Request(reason=reason), control=control, watchers=watchers)


def _meant(files: KeyFiles, short: str) -> str:
    known = {*files.every(), *files.keyring.facts, *files.keyring.revoked}
    found = sorted(key for key in known if key.startswith(short))
    if len(found) == 1:
        return found[0]
    raise UsageError(
        f"{len(found) or 'no'} key{'s' if len(found) > 1 else ''} of {files.dataset.name} "
        f"begin{'' if len(found) > 1 else 's'} with {short}",
        "; ".join(_named(files, found))
        or f"see which there are with: drorch repo key list {files.dataset.name}",
    )


def _named(files: KeyFiles, keys: list[str]) -> Iterator[str]:
    for key in keys:
        label = files.keyring.facts[key].label if key in files.keyring.facts else ""
        yield f"{key[:12]} {label}".rstrip()
