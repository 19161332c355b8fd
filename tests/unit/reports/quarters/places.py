"""Where its data lies, where drills brought it, and who restored what."""

from collections.abc import Iterator

from drorch.core.quarter_drills import DrillQuarter
from drorch.core.quarter_records import CopyPlace, Destruction, RestoreQuarter, TargetPlace
from tests.unit.reports.quarters.datasets import DATASETS, REGIONS
from tests.unit.reports.quarters.moments import DAY, END, HOUR, MINUTE, at


def all_places() -> Iterator[CopyPlace]:
    for name, _, _, _, _, _, regions in DATASETS:
        there = name != "old-fileserver"
        for m, letter in enumerate(regions):
            region, jurisdiction = REGIONS[letter]
            outside = jurisdiction != "CA-QC"
            papered = outside and name != "mail-archive"
            yield CopyPlace(
                dataset=name,
                region=region,
                role=("mirror" if m else "primary") if there else "left",
                configured=there,
                holds=True,
                jurisdiction=jurisdiction,
                residency=("CA-QC",) if there else (),
                inside=not outside if there else None,
                assessment="EFVP-2026-014" if papered else None,
                agreement="C-2026-031" if papered else None,
                papered=papered,
                key=("tor-key" if outside else "repo-key") if there else None,
                key_lies="file: /etc/drorch/secrets/repo-key" if there else None,
                lock="compliance" if letter == "q" else None,
                lock_keep=30 * DAY if letter == "q" else None,
                locked_until=END + 24 * DAY if letter == "q" else None,
            )


def all_targets(drills: tuple[DrillQuarter, ...]) -> Iterator[TargetPlace]:
    for drill in drills:
        for dataset in drill.datasets[:2]:
            named = drill.service != "imaging"
            yield TargetPlace(
                run=drill.run,
                kind=drill.kind,
                dataset=dataset,
                host="dr-qc-1.hospital.example",
                to=f"/var/lib/drorch/drill/{dataset}",
                site="quebec" if named else None,
                jurisdiction="CA-QC" if named else None,
                residency=("CA-QC",),
                inside=True if named else None,
                assessment=None,
                agreement=None,
            )


def all_restores(drills: tuple[DrillQuarter, ...]) -> Iterator[RestoreQuarter]:
    for drill in drills:
        for dataset in drill.datasets[:2]:
            left = drill.dirty
            yield RestoreQuarter(
                run=drill.run,
                step=f"restore-{dataset}",
                kind="drill",
                trigger=drill.trigger,
                by=drill.by,
                purpose="",
                dataset=dataset,
                snapshot="9a" * 32,
                snapshot_at=drill.started_at - 11 * MINUTE,
                region="qc",
                jurisdiction="CA-QC",
                at=drill.started_at + MINUTE,
                host="dr-qc-1.hospital.example",
                to=f"/var/lib/drorch/drill/{dataset}",
                files=2000,
                bytes=829_422_000,
                verdict="pass",
                state=Destruction.LEFT if left else Destruction.DESTROYED,
                destroyed_by="remove-restored",
                destroyed_at=None if left else drill.finished_at,
            )
    for n in range(13 * 3):
        began = at(10, 4, 5) + (n // 3) * 7 * DAY + n % 3 * HOUR
        dataset = DATASETS[n % 3][0]
        yield RestoreQuarter(
            run=f"{began:%Y-%m-%dT%H-%M-%SZ}-{dataset}-{n:04x}",
            step="restore",
            kind="restore-test",
            trigger="schedule",
            by="drorch",
            purpose="restore test",
            dataset=dataset,
            snapshot=f"{n:02x}" * 32,
            snapshot_at=began - 9 * MINUTE,
            region="mtl" if n % 2 else "qc",
            jurisdiction="CA-QC",
            at=began,
            host="backup-1.hospital.example",
            to=f"/var/lib/drorch/restore-test/{dataset}",
            files=2000 + n,
            bytes=800_000_000 + n,
            verdict="fail" if n == 7 else "pass",
            state=Destruction.NOTHING if n == 7 else Destruction.DESTROYED,
            destroyed_by=None if n == 7 else "remove",
            destroyed_at=None if n == 7 else began + 6 * MINUTE,
        )
    yield RestoreQuarter(
        run="2026-11-18T15-12-44Z-mail-archive-77aa",
        step="restore",
        kind="restore",
        trigger="operator",
        by="jroy",
        purpose="request 2026-118: a mailbox deleted by mistake",
        dataset="mail-archive",
        snapshot="5b" * 32,
        snapshot_at=at(11, 18, 1),
        region="mtl",
        jurisdiction="CA-QC",
        at=at(11, 18, 10, 12),
        host="backup-1.hospital.example",
        to="/srv/restore/request-118",
        files=312,
        bytes=44_120_300,
        verdict="pass",
        state=Destruction.KEPT,
        destroyed_by=None,
        destroyed_at=None,
    )
