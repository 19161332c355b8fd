"""Premises whose regions are buckets with object lock in a real Ceph, a user of its own for each."""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from drorch.core.model import LockMode, ObjectLock, Region
from drorch.storage.bucket import Bucket
from drorch.storage.versions import listed_versions
from tests.ceph import LOCATION, Ceph
from tests.integration.app.premises import PASSWORD, Premises
from tests.storage_objects import name_of

KEEP = ObjectLock(LockMode.COMPLIANCE, timedelta(days=30))
RULE = ObjectLock(LockMode.COMPLIANCE, timedelta(days=1))


@dataclass
class LockedPremises(Premises):
    """As Premises; `locks` is what the configuration and the bucket's own rule say."""

    ceph: Ceph = field(default=None)  # type: ignore[assignment]
    locks: tuple[ObjectLock | None, ObjectLock | None] = (KEEP, RULE)
    buckets: dict[str, Region] = field(default_factory=dict)

    @classmethod
    def in_ceph(cls, folder: Path, binary: Path, ceph: Ceph, **settings: Any) -> "LockedPremises":
        """Regions mtl and qc, empty; repositories are not made yet."""
        made = cls(folder, binary, ceph=ceph, forks=True, **settings)
        names = ("mtl", "qc")
        made._fill()
        made._configure(names)
        made._rise(names)
        return made

    def _rise(self, names: Sequence[str]) -> None:
        lock, rule = self.locks
        for name in names:
            region = self.ceph.region(name, lock=lock, default=rule)
            keys = self.ceph.user(name)
            secrets = self.folder / "lab" / "secrets"
            for part, value in (("id", keys.access_key), ("secret", keys.secret_key)):
                (secrets / f"{name}-{part}").write_text(f"{value}\n")
                (secrets / f"{name}-{part}").chmod(0o600)
            told: dict[str, Any] = {
                "endpoint": region.endpoint,
                "bucket": region.bucket,
                "location": LOCATION,
            }
            if lock is not None:
                keep = f"{lock.keep.days}d"
                told["object_lock"] = {"mode": lock.mode.value, "keep": keep}
            self.configuration["regions"][name] |= told
            self.buckets[name] = region
        self.save()

    def down(self) -> None:
        """The store is everybody's."""

    def bucket(self, name: str) -> Bucket:
        """A region's bucket with its own keys: what a thief of them can do."""
        return self.ceph.bucket(self.buckets[name])

    def attack(self, region: str, dataset: str = "docs") -> None:
        """What a thief of the region's keys does: write over, delete, plant; and try to do worse."""
        bucket, folder = self.bucket(region), f"datasets/{dataset}"
        names = [e.name for e in bucket.list_objects(f"{folder}/")]
        packs = [n for n in names if "/data/" in n]
        bucket.put(packs[0], b"encrypted, pay up")
        bucket.put(f"{folder}/config", b"encrypted, pay up")
        for name in names:
            if not name.endswith("/config"):
                bucket.delete(name)
        for kind in ("keys", "index", "snapshots"):
            bucket.put(f"{folder}/{name_of(kind, b'planted')}", b"planted")
        bucket.put(packs[1], b"encrypted, pay up")
        tried = [v for v in listed_versions(bucket, f"{folder}/snapshots/") if not v.marker]
        for version in tried:
            for passing in ({}, {"BypassGovernanceRetention": True}):
                with pytest.raises(Exception, match="AccessDenied"):
                    bucket.client.delete_object(
                        Bucket=bucket.region.bucket,
                        Key=version.name,
                        VersionId=version.id,
                        **passing,
                    )

    def restic(
        self,
        *words: str,
        region: str = "mtl",
        dataset: str = "docs",
        cache: Path | None = None,
        binary: Path | None = None,
        **how: Any,
    ) -> str:
        """restic by hand, as somebody else than drorch; what it printed."""
        where, keys = self.buckets[region], self.ceph.user(region)
        environment = {
            "PATH": os.environ["PATH"],
            "RESTIC_REPOSITORY": f"s3:{where.endpoint}/{where.bucket}/datasets/{dataset}",
            "RESTIC_PASSWORD": PASSWORD,
            "AWS_ACCESS_KEY_ID": keys.access_key or "",
            "AWS_SECRET_ACCESS_KEY": keys.secret_key or "",
            "AWS_DEFAULT_REGION": LOCATION,
        }
        line = [str(binary or self.binary), "--no-cache", *words]
        done = subprocess.run(
            line, env=environment, check=True, capture_output=True, text=True, **how
        )
        return done.stdout
