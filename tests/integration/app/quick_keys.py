"""Repositories whose passwords are quick to try: the same master key under a cheap derivation.

restic makes each opening cost half a second of processor time, which no test of what happens
afterwards is about, and hundreds of them open repositories several times.
"""

import base64
import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from drorch.actions.places import bucket_of, password_name, repository_folder
from drorch.app.program import Program
from drorch.app.repositories import Made, initialise
from drorch.core.errors import StorageError
from drorch.core.model import CopyMode, Dataset
from drorch.restic.authentic import SealingKey, open_key_file
from drorch.storage.bucket import Bucket

#: Where data is cut: an irreducible polynomial of restic's documentation.
_CUTS = "3da3358b4dc173"


def quicken(folders: Sequence[Path], password: str) -> None:
    """Replace the only key file of a repository, in all the regions that hold it."""
    (old,) = folders[0].iterdir()
    content = _quick(old.read_bytes(), password)
    for folder in folders:
        (folder / old.name).unlink()
        (folder / hashlib.sha256(content).hexdigest()).write_bytes(content)


def quicken_in(bucket: Bucket, repository: str, password: str, *mirrors: Bucket) -> None:
    """The same by the regions' own doors."""
    (old,) = bucket.list_objects(f"{repository}/keys/")
    content = _quick(bucket.get(old.name), password)
    for one in (bucket, *mirrors):
        one.put(f"{repository}/keys/{hashlib.sha256(content).hexdigest()}", content)
        one.delete(old.name)


def made_quick(program: Program, datasets: Sequence[Dataset]) -> list[Made]:
    """Make the repositories of datasets in all their regions, with passwords that are quick to try.

    What restic's own init makes, without half a second for each key: config and key are ours, the
    rest is done by drorch. For tests of what happens afterwards.
    """
    for dataset in datasets:
        copies = (copy.region for copy in dataset.copies if copy.mode is CopyMode.COPY)
        for region in (dataset.primary, *copies):
            with suppress(StorageError):  # of a region that is away, drorch says so below
                _begin(program, dataset, region)
    return initialise(program, datasets)


def _begin(program: Program, dataset: Dataset, region: str) -> None:
    bucket, folder = bucket_of(program.tools, program.region(region)), repository_folder(dataset)
    if bucket.head(f"{folder}/config") is not None:
        return
    master = SealingKey(os.urandom(32), os.urandom(16), _masked(os.urandom(16)))
    config = {"version": 2, "id": os.urandom(32).hex(), "chunker_polynomial": _CUTS}
    key = {"created": "2026-11-27T07:00:00Z", "username": "tests", "hostname": "tests"}
    key |= {"kdf": "scrypt"} | _wrapped(master, program.secrets.get(password_name(dataset, region)))
    content = json.dumps(key).encode()
    bucket.put(f"{folder}/keys/{hashlib.sha256(content).hexdigest()}", content)
    bucket.put(f"{folder}/config", master.sealed(json.dumps(config).encode()))


def _masked(r: bytes) -> bytes:
    """As Poly1305 uses it, and as restic makes it: 0.14 writes it so into every further key."""
    mask = bytes.fromhex("ffffff0ffcffff0ffcffff0ffcffff0f")
    return bytes(a & b for a, b in zip(r, mask, strict=True))


def _quick(content: bytes, password: str) -> bytes:
    told = json.loads(content) | _wrapped(open_key_file(content, password), password)
    return json.dumps(told).encode()


def _wrapped(master: SealingKey, password: str) -> dict[str, object]:
    """Of a key file what a password opens."""
    kept = {
        "mac": {"k": _text(master.mac_k), "r": _text(master.mac_r)},
        "encrypt": _text(master.encryption),
    }
    salt = os.urandom(64)
    derived = hashlib.scrypt(password.encode(), salt=salt, n=16, r=1, p=1, dklen=64)
    user = SealingKey(derived[:32], derived[32:48], derived[48:])
    return {
        "N": 16,
        "r": 1,
        "p": 1,
        "salt": _text(salt),
        "data": _text(user.sealed(json.dumps(kept).encode())),
    }


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
