"""A board as lines of text that fit a terminal, whatever its width and height. Knows rich's Text.

Columns are laid out here and not by rich: it takes room from the narrow columns first, so that a
long message left no place for the clock.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap

from rich.text import Text

from drorch.cli.board import Asked, Board, Line, Shown
from drorch.cli.narrating import amount, percent
from drorch.cli.tables import STYLES
from drorch.cli.words import clock, lasted, size
from drorch.core.names import StepStatus

#: The width of a bar, and the least that must be left for words beside it.
_BAR = 16
_WORDS = 12

#: In less room than this, how far a step is is told in percents alone.
_NARROW = 44

#: What these tell must be read whole: below their line, if beside it there is no room.
_LOUD = frozenset({StepStatus.WAITING_FOR_PERSON, StepStatus.RETRYING, StepStatus.FAILED})

#: So many lines below its own a step may take.
_BELOW = 2

#: A name of a step has at least so many columns.
_NAME = 20


@dataclass(frozen=True, slots=True)
class Frame:
    """What there is to draw on: columns, lines, the time zone, and whether bars can be drawn."""

    width: int
    height: int
    zone: str = "UTC"
    bars: bool = True


def drawn_board(board: Board, frame: Frame) -> list[Text]:
    """One run in at most so many lines: how far it is, the clock against what was promised, what
    holds it up, and its steps.
    """
    look = board.look(max(1, frame.height))
    if not look.total:
        return [_cut(Text(f"{look.title}  is about to begin", "dim"), frame.width)]
    head = [_cut(line, frame.width) for line in _heading(look, frame.width)]
    room = max(1, frame.height - len(head) - 1)  # the titles of the columns
    if look.total > room:
        room = max(1, room - 1)  # the line that says how many there are besides
    look = board.look(room)
    columns = _Columns.of(look, frame)
    rows = [_row(line, look, columns, frame) for line in look.lines]
    extra = min(sum(len(row) - 1 for row in rows), room * 2 // 3)
    if len(rows) + extra > room:
        look = board.look(max(1, room - extra))
        rows = [_row(line, look, columns, frame) for line in look.lines]
    return [
        *head,
        _cut(columns.titles(), frame.width),
        *_fitting(rows, room),
        *_besides(look, frame.width),
    ]


def _fitting(rows: Sequence[list[Text]], room: int) -> Iterator[Text]:
    """Every row's own line, and of what stands below them as much as there is room for."""
    spare = room - len(rows)
    for row in rows:
        below = row[1 : 1 + max(0, spare)]
        spare -= len(below)
        yield from (row[0], *below)


def _heading(look: Shown, width: int) -> Iterator[Text]:
    text = Text(f"{look.title}  ", "bold")
    text.append(f"{look.final} of {look.total} steps", "dim")
    if look.running_for is not None and look.target is not None:
        promised = look.target.total_seconds()
        late = look.running_for > promised
        text.append("  RTA ", "dim")
        text.append(lasted(look.running_for), "bold red" if late else "bold green")
        text.append(f" of RTO {lasted(promised)}", "dim")
    run = Text(f"run {look.run}", "dim") if look.run else Text()
    if look.run and len(text) + len(run) + 2 <= width:
        yield text.append("  ").append(run)
    else:
        yield text
        yield from [run] if look.run else []
    if look.paused is not None:
        told = f"PAUSED for {lasted(look.now - look.paused.since)} by {look.paused.by}"
        yield Text(f"{told}: {look.paused.reason}", "bold yellow")
    if look.ending:
        yield Text(look.ending, "bold yellow")


def _besides(look: Shown, width: int) -> list[Text]:
    """How many steps there are that did not fit."""
    counts = (
        (look.hidden_over, "over"),
        (look.hidden_busy, "under way"),
        (look.hidden_coming, "to come"),
    )
    told = ", ".join(f"{number} {word}" for number, word in counts if number)
    return [_cut(Text(f"not shown: {told}", "dim"), width)] if told else []


