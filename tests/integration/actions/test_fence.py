"""`fence.check` against real sockets and programs: down, up, and what nobody can know."""

import socket
from collections.abc import Iterator

import pytest

from drorch.actions.fence import CHECK
from drorch.core.names import Verdict

DOWN, UP, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.ERROR


@pytest.fixture
def listening() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def refusing() -> Iterator[str]:
    """A port that is taken, so that nobody else gets it, and refuses connections."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{held.getsockname()[1]}"


def program(code: int) -> list[str]:
    return ["sh", "-c", f"echo seen >&2; exit {code}"]


@pytest.fixture
def silent() -> Iterator[str]:
    """A port whose queue is full: who knocks gets no answer, as from a host that is cut off."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        with socket.create_connection(server.getsockname()):
            yield f"127.0.0.1:{server.getsockname()[1]}"


def test_a_primary_that_takes_connections_is_up_whatever_else_is_said(place, listening, refusing):
    result = place.do(CHECK, tcp=[refusing, listening], command=program(0))
    assert (result.verdict, result.cause) == (UP, "primary-up")
    assert result.outputs == {"primary": "up"}
    assert f"{listening} takes connections" in result.message
    assert result.hint


def test_a_primary_that_refuses_everywhere_is_down(place, refusing):
    result = place.do(CHECK, tcp=[refusing])
    assert (result.verdict, result.outputs) == (DOWN, {"primary": "down"})
    assert f"{refusing} refuses connections" in result.message


def test_silence_is_not_down(place, silent, refusing):
    result = place.do(CHECK, tcp=[refusing, silent], timeout="200ms")
    assert (result.verdict, result.cause) == (UNKNOWN, "primary-unknown")
    assert f"{silent} is silent" in result.message
    assert "--force-unfenced" in result.hint


def test_nor_is_a_name_that_leads_nowhere(place):
    result = place.do(CHECK, tcp=["primary.invalid:5432"], timeout="30s")
    assert (result.verdict, result.cause) == (UNKNOWN, "primary-unknown")


def test_nothing_to_look_at_is_unknown(place):
    result = place.do(CHECK)
    assert (result.verdict, result.cause) == (UNKNOWN, "primary-unknown")
    assert "fence:" in result.hint


@pytest.mark.parametrize(
    ("code", "verdict"), [(0, DOWN), (1, UP), (2, UNKNOWN), (127, UNKNOWN), (143, UNKNOWN)]
)
def test_a_program_that_knows(place, code, verdict):
    result = place.do(CHECK, command=program(code))
    assert result.verdict is verdict
    assert "(seen)" in result.message


def test_a_program_that_knows_outweighs_silence(place, silent):
    result = place.do(CHECK, tcp=[silent], command=program(0), timeout="200ms")
    assert result.verdict is DOWN


@pytest.mark.parametrize(
    "command", [["no-such-program"], ["sleep", "600"], ["sh", "-c", "kill -9 $$"]]
)
def test_a_program_that_does_not_answer_knows_nothing(place, command):
    result = place.do(CHECK, command=command, timeout="200ms")
    assert (result.verdict, result.cause) == (UNKNOWN, "primary-unknown")


@pytest.mark.parametrize("wrong", ["", "db1", ":5432", "db1:", "db1:0", "db1:65536", "db1:x"])
def test_what_is_no_place_is_no_answer_either(place, wrong):
    result = place.do(CHECK, tcp=[wrong])
    assert (result.verdict, result.cause) == (UP, "argument")
