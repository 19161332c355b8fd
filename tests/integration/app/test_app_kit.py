"""The recovery kit: what it prints is typed for real, on a machine that has nothing but restic."""

import re
import subprocess
import sys
from html import unescape

import pytest

from drorch.app.diagnosis import Diagnosis
from drorch.app.kit_known import kit_checks, last_made
from tests.integration.app.premises import OTHER_PASSWORD, PASSWORD
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


def printed(plane, name, language):
    """A kit in the premises' folder."""
    said = plane.cli("kit", "--output", str(plane.premises.folder / name), "--language", language)
    assert said.code == 0, said.errors


@pytest.fixture
def kitted(any_premises):
    """A site whose records were copied, and its kit."""
    plane = Plane(any_premises)
    assert plane.cli("backup", "db").code == 0
    made = plane.copy_now()
    assert all(one.good for one in made), made
    printed(plane, "kit.html", "en")
    return plane


def test_lines_that_need_a_whole_state_are_not_promised_before_there_is_one(premises):
    plane = Plane(premises)
    assert plane.cli("backup", "db").code == 0
    early = plane.cli("kit", "--output", str(premises.folder / "early.html"))
    assert early.code == 0
    assert "no whole state of drorch's own records is known to lie in mtl, qc" in early.errors
    assert all(one.good for one in plane.copy_now())
    later = plane.cli("kit", "--output", str(premises.folder / "later.html"))
    assert "no whole state" not in later.errors


def test_with_a_journal_that_cannot_be_read_there_is_a_kit_all_the_same(premises):
    (premises.folder / "var" / "drorch.db").write_bytes(b"no journal" * 1000)
    said = premises.cli("kit", "--output", str(premises.folder / "kit.html"))
    assert said.code == 0, said.errors
    assert "not put on record" in said.errors
    assert len(of_html((premises.folder / "kit.html").read_text())) > 5
    words = ("--with-secrets", "--confirm", ORGANIZATION)
    assert premises.cli("kit", "--output", str(premises.folder / "open.html"), *words).code == 5
    assert not (premises.folder / "open.html").exists()


def test_a_kit_that_could_not_be_written_is_not_on_record_as_made(premises):
    # A name for which there is none beside it, where it is made before it takes its place.
    name = f"{'語' * 83}.html"
    said = premises.cli("kit", "--output", str(premises.folder / name))
    assert (said.code, "cannot be written: File name too long" in said.error) == (1, True)
    plane = Plane(premises)
    with plane.program() as program:
        assert last_made(program) is None
    printed(plane, "kit.html", "en")
    with plane.program() as program:
        assert last_made(program) is not None


def asked(plane, page):
    """What the kit asks for, in its order."""
    known = {"repo-key": PASSWORD} | {
        name.lower().replace("_", "-"): value for name, value in plane.keys.items()
    }
    return [known[name] for name in re.findall(r"^ask ([\w-]+)$", page, re.MULTILINE)]


@pytest.mark.every_restic
def test_typed_as_printed_everything_comes_back_by_restic_alone(kitted, any_restic):
    folder = kitted.premises.folder
    printed(kitted, "kit.pdf", "fr")
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

        keys = "restic key list --no-lock"
        said = typist.type(
            blocks[0], blocks[1 + n], *blocks[-3:-1], keys, blocks[-1], secrets=secrets
        )

        (key,) = re.findall(r"^ *\*([0-9a-f]{8})", said, re.MULTILINE)
        assert f'<code class="hash">{key}' in page
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


ORGANIZATION = "Centre hospitalier Sainte-Rive"


def secretly(plane, name, *more):
    """A kit with secrets in the premises' folder."""
    words = ("--with-secrets", "--confirm", ORGANIZATION, "--language", "en", *more)
    said = plane.cli("kit", "--output", str(plane.premises.folder / name), *words)
    assert said.code == 0, said.errors
    return said


def test_what_opens_a_kit_takes_the_place_of_nothing_else(kitted):
    folder = kitted.premises.folder
    shared = ("--shares", "3", "--needed", "2")
    (folder / "open_kit.py").write_text("of somebody else")
    words = ("--with-secrets", "--confirm", ORGANIZATION, "--output", str(folder / "mine.html"))
    said = kitted.cli("kit", *words, *shared)
    assert (said.code, "open_kit.py is there already" in said.error) == (2, True), said.errors
    assert (folder / "open_kit.py").read_text() == "of somebody else"
    assert not list(folder.glob("mine*"))
    first = secretly(kitted, "first.html", *shared, "--overwrite").document["outputs"]
    assert first[-1] == str(folder / "open_kit.py")
    opening = (folder / "open_kit.py").read_bytes()
    second = secretly(kitted, "second.html", *shared).document["outputs"]
    assert second == [one.replace("first", "second") for one in first[:-1]]
    assert (folder / "open_kit.py").read_bytes() == opening


def words_of(sheet):
    """What a holder reads off a sheet."""
    (block,) = of_html(sheet.read_text())
    return re.sub(r"[\d\s]+", " ", block).strip()


