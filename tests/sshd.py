"""A real sshd on loopback, for one test session: its own port, host key, users' keys and configuration."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drorch.loopback import free_port

PROGRAM = Path("/usr/sbin/sshd")


class Sshd:
    """Where it listens, how it is known, and who may come in: the user who runs the tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.user = pwd.getpwuid(os.geteuid()).pw_name
        self.known_hosts = folder / "known_hosts"
        self.identity = (self._key("user")).read_text()
        host = self._key("host")
        shutil.copy(folder / "user.pub", folder / "authorized_keys")
        self.port = free_port()
        key = host.with_suffix(".pub").read_text()
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {key}")
        config = folder / "sshd_config"
        config.write_text(
            f"""
            ListenAddress 127.0.0.1:{self.port}
            HostKey {host}
            PidFile none
            AuthorizedKeysFile {folder}/authorized_keys
            StrictModes no
            UsePAM no
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            PermitRootLogin prohibit-password
            """
        )
        self.process = subprocess.Popen(
            [str(PROGRAM), "-D", "-e", "-f", str(config)], stderr=subprocess.PIPE, text=True
        )
        for line in self.process.stderr:
            if "Server listening" in line:
                break
        else:
            raise AssertionError("sshd did not start")

    def _key(self, name: str) -> Path:
        path = self.folder / name
        made = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)]
        subprocess.run(made, check=True)
        return path

    def stranger(self) -> str:
        """A key that opens nothing."""
        return self._key("stranger").read_text()

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()
        self.process.stderr.close()


@contextmanager
def an_sshd() -> Iterator[Sshd]:
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # Debian's privilege separation lives there
    with tempfile.TemporaryDirectory(prefix="drorch-sshd-") as folder:
        server = Sshd(Path(folder))
        try:
            yield server
        finally:
            server.close()
