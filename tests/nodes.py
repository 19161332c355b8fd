"""Two real PostgreSQL servers on loopback, primary and synchronous standby, by the shipped program."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from drorch.loopback import free_ports

PROGRAM = Path(__file__).parents[1] / "runbooks" / "programs" / "postgres-nodes"
INSTALLED = bool(sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")))


class Pair:
    """Nodes `a` (primary at first) and `b`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = dict(zip("ab", free_ports(2), strict=True))

    def tell(self, *words: str) -> str:
        argv = [str(PROGRAM), str(self.folder), *words]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def up(self) -> None:
        self.tell("up", *map(str, self.ports.values()))

    def url(self, node: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.ports[node]}/postgres"

    def connect(self, node: str) -> "psycopg.Connection":
        return psycopg.connect(self.url(node), autocommit=True)

    def ask(self, node: str, query: str) -> object:
        with self.connect(node) as connection:
            row = connection.execute(query).fetchone()
            return row[0] if row else None

    def kill(self, node: str) -> None:
        """The whole server at once, as a power cut would; pg_ctl gave it a session of its own."""
        file = self.folder / node / "postmaster.pid"
        pid = int(file.read_text().split()[0])
        os.killpg(pid, signal.SIGKILL)
        # Where init reaps nobody (in a container) the dead pid would look alive to pg_ctl.
        file.unlink()
        while Path(f"/proc/{pid}").exists() and "Z" not in _state(pid):
            pass


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


@contextmanager
def a_pair() -> Iterator[Pair]:
    """A running pair in a folder that the servers' user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="drorch-nodes-"))
    folder.chmod(0o755)
    pair = Pair(folder / "nodes")
    try:
        pair.up()
        yield pair
    finally:
        pair.tell("down")
        shutil.rmtree(folder)