@dataclass(frozen=True, slots=True)
class _Columns:
    """How wide each column is; zero for one that nobody needs."""

    step: int
    state: int
    attempt: int
    spent: int
    detail: int

    @classmethod
    def of(cls, look: Shown, frame: Frame) -> "_Columns":
        names = max((len(line.step) for line in look.lines), default=0)
        states = max((len(line.status.value) for line in look.lines), default=0)
        tries = max((len(_attempt(line)) for line in look.lines), default=0)
        step = max(len("step"), min(names, max(_NAME, frame.width * 2 // 5)))
        state, attempt = max(states, len("state")), max(tries, len("try")) if tries else 0
        # As wide as times grow, so that the columns do not jump.
        spent = len("59m 59s")
        used = step + 2 + state + 2 + (attempt + 2 if attempt else 0) + spent + 2
        return cls(step, state, attempt, spent, max(0, frame.width - used))

    def laid(self, cells: tuple[str, str, str, str], style: str, dim: str = "") -> Text:
        name, state, attempt, spent = cells
        text = Text(_short(name, self.step).ljust(self.step), dim)
        text.append("  ").append(state.ljust(self.state), style)
        if self.attempt:
            text.append("  ").append(attempt.rjust(self.attempt), dim)
        return text.append("  ").append(spent.rjust(self.spent), dim)

    def titles(self) -> Text:
        return self.laid(("step", "state", "try", "for"), "dim", "dim")


def _row(line: Line, look: Shown, columns: _Columns, frame: Frame) -> list[Text]:
    """A step's line; what must be read whole and does not fit stands below it."""
    status = line.status.value
    cells = (line.step, status, _attempt(line), _spent(line, look.now))
    text = columns.laid(cells, STYLES.get(status, ""))
    detail = _detail(line, look, frame)
    answer = [_below(line.asked.answer, frame.width)] if line.asked is not None else []
    if line.status in _LOUD and len(detail) > columns.detail:
        below = wrap(detail.plain, max(10, frame.width - 4), max_lines=_BELOW, placeholder=" …")
        told = [_below(part, frame.width) for part in below]
        return [_cut(text, frame.width), *told, *answer]
    if line.progress is not None and line.status is StepStatus.RUNNING:
        detail = _with_bar(line, detail, columns.detail, bars=frame.bars)
    if columns.detail >= _WORDS:
        text.append("  ").append(_cut(detail, columns.detail))
    return [_cut(text, frame.width), *answer]


def _below(told: str, width: int) -> Text:
    return _cut(Text(f"    {told}"), width)


def _attempt(line: Line) -> str:
    if line.attempts > 1 and line.attempt:
        return f"{line.attempt}/{line.attempts}"
    return str(line.attempt) if line.attempt > 1 else ""


def _spent(line: Line, now: float) -> str:
    if line.status.final:
        return lasted(line.took) if line.took is not None else ""
    return lasted(max(0.0, now - line.since)) if line.since is not None else ""


def _detail(line: Line, look: Shown, frame: Frame) -> Text:
    """What is waited for, how far it is, or why it did not come to anything."""
    match line.status:
        case StepStatus.WAITING_FOR_PERSON if line.asked is not None:
            return Text(_asking(line.asked, look, frame.zone))
        case StepStatus.RETRYING:
            return Text(_again(line, look))
        case StepStatus.RUNNING:
            return Text(_going(line) if line.progress is not None else line.passes)
        case StepStatus.WAITING | StepStatus.SKIPPED:
            return Text(line.waits_for, "dim")
        case _:
            return Text(line.waits_for)


def _asking(asked: Asked, look: Shown, zone: str) -> str:
    """`0 of 2 agreed; asks group dr; until 09:35:00 (29m 3s left): Switch the clinics?`."""
    parts = [asked.wanting, f"asks {asked.whom or 'anybody'}"]
    if asked.ends is not None and look.paused is not None:
        parts.append("its deadline stands still")
    elif asked.ends is not None and asked.until is not None:
        left = lasted(max(0.0, asked.ends - look.now))
        parts.append(f"until {clock(asked.until, zone)} ({left} left)")
    return f"{'; '.join(filter(None, parts))}: {asked.prompt}"


def _again(line: Line, look: Shown) -> str:
    if look.paused is not None:
        parts = ["again once the run goes on"]
    elif line.due is not None:
        parts = [f"again in {max(0.0, line.due - look.now):.0f}s"]
    else:
        parts = ["again"]
    parts.append(line.passes)
    if line.gives_up is not None and look.paused is None:
        parts.append(f"for {lasted(max(0.0, line.gives_up - look.now))} more")
    told = ", ".join(filter(None, parts))
    return f"{told}: {line.waits_for}" if line.waits_for else told


def _going(line: Line) -> str:
    """How far, how fast, how long still."""
    words = [amount(line.progress)] if line.progress is not None else []
    if line.rate:
        words.append(f"{size(line.rate)}/s")
        if line.remaining is not None:
            words.append(f"{lasted(line.remaining)} left")
    return ", ".join(words)


def _with_bar(line: Line, words: Text, room: int, *, bars: bool) -> Text:
    progress = line.progress
    if progress is None or not progress.bytes_total or room < _BAR // 2 + _WORDS:
        return words
    width = _BAR
    if room < _NARROW:
        left = (
            f", {lasted(line.remaining)} left" if line.rate and line.remaining is not None else ""
        )
        width, words = _BAR // 2, Text(f"{percent(progress)}{left}")
    done = min(width, width * (progress.bytes_done or 0) // progress.bytes_total)
    full, empty = ("━", "─") if bars else ("#", "-")
    return Text(full * done, "cyan").append(empty * (width - done), "dim").append(" ").append(words)


def _short(name: str, width: int) -> str:
    """The name with its middle left out, for names differ at their ends as well."""
    if len(name) <= width:
        return name
    front = (width - 1) // 2
    return f"{name[:front]}…{name[len(name) - (width - 1 - front) :]}"


def _cut(text: Text, width: int) -> Text:
    text.rstrip()
    text.truncate(max(1, width), overflow="ellipsis")
    text.no_wrap = True
    return text
