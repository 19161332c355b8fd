"""Repositories whose passwords are quick to try: the same master key under a cheap derivation.

restic makes each opening cost half a second of processor time, which no test of what happens
afterwards is about, and hundreds of them open repositories several times.
"""

import base64
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

from drorch.restic.authentic import SealingKey, open_key_file
from drorch.storage.bucket import Bucket


def quicken(folders: Sequence[Path], password: str) -> None:
    """Replace the only key file of a repository, in all the regions that hold it."""
    (old,) = folders[0].iterdir()
    content = _quick(old.read_bytes(), password)
    for folder in folders:
        (folder / old.name).unlink()
        (folder / hashlib.sha256(content).hexdigest()).write_bytes(content)


def quicken_in(bucket: Bucket, repository: str, password: str) -> None:
    """The same by the region's own door."""
    (old,) = bucket.list_objects(f"{repository}/keys/")
    content = _quick(bucket.get(old.name), password)
    bucket.put(f"{repository}/keys/{hashlib.sha256(content).hexdigest()}", content)
    bucket.delete(old.name)


def _quick(content: bytes, password: str) -> bytes:
    master = open_key_file(content, password)
    kept = {
        "mac": {"k": _text(master.mac_k), "r": _text(master.mac_r)},
        "encrypt": _text(master.encryption),
    }
    salt = os.urandom(64)
    derived = hashlib.scrypt(password.encode(), salt=salt, n=16, r=1, p=1, dklen=64)
    user = SealingKey(derived[:32], derived[32:48], derived[48:])
    told = {
        "N": 16,
        "r": 1,
        "p": 1,
        "salt": _text(salt),
        "data": _text(user.sealed(json.dumps(kept).encode())),
    }
    return json.dumps(json.loads(content) | told).encode()


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
