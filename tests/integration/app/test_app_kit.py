"""The recovery kit: what it prints is typed for real, on a machine that has nothing but restic."""

import re
import subprocess
import sys
from html import unescape

import pytest

from tests.integration.app.premises import PASSWORD
from tests.integration.app.seeing import tree
from tests.integration.app.test_app_plane import Plane


class Typist:
    """An empty machine with a shell, restic, and drorch only if it is given."""

    def __init__(self, folder, restic, *, drorch=False):
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / "restic").symlink_to(restic)
        if drorch:
            program = folder / "bin" / "drorch"
            program.write_text(f'#!/bin/sh\nexec {sys.executable} -m drorch "$@"\n')
            program.chmod(0o755)
        self.folder = folder
        self.environment = {"PATH": f"{folder / 'bin'}:/usr/bin:/bin", "HOME": str(folder)}

    def type(self, *blocks, secrets=()):
        """Everything in one terminal, one block after the other; it stops at what fails."""
        done = subprocess.run(
            ["bash", "-c", "\n".join(["set -e", *blocks])],
            input="".join(f"{secret}\n" for secret in secrets),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert PASSWORD not in done.stdout + done.stderr
        return done.stdout


def of_html(page):
    """The blocks of commands, as somebody copies them."""
    return [unescape(block) for block in re.findall(r"<pre>(.*?)</pre>", page, re.DOTALL)]


def of_pdf(path, blocks):
    """The same blocks as they are copied out of a PDF, where what indents a line is no letter."""
    done = subprocess.run(["pdftotext", path, "-"], capture_output=True, text=True, check=True)
    lines = [line.strip() for line in done.stdout.splitlines()]
    found = []
    for block in blocks:
        wanted = [line.strip() for line in block.splitlines()]
        starts = [n for n in range(len(lines)) if lines[n : n + len(wanted)] == wanted]
        assert starts, block
        found.append("\n".join(lines[starts[0] : starts[0] + len(wanted)]))
    return found


@pytest.fixture
def kitted(any_premises):
    """A site whose records were copied, and its kit in both forms: HTML in English, PDF in French."""
    plane = Plane(any_premises)
    assert plane.cli("backup", "db").code == 0
    made = plane.copy_now()
    assert all(one.good for one in made), made
    folder = plane.premises.folder
    for words in (("kit.html", "--language", "en"), ("kit.pdf", "--language", "fr")):
        said = plane.cli("kit", "--output", str(folder / words[0]), *words[1:])
        assert said.code == 0, said.errors
    return plane


def asked(plane, page):
    """What the kit asks for, in its order."""
    known = {"repo-key": PASSWORD} | {
        name.lower().replace("_", "-"): value for name, value in plane.keys.items()
    }
    return [known[name] for name in re.findall(r"^ask ([\w-]+)$", page, re.MULTILINE)]


@pytest.mark.every_restic
def test_typed_as_printed_everything_comes_back_by_restic_alone(kitted, any_restic):
    folder = kitted.premises.folder
    page = (folder / "kit.html").read_text()
    in_html = of_html(page)
    secrets = asked(kitted, page)
    before = tree(folder / "src" / "docs")
    kitted.forget_everything()
    forms = {"mtl": in_html, "qc": of_pdf(folder / "kit.pdf", in_html)}
    for n, (region, other) in enumerate((("mtl", "qc"), ("qc", "mtl"))):
        kitted.premises.kill(other)
        blocks = forms[region]
        typist = Typist(folder / f"empty-{region}", any_restic)

        typist.type(blocks[0], blocks[1 + n], *blocks[-3:], secrets=secrets)

        here = typist.folder / "drorch-kit" / "restored"
        assert tree(here / "docs" / str(folder / "src" / "docs").lstrip("/")) == before
        assert (here / "db" / "ehr.dump").read_text() == "one patient\n"
        records = here / "control-plane"
        assert list(records.rglob("state.db"))
        assert list(records.rglob("runbooks/bring-back.yaml"))
        secret = typist.folder / "drorch-kit" / "repo-key"
        assert secret.stat().st_mode & 0o777 == 0o600
        kitted.premises.revive(other)


def test_typed_as_printed_drorch_comes_back(kitted, any_restic):
    folder = kitted.premises.folder
    page = (folder / "kit.html").read_text()
    blocks = of_html(page)
    runs = kitted.runs()
    secrets = asked(kitted, page)
    kitted.forget_everything()
    kitted.premises.kill("mtl")
    typist = Typist(folder / "empty", any_restic, drorch=True)

    said = typist.type(blocks[0], blocks[2], blocks[4], secrets=secrets)

    assert "journal: good" in said
    assert "failover bring-back" in said
    assert kitted.runs(typist.folder / "drorch-kit" / "drorch") == runs
    typist.type("cd drorch-kit", blocks[5].splitlines()[1])  # status
