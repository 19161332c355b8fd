"""Use case `journal verify PATH`: whether a bundle is what was sealed, byte for byte, and by whom."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drorch import __version__
from drorch.app.sealing import FILES, REPORT, RUN, run_document_of
from drorch.core.codec import NotDecodable, canonical, parse
from drorch.core.document import FORMAT as REPORT_FORMAT
from drorch.core.errors import UsageError
from drorch.journal.bundle import Exported, NotOneRun, read_back
from drorch.journal.bundle_one import read_first
from drorch.journal.report import Flaw, VerifyReport
from drorch.sealing.bundle import SEAL, Opened, is_bundle, opened
from drorch.sealing.keys import PublicKey
from drorch.sealing.packing import MANIFEST, Files, NoBundle, Refused, read, unpacked

#: What is raised by JSON that is none of ours: an endless number, a list in place of an object.
_NONSENSE = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found of a bundle. `signer` None: nobody signed it; `missing` names evidence that was
    gone already when it was made; `unread` says what was not looked at, and why. `hint` says what to
    do next where that is not what always is done with records that are wrong.
    """

    report: VerifyReport
    kind: str = ""
    name: str = ""
    signer: PublicKey | None = None
    missing: Sequence[str] = ()
    unread: Sequence[str] = ()
    hint: str = ""


def verify_bundle(path: Path, trusted: Sequence[PublicKey], *, unsealed: bool = False) -> Verified:
    """Check a bundle: folder or zip file. With keys it must be sealed by one of them; `unsealed`
    says that nobody signed it, and is wanted so.

    Raises UsageError where there is no bundle, or it is sealed and no key is given to check it with.
    """
    return _found(lambda: read(path), path.name, () if unsealed else trusted)


def verify_packed(content: bytes, name: str, trusted: Sequence[PublicKey]) -> Verified:
    """The same for a zip's bytes."""
    return _found(lambda: unpacked(content, name), name, trusted)


def _found(read: Callable[[], Files], name: str, trusted: Sequence[PublicKey]) -> Verified:
    try:
        return _verified(read(), trusted, name)
    except NoBundle as other:
        hint = "give the folder or the file that `drorch journal export` wrote"
        return Verified(VerifyReport(0, 0, "", (Flaw(other.subject, other.message),)), hint=hint)
    except (Refused, NotOneRun) as refused:
        flaw = Flaw(refused.subject, refused.message)
    except _NONSENSE as error:
        flaw = Flaw(name, f"it does not say what a bundle says: {error}")
    return Verified(VerifyReport(0, 0, "", (flaw,)))


def _verified(files: Files, trusted: Sequence[PublicKey], name: str) -> Verified:
    if SEAL in files and not trusted:
        raise UsageError(
            f"{name} is sealed, and there is no public key to check that with",
            "give the organisation's public key: --key FILE (never one that came with the bundle)",
        )
    if not is_bundle(files) and SEAL not in files:
        if MANIFEST not in files:
            raise Refused(MANIFEST, "the file is missing")
        run = read_first(files)
        _must_be_sealed(trusted)
        return Verified(VerifyReport(1, len(run.rows), run.head), RUN, run.run)
    found = opened(files, trusted)
    if found.signer is None:
        _must_be_sealed(trusted)
    match found.manifest["kind"]:
        case "run":
            return _run(found)
        case "files":
            return Verified(VerifyReport(0, 0, ""), FILES, found.manifest["name"], found.signer)
        case _:
            raise Refused("manifest.json", "it is a bundle of a kind that is not known here")


def _must_be_sealed(trusted: Sequence[PublicKey]) -> None:
    if trusted:
        raise Refused(SEAL, "nobody signed it, and a key is given that should have")


def _run(found: Opened) -> Verified:
    run = read_back(found.files)
    about, name = found.manifest["about"], found.manifest["name"]
    told = (about.get("events"), about.get("head"))
    if run.run != name or told != (len(run.rows), f"sha256:{run.head}"):
        raise Refused("manifest.json", "it says otherwise of the journal")
    missing = about.get("missing")
    if not isinstance(missing, list) or not all(isinstance(one, str) for one in missing):
        raise Refused("manifest.json", "it does not say what a manifest says")
    _evidence(found.files, run, missing)
    unread = _report(found, run)
    report = VerifyReport(1, len(run.rows), run.head)
    return Verified(report, RUN, name, found.signer, missing, unread)


def _evidence(files: Files, run: Exported, missing: Sequence[str]) -> None:
    """Every file that an event names is there as the event says, or told to be missing."""
    named = {f"evidence/{name}": kept for name, kept in run.evidence.items()}
    there = {name for name in files if name.startswith("evidence/")}
    for name in sorted(there - named.keys()):
        raise Refused(name, "no event of the run names it")
    for name in sorted(named.keys() - there - set(missing)):
        raise Refused(name, "the file is missing")
    for name in sorted(there):
        if hashlib.sha256(files[name]).hexdigest() != named[name].sha256:
            raise Refused(name, "it is not what the journal says")


def _report(found: Opened, run: Exported) -> list[str]:
    """Hold every figure of the report against the journal; what could not be held is returned."""
    try:
        told = parse(found.files.get(REPORT, b""))
    except NotDecodable as error:
        raise Refused(REPORT, str(error)) from None
    if canonical(told) + b"\n" != found.files[REPORT] or not isinstance(told, dict):
        raise Refused(REPORT, "it is not written as it was sealed")
    if told.get("format") != REPORT_FORMAT:
        return [f"{REPORT}: it is of another format than this drorch's, so it was not recomputed"]
    ours = parse(canonical(run_document_of(run)))
    same = found.manifest["by"] == f"drorch {__version__}"
    if difference := _difference(told, ours, "", whole=same):
        raise Refused(REPORT, f"{difference} does not follow from the journal")
    return []


def _difference(told: Any, ours: Any, place: str, *, whole: bool) -> str:
    """Where what is told is not what we compute; other versions may know keys that we do not."""
    if isinstance(told, Mapping) and isinstance(ours, Mapping):
        if whole and (strange := told.keys() - ours.keys()):
            return f"{place}{min(strange)}"
        shared = (key for key in told if key in ours)
        found = (_difference(told[k], ours[k], f"{place}{k}.", whole=whole) for k in shared)
        return next((one for one in found if one), "")
    if isinstance(told, list) and isinstance(ours, list) and len(told) == len(ours):
        pairs = enumerate(zip(told, ours, strict=True), 1)
        found = (_difference(a, b, f"{place}{n}.", whole=whole) for n, (a, b) in pairs)
        return next((one for one in found if one), "")
    same = told == ours and type(told) is type(ours)
    return "" if same else place.removesuffix(".") or "it"
