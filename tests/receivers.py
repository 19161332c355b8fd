"""Real receivers of messages on loopback: a mail server that may want a password, a web hook."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from drorch.loopback import free_port


@dataclass
class Mailbox:
    """What a mail server took; `port` is where it listens."""

    port: int = 0
    mails: list[Any] = field(default_factory=list)

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 taken"

    def texts(self) -> list[str]:
        """The plain text of each mail, or its HTML."""
        return [m.get_body(("plain", "html")).get_content() for m in self.mails]


@contextmanager
def a_mailbox(login: tuple[str, str] | None = None) -> Iterator[Mailbox]:
    """A mail server; with `login` it takes nothing from anybody else."""
    box = Mailbox()

    def authenticate(server, session, envelope, mechanism, data):
        good = isinstance(data, LoginPassword) and login is not None
        given = (data.login.decode(), data.password.decode()) if good else None
        return AuthResult(success=given == login, handled=False)

    more: dict[str, Any] = {}
    if login is not None:
        more = {"auth_required": True, "auth_require_tls": False, "authenticator": authenticate}
    server = Controller(
        box, hostname="127.0.0.1", port=free_port(), server_hostname="mail.example", **more
    )
    server.start()
    box.port = server.port
    try:
        yield box
    finally:
        server.stop()


@dataclass
class Hook:
    """What a web server was asked: method, path, and body (JSON where it is)."""

    port: int = 0
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    status: int = 200


@contextmanager
def a_hook(status: int = 200) -> Iterator[Hook]:
    """A web server that answers everything with `status`."""
    hook = Hook(status=status)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_GET(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            told = json.loads(body) if body else None
            hook.asked.append((self.command, self.path, told))
            self.send_response(hook.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_GET  # noqa: N815 - the server's name

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hook.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
