"""A proxy in front of a real region that does to S3 what networks, stores and disks do to it.

What it does to which request is a plan's to say (`tests/harms.py`); it counts what it did. The
Host header goes through unchanged, for it is signed: the region believes to be at the proxy's
address. Plain sockets, a thread for each connection, one exchange after the other on it.
"""

import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from drorch.core.model import Region
from drorch.lab.regions import LabRegion
from tests.harms import ANSWERS, Asked, Harm

_PIECE = 1 << 16
_END = b"\r\n\r\n"
#: SO_LINGER on, for no time: closing then sends a reset instead of an orderly end.
_RESET = struct.pack("ii", 1, 0)

Plan = Callable[[Asked], Harm | None]


class _Gone(Exception):
    """The connection is not to be used any more."""


class _Wire:
    """One side's connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._held = b""

    def head(self) -> bytes:
        """Up to and with the empty line; _Gone when the other side has left."""
        while _END not in self._held:
            self._held += self._receive()
        head, _, self._held = self._held.partition(_END)
        return head + _END

    def body(self, length: int) -> Iterator[bytes]:
        """So many bytes as they come."""
        while length > 0:
            piece = self._held or self._receive()
            piece, self._held = piece[:length], piece[length:]
            length -= len(piece)
            yield piece

    def line(self) -> bytes:
        """Up to the next line end."""
        while b"\r\n" not in self._held:
            self._held += self._receive()
        line, _, self._held = self._held.partition(b"\r\n")
        return line

    def send(self, data: bytes) -> None:
        try:
            self._connection.sendall(data)
        except OSError:
            raise _Gone from None

    def _receive(self) -> bytes:
        try:
            received = self._connection.recv(_PIECE)
        except OSError:
            raise _Gone from None
        if not received:
            raise _Gone
        return received

    def close(self) -> None:
        # Wakes a thread that is in recv on it, which closing alone does not.
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def reset(self) -> None:
        with suppress(OSError):
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._connection.close()


@dataclass(frozen=True)
class _Answer:
    """A region's answer: its head, and its body as it comes."""

    head: bytes
    length: int
    body: Iterator[bytes]


