"""What a service manager hears, over real datagram sockets."""

import os
import socket
import time
from datetime import timedelta

import pytest

from drorch.adapters.systemd import ServiceManager


@pytest.fixture(params=["path", "abstract"])
def listening(request, tmp_path):
    """A socket as systemd's, and its address as NOTIFY_SOCKET has it."""
    address = str(tmp_path / "n") if request.param == "path" else f"@drorch-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.settimeout(10)
        ear.bind("\0" + address[1:] if address.startswith("@") else address)
        yield ear, address


def test_every_word_arrives_as_one_datagram(listening):
    ear, address = listening
    manager = ServiceManager.of({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "30000000"})
    heard = []
    for word in (
        lambda: manager.ready("10 jobs are scheduled"),
        lambda: manager.status("2 runs\nunder way"),
        manager.alive,
        manager.stopping,
    ):
        assert word()
        heard.append(ear.recv(4096).decode())
    assert heard == [
        "READY=1\nSTATUS=10 jobs are scheduled",
        "STATUS=2 runs | under way",
        "WATCHDOG=1",
        "STOPPING=1",
    ]


def test_a_reload_says_when_it_began(listening):
    ear, address = listening
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    assert ServiceManager(address).reloading()
    first, second = ear.recv(4096).decode().split("\n")
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    assert first == "RELOADING=1"
    assert before <= int(second.removeprefix("MONOTONIC_USEC=")) <= after


def test_a_long_status_is_cut_and_an_empty_one_not_sent(listening):
    ear, address = listening
    assert ServiceManager(address).status("é" * 5000)
    assert ear.recv(65536).decode() == "STATUS=" + "é" * 400
    assert not ServiceManager(address).status("")


@pytest.mark.parametrize("address", [None, "", "@", "vsock:2:1234", "/not/there", "/" + "x" * 200])
def test_nobody_listens_and_that_is_no_error(address):
    environment = {} if address is None else {"NOTIFY_SOCKET": address}
    manager = ServiceManager.of(environment | {"WATCHDOG_USEC": "1000000"})
    words = (manager.ready, manager.reloading, manager.stopping, manager.alive)
    assert not any(word() for word in words)


def test_a_manager_that_does_not_read_holds_nothing_up(listening):
    _, address = listening
    manager = ServiceManager(address)
    # The kernel keeps so many unread datagrams; the first one too many is given up.
    assert not all(manager.status(str(number)) for number in range(100_000))


@pytest.mark.parametrize(
    ("told", "interval"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "45000000"}, timedelta(seconds=45)),
        ({"WATCHDOG_USEC": "45000000", "WATCHDOG_PID": "77"}, timedelta(seconds=45)),
        ({"WATCHDOG_USEC": "45000000", "WATCHDOG_PID": "78"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "-5"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdog_is_ours_alone(told, interval):
    assert ServiceManager.of(told, pid=77).watchdog == interval


def test_without_a_watchdog_no_sign_is_given(listening):
    _, address = listening
    assert not ServiceManager(address).alive()
