"""How errors leave: lines, documents, codes; and defects without a traceback or a secret."""

import io
import json
import sys
import tempfile
from pathlib import Path

import pytest

from drorch.app.program import Program
from drorch.cli.carrying import SEVERITY, worst
from drorch.cli.failing import told
from drorch.cli.inputs import inputs_of, moment_given
from drorch.cli.session import Session
from drorch.cli.words import clean, counted, one_line, size
from drorch.core.errors import ConfigurationError, ExitCode, Problem, UsageError
from drorch.core.model import Configuration, SecretSource


def session_on(folder: Path, *arguments: str) -> Session:
    """A session whose program has a secret, and has handed it out."""
    session = Session(arguments)
    secrets = {"key": SecretSource(env="KEY")}
    session.program = Program(Configuration(folder, secrets=secrets), {"KEY": "open sesame"})
    assert session.program.secrets.get("key") == "open sesame"
    return session


def defect() -> KeyError:
    """An error as a defect raises it, its traceback on it."""
    try:
        _ = {}["open sesame"]
    except KeyError as error:
        return error
    raise AssertionError


def test_a_defect_is_told_in_two_lines_its_traceback_kept_without_secrets(tmp_path, capsys):
    session = session_on(tmp_path)
    code = told(defect(), session)
    lines = capsys.readouterr().err.splitlines()
    assert code == 1
    assert lines[0] == "error: drorch broke: KeyError: '***'"
    path = Path(lines[1].rsplit(" ", 1)[1])
    assert path.parent == tmp_path / "broken"
    assert path.stat().st_mode & 0o777 == 0o600
    kept = path.read_text()
    assert "Traceback" in kept
    assert "open sesame" not in kept


def test_what_the_machine_does_not_give_is_no_defect_yet_its_traceback_is_kept(tmp_path, capsys):
    session = session_on(tmp_path)
    with pytest.raises(OSError) as caught:
        (tmp_path / ("x" * 300)).read_bytes()
    assert told(caught.value, session) == 1
    error, hint = capsys.readouterr().err.splitlines()
    assert error == f"error: {tmp_path / ('x' * 300)}: File name too long"
    assert hint.startswith("hint: see that the path is right, this user may use it, and its disk")
    assert "Traceback" in Path(hint.rsplit(" ", 1)[1]).read_text()


def test_a_disk_that_takes_no_more_is_no_defect(tmp_path, capsys, monkeypatch):
    (tmp_path / "broken").write_text("a file, not a folder")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "broken" / "too"))
    with pytest.raises(OSError) as caught, Path("/dev/full").open("wb", buffering=0) as full:
        full.write(b"x")
    session = session_on(tmp_path)
    session.begun = True
    assert told(caught.value, session) == 1
    error, hint = capsys.readouterr().err.splitlines()
    assert error == "error: a file that was to be written: No space left on device"
    assert hint.endswith("its disk works and has room")


def test_a_defect_is_kept_elsewhere_when_the_state_folder_cannot_be_written(tmp_path, capsys):
    (tmp_path / "broken").write_text("a file, not a folder")
    told(RuntimeError("no"), session_on(tmp_path))
    path = Path(capsys.readouterr().err.split()[-1])
    assert path.parent != tmp_path / "broken"
    assert path.exists()
    path.unlink()


def test_every_problem_of_a_file_is_told_and_listed(capsys):
    error = ConfigurationError(
        [Problem("one", "do this", file="a.yaml", line=3, column=1), Problem("two")]
    )
    assert told(error, Session(["--json"])) == 2
    printed = capsys.readouterr()
    assert printed.err.splitlines() == ["error: a.yaml:3:1: one", "hint: do this", "error: two"]
    document = json.loads(printed.out)["error"]
    assert document["exit_code"] == 2
    assert [p["message"] for p in document["problems"]] == ["one", "two"]


def test_after_a_document_was_printed_no_second_one_follows(capsys):
    session = Session(["--json"])
    session.emit({"ok": False})
    told(UsageError("no", "yes"), session)
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"ok": False}
    assert printed.err == "error: no\nhint: yes\n"


def test_json_after_the_double_dash_is_a_name():
    assert Session(["run", "--json"]).json
    assert not Session(["run", "show", "--", "--json"]).json


class Gone(io.StringIO):
    """A stream whose reader went away."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


class Narrow(io.StringIO):
    """A stream of an encoding that knows only ASCII."""

    def write(self, text: str) -> int:
        text.encode("ascii")
        return super().write(text)


def test_a_reader_who_went_away_is_no_error():
    session, gone = Session(), Gone()
    session.write(gone, "one\n")
    session.write(gone, "two\n")


def test_a_terminal_that_cannot_show_a_letter_shows_its_number():
    narrow = Narrow()
    Session().write(narrow, "Québec\n")
    assert narrow.getvalue() == "Qu\\xe9bec\n"


def test_of_several_codes_the_gravest_wins():
    assert set(SEVERITY) == set(ExitCode) - {ExitCode.INTERRUPTED}
    assert worst([]) is ExitCode.GOOD
    assert worst([ExitCode.OBJECTIVE_MISSED, ExitCode.FAILED]) is ExitCode.FAILED
    assert worst([ExitCode.GOOD, ExitCode.OBJECTIVE_MISSED]) is ExitCode.OBJECTIVE_MISSED
    assert worst([ExitCode.FAILED, ExitCode.JOURNAL_UNTRUSTED]) is ExitCode.JOURNAL_UNTRUSTED
    assert worst([ExitCode.JOURNAL_UNTRUSTED, ExitCode.INTERRUPTED]) is ExitCode.INTERRUPTED


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-23T03:00", "2026-11-23T08:00:00+00:00"),
        ("2026-07-01 03:00:10", "2026-07-01T07:00:10+00:00"),
        ("2026-11-23T03:00:00Z", "2026-11-23T03:00:00+00:00"),
        ("2026-11-23T03:00:00+01:00", "2026-11-23T02:00:00+00:00"),
    ],
)
def test_a_time_without_an_offset_is_one_of_the_configured_zone(text, utc):
    from datetime import UTC

    assert moment_given(text, "America/Toronto").astimezone(UTC).isoformat() == utc


@pytest.mark.parametrize("text", ["2026-11-23", "yesterday", "", "2026-13-01T00:00"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(UsageError, match="is not a time"):
        moment_given(text, "America/Toronto")


def test_inputs_are_pairs():
    assert inputs_of(["a=1", "b=x=y", "c="]) == {"a": "1", "b": "x=y", "c": ""}
    for wrong in ("a", "=1", ""):
        with pytest.raises(UsageError):
            inputs_of([wrong])


def test_words():
    assert [size(n) for n in (None, 0, 1023, 1536, 5 << 40)] == [
        "-",
        "0 B",
        "1023 B",
        "1.5 KiB",
        "5.0 TiB",
    ]
    assert counted(1, "step") == "1 step"
    assert counted(0, "step") == "0 steps"
    assert clean("a\x1b[2Jb\x9bc\td\n") == "a[2Jbc\td\n"
    assert clean("report\u202efdp.exe\u2066") == "reportfdp.exe"
    assert one_line(" a \n\n b\r\n") == "a | b"


def test_nobody_is_there_when_stdin_is_no_terminal():
    assert sys.stdin is None or not sys.stdin.isatty()
    assert not Session().somebody_there
