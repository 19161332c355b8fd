"""Reading arguments, pausing, and finding actions."""

from datetime import timedelta
from pathlib import Path

import pytest

from drorch.actions.arguments import Arguments, WrongArgument, alike, make_action
from drorch.actions.patience import OutOfTime, Stopped, in_time, pause
from drorch.actions.surroundings import last_lines
from drorch.actions.table import BUILT_IN, TABLE
from drorch.core.action import ActionSpec
from drorch.core.names import Verdict
from drorch.ports import Action, Call, Cancellation


def read(**values):
    return Arguments(values, Path("/etc/drorch"))


@pytest.mark.parametrize(
    ("how", "given", "found"),
    [
        (Arguments.text, "x", "x"),
        (Arguments.text, 5, "5"),
        (Arguments.integer, 5, 5),
        (Arguments.integer, " -5 ", -5),
        (Arguments.boolean, True, True),
        (Arguments.boolean, "false", False),
        (Arguments.duration, "1m30s", timedelta(seconds=90)),
        (Arguments.path, "var/x", Path("/etc/drorch/var/x")),
        (Arguments.path, "/x", Path("/x")),
        (Arguments.argv, ["ls", 1, True], ("ls", "1", "true")),
        (Arguments.argv, ["bin/x"], ("/etc/drorch/bin/x",)),
        (Arguments.argv, ["/bin/x"], ("/bin/x",)),
        (Arguments.list, [1], [1]),
        (Arguments.mapping, {"a": 1}, {"a": 1}),
    ],
)
def test_read(how, given, found):
    assert how(read(a=given), "a") == found


@pytest.mark.parametrize(
    ("how", "given"),
    [
        (Arguments.text, True),
        (Arguments.text, ["x"]),
        (Arguments.integer, 1.5),
        (Arguments.integer, "1.5"),
        (Arguments.integer, True),
        (Arguments.boolean, 1),
        (Arguments.duration, 30),
        (Arguments.duration, "soon"),
        (Arguments.path, ""),
        (Arguments.path, "a\0b"),
        (Arguments.path, 5),
        (Arguments.argv, "ls"),
        (Arguments.argv, [""]),
        (Arguments.argv, ["ls", None]),
        (Arguments.list, "x"),
        (Arguments.list, {"a": 1}),
        (Arguments.mapping, [1]),
        (Arguments.text, None),
    ],
)
def test_refused_with_name_and_hint(how, given):
    with pytest.raises(WrongArgument) as caught:
        how(read(a=given), "a")
    assert caught.value.message.startswith("a")
    assert caught.value.hint


def test_defaults():
    assert read().text("a", "x") == "x"
    assert read(a=None).integer("a", 3) == 3
    assert not read(a=None).has("a")


def test_a_wrong_argument_is_a_failure_of_the_attempt():
    def work(call, tools):
        raise WrongArgument("a is wrong", "right it")

    call = Call("r", "s", 1, None, {}, Cancellation(), lambda p: None)
    result = make_action(ActionSpec("x", "x"), work).run(call, None)
    assert (result.verdict, result.cause) == (Verdict.FAIL, "argument")
    assert (result.message, result.hint) == ("a is wrong", "right it")


@pytest.mark.parametrize(
    ("found", "wanted", "same"),
    [(5, "5", True), (True, "true", True), (None, None, True), (5, 6, False), ("a", "A", False)],
)
def test_alike(found, wanted, same):
    assert alike(found, wanted) is same


@pytest.mark.parametrize(
    ("text", "most", "shown"),
    [("a\nb\n", 10, "a\nb\n"), ("aaa\nbb\nc\n", 6, "bb\nc\n"), ("abcdef", 3, "def")],
)
def test_last_lines(text, most, shown):
    assert last_lines(text, most) == shown


def test_pause_ends_in_time_or_when_cancelled():
    cancel = Cancellation()
    assert pause(cancel, timedelta(milliseconds=1))
    cancel.cancel("abort")
    assert not pause(cancel, timedelta(days=1))


def test_in_time():
    cancel = Cancellation()
    second = timedelta(seconds=60)
    assert in_time(cancel, second, lambda: 42) == 42
    with pytest.raises(ZeroDivisionError):
        in_time(cancel, second, lambda: 1 // 0)
    stopped = []
    gate = Cancellation()
    with pytest.raises(OutOfTime):
        in_time(
            cancel,
            timedelta(milliseconds=10),
            lambda: pause(gate, second),
            lambda: stopped.append(gate.cancel("x")),
        )
    assert stopped
    cancel.cancel("abort")
    gate = Cancellation()
    with pytest.raises(Stopped, match="abort"):
        in_time(cancel, second, lambda: pause(gate, second), lambda: gate.cancel("x"))


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_every_action_of_the_table_loads_under_its_name(name):
    action = TABLE.find(name)
    assert isinstance(action, Action)
    assert action.spec.name == name
    assert action.spec.summary
    assert len({p.name for p in action.spec.parameters}) == len(action.spec.parameters)
    if action.spec.check:
        assert action.spec.repeatable


@pytest.mark.parametrize(
    ("repeatable", "names"),
    [
        (True, ["wait", "files.verify", "http.check", "tcp.check", "dns.check", "sql.check"]),
        (False, ["command", "shell", "http.request", "sql.execute", "service.start"]),
    ],
)
def test_defaults_of_repeatable_are_those_of_the_contract(repeatable, names):
    assert {TABLE.find(name).spec.repeatable for name in names} == {repeatable}


def test_unknown_names():
    assert TABLE.find("no.such.action") is None
    assert "command" in TABLE.names()
    assert list(TABLE.names()) == sorted(TABLE.names())
