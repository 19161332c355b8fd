"""Ports of loopback: where a server could listen, kept for it until it does."""

import socket

_HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with _socket() as candidate:
        try:
            candidate.bind((_HOST, port))
        except OSError:
            return False
    return True


def free_port(wanted: int = 0) -> int:
    """The wanted port if a server could listen there now, else any such one.

    For about a minute the kernel gives it to nobody else who lets it choose, be it for a server
    or for a connection: what stays of a connection that its server ended first (TIME_WAIT,
    RFC 9293 3.6.1) is in the way of all but servers that name the port and set SO_REUSEADDR, as
    servers do. A port that was only looked at is taken by strangers now and then.
    """
    with _socket() as listener:
        try:
            listener.bind((_HOST, wanted))
        except OSError:
            listener.bind((_HOST, 0))
        listener.listen(1)
        port: int = listener.getsockname()[1]
        with socket.create_connection((_HOST, port)):
            listener.accept()[0].close()
        return port


def free_ports(count: int) -> list[int]:
    """As many different ones."""
    return [free_port() for _ in range(count)]


def _socket() -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return made
