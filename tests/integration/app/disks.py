"""Disks that are small, full or read-only, for one command line alone."""

import os
import subprocess
from pathlib import Path


def on_small_disk(folder: Path, size: str, *, full: bool) -> list[str]:
    """Words before a command line that give it, and nobody else, a tiny disk at a folder.

    A mount namespace: as another user than root one of a user namespace, where that is allowed.
    What the folder held is there on the small disk too.
    """
    fill = f"head -c 1G /dev/zero > {folder}/filler 2>/dev/null;" if full else ""
    script = (
        f"cp -a {folder} {folder}.held && mount -t tmpfs -o size={size} tmpfs {folder} && "
        f'cp -a {folder}.held/. {folder}/ && {{ {fill} exec "$@"; }}'
    )
    return [*_namespace(), "sh", "-c", script, "sh"]


def read_only(folder: Path) -> list[str]:
    """Words before a command line for which a folder cannot be written, even by root."""
    script = f'mount --bind {folder} {folder} && mount -o remount,bind,ro {folder} && exec "$@"'
    return [*_namespace(), "sh", "-c", script, "sh"]


def beside(pid: int) -> list[str]:
    """Words before a command line that let it see the disks of a process that was started so."""
    user = [] if os.geteuid() == 0 else ["-U", "--preserve-credentials"]
    return ["nsenter", *user, "-m", "-t", str(pid)]


def _namespace() -> list[str]:
    return ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "-Urm"]


def namespaces_work() -> bool:
    """Whether this machine lets us have mounts of our own."""
    done = subprocess.run(
        [*_namespace(), "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False
    )
    return done.returncode == 0
