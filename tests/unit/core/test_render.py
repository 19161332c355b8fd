import pytest
from hypothesis import given
from hypothesis import strategies as st

from drorch.core.render import (
    MissingOutputs,
    Reference,
    literal,
    preview,
    references,
    render,
    rewrite,
    sole_reference,
)

INPUTS = {"port": "18080", "workdir": "var/drill"}
OUTPUTS = {"probe": {"role": "primary", "lag": 3, "at": {"lsn": "0/16"}}, "outer/inner": {"n": [1]}}


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{probe.lag}", 3),
        ("{outer/inner.n}", [1]),
        ("{probe.at.lsn}", "0/16"),
        ("{probe.at}", {"lsn": "0/16"}),
        ("lag={probe.lag} at={probe.at}", 'lag=3 at={"lsn": "0/16"}'),
        ("{workdir}/db:{port}", "var/drill/db:18080"),
        ({"a": ["{port}", {"b": "{probe.role}"}]}, {"a": ["18080", {"b": "primary"}]}),
        (17, 17),
    ],
)
def test_a_sole_reference_keeps_its_type_and_others_become_text(template, value):
    assert render(template, INPUTS, OUTPUTS) == value


@pytest.mark.parametrize(
    "text",
    ["${HOME}", "{{.State}}", '{"a": {"b": 1}}', "a{1,3}", "{}", "{ port }", "awk '{ print }'"],
)
def test_other_braces_are_left_alone(text):
    assert render(text, INPUTS, OUTPUTS) == text
    assert references(text) == ()


def test_doubled_braces_are_the_references_own_text():
    assert render("{{port}} {port} {{probe.lag}}", INPUTS, OUTPUTS) == "{port} 18080 {probe.lag}"
    assert render("{{{port}}}", INPUTS, OUTPUTS) == "{{port}}"


def test_every_missing_value_is_named_once():
    with pytest.raises(MissingOutputs) as caught:
        render(["{probe.nope}", "x{gone.a}", "{probe.nope}", "{probe.role.deep}"], INPUTS, OUTPUTS)
    assert caught.value.references == ("probe.nope", "gone.a", "probe.role.deep")


def test_preview_leaves_what_is_not_known_yet():
    assert preview("{workdir}/{probe.at.lsn}", INPUTS) == "var/drill/{probe.at.lsn}"


def test_references_are_found_wherever_they_stand():
    value = {"a": ["{port}", "{probe.at.lsn} {port}"], "b": "{{port}}"}
    assert references(value) == (Reference("port"), Reference("probe", ("at", "lsn")))
    assert sole_reference("{probe.at}") == Reference("probe", ("at",))
    assert sole_reference(" {probe.at}") is None
    assert sole_reference("{{port}}") is None


def test_rewriting_keeps_escapes_for_the_one_rendering_to_come():
    bound = {"to": "{workdir}/db"}
    written = rewrite(
        ["{to}/x", "{{to}}", "{step.out}"],
        lambda r: f"{{outer/{r.text}}}" if r.path else bound[r.name],
    )
    assert written == ["{workdir}/db/x", "{{to}}", "{outer/step.out}"]
    assert rewrite("{unknown}", lambda _: None) == "{unknown}"


@given(st.text(alphabet="{}$ab./-7 ", max_size=30))
def test_literal_text_renders_to_itself(text):
    assert render(literal(text), {"a": "!", "b": "!", "ab": "!"}, {"a": {"b": "!"}}) == text
