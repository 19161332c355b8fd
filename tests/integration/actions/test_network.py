"""`tcp.check` and `dns.check` with real sockets and the machine's resolver."""

import socket

import pytest

from drorch.actions.network import DNS, TCP
from drorch.core.names import Verdict


def test_a_listening_port(place):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        result = place.do(TCP, host="localhost", port=str(port))
        assert result.verdict is Verdict.PASS
        assert result.outputs["address"] == "127.0.0.1"
    result = place.do(TCP, host="127.0.0.1", port=port)
    assert (result.verdict, result.cause) == (Verdict.FAIL, "unreachable")


@pytest.mark.parametrize("port", [0, 65_536, "http", None])
def test_ports(place, port):
    assert place.do(TCP, host="127.0.0.1", port=port).cause == "argument"


def test_an_unknown_host_is_a_finding(place):
    result = place.do(TCP, host="no-such-host.invalid", port=1, timeout="30s")
    assert (result.verdict, result.cause) == (Verdict.FAIL, "unreachable")


def test_where_a_name_leads(place):
    result = place.do(DNS, name="127.0.0.7", addresses=["127.0.0.7"])
    assert (result.verdict, result.outputs) == (Verdict.PASS, {"addresses": ["127.0.0.7"]})
    assert "127.0.0.1" in place.do(DNS, name="localhost").outputs["addresses"]
    result = place.do(DNS, name="127.0.0.7", addresses=["127.0.0.8"])
    assert (result.verdict, result.cause) == (Verdict.FAIL, "addresses")
    assert result.message == "127.0.0.7 leads to 127.0.0.7, not 127.0.0.8"


@pytest.mark.parametrize("name", ["no-such-host.invalid", "bad..name", "x" * 300])
def test_names_without_an_address(place, name):
    result = place.do(DNS, name=name, timeout="30s")
    assert (result.verdict, result.cause) == (Verdict.FAIL, "unresolved")
