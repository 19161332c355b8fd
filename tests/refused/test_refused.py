"""Every file here is refused before anything runs, with the message stored beside it.

`configuration/NAME.yaml` is loaded as a drorch.yaml, `runbooks/NAME.yaml` is compiled against the
sample configuration of the contract; comments at its top may say `# mode: live` (default: drill)
and `# input: name=value`. Runbooks that others nest lie in `runbooks/nested/`. After a wanted
change of messages: `python tests/refused/test_refused.py` writes what is said now, to be read
by eye in the diff.
"""

import contextlib
import re
from pathlib import Path

import pytest

from drorch.actions.table import TABLE
from drorch.config.load import check_configuration, load_configuration
from drorch.config.runbooks import Runbooks
from drorch.core.action import ActionSpec
from drorch.core.errors import DrorchError, render_error
from drorch.core.names import Mode

HERE = Path(__file__).parent
SAMPLE = HERE.parent / "unit" / "config" / "contract-sample.yaml"
CASES = sorted(
    path.relative_to(HERE)
    for folder in ("configuration", "runbooks")
    for path in (HERE / folder).glob("*.yaml")
)


def _spec(name: str) -> ActionSpec | None:
    action = TABLE.find(name)
    return action.spec if action else None


class _Shelf(Runbooks):
    """The cases and, beside them, the runbooks they nest."""

    def __init__(self) -> None:
        super().__init__(Path("runbooks"))
        self._inner = Runbooks(Path("runbooks/nested"))

    def paths(self):
        return {**self._inner.paths(), **super().paths()}


def _compile(case: Path) -> None:
    text = case.read_text()
    mode = re.search(r"^# mode: (\w+)$", text, re.MULTILINE)
    inputs = dict(re.findall(r"^# input: ([\w-]+)=(.*)$", text, re.MULTILINE))
    _Shelf().compile(
        case.stem,
        load_configuration(SAMPLE),
        _spec,
        Mode(mode[1]) if mode else Mode.DRILL,
        inputs,
        action_names=TABLE.names(),
    )


def said_of(case: Path) -> str:
    """What a person is told; empty if the case is accepted."""
    with contextlib.chdir(HERE):
        try:
            if case.parent.name == "configuration":
                check_configuration(case)
            else:
                _compile(case)
        except DrorchError as error:
            return f"exit {error.exit_code}\n{render_error(error)}\n"
    return ""


@pytest.mark.parametrize("case", CASES, ids=str)
def test_refused_with_the_message_beside_it(case: Path) -> None:
    said = said_of(case)
    assert said == (HERE / case).with_suffix(".expected").read_text()
    assert said.startswith("exit 2\n")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_error_says_where_and_what_to_do(case: Path) -> None:
    _, *lines = (HERE / case).with_suffix(".expected").read_text().splitlines()
    assert lines
    for error, hint in zip(lines[::2], lines[1::2], strict=True):
        assert re.match(r"error: \S+\.yaml:\d+:\d+: \S", error)
        assert re.match(r"hint: \S", hint)


def test_there_are_cases_of_both_kinds() -> None:
    kinds = [case.parent.name for case in CASES]
    assert kinds.count("configuration") >= 20
    assert kinds.count("runbooks") >= 20


if __name__ == "__main__":
    for one in CASES:
        (HERE / one).with_suffix(".expected").write_text(said_of(one))
