"""Shares of a key: any so many open it, fewer never, and whatever is wrong is said at once."""

import subprocess
import sys
from itertools import combinations
from pathlib import Path

import pytest

from drorch.app.kit_secrets import opened, sealed
from drorch.core.errors import ConfigurationError, UsageError
from drorch.core.lettered import unlettered
from drorch.sealing import open_kit
from drorch.sealing.shares import WORDS, NotJoined, joined_key, shared_key
from tests.unit.core.test_kit import CONFIGURATION

SECRETS = {"repo-key": "correct horse", "mtl-id": "it's \t tabbed\nand two lines", "k": "é"}


def named(shares):
    return {f"share-{n}": words for n, words in enumerate(shares, 1)}


def wrong(given):
    with pytest.raises(NotJoined) as caught:
        joined_key(given)
    return caught.value.problems


@pytest.mark.parametrize(("holders", "needed"), [(2, 2), (3, 2), (5, 3), (7, 5), (16, 2)])
def test_every_so_many_open_it_and_never_one_fewer(holders, needed):
    key, shares = shared_key(holders, needed)
    assert len({*shares}) == holders
    for some in combinations(shares, needed):
        assert joined_key(named(some)) == key
    for too_few in combinations(shares, needed - 1):
        many = "share" if needed == 2 else "shares"
        assert wrong(named(too_few)) == (f"{needed - 1} {many} of the {needed} that are needed",)
    assert joined_key(named(reversed(shares))) == key


def test_four_letters_of_a_word_are_enough_and_numbers_do_not_matter():
    key, shares = shared_key(2, 2)
    first = "\n".join(f"{n:2} {word[:4].upper()}" for n, word in enumerate(shares[0].split(), 1))
    assert joined_key(named([first, shares[1]])) == key


def test_all_that_is_wrong_is_said():
    _, shares = shared_key(3, 2)
    _, others = shared_key(3, 2)
    words = shares[0].split()
    swapped = " ".join([words[1], words[0], *words[2:]])
    given = {
        "a": " ".join(words[:-1]),
        "b": " ".join([*words[:9], "hopsital", *words[10:]]),
        "c": swapped,
        "d": shares[1],
        "e": shares[1],
        "f": others[0],
        "g": "",
    }
    told = dict(one.split(" ", 1) for one in wrong(given))
    assert told["a"] == f"has 32 words; a share has {WORDS}"
    assert told["b:"] == "word 10 is no word of a share: hopsital; hospital?"
    assert told["c:"].startswith("its checksum is wrong")
    assert told["e"] == "and d are the same share"
    assert told["f"] == "and d are of different kits"
    assert told["g"].startswith("has 0 words")
    assert wrong({}) == ("no shares",)


def test_what_was_sealed_is_opened_whole():
    box = sealed(CONFIGURATION, SECRETS, 3, 2)
    found = opened("\n".join(box.lines), named(box.shares[1:]))
    assert found.secrets == SECRETS
    assert (found.organization, found.password) == ("O", "repo-key")
    assert [(r.name, r.endpoint, r.prefix, r.access_key) for r in found.regions] == [
        ("mtl", "https://mtl", "", "mtl-id"),
        ("qc", "https://qc", "prod", "k"),
    ]
    for secret in SECRETS.values():
        assert secret not in repr((box, found))


def test_another_kit_does_not_open_and_everything_is_said_at_once():
    one, two = (sealed(CONFIGURATION, SECRETS, 2, 2) for _ in range(2))
    with pytest.raises(UsageError, match="do not open this kit"):
        opened("\n".join(one.lines), named(two.shares))
    with pytest.raises(ConfigurationError) as caught:
        opened("\n".join(one.lines[1:]), named(one.shares[:1]))
    assert [problem.message for problem in caught.value.problems] == [
        "the kit: line 1 is missing",
        "1 share of the 2 that are needed",
    ]


def test_the_script_opens_it_without_drorch(tmp_path):
    box = sealed(CONFIGURATION, SECRETS, 3, 2)
    (tmp_path / "kit.txt").write_text("\n".join(box.lines))
    for name, words in named(box.shares).items():
        (tmp_path / name).write_text(" ".join(word[:4] for word in words.split()))

    def run(*names):
        line = [sys.executable, "-I", str(Path(open_kit.__file__)), "kit.txt", *names]
        return subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert run("share-1", "share-3").returncode == 0
    for name, value in SECRETS.items():
        assert (tmp_path / name).read_text() == f"{value}\n"
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    more = run("share-1", "share-1", "share-2", "share-3")
    assert more.returncode == 0, more.stderr
    few = run("share-1")
    assert (few.returncode, few.stderr.splitlines()[0][:24]) == (1, "the shares do not fit: W")
    other = sealed(CONFIGURATION, SECRETS, 3, 2)
    (tmp_path / "kit.txt").write_text("\n".join(other.lines))
    strange = run("share-1", "share-2")
    assert (strange.returncode, strange.stderr) == (
        1,
        "kit.txt does not open: the shares are of another kit\n",
    )


@pytest.mark.parametrize(
    "typed",
    [
        lambda lines: lines[1:],
        lambda lines: lines[:-1],
        lambda lines: [f"01 {'X' * 40} - {lines[0][-3:]}", *lines[1:]],
        lambda lines: ["1 no letter of base32 is 9: 9-AAA", lines[1], *lines[3:]],
        lambda lines: ["nothing at all"],
        lambda lines: [],
    ],
)
def test_the_script_and_drorch_name_the_same_lines(typed, capsys):
    box = sealed(CONFIGURATION, SECRETS, 2, 2)
    text = "\n".join(typed(box.lines))
    with pytest.raises(ConfigurationError) as caught:
        opened(text, named(box.shares))
    with pytest.raises(SystemExit) as ended:
        open_kit.sealed(text)
    said = [problem.message.removeprefix("the kit: ") for problem in caught.value.problems]
    assert str(ended.value).splitlines() == said


def test_the_script_reads_what_drorch_reads_of_blanks_case_and_digits():
    box = sealed(CONFIGURATION, SECRETS, 2, 2)
    meant = str.maketrans("OIB", "018")
    text = "\n".join(f" {line[:3]}{line[3:].lower()} " for line in box.lines)
    worn = "\n".join(line[:3] + line[3:].translate(meant) for line in box.lines[:-1])
    assert open_kit.sealed(text) == unlettered(text)
    assert open_kit.sealed(f"{worn}\n{box.lines[-1]}") == unlettered(text)
