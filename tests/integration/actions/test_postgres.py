"""`postgres.load` and SQL on real PostgreSQL.

Where PostgreSQL is not installed these are skipped, except in CI, where it has to be.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg
import pytest

from drorch.actions.dumps import loading
from drorch.actions.files import REMOVE
from drorch.actions.postgres import LOAD
from drorch.actions.services import STOP
from drorch.actions.sql import CHECK, EXECUTE
from drorch.core.model import Dump
from drorch.core.names import Verdict
from drorch.ports import Cancellation, ServiceProcess
from tests.programs import must_have

SERVER = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


@pytest.fixture(autouse=True)
def postgresql():
    must_have(SERVER, "postgresql")


SOURCE = """
CREATE ROLE clinic;
CREATE TABLE patients (id serial PRIMARY KEY, name text NOT NULL, born date, weight numeric);
INSERT INTO patients (name, born, weight)
  SELECT 'patient ' || n, date '1950-01-01' + n, n / 10.0 FROM generate_series(1, 2000) n;
CREATE INDEX ON patients (name);
CREATE TABLE visits (id serial PRIMARY KEY, patient int NOT NULL REFERENCES patients ON DELETE CASCADE, at date,
  note text CHECK (note <> ''));
INSERT INTO visits (patient, at, note)
  SELECT 1 + n % 2000, date '2020-01-01' + n % 900, repeat('é', n % 40 + 1)
    FROM generate_series(1, 6000) n;
CREATE INDEX ON visits (patient, at);
CREATE MATERIALIZED VIEW busy AS
  SELECT p.name, count(*) FROM patients p JOIN visits v ON v.patient = p.id GROUP BY 1;
SELECT lo_from_bytea(0, '\\x00ff00'), setval('visits_id_seq', 9000);
ALTER TABLE patients OWNER TO clinic;
GRANT SELECT ON patients TO clinic;
"""


def as_server(*argv):
    whom = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"]
    return [*(whom if os.geteuid() == 0 else []), *map(str, argv)]


def quietly(argv):
    subprocess.run(argv, cwd="/", check=True, stdout=subprocess.DEVNULL)


def as_text(database):
    """Everything in a database; a line that only guards psql holds a word of chance."""
    tool = [SERVER[-1].parent / "pg_dump", "--no-owner", "--no-privileges", "-d", database]
    done = subprocess.run(as_server(*tool), cwd="/", check=True, capture_output=True, text=True)
    return "".join(
        line
        for line in done.stdout.splitlines(keepends=True)
        if not line.startswith((r"\restrict", r"\unrestrict"))
    )


@pytest.fixture(scope="session")
def open_folder():
    """A folder that the server's user may enter, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="drorch-test-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def dump(open_folder):
    programs, data = SERVER[-1].parent, open_folder / "source"
    quietly(
        as_server(programs / "initdb", "-D", data, "-U", "postgres", "--no-sync", "--auth=trust")
    )
    options = f"-c listen_addresses= -c unix_socket_directories={data}"
    control = [programs / "pg_ctl", "-D", data, "-w"]
    quietly(as_server(*control, "-l", data / "log", "-o", options, "start"))
    try:
        with psycopg.connect(host=str(data), user="postgres", autocommit=True) as connection:
            connection.execute(SOURCE)
        made = open_folder / "ehr.dump"
        tool = [programs / "pg_dump", "-h", data, "-U", "postgres", "-Fc", "-f", made, "postgres"]
        quietly(tool)
        (open_folder / "ehr.sql").write_text(as_text(f"host={data} user=postgres dbname=postgres"))
    finally:
        quietly(as_server(*control, "-m", "immediate", "stop"))
    return made


@pytest.fixture
def data(open_folder, request):
    folder = open_folder / f"c{abs(hash(request.node.name)) % 100_000}"
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def loaded(place, dump, data):
    result = place.do(LOAD, dump=str(dump), data=str(data))
    assert result.verdict is Verdict.PASS, result.message
    yield result.outputs
    place.do(STOP, service=result.outputs["service"], grace="1s")


