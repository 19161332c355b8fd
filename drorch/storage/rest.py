"""restic's REST protocol, version 2, over HTTP on loopback: what restic says to a gateway.

From restic's "REST Backend" document: HEAD, GET, POST and DELETE of `/config` and `/<type>/<id>`,
GET of `/<type>/` lists. Names of data are flat here. Only who knows the password is answered.
"""

import base64
import hmac
import json
import re
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from drorch.core.errors import StorageError
from drorch.storage.bucket import Reading
from drorch.storage.faults import Cause
from drorch.storage.gateway import Gateway, named
from drorch.storage.layout import CONFIG, LOCKS, Kind
from drorch.storage.spread import Wrong

_USER = "drorch"
_LIST_TYPE = "application/vnd.x.restic.rest.v2"
_FOLDERS = (*Kind, LOCKS)
_PATH = re.compile(r"/(?:(config)|(" + "|".join(_FOLDERS) + r")/([0-9a-f]{64})?)(?:\?.*)?")
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@contextmanager
def serving(gateway: Gateway) -> Iterator[str]:
    """Serve it on a port of loopback; gives the URL, password included, for restic alone.

    At the end restic must be gone: what it left of locks is then removed.
    """
    password = secrets.token_urlsafe(24)
    server = _Server(gateway, base64.b64encode(f"{_USER}:{password}".encode()).decode())
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="gateway", daemon=True
    )
    thread.start()
    try:
        yield f"rest:http://{_USER}:{password}@127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        gateway.release()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, gateway: Gateway, credentials: str) -> None:
        self.gateway = gateway
        self.credentials = credentials
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke is restic's to try again; nothing is printed."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    rbufsize = 1 << 16

    def do_HEAD(self) -> None:
        """Is it there, and how long is it."""
        self._answering(self._head)

    def do_GET(self) -> None:
        """A list, or an object, or a part of one."""
        self._answering(self._get)

    def do_POST(self) -> None:
        """Write an object."""
        self._answering(self._post)

    def do_DELETE(self) -> None:
        """Delete an object."""
        self._answering(self._delete)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Nothing: names of objects help nobody."""

    def _answering(self, answer: Callable[[str, str], None]) -> None:
        given = self.headers.get("Authorization", "").removeprefix("Basic ")
        if not hmac.compare_digest(given, self.server.credentials):
            return self._refuse(HTTPStatus.UNAUTHORIZED)
        found = _PATH.fullmatch(self.path)
        if found is None:
            return self._refuse(HTTPStatus.NOT_FOUND)
        config, folder, name = found.groups(default="")
        try:
            answer(folder, config or name)
        except StorageError as error:
            missing = error.cause == Cause.NO_OBJECT
            self._refuse(HTTPStatus.NOT_FOUND if missing else HTTPStatus.SERVICE_UNAVAILABLE)
        except Wrong:
            self._refuse(HTTPStatus.BAD_REQUEST)
        return None

    def _head(self, folder: str, name: str) -> None:
        size = self.server.gateway.size(_object(folder, name))
        self._start(HTTPStatus.OK, size)

    def _get(self, folder: str, name: str) -> None:
        if not name:
            return self._list(folder)
        part = _RANGE.fullmatch(self.headers.get("Range", ""))
        first, last = (int(part[1]), int(part[2]) if part[2] else None) if part else (0, None)
        with self.server.gateway.reading(_object(folder, name), first, last) as reading:
            self._start(HTTPStatus.PARTIAL_CONTENT if part else HTTPStatus.OK, reading.size)
            self._send(reading)
        return None

    def _send(self, reading: Reading) -> None:
        try:
            for chunk in reading.chunks:
                self.wfile.write(chunk)
        except StorageError:
            # The answer has begun: only a broken connection can say that it is not whole.
            self.close_connection = True

    def _list(self, folder: str) -> None:
        found = [{"name": n, "size": s} for n, s in self.server.gateway.names(folder)]
        body = json.dumps(found).encode()
        self._start(HTTPStatus.OK, len(body), _LIST_TYPE)
        self.wfile.write(body)

    def _post(self, folder: str, name: str) -> None:
        size = int(self.headers.get("Content-Length", "0"))
        if not folder:
            raise StorageError("a gateway makes no repository", "", Cause.REFUSED)
        self.server.gateway.store(folder, name, size, self.rfile.read)
        self._start(HTTPStatus.OK, 0)

    def _delete(self, folder: str, name: str) -> None:
        if not folder:
            raise StorageError("a gateway removes no repository", "", Cause.REFUSED)
        self.server.gateway.delete(folder, name)
        self._start(HTTPStatus.OK, 0)

    def _start(self, status: HTTPStatus, size: int, kind: str = "application/octet-stream") -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(size))
        self.end_headers()

    def _refuse(self, status: HTTPStatus) -> None:
        """Without reading what restic may still be sending: the connection ends here."""
        self.close_connection = True
        self._start(status, 0)


def _object(folder: str, name: str) -> str:
    return named(folder, name) if folder else CONFIG
