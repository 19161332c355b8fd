"""The documents as tests see them: their links, their commands, their blocks of code."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGES = sorted(
    path
    for path in (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "CHANGELOG.md",
        ROOT / "runbooks" / "README.md",
        *(ROOT / "docs").rglob("*.md"),
    )
    if path.exists()
)
YAMLS = sorted([*(ROOT / "runbooks").glob("*.yaml"), *(ROOT / "configs").glob("*.yaml")])

_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_INLINE = re.compile(r"`([^`\n]+)`")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
#: A command line in a block or a comment: what follows two spaces says what it does.
_LINE = re.compile(r"^(?: {4,}|#[ ]{3,}|\$ )drorch (.+)$")

#: What chains begin with looks like a command, and is none.
_SALT = "drorch journal 1: "


@dataclass(frozen=True)
class Block:
    """A fenced block of code."""

    page: Path
    line: int
    language: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path, language: str) -> Iterator[Block]:
    """The blocks of one language."""
    text = page.read_text(encoding="utf-8")
    for match in _FENCED.finditer(text):
        if match[1] == language:
            yield Block(page, text.count("\n", 0, match.start()) + 1, language, match[2])


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return _FENCED.sub("", page.read_text(encoding="utf-8"))


def links(page: Path) -> list[str]:
    """Where its links lead."""
    return _LINK.findall(_INLINE.sub("", prose(page)))


def anchors(page: Path) -> set[str]:
    """What can follow `#` in a link to the page, as GitHub makes it of headings."""
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in _HEADING.findall(prose(page)))
    return {heading.strip().replace(" ", "-") for heading in plain}


def commands(page: Path) -> Iterator[tuple[int, str]]:
    """Every `drorch …` that somebody may type: the line it stands in, and the words after drorch."""
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if match := _LINE.match(line):
            yield number, re.split(r"\s{2,}|\s#\s", match[1])[0]
            continue
        for inline in _INLINE.findall(line):
            if inline.startswith("drorch ") and not inline.startswith(_SALT):
                yield number, inline.removeprefix("drorch ")


def spelled_out(command: str) -> Iterator[list[str]]:
    """The words of a command; `show|watch` stands for one command each."""
    words = [word for word in shlex.split(command) if word not in ("…", "...")]
    either = next((i for i, w in enumerate(words) if re.fullmatch(r"[a-z-]+(\|[a-z-]+)+", w)), None)
    if either is None:
        yield words
        return
    for word in words[either].split("|"):
        yield [*words[:either], word, *words[either + 1 :]]
