"""ConfiguredSecrets: sources, and what is kept out of texts."""

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest

from drorch.adapters.secrets import ConfiguredSecrets
from drorch.core.errors import ConfigurationError
from drorch.core.model import Configuration, SecretSource
from tests.fakes.commands import FakeCommands

VALUE = 'p@ss "w/rd" +é&x'


def make(tmp_path, programs=None, environment=None, **sources):
    configuration = Configuration(tmp_path, secrets=sources)
    return ConfiguredSecrets(configuration, FakeCommands(programs), environment or {})


def show(process):
    process.print(VALUE, "second")
    return 0


@pytest.mark.parametrize(
    ("written", "read"),
    [("x1234", "x1234"), ("x1234\n", "x1234"), ("x1234\r\n", "x1234"), ("x1234\n\n", "x1234\n")],
)
def test_one_line_end_is_taken_off(tmp_path, written, read):
    (tmp_path / "key").write_bytes(written.encode())
    assert make(tmp_path, key=SecretSource(file=Path("key"))).get("key") == read


def test_environment_and_command(tmp_path):
    secrets = make(
        tmp_path,
        {"pass": show},
        {"KEY": "from-env\n"},
        a=SecretSource(env="KEY"),
        b=SecretSource(command=("pass", "show", "it")),
    )
    assert secrets.get("a") == "from-env\n"
    assert secrets.get("b") == f"{VALUE}\nsecond"


def test_a_command_is_asked_once_a_file_each_time(tmp_path):
    asked = iter(["one-value", "two-value"])

    def answer(process):
        process.print(next(asked))
        return 0

    secrets = make(
        tmp_path,
        {"ask": answer},
        c=SecretSource(command=("ask",)),
        f=SecretSource(file=Path("f")),
    )
    assert [secrets.get("c"), secrets.get("c")] == ["one-value", "one-value"]
    (tmp_path / "f").write_text("old-value")
    assert secrets.get("f") == "old-value"
    (tmp_path / "f").write_text("new-value")
    assert secrets.get("f") == "new-value"
    assert secrets.redact("old-value new-value") == "*** ***"


def leak(process):
    process.print(VALUE)
    process.complain("decryption failed")
    return 2


@pytest.mark.parametrize(
    ("source", "message", "hint"),
    [
        (SecretSource(file=Path("none")), "has no file", "write it to"),
        (SecretSource(file=Path("folder")), "cannot be read", "name a file in it"),
        (SecretSource(file=Path("binary")), "not text", "base64"),
        (SecretSource(file=Path("empty")), "is empty (file", "put the value"),
        (SecretSource(env="NONE"), "is not in the environment (NONE)", "export NONE"),
        (SecretSource(command=("leak", "arg")), "exited, exit code 2", "by hand: leak"),
        (SecretSource(command=("none",)), "there is no such program", "by hand: none"),
    ],
)
def test_what_cannot_be_had(tmp_path, source, message, hint):
    (tmp_path / "folder").mkdir()
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "empty").write_text("\n")
    secrets = make(tmp_path, {"leak": leak}, it=source)
    with pytest.raises(ConfigurationError) as caught:
        secrets.get("it")
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert VALUE not in str(caught.value)
    assert [(p.name, p.grave) for p in secrets.problems()] == [("it", True)]


def test_an_unknown_name_gets_the_nearest(tmp_path):
    secrets = make(tmp_path, {}, {"R": "value"}, **{"repo-key": SecretSource(env="R")})
    with pytest.raises(ConfigurationError) as caught:
        secrets.get("repo-kye")
    assert "repo-key" in caught.value.hint


@pytest.mark.parametrize(
    "encode",
    [
        str,
        quote,
        lambda v: quote(v, safe=""),
        lambda v: json.dumps(v)[1:-1],
        lambda v: json.dumps(v, ensure_ascii=False)[1:-1],
        lambda v: base64.b64encode(v.encode()).decode(),
        lambda v: base64.urlsafe_b64encode(v.encode()).decode(),
        lambda v: base64.b64encode(f"user:{v}".encode()).decode(),
        lambda v: base64.b64encode(f"me:{v}:x".encode()).decode(),
    ],
)
def test_every_form_is_redacted(tmp_path, encode):
    secrets = make(tmp_path, {}, {"S": VALUE}, s=SecretSource(env="S"))
    written = f"before {encode(VALUE)} after"
    cleaned = secrets.redact(written)
    assert "***" in cleaned
    # What base64 leaves at the edges depends on neighbours; at most a few characters stay.
    assert len(cleaned) < len("before *** after") + 14
    assert cleaned.startswith("before ")


def test_what_nobody_has_asked_for_yet_is_redacted_but_no_command_is_run_for_that(tmp_path):
    (tmp_path / "file").write_text("from-the-file\n")
    secrets = make(
        tmp_path,
        {"leak": leak},
        {"E": "from-the-environment"},
        f=SecretSource(file=Path("file")),
        e=SecretSource(env="E"),
        gone=SecretSource(file=Path("gone")),
        c=SecretSource(command=("leak",)),
    )
    assert secrets.redact("from-the-file from-the-environment") == "*** ***"
    assert secrets.redact(VALUE) == VALUE


