#!/usr/bin/env python3
"""Checks a sealed bundle of drorch with nothing but Python 3.11 and the package `cryptography`.

    python3 verify.py --key PUBLIC-KEY.pem [--key ANOTHER.pem] BUNDLE

BUNDLE is a folder or a zip file; the key comes from the organisation by another way than it. Leaves
with 0 if every byte is as it was sealed, 5 if not, 2 if asked wrongly (a bundle that nobody signed
is checked without a key, and told to be one).
"""

import argparse
import base64
import hashlib
import io
import json
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "drorch-bundle-2"
TYPE = "application/vnd.drorch.bundle-manifest+json"
GENESIS = hashlib.sha256(b"drorch journal 1: events of a run").hexdigest()
LARGEST = 1 << 30
JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))

Files = Mapping[str, bytes]
Keys = Mapping[str, Ed25519PublicKey]


def need(condition: object, what: str) -> None:
    """Refuse unless it holds."""
    if not condition:
        raise ValueError(what)


def sha256(text: bytes) -> str:
    """In hexadecimal digits."""
    return hashlib.sha256(text).hexdigest()


def read(path: Path) -> Files:
    """The files of a bundle by name."""
    if not path.is_dir():
        return from_zip(content(path))
    found = [one for one in sorted(path.rglob("*")) if one.is_symlink() or not one.is_dir()]
    return {one.relative_to(path).as_posix(): content(one) for one in found}


def content(path: Path) -> bytes:
    """A regular file's bytes: a bundle comes from anywhere, so no link is followed."""
    need(path.is_file() and not path.is_symlink(), f"{path.name!a} is not a file")
    need(path.stat().st_size <= LARGEST, f"{path.name!a} is larger than any bundle")
    return path.read_bytes()


def from_zip(packed: bytes) -> Files:
    """Only what is packed plainly: nothing grows, and packed anew it is the same to the byte."""
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            entries = archive.infolist()
            plain = all(entry.compress_type == zipfile.ZIP_STORED for entry in entries)
            need(plain and sum(e.file_size for e in entries) <= len(packed), "it is not plain")
            files = {entry.filename: archive.read(entry) for entry in entries}
    except Exception as error:  # noqa: BLE001 - whatever it is, it is no bundle
        raise ValueError(f"it is no zip file of a bundle: {error}") from None
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            archive.writestr(entry, files[name])
    need(target.getvalue() == packed, "the zip file is not packed as it was sealed")
    return files


def canonical(value: object) -> bytes:
    """JSON is written in one way only: keys sorted, no spaces, UTF-8."""
    text = JSON.encode(value)
    text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return text.encode("utf-8", "backslashreplace")


def parsed(text: bytes, name: str) -> Any:
    """The value, if it is written in that way, with a line end after it."""
    value = json.loads(text.decode("utf-8"))
    need(canonical(value) + b"\n" == text, f"{name} is not written as it was sealed")
    return value


def unsealed(envelope: bytes, keys: Keys) -> tuple[bytes, str]:
    """The payload of a DSSE envelope (v1), and the id of the key that signed it."""
    value = parsed(envelope, "seal.json")
    need(len(value["signatures"]) == 1, "seal.json does not hold one signature")
    signed = value["signatures"][0]
    payload, signature = base64.b64decode(value["payload"]), base64.b64decode(signed["sig"])
    need(signed["keyid"] in keys, "it is signed by a key that is not trusted here")
    message = b"DSSEv1 %d %s %d %s" % (len(TYPE), TYPE.encode(), len(payload), payload)
    try:
        keys[signed["keyid"]].verify(signature, message)
    except InvalidSignature:
        raise ValueError("its signature is wrong") from None
    strict = base64.b64encode(payload).decode(), base64.b64encode(signature).decode()
    again = [{"keyid": signed["keyid"], "sig": strict[1]}]
    need(value == {"payload": strict[0], "payloadType": TYPE, "signatures": again}, "no envelope")
    return payload, signed["keyid"]


