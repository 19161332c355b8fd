"""The actions around keys: add one, revoke one, change the password; in all mirrors at once.

restic's master key, under which everything is encrypted, is in every key file, and stays the same.
"""

from dataclasses import dataclass

from drorch.actions.arguments import Arguments, make_action
from drorch.actions.keyfiles import KeyFiles
from drorch.actions.places import address_of, dataset_named, region_named, restic_of
from drorch.actions.revoking import apply_revocations
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.errors import UsageError
from drorch.core.facts import Fact, KeyKnown, KeyRevoked, Rotation
from drorch.core.values import Finding, Result, Value, failed, passed
from drorch.ports import Call, Tools
from drorch.restic.process import Attempt

_DATASET = Parameter("dataset", Kind.DATASET, doc="which dataset")
_REGION = Parameter(
    "region", Kind.REGION, required=False, doc="a copy with a key of its own; default: the primary"
)


class Refused(UsageError):
    """What was asked for would do harm, or makes no sense as things stand: known before a run begins,
    and looked at again in it.
    """

    def __init__(self, cause: str, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.cause = cause


def _files(call: Call, tools: Tools) -> KeyFiles:
    arguments = Arguments.of(call, tools)
    dataset = dataset_named(tools, arguments.text("dataset"))
    return KeyFiles(tools, dataset, arguments.text("region", dataset.primary))


@dataclass(frozen=True, slots=True)
class _Added:
    """A key that a password opens: `made` now, or found."""

    key: str
    made: bool
    regions: list[str]


def _added(call: Call, tools: Tools, files: KeyFiles, secret: str, user: str) -> _Added:
    """The key for a secret's password: found, or made by restic in one region; then in all."""
    found = files.openers(secret)
    made = not found
    if made:
        _refuse_unfit(tools.secrets.get(secret))
        region = next(iter(files.living))
        address = address_of(tools, files.dataset, region_named(tools, region))
        attempt = Attempt(call.cancel, call.timeout)
        restic_of(tools).add_key(address, tools.secrets.get(secret), user=user, attempt=attempt)
        files.look_again()
        found = files.openers(secret)
    if not found:
        raise Refused(
            "key-not-made",
            "restic said that it had added the key, but no key file opens with the password",
            "look at the keys with: drorch repo key list " + files.dataset.name,
        )
    return _Added(found[0], made, files.bring(found[0]))


def refuse_addition(tools: Tools, files: KeyFiles, secret: str) -> None:
    """Refused if the password of a secret opens nothing yet, and restic would take another for it."""
    try:
        _refuse_unfit(tools.secrets.get(secret))
    except Refused:
        if not files.openers(secret):
            raise


def _refuse_unfit(password: str) -> None:
    if password != password.strip() or "\n" in password:
        raise Refused(
            "password-unfit",
            "the new password begins or ends with white space or holds a line break",
            "choose another: restic would take a different one for it",
        )


def _known(files: KeyFiles, key: str, label: str, secret: str) -> KeyKnown:
    before = files.keyring.facts.get(key)
    kept = label or (before.label if before else "")
    # A password that was typed in has no name: it opened the key, but nobody can look it up.
    named = "" if secret.startswith("(") else secret
    return KeyKnown(files.dataset.name, files.home, key, kept, named)


def _add(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    files = _files(call, tools)
    secret, label = arguments.text("secret"), arguments.text("label", "")
    try:
        added = _added(call, tools, files, secret, label or "drorch")
    except Refused as error:
        return failed(error.cause, error.message, error.hint)
    outputs: dict[str, Value] = {
        "dataset": files.dataset.name,
        "key": added.key,
        "label": label,
        "made": added.made,
        "regions": list(added.regions),
    }
    return passed(
        outputs,
        findings=files.owed(f"key {added.key[:8]} could not be brought there"),
        facts=(*_companions(files), _known(files, added.key, label, secret)),
    )


def _companions(files: KeyFiles) -> tuple[KeyKnown, ...]:
    """The keys that the dataset's password opens and the journal does not know yet."""
    unknown = [k for k in files.openers() if k not in files.keyring.facts]
    return tuple(_known(files, key, "", files.keyring.secret) for key in unknown)


KEY_ADD = make_action(
    ActionSpec(
        "key.add",
        "Add a key for a further password to a dataset's repository, in all mirrors at once.",
        (
            _DATASET,
            Parameter("secret", Kind.TEXT, doc="the name of the secret that holds the password"),
            Parameter("label", Kind.TEXT, required=False, doc="whose key it is; not encrypted"),
            _REGION,
        ),
        ("dataset", "key", "label", "made", "regions"),
        repeatable=True,
    ),
    _add,
)


def _revoke(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    files = _files(call, tools)
    key = arguments.text("key")
    try:
        refuse_needed(files, key)
    except Refused as error:
        return failed(error.cause, error.message, error.hint)
    facts: list[Fact] = [
        *_companions(files),
        KeyRevoked(files.dataset.name, key, arguments.text("reason"), files.home),
    ]
    rotation = rotation_of(tools, files)
    if rotation is not None and rotation.new == key:
        facts.append(_ended(rotation))
    return passed({"dataset": files.dataset.name, "key": key}, facts=tuple(facts))


def refuse_needed(files: KeyFiles, key: str) -> None:
    """Refused if there is no such key, or no other that the dataset's password opens."""
    if not {key} & (files.every().keys() | files.keyring.facts.keys() | files.keyring.revoked):
        raise Refused(
            "no-key",
            f"no region of {files.dataset.name} has a key {key[:8]}",
            f"see which there are with: drorch repo key list {files.dataset.name}",
        )
    if not [k for k in files.openers() if k != key]:
        raise Refused(
            "key-in-use",
            f"key {key[:8]} is the only one that the password of {files.dataset.name} opens",
            f"change the password first: drorch repo rotate-key {files.dataset.name}",
        )


def rotation_of(tools: Tools, files: KeyFiles) -> Rotation | None:
    """The change of password that has begun and not ended."""
    found = tools.knowledge.facts(Rotation, files.dataset.name)
    return next((k.fact for k in found if k.fact.region == files.home and not k.fact.done), None)


def _ended(rotation: Rotation) -> Rotation:
    return Rotation(rotation.dataset, rotation.region, rotation.new, rotation.old, done=True)


KEY_REVOKE = make_action(
    ActionSpec(
        "key.revoke",
        "Put on record that a key must open the repository nowhere any more; key.delete follows.",
        (
            _DATASET,
            Parameter("key", Kind.TEXT, doc="its id, all 64 digits"),
            Parameter("reason", Kind.TEXT, doc="why"),
            _REGION,
        ),
        ("dataset", "key"),
        repeatable=True,
    ),
    _revoke,
)


def _delete(call: Call, tools: Tools) -> Result:
    files = _files(call, tools)
    findings, facts = apply_revocations(tools, files.dataset, files.home)
    done = [f"{f.key[:8]} in {f.region}" for f in facts]
    return passed(
        {"dataset": files.dataset.name, "deleted": list(done)}, findings=findings, facts=facts
    )


KEY_DELETE = make_action(
    ActionSpec(
        "key.delete",
        "Delete revoked keys in every region that answers; the others owe it.",
        (_DATASET, _REGION),
        ("dataset", "deleted"),
        repeatable=True,
    ),
    _delete,
)


def refuse_rotation(tools: Tools, files: KeyFiles, secret: str) -> Rotation | None:
    """The change of password that has begun; Refused if there is nothing to begin (no `secret`), to go
    on with, or to end.
    """
    rotation = rotation_of(tools, files)
    if rotation is None:
        _refuse_beginning(tools, files, secret)
    elif not files.opens(rotation.new):
        _refuse_going_on(files, rotation, secret)
    return rotation


def _refuse_beginning(tools: Tools, files: KeyFiles, secret: str) -> None:
    if not secret:
        raise Refused(
            "no-new-password",
            f"no change of the password of {files.dataset.name} has begun",
            f"name the new password: {_again(files)} --new-password-secret NAME",
        )
    if files.openers(secret):
        raise Refused(
            "key-exists",
            "the new password opens the repository already",
            "choose one that was never used",
        )
    _refuse_unfit(tools.secrets.get(secret))


def _refuse_going_on(files: KeyFiles, rotation: Rotation, secret: str) -> None:
    """The dataset does not use the new password yet."""
    if secret and not files.opens(rotation.new, secret):
        raise Refused(
            "rotation-open",
            f"a change to another password has begun: key {rotation.new[:8]}",
            "finish that one, or give it up: drorch repo key remove "
            f"{files.dataset.name} {rotation.new[:8]} --reason TEXT",
        )
    if not secret:
        raise Refused(
            "not-switched",
            f"{files.dataset.name} still uses its old password",
            _switch(files, "NAME"),
        )


def _rotate(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    files = _files(call, tools)
    secret = arguments.text("secret", "")
    try:
        rotation = refuse_rotation(tools, files, secret)
        if rotation is None:
            return _begin(call, tools, files, secret)
    except Refused as error:
        return failed(error.cause, error.message, error.hint)
    if files.opens(rotation.new):
        return _finish(files, rotation, arguments.text("reason", ""))
    files.bring(rotation.new)
    return _waiting(files, rotation, secret, ())


def _begin(call: Call, tools: Tools, files: KeyFiles, secret: str) -> Result:
    old = files.openers()
    added = _added(call, tools, files, secret, "drorch")
    rotation = Rotation(files.dataset.name, files.home, added.key, tuple(old))
    facts: tuple[Fact, ...] = (
        *_companions(files),
        _known(files, added.key, "", secret),
        rotation,
    )
    return _waiting(files, rotation, secret, facts)


def _waiting(files: KeyFiles, rotation: Rotation, secret: str, facts: tuple[Fact, ...]) -> Result:
    finding = Finding(
        "key.rotation-open",
        files.dataset.name,
        f"both passwords open {files.dataset.name} now: the old one still has to go",
        _switch(files, secret),
    )
    outputs = _outputs(files, "added", rotation.new)
    owed = files.owed(f"key {rotation.new[:8]} could not be brought there")
    return passed(outputs, findings=(finding, _unchanged(files), *owed), facts=facts)


def _switch(files: KeyFiles, secret: str) -> str:
    """What a person does between the two halves of a change."""
    place = "`password:`" if files.home == files.dataset.primary else "its copy's `password:`"
    how = (
        f"put the new password where the secret {files.keyring.secret} comes from"
        if secret.startswith("(")
        else f"let {place} of {files.dataset.name} name the secret {secret} in drorch.yaml (or put "
        f"the new password where the secret {files.keyring.secret} comes from)"
    )
    return f"{how}; then again: {_again(files)}"


def _again(files: KeyFiles) -> str:
    region = "" if files.home == files.dataset.primary else f" --region {files.home}"
    return f"drorch repo rotate-key {files.dataset.name}{region}"


def _finish(files: KeyFiles, rotation: Rotation, reason: str) -> Result:
    """The dataset uses the new password: the old keys go."""
    files.bring(rotation.new)
    old = [key for key in rotation.old if key != rotation.new]
    revoked = [
        KeyRevoked(files.dataset.name, key, reason or "the password was changed", files.home)
        for key in old
    ]
    known = _known(files, rotation.new, "", files.keyring.secret)
    outputs = {**_outputs(files, "finished", rotation.new), "revoked": list(old)}
    return passed(outputs, findings=(_unchanged(files),), facts=(known, *revoked, _ended(rotation)))


def _outputs(files: KeyFiles, phase: str, key: str) -> dict[str, Value]:
    return {
        "dataset": files.dataset.name,
        "phase": phase,
        "key": key,
        "regions": list(files.holders(key)),
        "revoked": [],
    }


def _unchanged(files: KeyFiles) -> Finding:
    return Finding(
        "key.master-unchanged",
        files.dataset.name,
        "the master key that encrypts the repository stays the same: who opened it once with the "
        "old password can still read it, also what is backed up from now on",
        "if somebody may have: give drorch.yaml a dataset of the same sources and another password, "
        f"and encrypt anew with drorch repo rotate-key {files.dataset.name} --new-repository NAME",
    )


KEY_ROTATE = make_action(
    ActionSpec(
        "key.rotate",
        "Change the password: add a key for the new one; once the dataset uses it, revoke the old.",
        (
            _DATASET,
            Parameter("secret", Kind.TEXT, required=False, doc="the secret of the new password"),
            Parameter("reason", Kind.TEXT, required=False, doc="why"),
            _REGION,
        ),
        ("dataset", "phase", "key", "regions", "revoked"),
        repeatable=True,
    ),
    _rotate,
)
