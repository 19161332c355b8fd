"""Steps as lines of a shell: nothing invented, nothing secret, nothing that the shell reads otherwise."""

from pathlib import Path
from shlex import split

import pytest

from drorch.actions.byhand import by_hand
from drorch.actions.byhand_given import join
from drorch.actions.table import BUILT_IN
from drorch.core.byhand import NO_COMMAND, Note
from drorch.core.model import Configuration, Region

HERE = Configuration(
    Path("/etc/drorch"), regions={"aws": Region("aws", "https://s3.example", "b", "CA-QC")}
)

SECRET = {"secret": "token"}
LINES = {
    "command": ({"argv": ["bin/x", "it's", "{a.b}"]}, ["bin/x \"it's\" '{a.b}'"]),
    "command with all": (
        {
            "argv": ["x"],
            "cwd": "/tmp/a b",
            "env": {"A": 1, "T": SECRET},
            "stdin": {"k": 1},
        },
        [
            "cd '/tmp/a b'",
            "export A=1",
            "read -rs T   # secret token",
            "export T",
            "printf %s '{\"k\": 1}' | x",
        ],
    ),
    "command fed with a secret": (
        {"argv": ["x"], "stdin": SECRET},
        ["read -rs INPUT   # secret token", 'printf %s "$INPUT" | x'],
    ),
    "shell": ({"script": "echo $HOME"}, ["/bin/sh -eu -c 'echo $HOME'"]),
    "shell of lines": (
        {"script": "echo 'a'\necho b\n"},
        ["/bin/sh -eu -c \"$(cat <<'END'\necho 'a'\necho b\nEND\n)\""],
    ),
    "shell of another": (
        {"script": "print('a')", "interpreter": ["python3"]},
        ["python3 -c \"print('a')\""],
    ),
    "ssh.command": (
        {
            "host": "h",
            "user": "u",
            "argv": ["fw", "open it"],
            "identity": SECRET,
            "known_hosts": "kh",
            "port": 2222,
            "cwd": "/srv",
        },
        [
            ("ssh -o UserKnownHostsFile=kh -o StrictHostKeyChecking=yes -i KEYFILE -p 2222 u@h "
            "\"cd /srv && fw 'open it'\"")
        ],
    ),
    "service.start": (
        {"command": ["bin/s", "-p", "80"]},
        ['nohup bin/s -p 80 >step.log 2>&1 & echo "$!"'],
    ),
    "service.stop": ({"service": "{a/b.service}"}, ["kill {a/b.pid}"]),
    "http.check": ({"url": "http://h/"}, ["curl -sS -i -m 10 http://h/"]),
    "http.request": (
        {"url": "http://h/", "headers": {"X": "1", "Auth": SECRET}, "body": {"a": 1}, "ca": "ca.pem"},
        [
            "read -rs HEADER1   # secret token",
            ("curl -sS -i -m 10 -X POST --cacert ca.pem -H 'X: 1' -H 'Content-Type: application/json' --data-raw '{\"a\": 1}' http://h/"
            ' -H "Auth: $HEADER1"'),
        ],
    ),
    "http.request of a secret": (
        {"url": "http://h/", "method": "PUT", "body": SECRET},
        [
            "read -rs BODY   # secret token",
            'curl -sS -i -m 10 -X PUT http://h/ --data-raw "$BODY"',
        ],
    ),
    "tcp.check": ({"host": "h", "port": 5432}, ["curl -sv -m 5 telnet://h:5432 </dev/null"]),
    "dns.check": ({"name": "ehr.example"}, ["getent ahosts ehr.example"]),
    "sql.execute": (
        {"database": "postgresql://u@h/d", "password": SECRET, "query": ["SELECT 1", "SELECT 2"]},
        [
            "read -rs PGPASSWORD   # secret token",
            "export PGPASSWORD",
            "psql -1 -v ON_ERROR_STOP=1 postgresql://u@h/d -c 'SELECT 1' -c 'SELECT 2'",
        ],
    ),
    "sql.check": (
        {"database": "sqlite:///var/x.db", "query": "SELECT 'a'"},
        ["sqlite3 var/x.db \"SELECT 'a'\""],
    ),
    "postgres.promote": ({"database": "postgresql://h/d"}, ["psql postgresql://h/d -c 'SELECT pg_promote()'"]),
    "files.verify": (
        {"path": "d", "manifest": "d/SUMS", "digest": "ab"},
        ["(cd d && sha256sum --check --quiet) <d/SUMS && echo whole", "sha256sum d/SUMS"],
    ),
    "files.write": ({"path": "x", "content": "a\n"}, ["printf %s 'a\n' > x"]),
    "files.remove": ({"path": "x y"}, ["rm -rI -- 'x y'"]),
    "fence.check": (
        {"tcp": ["h:1"], "command": ["bin/f"]},
        ["curl -sv -m 5 telnet://h:1 </dev/null", 'bin/f; echo "$?"'],
    ),
    "region.reachable": (
        {"region": "aws"},
        ["curl -sS -m 5 -o /dev/null -w '%{http_code}\\n' https://s3.example/b"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LINES)
def test_lines(case):
    arguments, lines = LINES[case]
    assert list(by_hand(case.split()[0], arguments, HERE, "step").lines) == lines


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_every_action_has_lines_or_says_that_it_has_none(name):
    hand = by_hand(name, {}, HERE, "step")
    assert hand.lines or hand.notes or hand == NO_COMMAND


def test_an_action_of_others_has_no_invented_command():
    assert by_hand("acme.move", {"x": 1}, HERE, "step") == NO_COMMAND
    assert by_hand("replicate", {"dataset": "d"}, HERE, "step").notes == (Note.NOTHING,)
    assert by_hand("service.stop", {"service": {"pid": 1}}, HERE, "step") == NO_COMMAND


@pytest.mark.parametrize(
    "word", ["", "a", "it's", "a b", '"', 'it\'s "so"', "$x", "it's $x", "a!b'"]
)
def test_words_are_read_back_as_they_are(word):
    assert split(join(["x", word])) == ["x", word]


def test_a_region_of_the_aws_chain_asks_for_the_password_only():
    hand = by_hand("repository.check", {"dataset": "{d}", "region": "aws"}, HERE, "step")
    assert hand.opening is not None
    assert hand.opening.lines == (
        "export RESTIC_REPOSITORY='s3:https://s3.example/b/datasets/{d}'",
        "export AWS_DEFAULT_REGION=us-east-1",
        "read -rs RESTIC_PASSWORD   # secret {password}",
        "export RESTIC_PASSWORD",
        "restic snapshots --latest 1",
    )
    assert hand.opening.secrets == ()
