"""What stands on paper is typed for real: with drorch gone, restic and a shell bring the data back (pain 16)."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from drorch.app.papers import paper_source
from drorch.core.byhand import Note
from drorch.reports.language import language
from drorch.reports.paper.view import paper
from tests.integration.app.premises import PASSWORD
from tests.integration.app.seeing import tree

RUNBOOK = """\
runbook: by-hand
title: By hand
preconditions:
  - check: survivor
    do: region.reachable
    with: {region: qc}
steps:
  - step: documents
    do: restore
    with: {dataset: docs, region: qc, to: "back of the house/docs"}
  - step: part
    do: restore
    with: {dataset: docs, region: qc, to: part, include: [%s]}
  - step: database
    do: restore
    with: {dataset: db, region: qc, to: back/db}
  - step: note
    do: files.write
    with: {path: notes/today.json, content: {who: "l'équipe", at: 3}}
verify:
  - check: age
    do: snapshot.age
    with: {dataset: docs, region: qc}
  - check: whole
    do: repository.check
    with: {dataset: docs, region: qc, read_data: true}
  - check: all-there
    do: files.verify
    with: {path: "back of the house/docs", files: "{documents.files}", bytes: "{documents.bytes}"}
  - check: part-there
    do: files.verify
    with: {path: part, files: "{part.files}"}
cleanup:
  - step: remove
    do: files.remove
    with: {path: part}
"""


class Typist:
    """Types lines into a shell of their own; secrets are what `read` asks for, in that order."""

    def __init__(self, folder: Path, restic: Path) -> None:
        (folder / "bin").mkdir()
        (folder / "bin" / "restic").symlink_to(restic)
        self._folder = folder
        self._environment = {
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "HOME": str(folder / "home"),
            "LANG": "C.UTF-8",
        }

    def type(self, *lines: str, secrets: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", "\n".join(lines)],
            input="".join(f"{secret}\n" for secret in secrets),
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture
def on_paper(any_premises):
    """The paper of a runbook, printed while all was well; then the first region dies."""
    included = any_premises.folder / "src" / "docs" / "wards"
    (any_premises.folder / "runbooks" / "by-hand.yaml").write_text(RUNBOOK % included)
    assert any_premises.back_up("db")["outcome"] == "passed"
    with any_premises.program() as program:
        written = paper(paper_source(program, "by-hand", {}), language("en"))
    any_premises.kill("mtl")
    return written


@pytest.mark.every_restic
def test_the_data_comes_back_without_drorch(any_premises, any_restic, on_paper):
    folder = any_premises.folder
    typist = Typist(folder, any_restic)
    steps = {step.id: step for phase in on_paper.phases for step in phase.steps}
    openings = {one.label: one.lines for one in on_paper.openings}
    keys = [(folder / "lab" / "secrets" / f"qc-{p}").read_text().strip() for p in ("id", "secret")]

    def done(name, *more):
        step = steps[name]
        opening = openings.get(step.opening, ())
        typed = typist.type("set -e", *opening, *step.lines, *more, secrets=(*keys, PASSWORD))
        assert typed.returncode == 0, typed.stderr
        assert PASSWORD not in typed.stdout + typed.stderr
        return typed.stdout

    assert done("survivor").strip() != "000"
    shows = [line for _, line in steps["documents"].writes]
    counted = done("documents", *shows).splitlines()[-2:]
    docs = folder / "src" / "docs"
    assert tree(folder / "back of the house" / "docs") == tree(docs)
    files = [path for path in docs.rglob("*") if path.is_file()]
    assert counted == [str(len(files)), str(sum(path.stat().st_size for path in files))]
    assert done("all-there").split() == counted
    assert [output for output, _ in steps["documents"].writes] == [
        "documents.files",
        "documents.bytes",
    ]
    assert done("part", *(line for _, line in steps["part"].writes)).splitlines()[-1] == "1"
    assert list(tree(folder / "part")) == ["wards", "wards/a.txt"]
    done("database")
    assert (folder / "back" / "db" / "ehr.dump").read_text() == "one patient\n"
    assert "1 snapshots" in done("age")
    assert "no errors were found" in done("whole")
    done("note")
    assert (folder / "notes" / "today.json").read_text() == '{"who": "l\'équipe", "at": 3}'
    refused = typist.type(*openings["R1"], secrets=(*keys, "wrong"))
    assert "wrong password" in refused.stderr


def test_down_up_and_nobody_knows_look_different(premises):
    (premises.folder / "runbooks" / "fence.yaml").write_text(
        "runbook: fence\ninputs: {primary: {}}\n"
        'fence: [{check: down, do: fence.check, with: {tcp: ["{primary}"]}}]\n'
        "steps: [{step: go, do: command, with: {argv: ['true']}}]\n"
    )
    typist = Typist(premises.folder, premises.binary)

    def knocked(address):
        with premises.program() as program:
            source = paper_source(program, "fence", {"primary": address})
        hand = source.hands["down"]
        assert hand.notes == (Note.SILENCE,)
        return typist.type(*hand.lines).stderr

    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        assert "Connected to" in knocked(address)
    assert "refused" in knocked(address)