COUNT = "SELECT count(*) FROM patients"


def test_loaded_looked_at_and_removed(place, commands, loaded, data):
    result = place.do(CHECK, database=loaded["url"], query=COUNT, equals=2000)
    assert result.verdict is Verdict.PASS
    assert loaded["created"] == [str(data)]
    assert data.stat().st_mode & 0o777 == 0o700
    assert place.do(STOP, service=loaded["service"]).outputs == {"stopped": True}
    assert not commands.service_alive(ServiceProcess(**loaded["service"]))
    assert place.do(REMOVE, path=loaded["data"]).verdict is Verdict.PASS
    assert not data.exists()


@pytest.mark.parametrize("jobs", [1, 4])
def test_loaded_side_by_side_is_what_was_dumped(place, dump, data, jobs):
    """Keys, checks, sequences, large objects and materialized views included."""
    result = place.do(LOAD, dump=str(dump), data=str(data), jobs=jobs)
    assert result.verdict is Verdict.PASS, result.message
    try:
        assert as_text(result.outputs["url"]) == (dump.parent / "ehr.sql").read_text()
    finally:
        place.do(STOP, service=result.outputs["service"], grace="1s")


VALUES = {
    "SELECT born FROM patients WHERE id = 1": "1950-01-02",
    "SELECT sum(weight) FROM patients": 200_100,
    "SELECT weight FROM patients WHERE id = 5": "0.50000000000000000000",
    "SELECT NULL": None,
    "SELECT '\\x01ff'::bytea": "01ff",
}


def test_values_as_json_can_hold_them(place, loaded):
    found = {q: place.do(CHECK, database=loaded["url"], query=q).outputs["value"] for q in VALUES}
    assert found == VALUES


def test_checks_change_nothing_and_executions_are_whole(place, loaded):
    url = loaded["url"]
    result = place.do(CHECK, database=url, query="DELETE FROM patients RETURNING 1")
    assert (result.verdict, result.cause) == (Verdict.FAIL, "sql")
    assert "read-only" in result.message
    delete = "DELETE FROM patients WHERE id <= 10"
    assert place.do(EXECUTE, database=url, query=[delete, "SELECT 1 / 0"]).cause == "sql"
    assert place.do(CHECK, database=url, query=COUNT, equals=2000).verdict is Verdict.PASS
    assert place.do(EXECUTE, database=url, query=delete).outputs["rows"] == 10
    assert place.do(CHECK, database=url, query=COUNT, equals=1990).verdict is Verdict.PASS


