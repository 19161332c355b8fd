"""What the documents say can be followed: links lead somewhere, commands exist, YAML loads."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import click
import pytest

from drorch.cli.main import root
from drorch.cli.session import Session
from drorch.config.models import ConfigurationShape
from drorch.core.alarms import HEADLINES, AlarmWord, severity_of
from drorch.core.errors import ExitCode
from drorch.core.names import Mode, Outcome
from tests.unit.docs.pages import PAGES, ROOT, YAMLS, anchors, commands, links, prose, spelled_out


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_every_link_leads_to_a_file_and_a_heading(path):
    for link in links(path):
        where = urlsplit(link)
        if where.scheme:
            continue
        target = (path.parent / where.path).resolve() if where.path else path
        assert target.exists(), f"{link} leads nowhere"
        assert not where.fragment or where.fragment in anchors(target), f"{link}: no such heading"


def test_the_readme_leads_to_every_document():
    led_to = {(ROOT / link).resolve() for link in links(ROOT / "README.md")}
    for document in (ROOT / "docs").glob("*.md"):
        assert document in led_to, f"README.md does not lead to {named(document)}"


@pytest.mark.parametrize("path", [*PAGES, *YAMLS], ids=named)
def test_every_command_line_is_one(path):
    for line, command in commands(path):
        for words in spelled_out(command):
            trouble = trouble_with(words)
            assert not trouble, f"line {line}: drorch {command}: {trouble}"


def trouble_with(words: list[str]) -> str:
    """What click says of a command line; nothing is carried out. Placeholders are in capitals."""
    command = root()
    # With its settings: a command remembers the help option of the context that first asked.
    context = click.Context(
        command, info_name="drorch", obj=Session([]), **command.context_settings
    )
    while isinstance(command, click.Group):
        words = _without_options(command, words)
        if not words:
            return ""  # a group by itself is a way to speak of all its words
        below = command.get_command(context, words[0])
        if below is None:
            return f"there is no {words[0]!r}"
        command, words = below, words[1:]
    given = [word for word in words if word not in ("-h", "--help")]
    try:
        command.make_context(command.name, given, parent=context)
    except click.MissingParameter:
        return ""  # named in passing, without its arguments
    except click.UsageError as error:
        return error.format_message()
    return ""


def _without_options(command: click.Command, words: list[str]) -> list[str]:
    """What is left when the options before the verb are taken off."""
    known = {name: p for p in command.params if isinstance(p, click.Option) for name in p.opts}
    rest = list(words)
    while rest and rest[0] in known:
        rest = rest[1:] if known[rest[0]].is_flag else rest[2:]
    return rest if rest[:1] != ["--help"] else []


def test_a_wrong_command_line_is_noticed():
    assert trouble_with(["drill", "ehr", "--set", "a=b"]) == ""
    assert trouble_with(["--config", "F", "run", "show", "ID"]) == ""
    assert "fail" in trouble_with(["fail"])
    assert "--sett" in trouble_with(["drill", "ehr", "--sett", "a=b"])
    assert trouble_with(["doctor", "everything"])


def test_every_make_target_named_is_there():
    there = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        wanted = set(re.findall(r"(?:^    |`)make ([a-z]+)", text, re.MULTILINE))
        assert wanted <= there, named(path)


@pytest.mark.parametrize("path", [*PAGES, *YAMLS], ids=named)
def test_no_machine_and_no_foreign_host_is_named(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"(?<!\w)/(?:home|root|work|tmp)/\w", text)
    hosts = {urlsplit(url).hostname for url in re.findall(r"https?://[^\s`\"'<>)]+", text)}
    for host in hosts - {"127.0.0.1", "localhost", None}:
        assert re.fullmatch(r".+\.example(\.org)?", host), f"{host} is not reserved for examples"


def test_the_exit_codes_are_those_of_the_program():
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", page("exit-codes.md"), re.MULTILINE)}
    assert told == {code.value for code in ExitCode}


def test_every_alarm_has_its_line_a_headline_in_each_language_and_no_other_word_has():
    lines = re.findall(r"^\| `([a-z.-]+)` \| (yes)? ?\|", page("notifications.md"), re.MULTILINE)
    told = {word: bool(critical) for word, critical in lines}
    assert told == {word.value: severity_of(word) == "critical" for word in AlarmWord}
    for word in AlarmWord:
        assert set(HEADLINES[word]) == {"en", "fr"}


def test_the_glossary_has_the_words_that_reports_use():
    words = page("glossary.md").lower()
    for word in (*Mode, *Outcome, "dirty", "lost", "repeatable", "settle", "finding", "evidence"):
        assert word in words


def test_the_page_of_the_configuration_has_every_key_and_no_other():
    told = []
    for section in re.split(r"^## ", page("configuration.md"), flags=re.MULTILINE)[1:]:
        title = section.splitlines()[0]
        prefix = f"{title.strip('`')}." if title.startswith("`") else ""
        for cell in re.findall(r"^\| (`[^|]+`) \|", section, re.MULTILINE):
            told += [prefix + key for key in re.findall(r"`([^`]+)`", cell)]
    assert sorted(told) == sorted(set(_keys(ConfigurationShape.model_json_schema(by_alias=True))))


def _keys(schema, at=None, path=""):
    """Every key of a schema, `*` standing for a name: `datasets.*.keep.daily`."""
    node = at or schema
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
    for either in node.get("anyOf", ()):
        yield from _keys(schema, either, path)
    if "items" in node:
        yield from _keys(schema, node["items"], path)
    inner = node.get("additionalProperties")
    if isinstance(inner, dict):
        yield from _keys(schema, inner, f"{path}.*")
    for key, below in node.get("properties", {}).items():
        deeper = list(_keys(schema, below, f"{path}.{key}"))
        yield from deeper or [f"{path}.{key}".removeprefix(".")]


def test_prose_is_not_taken_for_code():
    assert "drorch runbook check" in prose(ROOT / "docs" / "writing-actions.md")
    assert "def _backlog" not in prose(ROOT / "docs" / "writing-actions.md")
