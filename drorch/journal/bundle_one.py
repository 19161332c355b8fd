"""Bundles of the first format, which nobody signed: events, plan, README, and a manifest of the three.

They are written no more, and checked for ever.
"""

import hashlib

from drorch.core.codec import canonical
from drorch.core.values import Value
from drorch.journal.bundle import JOURNAL, PLAN, Exported, Files, NotOneRun, read_back

FORMAT = "drorch-bundle-1"
README, MANIFEST = "README.md", "manifest.json"
NAMES = frozenset({JOURNAL, PLAN, README, MANIFEST})


def read_first(files: Files) -> Exported:
    """The run that a bundle of the first format holds, each byte looked at; raises NotOneRun."""
    for name in sorted(files.keys() - NAMES):
        raise NotOneRun(name, "it does not belong to the bundle")
    for name in sorted(NAMES - files.keys()):
        raise NotOneRun(name, "the file is missing")
    run = read_back(files)
    if files[MANIFEST] != manifest_of(files, run):
        raise NotOneRun(MANIFEST, "it does not describe these files")
    return run


def manifest_of(files: Files, run: Exported) -> bytes:
    """What the manifest of these files must be."""
    manifest: Value = {
        "format": FORMAT,
        "run": run.run,
        "events": len(run.rows),
        "head": f"sha256:{run.head}",
        "files": {
            name: f"sha256:{hashlib.sha256(files[name]).hexdigest()}"
            for name in (JOURNAL, PLAN, README)
        },
    }
    return canonical(manifest) + b"\n"
