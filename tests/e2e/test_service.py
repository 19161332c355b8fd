"""The daemon as a service manager sees it: one real process, its datagrams, its log, its address."""

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).parents[2]
PATIENCE = 60
PASSWORD = "nobody-may-read-this-password"

CONFIGURATION = """\
state: sqlite:///var/drorch.db
secrets: {repo-key: {credential: repo-key}, id: {env: KEY_ID}, secret: {env: KEY_SECRET}}
regions:
  mtl:
    endpoint: http://127.0.0.1:1
    bucket: drorch
    jurisdiction: CA-QC
    access_key: id
    secret_key: secret
datasets:
  docs: {paths: [src], schedule: monthly, password: repo-key, primary: mtl}
daemon: {listen: "127.0.0.1:0", textfile: var/drorch.prom, log: json}
"""


class Service:
    """A daemon in a folder of its own, and the ear of a service manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("src", "runbooks", "credentials"):
            (folder / name).mkdir()
        (folder / "credentials" / "repo-key").write_text(PASSWORD)
        self.configuration = folder / "drorch.yaml"
        self.configuration.write_text(CONFIGURATION)
        self.ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.ear.settimeout(PATIENCE)
        self.ear.bind(str(folder / "notify"))
        with (folder / "log").open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "drorch", "--config", str(self.configuration), "daemon"],
                env=self.environment,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(SOURCE),
            "HOME": str(self.folder),
            "NOTIFY_SOCKET": str(self.folder / "notify"),
            "WATCHDOG_USEC": "30000000",
            "CREDENTIALS_DIRECTORY": str(self.folder / "credentials"),
            "KEY_ID": "an-id-of-a-key",
            "KEY_SECRET": PASSWORD,
        }

    def heard(self, beginning: str) -> str:
        """The next datagram that begins so; what comes before it is passed over."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            said = self.ear.recv(4096).decode()
            if said.startswith(beginning):
                return said
        raise AssertionError(f"{beginning} was never said")

    def told(self) -> list[dict[str, Any]]:
        """The whole lines of the log so far."""
        text = (self.folder / "log").read_text()
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def wait_for(self, look: Callable[[], Any]) -> Any:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            found = look()
            if found:
                return found
            assert self.process.poll() is None, self.told()
            time.sleep(0.05)
        raise AssertionError("it never came to be")

    def event(self, word: str) -> dict[str, Any]:
        """The first line of that event, once it is there."""
        found = self.wait_for(lambda: [line for line in self.told() if line["event"] == word])
        return found[0]

    def ask(self, path: str) -> tuple[int, str]:
        address = self.event("metrics.served")["address"]
        try:
            with urllib.request.urlopen(f"http://{address}{path}", timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metric(self, name: str) -> float:
        text = self.ask("/metrics")[1]
        return next(float(x.split()[-1]) for x in text.splitlines() if x.startswith(name + " "))

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.ear.close()


@pytest.fixture
def service(tmp_path) -> Iterator[Service]:
    made = Service(tmp_path)
    yield made
    made.end()


def test_a_life_of_the_service(service):
    assert service.heard("READY=1").startswith("READY=1\nSTATUS=")
    assert service.heard("WATCHDOG=1") == "WATCHDOG=1"
    assert service.ask("/readyz") == (200, "ok\n")
    assert service.metric("drorch_daemon_ready") == 1
    service.wait_for((service.folder / "var" / "drorch.prom").exists)

    service.configuration.write_text(CONFIGURATION + "nonsense: 1\n")
    service.process.send_signal(signal.SIGHUP)
    assert service.heard("RELOADING=1").startswith("RELOADING=1\nMONOTONIC_USEC=")
    service.heard("READY=1")
    assert "nonsense" in service.event("configuration.refused")["message"]
    assert service.metric("drorch_configuration_last_reload_successful") == 0
    assert service.ask("/healthz") == (200, "ok\n")

    service.configuration.write_text(CONFIGURATION)
    service.process.send_signal(signal.SIGHUP)
    service.heard("RELOADING=1")
    service.heard("READY=1")
    assert service.metric("drorch_configuration_last_reload_successful") == 1

    service.process.send_signal(signal.SIGTERM)
    assert service.heard("STOPPING=1").startswith("STOPPING=1")
    assert service.process.wait(PATIENCE) == 0
    events = [line["event"] for line in service.told()]
    assert (events[0], events[-1]) == ("daemon.started", "daemon.stopped")
    assert PASSWORD not in (service.folder / "log").read_text()


def test_an_address_that_is_taken_is_said_at_once(service, tmp_path):
    service.heard("READY=1")
    address = service.event("metrics.served")["address"]
    other = tmp_path / "other.yaml"
    text = CONFIGURATION.replace("127.0.0.1:0", address).replace("var/", "var2/")
    other.write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "drorch", "--config", str(other), "daemon"],
        env=service.environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 1
    error, hint = done.stderr.splitlines()[-2:]
    assert error == f"error: metrics cannot be served at {address}: Address already in use"
    assert hint.startswith("hint: another daemon may run already")
