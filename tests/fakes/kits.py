"""A recovery kit to be printed: everything that one can say, without an installation."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from drorch.core.kit import Known, Plane, kit_regions, needed_secrets
from drorch.core.lettered import lettered
from drorch.core.model import Dump, LockMode, ObjectLock
from drorch.core.typed import typed
from drorch.reports.kit.source import RegionByHand, Restoring, Shared, Source
from drorch.restic.bare import opened_region, restored
from tests.unit.core.test_kit import CONFIGURATION, DOCS, QC

LONG = "s3." + "very-long-name." * 8 + "example"
WORDS = " ".join(["academic"] * 33)


def source(*, shared: bool = False, **more: object) -> Source:
    """A kit without secrets, or one that five share."""
    locked = ObjectLock(LockMode.COMPLIANCE, timedelta(days=30))
    dump = Dump(("pg_dump", "--format=custom", "ehr"), "ehr.dump")
    configuration = replace(
        CONFIGURATION,
        organization="Centre hospitalier <Sainte-Rive> & fils",
        timezone="America/Toronto",
        regions={
            **CONFIGURATION.regions,
            "qc": replace(QC, endpoint=f"https://{LONG}", object_lock=locked),
        },
        datasets={"docs": DOCS, "db": replace(DOCS, name="db", paths=(), dump=dump)},
        digest="c" * 64,
        folder=Path("/etc/drorch"),
    )
    made = Source(
        configuration=configuration,
        known=Known(Plane("a" * 32, "b" * 16), {("docs", "mtl"): ("d" * 64,)}, ("e" * 64,)),
        printed=datetime(2026, 11, 27, 3, 0, tzinfo=UTC),
        by="m.gagnon",
        version="0.1.0",
        restic="0.19.1",
        fingerprint="f" * 64,
        secrets=needed_secrets(configuration),
        regions=tuple(
            RegionByHand(r.name, opened_region(r), typed("drorch", "recover", "--bucket", r.bucket))
            for r in kit_regions(configuration)
        ),
        restoring=(
            Restoring("docs", ("mtl", "qc"), restored("datasets/docs", "repo-key", "docs"), "x/y"),
            Restoring(
                "db", ("mtl",), restored("datasets/db", "repo-key", "db"), "z", ("psql < z",)
            ),
            Restoring("", ("mtl",), restored("control-plane/a/b/repository", "k", "cp"), "cp"),
        ),
        preparing=("mkdir -p drorch-kit; cd drorch-kit", 'ask() { read -rsp "$1: " S; }'),
        giving=("ask repo-key", "ask mtl-id"),
        after=(("drorch --config drorch/drorch.yaml doctor",),),
    )
    sealed = Shared(
        lettered(bytes(range(256)) * 3),
        5,
        3,
        "kit.txt",
        "open_kit.py",
        typed("drorch", "recover", "--kit", "kit.txt", "--share", "share-1", "--to", "drorch"),
        ("python3 open_kit.py kit.txt share-1 share-2 share-3",),
    )
    return replace(made, shared=sealed if shared else None, **more)  # type: ignore[arg-type]
