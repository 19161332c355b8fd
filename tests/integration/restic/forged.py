"""Snapshots that nobody made: sealed with a repository's own key, so that restic believes them.

Making one with restic costs a second, and a test of retention wants thousands.
"""

import base64
import hashlib
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.poly1305 import Poly1305


def forge(
    binary: Path, repository: Path, password: str, histories: Mapping[str, Sequence[datetime]]
) -> None:
    """Put snapshots into a local repository, as hosts of those names would have made them then."""
    key = _master_key(binary, repository, password)
    for host, times in histories.items():
        for time in times:
            snapshot = {
                "time": time.isoformat(),
                "tree": "0" * 64,
                "paths": ["/srv/ehr"],
                "hostname": host,
                "username": "root",
            }
            content = _sealed(key, json.dumps(snapshot).encode())
            (repository / "snapshots" / hashlib.sha256(content).hexdigest()).write_bytes(content)


def _master_key(binary: Path, repository: Path, password: str) -> dict[str, bytes]:
    said = subprocess.run(
        [binary, "--no-cache", "-r", repository, "cat", "masterkey"],
        env={"RESTIC_PASSWORD": password, "HOME": str(repository)},
        check=True,
        capture_output=True,
    )
    found = json.loads(said.stdout)
    parts = {"encrypt": found["encrypt"], **found["mac"]}
    return {name: base64.b64decode(text) for name, text in parts.items()}


def _sealed(key: dict[str, bytes], plain: bytes) -> bytes:
    """As restic's design.rst has it: IV || AES-256-CTR || Poly1305-AES."""
    iv = os.urandom(16)
    cipher = Cipher(algorithms.AES(key["encrypt"]), modes.CTR(iv)).encryptor()
    ciphertext = cipher.update(plain) + cipher.finalize()
    block = Cipher(algorithms.AES(key["k"]), modes.ECB()).encryptor()
    mac = Poly1305.generate_tag(key["r"] + block.update(iv) + block.finalize(), ciphertext)
    return iv + ciphertext + mac
