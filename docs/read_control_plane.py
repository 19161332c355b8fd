"""Read the segments of drorch's control plane without drorch: what docs/control-plane.md says, as code.

    python3 read_control_plane.py FOLDER PASSWORD-FILE [FILES]

FOLDER is a copy of `[prefix/]control-plane/` of one bucket, made by any tool that copies objects
(`rclone copy`, `aws s3 sync`). Every event of the journal is printed as a line of JSON, each once, in
the order in which it was recorded. With FILES, the newest configuration and runbooks are written
into that folder. Needs Python 3.11 and the package `cryptography`. Exits with 1 if anything that is
there does not open, and says what.
"""

import base64
import hashlib
import json
import sys
import zlib
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"drorchS1"
#: What deriving a vault's key may cost: n * r * p.
COST = 65536 * 8 * 1
COLUMNS = ("n", "run", "seq", "at", "boot", "ticks", "kind", "body", "prev", "hash")

#: What reading a key file comes to that is none: it lies where others may write.
NO_KEY = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OverflowError,
    RecursionError,
)


def vault_key(file: bytes, password: str) -> bytes:
    """The 32 bytes that a vault's segments are sealed with."""
    told = json.loads(file)
    nonce, sealed = bytes.fromhex(told.pop("nonce")), bytes.fromhex(told.pop("sealed"))
    if told["n"] * told["r"] * told["p"] > COST:
        raise ValueError("trying it would cost more than any key file of drorch's does")
    derived = hashlib.scrypt(
        password.encode(),
        salt=bytes.fromhex(told["salt"]),
        n=told["n"],
        r=told["r"],
        p=told["p"],
        maxmem=1 << 29,
        dklen=32,
    )
    bound = MAGIC + json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
    return AESGCM(derived).decrypt(nonce, sealed, bound)


def segment(key: bytes, name: str, sealed: bytes) -> dict:
    """One segment's document. `name` is the object's, below the region's prefix."""
    if sealed[:8] != MAGIC:
        raise ValueError("it was not sealed by this version")
    plain = AESGCM(key).decrypt(sealed[8:20], sealed[20:], MAGIC + name.encode())
    return json.loads(zlib.decompress(plain))


def main(folder: Path, password: str, files: Path | None) -> int:
    """Print what there is."""
    events: dict[str, list] = {}
    newest: tuple[str, dict] = ("", {})
    wrong = 0
    for vault in sorted(path.parent for path in folder.glob("*/*/key")):
        try:
            key = vault_key((vault / "key").read_bytes(), password)
        except InvalidTag:
            print(f"{vault}: the password does not open it", file=sys.stderr)
            wrong += 1
            continue
        except NO_KEY as error:
            print(f"{vault / 'key'} is no key file of drorch's: {error}", file=sys.stderr)
            wrong += 1
            continue
        for path in sorted(vault.glob("segments/*/*")):
            name = f"control-plane/{path.relative_to(folder)}"
            try:
                found = segment(key, name, path.read_bytes())
            except (InvalidTag, ValueError, zlib.error) as error:
                print(f"{path}: damaged, or not what its name says {error}", file=sys.stderr)
                wrong += 1
                continue
            events |= {row[-1]: row for row in found["events"]}
            if found["files"] and found["made_at"] > newest[0]:
                newest = (found["made_at"], found["files"])
    for row in sorted(events.values(), key=lambda row: row[0]):
        print(json.dumps(dict(zip(COLUMNS, row, strict=True)), ensure_ascii=False))
    for name, content in newest[1].items() if files else ():
        path = files / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(content))
    return 1 if wrong else 0


if __name__ == "__main__":
    words = sys.argv[1:]
    if len(words) not in (2, 3):
        sys.exit(__doc__)
    secret = Path(words[1]).read_text().removesuffix("\n").removesuffix("\r")
    sys.exit(main(Path(words[0]), secret, Path(words[2]) if len(words) == 3 else None))
