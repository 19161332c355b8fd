"""A real Ceph on loopback: an object store that keeps versions and enforces object locks.

One monitor, one OSD that holds everything in memory, one gateway (RGW), cephx on, from Debian's
packages ceph-mon, ceph-osd, ceph-common and radosgw. Up in 2 to 3 s; a test session starts one and
ends it by pid, and the kernel ends it should the session be killed.

What there is to know about it (seen with 16.2.15, Debian 12):

- Commits wait `paxos_propose_interval` (1 s) to gather more. The gateway makes eight pools one
  after the other when it first starts: that alone would be 8 of 11 s.
- There is no manager (ceph-mgr): nothing that is read or written needs one. Without it nobody
  counts free space, so the store is never called full; `memstore_device_bytes` still ends it.
- `mon_host` alone makes a monitor take the default ports, whatever it says; the monmap decides.
- As root the daemons stay root, as no `--setuser` is given; nothing here needs it.
- A gateway answers once its pools are there; before, connections are refused.
- A bucket's default rule counts whole days; a single version's retention may end at any second.
- Deleting what is deleted already adds no second marker.
"""

import base64
import json
import os
import secrets
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drorch.core.model import ObjectLock, Region
from drorch.loopback import free_ports
from drorch.storage.bucket import Bucket
from drorch.storage.client import Credentials

#: Debian's packages, and what of each is needed here.
PROGRAMS = ("ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "monmaptool", "ceph")

#: What a gateway without zones of its own calls the place of its buckets.
LOCATION = "default"

#: How long it may take to come up on a machine that does other things too, in seconds.
_PATIENCE = 60.0

_CAPS: Mapping[str, Mapping[str, str]] = {
    "mon.": {"mon": "allow *"},
    "client.admin": {"mon": "allow *", "osd": "allow *"},
    "osd.0": {"mon": "allow profile osd", "osd": "allow *"},
    "client.rgw": {"mon": "allow rw", "osd": "allow rwx"},
}

_CONF = """\
[global]
fsid = {fsid}
mon_host = [v2:127.0.0.1:{monitor}]
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_msgr1 = false
keyring = {folder}/keyring
run_dir = {folder}
crash_dir = {folder}
admin_socket =
pid_file =
log_file = {folder}/$name.log
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
paxos_propose_interval = 0.05
paxos_min_wait = 0.01
mon_data = {folder}/mon
mon_cluster_log_file = {folder}/cluster.log
mon_data_avail_crit = 0
mon_max_pg_per_osd = 2000
mon_allow_pool_size_one = true
osd_data = {folder}/osd
osd_objectstore = memstore
memstore_device_bytes = 4294967296
osd_crush_chooseleaf_type = 0
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_pool_default_pgp_num = 4
osd_pool_default_pg_autoscale_mode = off
rgw_data = {folder}/rgw
rgw_frontends = beast endpoint=127.0.0.1:{gateway}
rgw_rados_pool_pg_num_min = 4
"""


def missing() -> list[str]:
    """The programs that are not installed."""
    return [program for program in PROGRAMS if shutil.which(program) is None]


@dataclass
class Ceph:
    """A Ceph that answers at `endpoint`. Users are made when first named."""

    folder: Path
    endpoint: str
    _users: dict[str, Credentials] = field(default_factory=dict)

    def user(self, name: str) -> Credentials:
        """The keys of the user of this name; each owns the buckets made with them."""
        if name not in self._users:
            keys = Credentials(secrets.token_hex(10), secrets.token_hex(20))
            words = ["user", "create", f"--uid={name}", f"--display-name={name}"]
            words += [f"--access-key={keys.access_key}", f"--secret={keys.secret_key}"]
            _run(self.folder, "radosgw-admin", "--name=client.rgw", *words)
            self._users[name] = keys
        return self._users[name]

    def region(
        self,
        name: str = "mtl",
        *,
        lock: ObjectLock | None = None,
        default: ObjectLock | None = None,
        versioning: bool = True,
        prefix: str = "",
    ) -> Region:
        """A region with a new bucket of the user of the same name.

        `lock` is what the configuration says; the bucket has an object lock if it says so, and
        `default` as its rule for new versions. Without `versioning` it keeps none.
        """
        bucket = f"{name}-{secrets.token_hex(4)}"
        region = Region(
            name,
            self.endpoint,
            bucket,
            "CA-QC",
            prefix=prefix,
            location=LOCATION,
            object_lock=lock,
        )
        client = self.bucket(region).client
        client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=lock is not None)
        if versioning and lock is None:
            client.put_bucket_versioning(
                Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}
            )
        if default is not None:
            rule: Any = {"Mode": default.mode.upper(), "Days": default.keep.days}
            client.put_object_lock_configuration(
                Bucket=bucket,
                ObjectLockConfiguration={
                    "ObjectLockEnabled": "Enabled",
                    "Rule": {"DefaultRetention": rule},
                },
            )
        return region

    def bucket(self, region: Region, user: str | None = None) -> Bucket:
        """The region's bucket, seen with its owner's keys or another user's."""
        return Bucket(region, self.user(user or region.name))

    def deny(self, bucket: Bucket, *actions: str) -> None:
        """Let nobody do this to objects of the bucket, its owner included."""
        where = f"arn:aws:s3:::{bucket.region.bucket}/*"
        deny = {"Effect": "Deny", "Principal": "*", "Action": list(actions), "Resource": where}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
        bucket.client.put_bucket_policy(Bucket=bucket.region.bucket, Policy=policy)


