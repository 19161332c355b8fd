"""The HTTP server, asked by real requests; and the file."""

import gzip
import http.client
import io
import json
import os
import socket
import stat

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_plain

from drorch.adapters.logs import open_log
from drorch.core.errors import DrorchError, UsageError, render_error
from drorch.metrics.exposition import Exposition
from drorch.metrics.serving import serve
from drorch.metrics.textfile import write_textfile
from tests.fakes.vitals import FakeVitals, hospital


@pytest.fixture
def vitals():
    return FakeVitals(hospital())


@pytest.fixture(params=["127.0.0.1:0", "[::1]:0", "localhost:0"])
def server(request, vitals):
    serving = serve(request.param, vitals)
    yield serving
    serving.close()


def ask(server, path, method="GET", **headers):
    host, _, port = server.address.rpartition(":")
    connection = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=20)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def test_metrics_in_the_form_that_is_asked_for(server):
    answer, body = ask(server, "/metrics")
    assert answer.getheader("Content-Type").startswith("text/plain; version=0.0.4")
    assert any(f.name == "drorch_copy_age_seconds" for f in parse_plain(body.decode()))
    wish = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"
    answer, body = ask(server, "/metrics?x=y", Accept=wish, **{"Accept-Encoding": "gzip"})
    assert answer.getheader("Content-Type").startswith("application/openmetrics-text")
    assert answer.getheader("Content-Encoding") == "gzip"
    families = list(parse_openmetrics(gzip.decompress(body).decode()))
    assert any(f.name == "drorch_runs" and f.type == "counter" for f in families)


def test_health_and_readiness(server, vitals):
    for path in ("/healthz", "/readyz"):
        answer, body = ask(server, path)
        assert (answer.status, body) == (200, b"ok\n")
    vitals.become(missing=("the journal is being opened",))
    assert ask(server, "/healthz")[0].status == 200
    answer, body = ask(server, "/readyz")
    assert (answer.status, body) == (503, b"the journal is being opened\n")
    vitals.now = 90
    answer, body = ask(server, "/healthz")
    assert (answer.status, body) == (503, b"the loop has not turned for 1m 30s\n")


def test_what_there_is_not(server):
    answer, body = ask(server, "/")
    assert answer.status == 404
    assert b"/metrics" in body
    assert ask(server, "/metrics", "POST")[0].status == 501
    answer, body = ask(server, "/metrics", "HEAD")
    assert (answer.status, body) == (200, b"")
    assert int(answer.getheader("Content-Length")) > 1000
    assert "Python" not in answer.getheader("Server")


def test_many_that_ask_nothing_do_not_keep_others_out_for_ever(server):
    host, _, port = server.address.rpartition(":")
    idle = [socket.create_connection((host.strip("[]"), int(port)), 20) for _ in range(40)]
    for one in idle:
        one.close()
    answers = (_asked(server) for _ in range(1000))
    assert any(answers)


def _asked(server) -> bool:
    try:
        return ask(server, "/healthz")[0].status == 200
    except (OSError, http.client.HTTPException):
        return False


class BrokenVitals(FakeVitals):
    def state(self):
        raise LookupError("not even this")


def test_what_was_not_foreseen_is_logged_and_the_server_goes_on():
    out = io.StringIO()
    log = open_log("json", str, stream=out, environment={})
    serving = serve("127.0.0.1:0", BrokenVitals())
    with pytest.raises((http.client.HTTPException, OSError)):
        ask(serving, "/healthz")
    assert ask(serving, "/x")[0].status == 404
    serving.close()
    log.close()
    told = json.loads(out.getvalue())
    assert told["message"] == "no answer was found: LookupError: not even this"


def test_a_taken_port_is_an_error_with_a_way_out(vitals):
    first = serve("127.0.0.1:0", vitals)
    with pytest.raises(DrorchError) as caught:
        serve(first.address, vitals)
    first.close()
    assert render_error(caught.value).replace(first.address, "HERE").splitlines() == [
        "error: metrics cannot be served at HERE: Address already in use",
        (
            "hint: another daemon may run already; `ss -ltnp` tells who listens there; "
            "`daemon: {listen: …}` says where"
        ),
    ]
    # What was let go can be taken at once.
    serve(first.address, vitals).close()


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("9751", UsageError),
        ("127.0.0.1:99999", UsageError),
        ("192.0.2.1:0", DrorchError),
        ("no-such-host.invalid:0", DrorchError),
    ],
)
def test_an_address_that_is_none(address, error, vitals):
    with pytest.raises(error) as caught:
        serve(address, vitals)
    assert caught.value.hint


def test_the_file_is_whole_and_others_may_read_it(tmp_path, vitals):
    path = tmp_path / "drorch.prom"
    path.write_text("old")
    umask = os.umask(0o077)
    try:
        write_textfile(path, vitals.overview(), vitals.state())
    finally:
        os.umask(umask)
    names = {family.name for family in parse_plain(path.read_text())}
    assert {"drorch_copy_age_seconds", "drorch_daemon_ready", "drorch_build_info"} <= names
    assert not any(name.startswith("process_") for name in names)
    # The same as over HTTP, but for what tells of the process.
    served = Exposition(vitals).page("").text.decode().splitlines()
    assert set(path.read_text().splitlines()) == {s for s in served if "process_" not in s}
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [p.name for p in tmp_path.iterdir()] == ["drorch.prom"]


def test_without_a_daemon_the_file_tells_of_the_rest(tmp_path):
    write_textfile(tmp_path / "d.prom", hospital())
    text = (tmp_path / "d.prom").read_text()
    assert "drorch_copy_age_seconds" in text
    assert "drorch_daemon" not in text


def test_a_file_that_cannot_be_written(tmp_path, vitals):
    path = tmp_path / "not" / "there.prom"
    with pytest.raises(DrorchError) as caught:
        write_textfile(path, vitals.overview())
    assert caught.value.message.endswith("there.prom: No such file or directory")
    (tmp_path / "folder.prom").mkdir()
    with pytest.raises(DrorchError):
        write_textfile(tmp_path / "folder.prom", vitals.overview())
    assert [p.name for p in tmp_path.iterdir()] == ["folder.prom"]