def check(files: Files, keys: Keys) -> Any:
    """Everything about a bundle; returns its manifest. ValueError at the first thing that is wrong."""
    need("manifest.json" in files, "it is no bundle: there is no manifest.json")
    manifest, signer = parsed(files["manifest.json"], "manifest.json"), None
    need("seal.json" in files or not keys, "nobody signed it: there is no seal.json")
    if "seal.json" in files:
        payload, signer = unsealed(files["seal.json"], keys)
        need(payload == files["manifest.json"], "manifest.json is not the one that was sealed")
    need(manifest["format"] == FORMAT and manifest["kind"] in ("run", "files"), "unknown format")
    need(manifest["sealed_by"] == signer, "manifest.json says otherwise of who sealed it")
    said, there = manifest["files"], files.keys() - {"manifest.json", "seal.json"}
    need(not (odd := sorted(said.keys() ^ there)), f"files are missing, or too many: {odd!a}")
    for name in sorted(there):
        fits = said[name] == {"bytes": len(files[name]), "sha256": sha256(files[name])}
        need(fits, f"{name} is not what manifest.json says")
    if manifest["kind"] == "run":
        check_run(files, manifest["name"], manifest["about"])
    return manifest


def check_run(files: Files, run: str, about: Any) -> None:
    """The chain of its events, and that plan, evidence and report belong to them."""
    events, prev = [], GENESIS
    for seq, line in enumerate(files["journal.jsonl"].splitlines(keepends=True), 1):
        event = parsed(line, f"line {seq} of journal.jsonl")
        said = event.pop("hash")
        follows = (event["seq"], event["prev"], event["run"]) == (seq, prev, run)
        need(follows, f"event {seq} does not follow the one before it")
        need(said == sha256(canonical(event)), f"event {seq} was changed")
        prev = said
        events.append(event)
    ends = (events[0]["kind"], events[-1]["kind"])
    need(ends == ("run.started", "run.finished"), "it is not one run from its start to its end")
    need(about["head"] == f"sha256:{prev}", "manifest.json says otherwise of the journal")
    plan = canonical(events[0]["body"]["plan"]) + b"\n"
    need(files["plan.json"] == plan, "plan.json is not the plan the run started with")
    report = parsed(files["report.json"], "report.json")
    same = (report["run"], report["journal_head"]) == (run, about["head"])
    need(same, "report.json is another's")
    kept = [one for event in events for one in event["body"].get("evidence", ())]
    named = {f"evidence/{one['name']}": one["sha256"] for one in kept}
    there = {name for name in files if name.startswith("evidence/")}
    need(there == named.keys() - set(about["missing"]), "evidence is not what the events name")
    need(all(sha256(files[n]) == named[n] for n in there), "evidence is not what the events say")


def trusted(path: Path) -> tuple[str, Ed25519PublicKey]:
    """The id of a public key, and the key."""
    key = serialization.load_pem_public_key(path.read_bytes())
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("it is no Ed25519 key")  # noqa: TRY004
    der = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return sha256(key.public_bytes(*der)), key


def main() -> int:
    """Check what the command line names, and say what was found."""
    parser = argparse.ArgumentParser(description="Check a sealed bundle of drorch.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--key", action="append", default=[], type=Path, metavar="FILE")
    asked = parser.parse_args()
    try:
        keys = dict(map(trusted, asked.key))
    except (OSError, ValueError) as error:
        parser.error(f"--key: {error}")
    try:
        files = read(asked.bundle.resolve(strict=True))
        if "seal.json" in files and not keys:
            parser.error("it is sealed: give the organisation's public key (--key FILE)")
        manifest = check(files, keys)
    except OSError as error:
        parser.error(str(error))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        alien = f"it does not say what a bundle says: {error!r}"
        print(f"REFUSED: {error if isinstance(error, ValueError) else alien}", file=sys.stderr)
        return 5
    print(f"good: {manifest['kind']} {manifest['name']}, of {manifest['at']}")
    for name in manifest["about"].get("missing", ()):
        print(f"missing when it was sealed: {name}")
    signer = manifest["sealed_by"]
    print(f"sealed by key {signer}" if signer else "NOT SEALED: nobody signed it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