def test_a_long_query_is_ended_in_the_server_too(place, loaded):
    url = loaded["url"]
    result = place.do(CHECK, database=url, query="SELECT pg_sleep(1000)", timeout="300ms")
    assert result.cause == "timeout"
    running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(1%'"
    for _ in range(200):
        if place.do(CHECK, database=url, query=running, equals=1).verdict is Verdict.PASS:
            break
    else:
        pytest.fail("the query goes on in the server")


def test_with_a_password_it_listens_on_loopback(place, dump, data):
    run, step = "2026-11-23T03-00-00Z-ehr-failover-7f3a", f"sub/{data.name}"
    result = place.do(LOAD, run=run, step=step, dump=str(dump), password={"secret": "token"})
    assert result.verdict is Verdict.PASS, result.message
    made = Path(result.outputs["data"])
    assert made.name == f"drorch-{run}-sub.{data.name}"
    url = result.outputs["url"]
    try:
        assert "s3cret" not in str(result)
        assert "@127.0.0.1:" in url
        good = place.do(CHECK, database=url, query=COUNT, equals=2000, password={"secret": "token"})
        assert good.verdict is Verdict.PASS
        bad = place.do(CHECK, database=url, query=COUNT, password={"secret": "unused"})
        assert (bad.verdict, bad.cause) == (Verdict.FAIL, "unreachable")
    finally:
        place.do(STOP, service=result.outputs["service"], grace="1s")
        place.do(REMOVE, run=run, path=str(made))
    assert not made.exists()


def test_again_after_a_lost_attempt(place, commands, dump, data, loaded):
    result = place.do(LOAD, attempt=2, dump=str(dump), data=str(data))
    assert result.verdict is Verdict.PASS, result.message
    assert not commands.service_alive(ServiceProcess(**loaded["service"]))
    again = place.do(CHECK, database=result.outputs["url"], query=COUNT, equals=2000)
    assert again.verdict is Verdict.PASS
    place.do(STOP, service=result.outputs["service"], grace="1s")


def nothing_left(data):
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    return not data.exists() and str(data) not in listed.stdout


def test_a_damaged_dump_leaves_nothing(place, dump, data):
    damaged = place.folder / "damaged.dump"
    damaged.write_bytes(dump.read_bytes()[:-2000])
    result = place.do(LOAD, dump="damaged.dump", data=str(data))
    assert (result.verdict, result.cause) == (Verdict.FAIL, "restore-failed")
    assert result.message.startswith("restore ended with 1")
    assert nothing_left(data)


def test_cancelled_leaves_nothing(place, dump, data):
    cancel = Cancellation()

    def when_loading(progress):
        if "loading" in progress.message:
            cancel.cancel("abort")

    result = place.do(LOAD, dump=str(dump), data=str(data), cancel=cancel, progress=when_loading)
    assert (result.verdict, result.cause) == (Verdict.ERROR, "cancelled")
    assert nothing_left(data)


def test_a_folder_that_is_there_stays(place, dump, data):
    data.mkdir()
    (data / "theirs").write_text("")
    result = place.do(LOAD, dump=str(dump), data=str(data))
    assert (result.verdict, result.cause) == (Verdict.FAIL, "exists")
    assert (data / "theirs").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives the server another user")
def test_a_folder_the_server_may_not_enter_is_told(place, dump, tmp_path):
    tmp_path.chmod(0o700)
    result = place.do(LOAD, dump=str(dump), data=str(tmp_path / "d"))
    assert (result.verdict, result.cause) == (Verdict.FAIL, "unreachable")
    assert "may not enter" in result.message
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"dump": "none"}, "cannot be read"),
        ({"dump": "text"}, "is no dump in the custom format"),
        ({"port": 5433}, "a port needs a password"),
        ({"data": "x" * 120}, "is too long for a socket"),
    ],
)
def test_wrong_arguments(place, dump, arguments, said):
    (place.folder / "text").write_text("-- plain SQL")
    result = place.do(LOAD, **{"dump": str(dump), **arguments})
    assert (result.verdict, result.cause) == (Verdict.FAIL, "argument")
    assert said in result.message


@pytest.mark.parametrize(
    ("command", "name"), [("pg_dump -Fc ehr", "ehr.dump"), ("pg_dump ehr", "ehr.sql")]
)
def test_the_recovery_kits_lines_load_a_dump(loaded, data, open_folder, command, name):
    lines = loading(Dump(tuple(command.split()), name), str(open_folder / name), "ehr-again")
    if os.geteuid() != 0:  # then this is the server's user
        lines = [line.removeprefix("runuser -u postgres -- ") for line in lines]
    environment = {
        "PATH": f"{SERVER[-1].parent}:/usr/sbin:/usr/bin:/bin",
        "PGHOST": str(data),
        "PGUSER": "postgres",
    }
    script = "\n".join(["set -e", *lines])
    subprocess.run(["bash", "-c", script], cwd="/", env=environment, check=True)
    found = as_text(f"host={data} user=postgres dbname=ehr-again")
    assert found == (open_folder / "ehr.sql").read_text()
