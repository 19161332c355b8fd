"""An organisation with a key of its own, a journal, and runs whose bundles are checked both ways."""

import contextlib
import io
import json
import runpy
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import drorch.sealing.verify as stranger
from drorch.app.keyring import trusted_keys
from drorch.app.program import Program
from drorch.app.sealing import seal_run
from drorch.app.verifying import Verified, verify_bundle
from drorch.core.codec import canonical
from drorch.core.events import AttemptFinished
from drorch.core.model import Configuration, Region, SecretSource
from drorch.core.settings import EvidencePolicy
from drorch.sealing.bundle import TYPE
from drorch.sealing.envelope import enveloped
from drorch.sealing.keys import PrivateKey
from drorch.sealing.packing import packed
from tests.fakes.facts import begun, ended, finished, stamped, started

RUN = "2026-11-23T03-00-00Z-ehr-failover-7f3a"

Bundle = dict[str, bytes]


def organisation(folder: Path, key: PrivateKey | None, *regions: Region) -> Program:
    """One whose configuration names the key, if there is one, and its public half."""
    policy, secrets = EvidencePolicy(), {}
    if key is not None:
        (folder / "evidence-key").write_text(key.pem)
        (folder / "evidence-key").chmod(0o600)
        secrets = {"evidence-key": SecretSource(file=Path("evidence-key"))}
        policy = EvidencePolicy("evidence-key", (key.public.pem,))
    configuration = Configuration(
        folder,
        organization="Centre hospitalier Sainte-Rive",
        state="sqlite:///var/drorch.db",
        secrets=secrets,
        regions={region.name: region for region in regions},
        evidence=policy,
    )
    return Program(configuration, {})


def carry(program: Program, run: str = RUN, name: str = "ehr-failover") -> None:
    """Record a short drill that kept a file as evidence."""
    kept = program.evidence.keep(run, "restore.log", b"42 files restored\n")
    start = started(name)
    plan = replace(start.plan, organization=program.configuration.organization)
    done = replace(ended(), evidence=(kept,))
    assert isinstance(done, AttemptFinished)
    events = stamped(replace(start, plan=plan), begun(), done, begun("step-1"), ended("step-1"))
    program.journal.begin(run, [*events, *stamped(finished(), second=9)], lambda _: None)


def bundle_of(program: Program, run: str = RUN) -> Bundle:
    """A run's bundle as files by name."""
    return dict(seal_run(program, run))


def write_folder(bundle: Mapping[str, bytes], folder: Path) -> Path:
    """The files as a folder, in place of what was there."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in bundle.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def write_file(bundle: Mapping[str, bytes], file: Path) -> Path:
    """The files as one zip."""
    file.write_bytes(packed(bundle))
    return file


def ours(program: Program, path: Path, **more: Any) -> Verified:
    """What drorch's own verifier finds, with the configured keys."""
    return verify_bundle(path, trusted_keys(program), **more)


def theirs(path: Path, *keys: Path) -> tuple[int, str]:
    """How the stand-alone verifier leaves, and what it prints: the script itself, in this process."""
    words = [arg for key in keys for arg in ("--key", str(key))]
    told, before = io.StringIO(), sys.argv
    sys.argv = ["verify.py", *words, str(path)]
    try:
        with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
            runpy.run_path(str(stranger.__file__), run_name="__main__")
    except SystemExit as end:
        return int(end.code or 0), told.getvalue()
    finally:
        sys.argv = before
    raise AssertionError("it did not leave")


def refused_by_stranger(files: Mapping[str, bytes], key: PrivateKey) -> bool:
    """The same by its function alone: a thousand times a second."""
    try:
        stranger.check(files, {key.public.id: _opened(key)})
    except (ValueError, LookupError, TypeError, AttributeError):
        return True
    return False


def _opened(key: PrivateKey) -> Any:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(key.public.raw)


def rewritten(bundle: Bundle, key: PrivateKey | None, **about: Any) -> Bundle:
    """A bundle whose manifest was made to agree with its files; sealed again, if with a key."""
    files = {n: c for n, c in bundle.items() if n not in ("manifest.json", "seal.json")}
    manifest = json.loads(bundle["manifest.json"])
    manifest["files"] = {
        name: {"bytes": len(content), "sha256": sha256(content).hexdigest()}
        for name, content in files.items()
    }
    manifest["about"] |= about
    manifest["sealed_by"] = key.public.id if key else manifest["sealed_by"]
    text = canonical(manifest) + b"\n"
    seal = enveloped(text, TYPE, key) if key else bundle.get("seal.json")
    return {**files, "manifest.json": text, **({"seal.json": seal} if seal else {})}


def rechained(bundle: Bundle, change: Callable[[list[dict[str, Any]]], None]) -> Bundle:
    """A bundle whose events were changed and whose chain, report and plan were made to agree."""
    events = [json.loads(line) for line in bundle["journal.jsonl"].splitlines()]
    change(events)
    prev = sha256(b"drorch journal 1: events of a run").hexdigest()
    for seq, event in enumerate(events, 1):
        event.pop("hash")
        event |= {"prev": prev, "seq": seq}
        prev = event["hash"] = sha256(canonical(event)).hexdigest()
    report = json.loads(bundle["report.json"]) | {"journal_head": f"sha256:{prev}"}
    return {
        **bundle,
        "journal.jsonl": b"".join(canonical(event) + b"\n" for event in events),
        "plan.json": canonical(events[0]["body"]["plan"]) + b"\n",
        "report.json": canonical(report) + b"\n",
    }


def both_refuse(program: Program, path: Path, public: Path) -> str:
    """What drorch says of a bundle that neither verifier takes."""
    found = ours(program, path)
    code, told = theirs(path, public)
    assert not found.report.ok, told
    assert code == 5, told
    assert told.startswith("REFUSED: "), told
    (flaw,) = found.report.flaws
    return f"{flaw.subject}: {flaw.message}"