class Faulty:
    """The proxy. `stall` is how long it says nothing when it stalls; `slowness` what each exchange
    takes longer than it must, both in seconds.
    """

    def __init__(
        self, region: Region, plan: Plan, *, stall: float = 2.0, slowness: float = 0.0
    ) -> None:
        #: Where in a body it is harmed: at its beginning 0, at its end 1.
        self.place = 0.5
        self._region = region
        self._behind = ("127.0.0.1", urlsplit(region.endpoint).port)
        self._plan = plan
        self._stall = stall
        self._slowness = slowness
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._wires: set[_Wire] = set()
        self._listener = self._listen(0)
        self.port = int(self._listener.getsockname()[1])
        self.injected: Counter[Harm] = Counter()
        self.requests = 0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def as_region(self, prefix: str = "") -> Region:
        """The region, reached through here, its objects below `prefix`."""
        return replace(self._region, endpoint=self.endpoint, prefix=prefix)

    def become(self, plan: Plan) -> None:
        """From now on do this."""
        self._plan = plan

    def die(self) -> None:
        """Refuse every connection, and break those there are."""
        with self._lock:
            listener, wires = self._listener, list(self._wires)
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for wire in wires:
            wire.reset()

    def revive(self) -> None:
        """Listen again, in the same place."""
        with self._lock:
            if self._listener.fileno() == -1:
                self._listener = self._listen(self.port)

    def close(self) -> None:
        self._over.set()
        self.die()

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port), backlog=64)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            wire = _Wire(connection)
            with self._lock:
                self._wires.add(wire)
            threading.Thread(target=self._serve, args=(wire,), daemon=True).start()

    def _serve(self, client: _Wire) -> None:
        try:
            while not self._over.is_set():
                self._exchange(client)
        except _Gone:
            pass
        finally:
            client.close()
            with self._lock:
                self._wires.discard(client)

    def _exchange(self, client: _Wire) -> None:
        head = client.head()
        asked = Asked.of(head)
        with self._lock:
            self.requests += 1
            harm = self._plan(asked)
            if harm is not None:
                self.injected[harm] += 1
        self._over.wait(self._slowness)
        if harm in ANSWERS:
            for _ in client.body(asked.length):
                pass
            refusal = ANSWERS[harm]
            client.send(refusal if asked.method != "HEAD" else refusal.partition(_END)[0] + _END)
            return
        match harm:
            case Harm.DIES:
                self.die()
                raise _Gone
            case Harm.RESET_BEFORE:
                client.reset()
                raise _Gone
            case Harm.STALLED:
                self._over.wait(self._stall)
                raise _Gone
        self._relay(client, asked, head, harm)

    def _relay(self, client: _Wire, asked: Asked, head: bytes, harm: Harm | None) -> None:
        try:
            region = _Wire(socket.create_connection(self._behind))
        except OSError:
            client.reset()
            raise _Gone from None
        try:
            region.send(head)
            sent = harm if asked.length else None
            for piece in self._harmed(client.body(asked.length), asked.length, sent, client):
                region.send(piece)
            answer = _answer(region, asked.method)
            if harm is Harm.RESET_AFTER:
                client.reset()
                raise _Gone
            received = None if asked.length else harm
            told = answer.length // 2 if received is Harm.SHORT_AS_TOLD else answer.length
            client.send(_told(answer.head, told) if asked.method != "HEAD" else answer.head)
            for piece in self._harmed(answer.body, answer.length, received, client):
                client.send(piece)
        finally:
            region.close()

    def _harmed(
        self, body: Iterator[bytes], length: int, harm: Harm | None, client: _Wire
    ) -> Iterator[bytes]:
        """The body, and what happens to a bit of it, or from there on to all of it."""
        place, passed = min(int(length * self.place), length - 1), 0
        for piece in body:
            here = place - passed
            passed += len(piece)
            if harm is None or not 0 <= here < len(piece):
                yield piece
                continue
            if harm is Harm.FLIPPED:
                yield piece[:here] + bytes([piece[here] ^ 1]) + piece[here + 1 :]
                continue
            yield piece[:here]
            self._break(client, harm)

    def _break(self, client: _Wire, harm: Harm) -> None:
        if harm is Harm.STALLED_WITHIN:
            self._over.wait(self._stall)
        if harm is Harm.RESET_WITHIN:
            client.reset()
        raise _Gone


def _answer(region: _Wire, method: str) -> _Answer:
    head = region.head()
    status = int(head.split(b" ", 2)[1])
    headers = {k.lower(): v for k, v in _headers(head)}
    if method == "HEAD" or status in {204, 304}:
        return _Answer(head, 0, iter(()))
    if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
        # What is to be harmed must be known whole; only listings come so.
        whole = b"".join(_chunks(region))
        return _Answer(head, len(whole), iter([whole]))
    length = int(headers.get(b"content-length", b"0"))
    return _Answer(head, length, region.body(length))


def _headers(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    for line in head.split(b"\r\n")[1:]:
        name, colon, value = line.partition(b":")
        if colon:
            yield name, value.strip()


def _told(head: bytes, length: int) -> bytes:
    """The head, saying that so many bytes follow."""
    status, *headers = head.removesuffix(_END).split(b"\r\n")
    replaced = (b"content-length:", b"transfer-encoding:")
    kept = [h for h in headers if not h.lower().startswith(replaced)]
    return b"\r\n".join([status, *kept, b"Content-Length: %d" % length]) + _END


def _chunks(region: _Wire) -> Iterator[bytes]:
    while size := int(region.line().split(b";")[0], 16):
        yield from region.body(size)
        region.line()
    region.line()


@contextmanager
def in_front_of(
    region: Region | LabRegion,
    plan: Plan = lambda _: None,
    *,
    stall: float = 2.0,
    slowness: float = 0.0,
) -> Iterator[Faulty]:
    """A proxy for the length of the block."""
    described = region if isinstance(region, Region) else region.as_region()
    proxy = Faulty(described, plan, stall=stall, slowness=slowness)
    try:
        yield proxy
    finally:
        proxy.close()