@contextmanager
def running_ceph() -> Iterator[Ceph]:
    """A Ceph of our own, ended at the end of the block whatever happens in it."""
    folder = Path(tempfile.mkdtemp(prefix="drorch-ceph-"))
    daemons: list[subprocess.Popen[bytes]] = []
    try:
        yield _raised(folder, daemons)
    finally:
        for daemon in daemons:
            daemon.kill()
        for daemon in daemons:
            daemon.wait()
        shutil.rmtree(folder)


def _raised(folder: Path, daemons: list[subprocess.Popen[bytes]]) -> Ceph:
    monitor, gateway = free_ports(2)
    fsid, osd = str(uuid.uuid4()), str(uuid.uuid4())
    for part in ("mon", "osd", "rgw"):
        (folder / part).mkdir()
    conf = _CONF.format(folder=folder, fsid=fsid, monitor=monitor, gateway=gateway)
    (folder / "ceph.conf").write_text(conf)
    (folder / "keyring").write_text(_keyring())
    map_, address = str(folder / "monmap"), f"[v2:127.0.0.1:{monitor}]"
    _run(folder, "monmaptool", "--create", f"--fsid={fsid}", "--addv", "a", address, map_)
    _run(folder, "ceph-mon", "--mkfs", "-i", "a", f"--monmap={map_}")
    daemons.append(_started(folder, "ceph-mon", "-i", "a"))
    _run(folder, "ceph", "--connect-timeout=30", "osd", "new", osd)
    _run(folder, "ceph-osd", "--mkfs", "-i", "0", f"--osd-uuid={osd}", "--no-mon-config")
    daemons.append(_started(folder, "ceph-osd", "-i", "0"))
    daemons.append(_started(folder, "radosgw", "--name=client.rgw"))
    _wait_for(gateway, daemons, folder)
    return Ceph(folder, f"http://127.0.0.1:{gateway}")


def _keyring() -> str:
    """As ceph-authtool writes it, without starting it five times."""
    parts = []
    for name, caps in _CAPS.items():
        key = base64.b64encode(struct.pack("<hIIh", 1, int(time.time()), 0, 16) + os.urandom(16))
        granted = "".join(f'\tcaps {whom} = "{cap}"\n' for whom, cap in caps.items())
        parts.append(f"[{name}]\n\tkey = {key.decode()}\n{granted}")
    return "".join(parts)


def _run(folder: Path, program: str, *words: str) -> str:
    line = [program, f"--conf={folder / 'ceph.conf'}", *words]
    if program == "monmaptool":
        line = [program, *words]
    done = subprocess.run(line, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    assert done.returncode == 0, f"{' '.join(line)}: {done.stdout}{done.stderr}"
    return done.stdout


def _started(folder: Path, program: str, *words: str) -> subprocess.Popen[bytes]:
    """In the foreground, and killed by the kernel if we die before we can do it."""
    line = ["setpriv", "--pdeathsig=KILL", program, f"--conf={folder / 'ceph.conf'}", *words, "-f"]
    with (folder / f"{program}.out").open("wb") as out:
        return subprocess.Popen(
            line, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )


def _wait_for(port: int, daemons: list[subprocess.Popen[bytes]], folder: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while True:
        with socket.socket() as trying:
            if trying.connect_ex(("127.0.0.1", port)) == 0:
                return
        ended = [str(d.args) for d in daemons if d.poll() is not None]
        if ended or time.monotonic() > until:
            said = "".join(p.read_text(errors="replace")[-2000:] for p in folder.glob("*.out"))
            raise AssertionError(f"Ceph did not come up; ended: {ended}; {said}")
        time.sleep(0.02)
