"""The part of docs/writing-actions.md that is made from the actions' own promises.

`python -m tests.unit.docs.action_pages`, in the repository's root, writes it anew; a test holds
the page to it.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from drorch.actions.table import BUILT_IN, TABLE
from drorch.core.action import ActionSpec, Parameter

PAGE = Path(__file__).parents[3] / "docs" / "writing-actions.md"
BEGIN = "<!-- made by tests/unit/docs/action_pages.py: begin -->"
END = "<!-- made by tests/unit/docs/action_pages.py: end -->"


def written() -> str:
    """Everything between the two marks."""
    specs = [spec_of(name) for name in BUILT_IN]
    return "\n".join([*_overview(specs), *(line for spec in specs for line in _entry(spec))])


def spec_of(name: str) -> ActionSpec:
    """What a built-in action promises."""
    action = TABLE.find(name)
    assert action is not None
    return action.spec


def parts(page: str) -> tuple[str, str, str]:
    """What stands before, between and after the marks."""
    before, _, rest = page.partition(BEGIN + "\n")
    between, _, after = rest.partition(END + "\n")
    return before, between, after


def _overview(specs: Sequence[ActionSpec]) -> Iterator[str]:
    yield "| action | what it does | kind | repeatable |"
    yield "|---|---|---|---|"
    for spec in specs:
        repeatable = "-" if spec.person else "yes" if spec.repeatable else "no"
        anchor = spec.name.replace(".", "")
        summary = spec.summary.removesuffix(".")
        yield f"| [`{spec.name}`](#{anchor}) | {summary} | {_kind(spec)} | {repeatable} |"
    yield ""


def _kind(spec: ActionSpec) -> str:
    if spec.person:
        return "question"
    return "check" if spec.check else "step"


def _entry(spec: ActionSpec) -> Iterator[str]:
    yield f"### `{spec.name}`"
    yield ""
    yield f"{spec.summary.removesuffix('.')}."
    yield ""
    yield "| argument | takes | meaning |"
    yield "|---|---|---|"
    for parameter in spec.parameters:
        yield f"| {_name(parameter)} | {parameter.kind.value} | {_meaning(parameter)} |"
    yield ""
    if spec.outputs:
        named = ", ".join(f"`{name}`" for name in spec.outputs)
        more = "; further ones may come" if spec.open_outputs else ""
        yield f"Outputs: {named}{more}."
        yield ""


def _name(parameter: Parameter) -> str:
    return f"**`{parameter.name}`**" if parameter.required else f"`{parameter.name}`"


def _meaning(parameter: Parameter) -> str:
    said = [parameter.doc] if parameter.doc else []
    if parameter.choices:
        said.append(f"one of {', '.join(parameter.choices)}")
    if parameter.minimum is not None:
        said.append(f"at least {parameter.minimum:g}")
    return "; ".join(said).replace("|", "\\|")


def renew() -> None:
    """Write the part anew."""
    before, _, after = parts(PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(f"{before}{BEGIN}\n{written()}{END}\n{after}", encoding="utf-8")


if __name__ == "__main__":
    renew()
