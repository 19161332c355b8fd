"""A real MariaDB server in a folder of its own, reached by a socket; ended by its process."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class MariaDb:
    """`options` is a file for its clients."""

    def __init__(self, folder: Path) -> None:
        user = pwd.getpwuid(os.geteuid()).pw_name
        data, socket = folder / "data", folder / "s"
        subprocess.run(
            ["mariadb-install-db", "--no-defaults", f"--user={user}", f"--datadir={data}",
             "--auth-root-authentication-method=normal", "--skip-test-db"],
            check=True, capture_output=True,
        )  # fmt: skip
        self.options = folder / "client.cnf"
        self.options.write_text(f"[client]\nuser=root\nsocket={socket}\n")
        self.process = subprocess.Popen(
            ["mariadbd", "--no-defaults", f"--user={user}", f"--datadir={data}",
             f"--socket={socket}", "--skip-networking", f"--pid-file={folder / 'pid'}"],
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        seen = []
        for line in self.process.stderr:
            seen.append(line)
            if "ready for connections" in line:
                return
        raise AssertionError("".join(seen))

    def ask(self, text: str) -> str:
        client = ["mariadb", f"--defaults-file={self.options}", "--batch", "--skip-column-names"]
        done = subprocess.run(client, input=text, capture_output=True, text=True, check=True)
        return done.stdout

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()


@contextmanager
def a_mariadb() -> Iterator[MariaDb]:
    folder = Path(tempfile.mkdtemp(prefix="drorch-maria-"))
    server = MariaDb(folder)
    try:
        yield server
    finally:
        server.close()
        shutil.rmtree(folder)
