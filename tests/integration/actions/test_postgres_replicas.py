"""Failing a streaming replica over and back, on two real servers."""

import os
import socket
import threading

import psycopg
import pytest

from drorch.actions.postgres_roles import IS_PRIMARY, LAG, PROMOTE
from drorch.core.names import Verdict
from tests.nodes import INSTALLED, a_pair

pytestmark = [
    pytest.mark.skipif(
        not INSTALLED and os.environ.get("CI") != "true", reason="PostgreSQL is not installed"
    ),
    pytest.mark.xdist_group("postgres-nodes"),
]


@pytest.fixture
def pair():
    """One of its own, to harm."""
    with a_pair() as made:
        yield made


@pytest.fixture(scope="module")
def whole():
    """One to look at."""
    with a_pair() as made:
        yield made


def verdict(result):
    return result.verdict.value, result.cause


def lasting(place, action, **arguments):
    """The check's first result that passes, as `until:` would find it."""
    for _ in range(600):
        result = place.do(action, **arguments)
        if result.verdict is Verdict.PASS:
            return result
    raise AssertionError(result.message)


class Writer(threading.Thread):
    """A clinic that writes on: `acknowledged` holds what it was told is safe."""

    def __init__(self, url):
        super().__init__()
        self.url, self.acknowledged, self.enough = url, [], threading.Event()

    def run(self):
        try:
            with psycopg.connect(self.url, autocommit=True) as connection:
                for number in range(10_000, 1_000_000):
                    connection.execute("INSERT INTO patients VALUES (%s, 'new')", [number])
                    self.acknowledged.append(number)
                    if len(self.acknowledged) == 300:
                        self.enough.set()
        except psycopg.Error:
            pass


def test_nothing_acknowledged_is_lost_when_the_primary_dies(place, pair):
    writer = Writer(pair.url("a"))
    writer.start()
    assert writer.enough.wait(60)
    pair.kill("a")
    writer.join()
    before = place.do(LAG, database=pair.url("b"))
    assert before.verdict is Verdict.PASS
    assert place.do(IS_PRIMARY, database=pair.url("a"), expect="fenced").outputs["role"] == "down"

    promoted = place.do(PROMOTE, database=pair.url("b"))
    assert promoted.verdict is Verdict.PASS, promoted.message
    assert (promoted.outputs["promoted"], promoted.outputs["timeline"]) == (True, 2)
    assert promoted.outputs["data_at"] >= before.outputs["data_at"]
    assert promoted.outputs["database"] == before.outputs["database"]
    with pair.connect("b") as connection:
        found = {n for (n,) in connection.execute("SELECT id FROM patients WHERE id >= 10000")}
    assert set(writer.acknowledged) <= found
    assert len(found) <= len(writer.acknowledged) + 1  # one may have been safe and not yet told


def test_promoting_a_primary_says_so_and_does_nothing(place, whole):
    result = place.do(PROMOTE, database=whole.url("a"))
    assert result.verdict is Verdict.PASS
    assert (result.outputs["promoted"], result.outputs["timeline"]) == (False, 1)
    assert "was the primary already" in result.message


def test_roles(place, whole):
    a, b = whole.url("a"), whole.url("b")
    assert place.do(IS_PRIMARY, database=a).outputs["role"] == "primary"
    assert verdict(place.do(IS_PRIMARY, database=b)) == ("fail", "role")
    assert place.do(IS_PRIMARY, database=b, expect="standby").verdict is Verdict.PASS
    assert place.do(IS_PRIMARY, database=b, expect="fenced").outputs["role"] == "standby"
    up = place.do(IS_PRIMARY, database=a, expect="fenced")
    assert verdict(up) == ("fail", "role")
    assert "is a primary, not down or a standby" in up.message


def test_out_of_sight_is_neither_down_nor_up(place):
    """pains: three results; a checker that cannot look must not say that the primary is down."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"postgresql://postgres@127.0.0.1:{deaf.getsockname()[1]}/postgres"
        result = place.do(IS_PRIMARY, database=url, expect="fenced", timeout="300ms")
        assert verdict(result) == ("error", "timeout")
    nameless = "postgresql://postgres@no-such-host.invalid/postgres"
    assert verdict(place.do(IS_PRIMARY, database=nameless, expect="fenced")) == (
        "error",
        "unreachable",
    )


def test_a_wrong_user_is_not_down(place, whole):
    url = whole.url("a").replace("postgres@", "nobody@")
    result = place.do(IS_PRIMARY, database=url, expect="fenced")
    assert verdict(result) == ("error", "unreachable")
    assert "nobody" in result.message


def test_lag_is_none_when_the_primary_says_so(place, whole):
    lasting(place, LAG, database=whole.url("b"), primary=whole.url("a"), max="0s")
    whole.ask("a", "INSERT INTO patients VALUES (4000, 'in time') RETURNING id")
    lasting(place, LAG, database=whole.url("b"), primary=whole.url("a"), max="0s")
    whole.ask("b", "SELECT pg_wal_replay_pause() IS NULL")
    with whole.connect("a") as connection:
        connection.execute("SET synchronous_commit = local")
        connection.execute("INSERT INTO patients VALUES (5000, 'late')")
    behind = place.do(LAG, database=whole.url("b"), primary=whole.url("a"), max="0s")
    assert verdict(behind) == ("fail", "lag")
    assert behind.outputs["lag_bytes"] > 0
    assert behind.outputs["lag_s"] > 0
    whole.ask("b", "SELECT pg_wal_replay_resume() IS NULL")
    assert verdict(place.do(LAG, database=whole.url("a"))) == ("fail", "role")


def test_a_promoted_server_whose_commits_hang_is_no_success(place, pair):
    # A copy taken while the primary waits for its standby waits for one, too.
    pair.tell("reseed", "b", "a")
    pair.kill("a")
    result = place.do(PROMOTE, database=pair.url("b"), within="2s")
    assert verdict(result) == ("fail", "commits-wait")
    assert "synchronous_standby_names" in result.hint
    assert result.outputs["role"] == "primary"
    pair.tell("alone", "b")
    assert place.do(PROMOTE, database=pair.url("b")).outputs["promoted"] is False


@pytest.mark.parametrize("how", ["rewind", "reseed"])
def test_failing_back(place, pair, how):
    pair.kill("a")
    assert place.do(PROMOTE, database=pair.url("b")).verdict is Verdict.PASS
    pair.ask("b", "INSERT INTO patients VALUES (9001, 'at the other site') RETURNING id")
    pair.tell(how, "a", "b")
    lasting(place, LAG, database=pair.url("a"), primary=pair.url("b"), max="0s")
    pair.tell("stop", "b")
    home = place.do(PROMOTE, database=pair.url("a"))
    assert home.verdict is Verdict.PASS, home.message
    assert home.outputs["timeline"] == 3
    assert pair.ask("a", "SELECT count(*) FROM patients WHERE id = 9001") == 1


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:///x", "is no address of PostgreSQL"),
        ("postgresql://u:word@h/db", "holds a password"),
        ("postgresql://u@h1,h2/db", "does not name one server"),
        ("postgresql://u@h:none/db", "does not name one server"),
    ],
)
def test_addresses_that_are_none(place, url, said):
    result = place.do(PROMOTE, database=url)
    assert verdict(result) == ("fail", "argument")
    assert said in result.message