def test_any_three_of_five_bring_it_back(kitted, any_restic):
    folder = kitted.premises.folder
    secretly(kitted, "kit5.html", "--shares", "5", "--needed", "3")
    blocks = of_html((folder / "kit5.html").read_text())
    assert PASSWORD not in (folder / "kit5.html").read_text()
    runs = kitted.runs()
    sheets = [words_of(folder / f"kit5-share-{n}.html") for n in (5, 2, 3)]
    kept = {name: (folder / name).read_text() for name in ("kit5.txt", "open_kit.py")}
    kitted.forget_everything()
    kitted.premises.kill("mtl")
    typist = Typist(folder / "empty", any_restic, drorch=True)
    typist.type(blocks[0])
    here = typist.folder / "drorch-kit"
    typed_in = blocks[1].lower().replace(" - ", " ")
    (here / "kit5.txt").write_text(typed_in)
    short = [" ".join(word[:4] for word in sheets[0].split()), *sheets[1:]]
    for n, words in enumerate(short, 1):
        (here / f"share-{n}").write_text(f"{words}\n")

    line = ("recover", "--kit", here / "kit5.txt", "--share", here / "share-1", "--to", here / "no")
    few = kitted.premises.cli(*map(str, line))
    assert (few.code, few.error) == (2, "error: 1 share of the 3 that are needed")
    assert not list(here.glob("*no*"))

    said = typist.type("cd drorch-kit", blocks[5])

    assert "journal: good" in said
    assert kitted.runs(here / "drorch") == runs
    for name, value in (("repo-key", PASSWORD), ("tor-key", OTHER_PASSWORD)):
        file = here / "drorch" / "lab" / "secrets" / name
        assert file.read_text() == f"{value}\n"
        assert file.stat().st_mode & 0o777 == 0o600
    for name, value in kitted.keys.items():
        aside = here / "drorch" / "from-kit" / name.lower().replace("_", "-")
        assert aside.read_text() == f"{value}\n"
        assert f'export {name}="$(cat {aside})"' in said
    # Without drorch the script that lies beside the kit gives the files that the commands read.
    (here / "open_kit.py").write_text(kept["open_kit.py"])
    python = typist.folder / "bin" / "python3"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    assert (here / "kit5.txt").write_text(kept["kit5.txt"])
    typist.type("cd drorch-kit", blocks[2], blocks[4], blocks[-2])
    assert (here / "restored" / "db" / "ehr.dump").read_text() == "one patient\n"


REFUSED = {
    ("--with-secrets",): "a kit with secrets is written to a file",
    ("--with-secrets", "--output", "x.pdf"): "wants a second confirmation",
    ("--with-secrets", "--output", "x.pdf", "--confirm", "We"): "is not the name of",
    ("--shares", "3", "--needed", "2"): "without secrets there is nothing to share",
    ("--with-secrets", "--shares", "3"): "--shares and --needed go together",
    ("--with-secrets", "--shares", "3", "--needed", "1"): "1 of 3 is no way to share",
    ("--output", "kit.txt"): "does not say what to write",
}


def test_what_makes_no_sense_is_refused(premises):
    before = sorted(premises.folder.iterdir())
    for words, error in REFUSED.items():
        said = premises.cli("kit", *words)
        assert said.code == 2
        assert error in said.error
    line = ("recover", "--kit", "k", "--share", "s", "--to", "d")
    for words, error in (
        ((*line, "--bucket", "b"), "--bucket and --kit contradict each other"),
        ((*line, "--location", "l"), "--location and --kit contradict each other"),
        (line[:3] + line[5:], "no share is given"),
        (line[:1] + line[3:], "shares open a kit, and none is given"),
        (line, "k cannot be read"),
    ):
        said = premises.cli(*words)
        assert (said.code, error in said.error) == (2, True), said.errors
    bare = premises.cli("recover", "--to", "d", "--endpoint", "http://127.0.0.1:1")
    assert bare.code == 2
    missing = ("--bucket", "--access-key-env", "--secret-key-env", "--password-file")
    assert all(f"error: {name} is missing" in bare.errors for name in missing)
    assert sorted(premises.folder.iterdir()) == before


def test_a_kit_with_secrets_asks_nothing_and_is_on_record_by_names_alone(kitted, any_restic):
    folder = kitted.premises.folder
    said = secretly(kitted, "open.html")
    assert set(said.document["secrets"]) == set(kitted.premises.configuration["secrets"])
    assert (folder / "open.html").stat().st_mode & 0o777 == 0o600
    blocks = of_html((folder / "open.html").read_text())
    typist = Typist(folder / "empty", any_restic)
    typist.type(blocks[0], blocks[2], blocks[-2])
    dump = typist.folder / "drorch-kit" / "restored" / "db" / "ehr.dump"
    assert dump.read_text() == "one patient\n"

    secretly(kitted, "kit2.pdf", "--shares", "3", "--needed", "2")
    values = [PASSWORD, OTHER_PASSWORD, *kitted.keys.values()]
    words = (folder / "kit2-share-1.pdf").read_bytes()
    assert words.startswith(b"%PDF")
    for path in (folder / "var").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [value for value in values if value.encode() in content], path
    with kitted.program() as program:
        made = last_made(program)
        (check,) = kit_checks(program)
        assert (check.result, check.check) == (Diagnosis.PASS, "kit")
    assert set(made.secrets) == set(kitted.premises.configuration["secrets"])
    assert (made.holders, made.needed) == (3, 2)
    shown = kitted.cli("run", "list", "--json").document
    assert [run["kind"] for run in shown[:3]] == ["kit"] * 3
    kitted.premises.configuration["regions"]["qc"]["jurisdiction"] = "CA-ON"
    del kitted.premises.configuration["datasets"]["db"]
    kitted.premises.save()
    with kitted.program() as program:
        (check,) = kit_checks(program)
    assert check.result is Diagnosis.WARN
    assert check.message.endswith("has changed: region qc, dataset db")
