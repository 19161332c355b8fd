"""A small HTTP server for those who watch: `/metrics`, `/healthz`, `/readyz`.

It tells and takes nothing. What is told holds names of datasets and regions, and no secrets; who may
ask is for the address to say: loopback, or a network for management.
"""

import errno
import logging
import socket
import socketserver
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from drorch import __version__
from drorch.core.addresses import parsed_address
from drorch.core.errors import DrorchError, UsageError
from drorch.metrics.exposition import Exposition
from drorch.metrics.source import Vitals

#: Who asks and then says nothing, or does not listen, is let go after so many seconds.
_PATIENCE = 10
#: So many may ask at once; who comes then is let go.
_MOST = 16
_PLAIN = "text/plain; charset=utf-8"


class MetricsServer:
    """Answers until it is closed. `address` is where, with the port it was given."""

    def __init__(self, server: "_Server") -> None:
        self._server = server
        host, port = server.server_address[:2]
        self.address = f"[{host!s}]:{port}" if ":" in str(host) else f"{host!s}:{port}"
        self._thread = threading.Thread(
            target=server.serve_forever, name="metrics", kwargs={"poll_interval": 0.2}, daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Let go of the address; who is being answered gets what there is time for."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def serve(address: str, source: Vitals) -> MetricsServer:
    """Answer at `address` (`127.0.0.1:9751`, `[::1]:9751`) from now on, in threads of its own.

    Raises UsageError for what is no address, DrorchError where nobody can listen.
    """
    try:
        host, port = parsed_address(address)
    except ValueError as error:
        raise UsageError(str(error), 'write it like "127.0.0.1:9751" or "[::1]:9751"') from None
    try:
        family, *_, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return MetricsServer(_Server(family, place, source))
    except OSError as error:
        raise _deaf(address, error) from None


def _deaf(address: str, error: OSError) -> DrorchError:
    hints = {
        errno.EADDRINUSE: "another daemon may run already; `ss -ltnp` tells who listens there",
        errno.EADDRNOTAVAIL: "`ip address` tells which addresses this machine has",
        errno.EACCES: "take a port above 1023",
    }
    hint = hints.get(error.errno or 0, "look at the name or the address")
    return DrorchError(
        f"metrics cannot be served at {address}: {error.strerror}",
        f"{hint}; `daemon: {{listen: …}}` says where",
    )


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # The last answers are not waited for.
    block_on_close = False
    # socketserver's five would have the sixth at once wait for seconds.
    request_queue_size = 64

    def __init__(self, family: int, place: Any, source: Vitals) -> None:
        self.address_family = socket.AddressFamily(family)
        self.source = source
        self.exposition = Exposition(source)
        self._room = threading.BoundedSemaphore(_MOST)
        super().__init__(place, _Answer)

    def server_bind(self) -> None:
        # http.server asks the DNS for a name here, which may take its time.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "drorch", self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._room.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        error = sys.exception()
        if not isinstance(error, OSError):  # else: who asked has gone
            logging.getLogger("drorch.metrics").error("no answer was found", exc_info=error)


class _Answer(BaseHTTPRequestHandler):
    server: _Server
    timeout = _PATIENCE
    server_version = f"drorch/{__version__}"
    sys_version = ""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        match path:
            case "/metrics":
                self._metrics()
            case "/healthz":
                self._verdict(self.server.source.state().unhealthy)
            case "/readyz":
                self._verdict(self.server.source.state().unready)
            case _:
                known = "there are /metrics, /healthz and /readyz\n"
                self._answer(HTTPStatus.NOT_FOUND, known.encode())

    do_HEAD = do_GET  # noqa: N815 - named by http.server

    def _metrics(self) -> None:
        # On one line: a part of it may come back in a header.
        accept = " ".join(self.headers.get("Accept", "").split())
        page = self.server.exposition.page(accept)
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            self._answer(HTTPStatus.OK, page.packed(), page.kind, **{"Content-Encoding": "gzip"})
        else:
            self._answer(HTTPStatus.OK, page.text, page.kind)

    def _verdict(self, why: tuple[str, ...]) -> None:
        status = HTTPStatus.SERVICE_UNAVAILABLE if why else HTTPStatus.OK
        self._answer(status, "".join(f"{line}\n" for line in why or ("ok",)).encode())

    def _answer(self, status: HTTPStatus, body: bytes, kind: str = _PLAIN, **headers: str) -> None:
        self.send_response(status)
        told = {"Content-Type": kind, "Content-Length": str(len(body)), "Cache-Control": "no-store"}
        for name, value in (told | headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - named by http.server
        """Scrapes are no events."""
