"""`http.check` and `http.request` against a real server."""

import json
import socket
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from drorch.actions.web import CHECK, REQUEST
from drorch.core.names import Verdict
from drorch.ports import Cancellation


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def answer(self, status, body, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path.startswith("/status/"):
            self.answer(int(self.path.rsplit("/", 1)[1]), b"said so", Location="/json")
        elif self.path == "/json":
            self.answer(
                200, json.dumps({"db": {"patients": 42, "up": True}, "l": [{"x": "y"}]}).encode()
            )
        elif self.path == "/slow":
            self.server.asked.set()
            self.server.go.wait(60)
            self.answer(200, b"late")
        elif self.path == "/drip":
            self.send_response(200)
            self.end_headers()
            try:
                while not self.server.go.wait(0.05):
                    self.wfile.write(b".")
                    self.server.asked.set()
            except OSError:
                pass
        else:
            headers = {k.lower(): v for k, v in self.headers.items()}
            self.answer(200, json.dumps({"path": self.path, "headers": headers}).encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        told = {"method": self.command, "body": body, "type": self.headers.get("Content-Type")}
        self.answer(201, json.dumps(told).encode())

    do_PUT = do_POST  # noqa: N815 - the server's name

    def do_HEAD(self):
        self.send_response(204)
        self.end_headers()


@pytest.fixture
def server():
    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.daemon_threads = True
    made.asked, made.go = threading.Event(), threading.Event()
    thread = threading.Thread(target=made.serve_forever, args=(0.02,))
    thread.start()
    made.url = f"http://127.0.0.1:{made.server_port}"
    yield made
    made.go.set()
    made.shutdown()
    made.server_close()
    thread.join()


def test_outputs(place, server):
    result = place.do(CHECK, url=f"{server.url}/json")
    assert result.verdict is Verdict.PASS
    assert result.outputs["status"] == 200
    assert result.outputs["json"]["db"] == {"patients": 42, "up": True}
    assert json.loads(result.outputs["body"]) == result.outputs["json"]
    assert result.outputs["elapsed_s"] >= 0


@pytest.mark.parametrize(
    ("path", "expected", "cause"),
    [
        ("/status/200", {}, ""),
        ("/status/204", {}, ""),
        ("/status/302", {}, "status"),
        ("/status/302", {"status": 302}, ""),
        ("/status/503", {}, "status"),
        ("/status/503", {"status": "503"}, ""),
        ("/status/503", {"status": [200, 503]}, ""),
        ("/status/200", {"status": 503}, "status"),
        ("/status/200", {"contains": "said"}, ""),
        ("/status/200", {"contains": "nothing"}, "content"),
        ("/status/200", {"json": {"a": 1}}, "content"),
        ("/json", {"json": {"db.patients": 42, "db.up": True, "l.0.x": "y"}}, ""),
        ("/json", {"json": {"db.patients": "42"}}, ""),
        ("/json", {"json": {"db.patients": 43}}, "content"),
        ("/json", {"json": {"db.nothing": 1}}, "content"),
        ("/json", {"json": {"l.7": 1}}, "content"),
    ],
)
def test_expectations(place, server, path, expected, cause):
    result = place.do(CHECK, url=server.url + path, **expected)
    assert result.cause == cause
    assert result.verdict is (Verdict.FAIL if cause else Verdict.PASS)
    assert result.outputs["status"]


def test_headers_query_and_secrets(place, server):
    result = place.do(
        CHECK, url=f"{server.url}/x?a=1&b=%20#part", headers={"Authorization": {"secret": "token"}}
    )
    assert result.outputs["json"]["path"] == "/x?a=1&b=%20"
    assert result.outputs["json"]["headers"]["authorization"] == "***"
    assert result.outputs["json"]["headers"]["user-agent"].startswith("drorch/")
    assert "s3cret" not in result.outputs["body"]


def test_head(place, server):
    assert place.do(CHECK, url=server.url, method="HEAD").outputs["status"] == 204


@pytest.mark.parametrize(
    ("body", "sent", "kind"),
    [("text", "text", None), ({"a": 1}, '{"a": 1}', "application/json")],
)
def test_request_with_a_body(place, server, body, sent, kind):
    result = place.do(REQUEST, url=server.url, body=body)
    assert result.outputs["json"] == {"method": "POST", "body": sent, "type": kind}
    assert place.do(REQUEST, url=server.url, method="PUT").outputs["json"]["method"] == "PUT"


def test_refused_connections_are_findings(place):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        result = place.do(CHECK, url=f"http://127.0.0.1:{port}/")
    assert (result.verdict, result.cause) == (Verdict.FAIL, "unreachable")
    assert "refused" in result.message


def test_an_unknown_name_is_a_finding(place):
    result = place.do(CHECK, url="http://no-such-host.invalid/", timeout="30s")
    assert (result.verdict, result.cause) == (Verdict.FAIL, "unreachable")


def test_what_is_no_http_is_a_finding(place):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet():
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"220 smtp ready\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        result = place.do(CHECK, url=f"http://127.0.0.1:{listener.getsockname()[1]}/")
        thread.join()
    assert (result.verdict, result.cause) == (Verdict.FAIL, "unreachable")


@pytest.mark.parametrize("path", ["/slow", "/drip"])
def test_the_whole_exchange_has_a_limit(place, server, path):
    result = place.do(CHECK, url=server.url + path, timeout="200ms")
    assert (result.verdict, result.cause) == (Verdict.FAIL, "timeout")


def test_the_steps_own_timeout_counts_too(place, server):
    result = place.do(CHECK, url=f"{server.url}/slow", step_timeout=timedelta(milliseconds=100))
    assert result.cause == "timeout"


def test_cancelled(place, server):
    cancel = Cancellation()

    def when_asked():
        server.asked.wait(60)
        cancel.cancel("abort")

    thread = threading.Thread(target=when_asked)
    thread.start()
    result = place.do(CHECK, url=f"{server.url}/slow", cancel=cancel)
    thread.join()
    assert (result.verdict, result.cause) == (Verdict.ERROR, "cancelled")
    assert not server.go.is_set()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"url": "ftp://x/"}, "not an http or https address"),
        ({"url": "http://"}, "not an http or https address"),
        ({"url": "http://x:99999/"}, "Port out of range"),
        ({"url": "http://x/a b"}, "not an http or https address"),
        ({"url": "http://u:p@x/"}, "holds a name or password"),
        ({"url": "http://x/", "method": "DELETE"}, "a check does not DELETE"),
        ({"url": "http://x/", "headers": {"A": "b\nC: d"}}, "holds a line end"),
        ({"url": "https://x/", "ca": "none.pem"}, "cannot be used"),
        ({"url": "http://x/", "json": []}, "should be a mapping"),
    ],
)
def test_wrong_arguments(place, arguments, said):
    result = place.do(CHECK, **arguments)
    assert (result.verdict, result.cause) == (Verdict.FAIL, "argument")
    assert said in result.message
