"""`drorch demo`: the main job on an invented hospital, on this machine alone."""

import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from drorch.cli.session import Session
from drorch.cli.verb import Verb

if TYPE_CHECKING:
    from drorch.cli.carrying import Carrying
    from drorch.ports import Progress

HELP = """See the main job on an invented hospital: back up, lose a region, recover.

Everything lies in FOLDER (else ./drorch-demo) and on loopback.
"""


@click.command(cls=Verb, name="demo", help=HELP)
@click.argument("folder", type=click.Path(path_type=Path), default="drorch-demo")
@click.option(
    "--clean", is_flag=True, help="Remove the demo's folder, ending what it left running."
)
@click.pass_obj
def command(session: Session, folder: Path, *, clean: bool) -> int:
    """Run it, or remove it."""
    from drorch.app import demo

    if clean:
        removed = demo.clean(folder)
        if session.json:
            session.emit({"removed": str(folder) if removed else None})
        session.say(f"removed: {folder}" if removed else f"no demo lies in {folder}")
        return 0
    from drorch.cli.carrying import carrying
    from drorch.cli.summary import say_ended

    # The demo writes this file before anything looks for it.
    session.config = folder / "drorch.yaml"
    with carrying(session, several=True) as carried:
        telling = _Telling(session, carried)
        done = demo.demo(
            folder,
            control=carried.control,
            stage=demo.Stage(telling.begin, telling.progress, carried.watchers),
        )
    say_ended(session, done.drilled.view, done.drilled.report)
    remove = f"{_ourselves()} demo --clean {shlex.quote(str(folder))}"
    if done.bundle is not None:
        check = (str(done.bundle), "--key", str(done.public_key))
        session.say(f"  evidence: {done.bundle}")
        session.say(f"  it is sealed; check it: {_ourselves()} journal verify {shlex.join(check)}")
    session.paragraph(f"look around in {done.folder}; remove it with: {remove}")
    return carried.exit_code([done.drilled.view.exit_code])


def _ourselves() -> str:
    """How this program is started from here: `make demo` has not put it on PATH."""
    if shutil.which("drorch"):
        return "drorch"
    by_module = Path(sys.argv[0]).name == "__main__.py"
    return f"{sys.executable} -m drorch" if by_module else sys.argv[0]


class _Telling:
    """How the demo speaks between its runs, as the line's options and its outputs want it."""

    def __init__(self, session: Session, carried: "Carrying") -> None:
        from drorch.cli.narrating import JSON_INTERVAL, LOG_INTERVAL, Throttle

        self._session = session
        self._screen = carried.screen
        self._json = session.progress == "json"
        self._plain = session.progress == "auto" and not session.json and not self._screen
        self._throttle = Throttle(JSON_INTERVAL if self._json else LOG_INTERVAL)

    def begin(self, text: str) -> None:
        """A part begins."""
        self._throttle.start("")
        if self._screen is not None:
            self._screen.begin(text)
        elif self._json:
            self._line({"event": "demo.part", "message": text})
        elif self._plain:
            self._session.say(f"* {text}")

    def progress(self, progress: "Progress") -> None:
        """How far a part is that is no run."""
        from drorch.cli.narrating import amount, progress_document

        if self._screen is not None:
            self._screen.doing = amount(progress)
        elif (self._json or self._plain) and self._throttle.lets_through(""):
            if self._json:
                self._line({"event": "progress", **progress_document(progress)})
            else:
                self._session.say(f"  {amount(progress)}")

    def _line(self, document: dict[str, object]) -> None:
        import json

        self._session.write(sys.stderr, json.dumps(document, ensure_ascii=False) + "\n")
