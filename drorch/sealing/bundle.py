"""A sealed bundle: named files, a manifest of them, and a seal over the manifest.

    manifest.json   what the bundle is, and of every file its SHA-256 and size
    seal.json       DSSE envelope whose payload is manifest.json, byte for byte
    README.md       what it is and how to check it
    verify.py       checks it with Python and the package cryptography alone

A bundle that nobody signed has no seal.json, and its manifest says so. All encodings are canonical.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from typing import Any

from drorch import __version__
from drorch.core.codec import NotDecodable, canonical, parse
from drorch.core.encoding import write_instant
from drorch.core.values import Value
from drorch.sealing.envelope import NotSealed, enveloped, unsealed
from drorch.sealing.head import HEAD, head_of
from drorch.sealing.keys import PrivateKey, PublicKey
from drorch.sealing.packing import MANIFEST, Files, Refused

FORMAT = "drorch-bundle-2"
SEAL, README, VERIFIER = "seal.json", "README.md", "verify.py"

#: The type of the statement that a seal makes.
TYPE = "application/vnd.drorch.bundle-manifest+json"

_TEXTS = frozenset({"format", "kind", "name", "organization", "at", "by"})
_KEYS = _TEXTS | {"sealed_by", "about", "files"}


@dataclass(frozen=True, slots=True)
class About:
    """What a bundle is: of a run (`run`) or of any files (`files`), whose, and of when.

    `facts` are what else its manifest says.
    """

    kind: str
    name: str
    organization: str
    at: datetime
    facts: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Opened:
    """A bundle whose files are all as its manifest says; `signer` None: nobody signed it."""

    files: Files
    manifest: Mapping[str, Any]
    signer: PublicKey | None


def bundled(content: Files, about: About, key: PrivateKey | None) -> Files:
    """The content with manifest, README and verifier, sealed if there is a key."""
    taken = {MANIFEST, SEAL, README, VERIFIER} & content.keys()
    if taken:
        raise ValueError(f"a bundle has a {min(taken)} of its own")
    own = resources.files("drorch.sealing")
    files = {
        **content,
        README: own.joinpath("bundle.md").read_bytes(),
        VERIFIER: own.joinpath("verify.py").read_bytes(),
    }
    manifest: Value = {
        "format": FORMAT,
        "kind": about.kind,
        "name": about.name,
        "organization": about.organization,
        "at": write_instant(about.at),
        "by": f"drorch {__version__}",
        "sealed_by": key.public.id if key else None,
        "about": dict(about.facts),
        "files": {name: _described(files[name]) for name in files},
    }
    text = canonical(manifest) + b"\n"
    seal = {SEAL: enveloped(text, TYPE, key)} if key else {}
    return {**files, MANIFEST: text, **seal}


def is_bundle(files: Files) -> bool:
    """Whether it says to be a bundle of this format; what else it says is not looked at."""
    try:
        manifest = parse(files.get(MANIFEST, b""))
    except NotDecodable:
        return False
    return isinstance(manifest, Mapping) and manifest.get("format") == FORMAT


def opened(files: Files, trusted: Sequence[PublicKey]) -> Opened:
    """Check a bundle's seal and the bytes of every file; Refused at the first that is wrong.

    Without a seal in it, its signer is None.
    """
    if MANIFEST not in files:
        raise Refused(MANIFEST, "the file is missing")
    signer = None
    if SEAL in files:
        try:
            statement = unsealed(files[SEAL], TYPE, trusted)
        except NotSealed as error:
            raise Refused(SEAL, str(error)) from None
        if statement.payload != files[MANIFEST]:
            raise Refused(MANIFEST, "it is not the one that was sealed")
        signer = statement.signer
    manifest = _manifest(files[MANIFEST])
    if manifest["sealed_by"] != (signer.id if signer else None):
        gone = SEAL not in files
        why = "the file is missing, and the manifest says that there was one"
        raise Refused(SEAL, why if gone else "the manifest says otherwise of who sealed it")
    _compared(files, manifest["files"])
    if HEAD in files:
        _same_ledger(files[HEAD], manifest, trusted)
    return Opened(files, manifest, signer)


def _manifest(text: bytes) -> Mapping[str, Any]:
    try:
        manifest = parse(text)
    except NotDecodable as error:
        raise Refused(MANIFEST, str(error)) from None
    if not isinstance(manifest, dict) or canonical(manifest) + b"\n" != text:
        raise Refused(MANIFEST, "it is not written as it was sealed")
    if manifest.get("format") != FORMAT:
        raise Refused(MANIFEST, "it is of a format that is not known here")
    parts = (manifest.get("files"), manifest.get("about"))
    texts = all(isinstance(manifest.get(key), str) for key in _TEXTS)
    if manifest.keys() != _KEYS or not texts or not all(isinstance(p, dict) for p in parts):
        raise Refused(MANIFEST, "it does not say what a manifest says")
    return manifest


def _compared(files: Files, described: Mapping[str, Any]) -> None:
    there = files.keys() - {MANIFEST, SEAL}
    for name in sorted(there - described.keys()):
        raise Refused(name, "it does not belong to the bundle")
    for name in sorted(described.keys() - there):
        raise Refused(name, "the file is missing")
    for name in sorted(there):
        if described[name] != _described(files[name]):
            raise Refused(name, "it is not what the manifest says")


def _described(content: bytes) -> dict[str, Value]:
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _same_ledger(
    envelope: bytes, manifest: Mapping[str, Any], trusted: Sequence[PublicKey]
) -> None:
    try:
        head = head_of(envelope, trusted)
    except NotSealed as error:
        raise Refused(HEAD, str(error)) from None
    if head.organization != manifest["organization"]:
        raise Refused(HEAD, "it is another organisation's")
