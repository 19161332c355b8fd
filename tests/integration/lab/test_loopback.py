"""Ports of loopback: the kernel gives what was found to nobody else."""

import socket
from contextlib import ExitStack

from drorch import loopback


def test_a_port_that_was_found_goes_to_no_stranger():
    """Of 28,000 ports a thousand strangers would take some of three hundred."""
    ours = set(loopback.free_ports(300))
    assert len(ours) == 300
    with ExitStack() as stack:
        strangers = [stack.enter_context(socket.socket()) for _ in range(1000)]
        for stranger in strangers:
            stranger.bind(("127.0.0.1", 0))
        assert not ours & {stranger.getsockname()[1] for stranger in strangers}


def test_a_server_may_listen_there():
    port = loopback.free_port()
    assert loopback.is_free(port)
    with socket.create_server(("127.0.0.1", port)):
        assert not loopback.is_free(port)


def test_the_wanted_one_is_taken_if_it_is_free():
    wanted = loopback.free_port()
    assert loopback.free_port(wanted) == wanted
    with socket.create_server(("127.0.0.1", wanted)):
        assert loopback.free_port(wanted) != wanted
