"""Endpoints that fail in ways real regions do, on loopback."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


@contextmanager
def refusing() -> Iterator[str]:
    """Nobody listens: connections are refused."""
    with socket.socket() as placeholder:
        placeholder.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{placeholder.getsockname()[1]}"


@contextmanager
def silent() -> Iterator[str]:
    """Connections are accepted and requests are never answered."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(16)
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def blackhole() -> Iterator[str]:
    """Connections are never answered: the queue is full, and Linux drops what comes on top."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def answering(*answers: bytes, byte_by_byte: bool = False) -> Iterator[str]:
    """Each connection gets the next answer, the last one again and again, and is then closed.

    With `byte_by_byte` an answer never ends: one byte every tenth of a second.
    """
    done = threading.Event()
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(16)
        thread = threading.Thread(target=_serve, args=(server, answers, byte_by_byte, done))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            done.set()
            with socket.socket() as waker:
                waker.connect(server.getsockname())
            thread.join()


def _serve(
    server: socket.socket, answers: tuple[bytes, ...], slowly: bool, done: threading.Event
) -> None:
    served = 0
    while not done.is_set():
        connection, _ = server.accept()
        with connection:
            if done.is_set():
                return
            _answer(connection, answers[min(served, len(answers) - 1)], slowly, done)
        served += 1


def _answer(connection: socket.socket, answer: bytes, slowly: bool, done: threading.Event) -> None:
    try:
        connection.recv(65_536)
        if not slowly:
            connection.sendall(answer)
        while slowly and not done.wait(0.1):
            connection.sendall(b"H" if not answer else answer[:1])
            answer = answer[1:] or b"x"
    except OSError:
        return  # the client gave up, which is what the test is about