def test_longer_values_go_first_and_lines_of_keys_too(tmp_path):
    environment = {
        "A": "secret",
        "B": "secret-longer",
        "C": "-----BEGIN KEY-----\nMIIEvQIBADAN\nend",
    }
    secrets = make(
        tmp_path, {}, environment, **{n: SecretSource(env=n.upper()) for n in ("a", "b", "c")}
    )
    for name in "abc":
        secrets.get(name)
    assert secrets.redact("x secret-longer secret y") == "x *** *** y"
    assert secrets.redact("-----BEGIN KEY----- MIIEvQIBADAN") == "-----BEGIN KEY----- ***"


def test_short_values_are_not_searched_for_but_told_of(tmp_path):
    secrets = make(tmp_path, {}, {"S": "12"}, s=SecretSource(env="S"))
    assert secrets.get("s") == "12"
    assert secrets.redact("12 files") == "12 files"
    assert ["too short" in p.message for p in secrets.problems()] == [True]


def test_open_files_are_told_of(tmp_path):
    (tmp_path / "f").write_text("value")
    (tmp_path / "f").chmod(0o640)
    secrets = make(tmp_path, f=SecretSource(file=Path("f")))
    (problem,) = secrets.problems()
    assert "can be read by others" in problem.message
    assert problem.hint == f"chmod 600 {tmp_path / 'f'}"
    assert not problem.grave
    (tmp_path / "f").chmod(0o600)
    assert secrets.problems() == ()


def test_a_look_reads_files_and_the_environment_and_runs_no_program(tmp_path):
    asked: list[str] = []
    (tmp_path / "key").write_text("k3y-k3y")
    (tmp_path / "empty").write_text("\n")
    program = tmp_path / "vault"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    secrets = make(
        tmp_path,
        {"./vault": lambda process: asked.append("vault") or 0},
        {"TOKEN": "t0ken", "PATH": "/nowhere"},
        key=SecretSource(file=Path("key")),
        empty=SecretSource(file=Path("empty")),
        gone=SecretSource(file=Path("gone")),
        token=SecretSource(env="TOKEN"),
        unset=SecretSource(env="UNSET"),
        vault=SecretSource(command=("./vault", "show")),
        absent=SecretSource(command=("no-such-program",)),
    )
    looks = {name: secrets.look(name) for name in ("key", "empty", "gone", "token", "unset")}
    assert {name: one.there for name, one in looks.items()} == {
        "key": True,
        "empty": False,
        "gone": False,
        "token": True,
        "unset": False,
    }
    assert secrets.look("vault").there is None
    assert secrets.look("absent").message == (
        "secret absent cannot be had: there is no program no-such-program"
    )
    assert secrets.look("vualt").hint == "did you mean 'vault'?"
    assert not asked
    told = " ".join(f"{one.message} {one.hint} {one.source}" for one in looks.values())
    assert "k3y-k3y" not in told
    assert "t0ken" not in told


def test_a_credential_lies_in_the_folder_that_systemd_gave_us(tmp_path):
    given = tmp_path / "credentials"
    given.mkdir()
    (given / "repo-key").write_text(VALUE + "\n")
    sources = {"key": SecretSource(credential="repo-key"), "gone": SecretSource(credential="x")}
    secrets = make(tmp_path, None, {"CREDENTIALS_DIRECTORY": str(given)}, **sources)
    assert secrets.get("key") == VALUE
    assert secrets.redact(f"it is {VALUE}") == "it is ***"
    look = secrets.look("key")
    assert (look.there, look.source) == (True, "systemd credential repo-key")
    with pytest.raises(ConfigurationError) as caught:
        secrets.get("gone")
    assert caught.value.message == (
        "secret gone cannot be had: x is not among the credentials that systemd gave us"
    )
    assert caught.value.hint.startswith("write LoadCredential=x:PATH into the unit")
    # Nobody else can read them: their mode is systemd's business.
    assert [p.name for p in secrets.problems()] == ["gone"]


@pytest.mark.parametrize("environment", [{}, {"CREDENTIALS_DIRECTORY": ""}])
def test_without_systemd_there_are_no_credentials(tmp_path, environment):
    secrets = make(tmp_path, None, environment, key=SecretSource(credential="repo-key"))
    with pytest.raises(ConfigurationError) as caught:
        secrets.get("key")
    assert caught.value.message == (
        "secret key cannot be had: systemd gave us no credentials (CREDENTIALS_DIRECTORY is not set)"
    )
    load = "LoadCredential=repo-key:PATH"
    assert caught.value.hint == (
        f"start drorch as a service with {load}; by hand: systemd-run --pty -p {load} …"
    )
    assert secrets.redact("nothing is known") == "nothing is known"
