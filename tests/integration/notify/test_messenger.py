"""Messages on real channels: a mail server, a web hook, a command, a dead man's switch; and what
is said when one of them is dead, without ever saying what its address holds.
"""

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import pytest

from drorch.adapters.commands import SystemCommands
from drorch.adapters.secrets import ConfiguredSecrets
from drorch.core.model import Configuration, SecretSource
from drorch.core.settings import NotifyRule
from drorch.core.telling import Message, Tone
from drorch.loopback import free_port
from drorch.notify.messenger import ConfiguredMessenger
from tests.receivers import a_hook, a_mailbox

#: aiosmtpd says so of a server that takes passwords in the clear, as only one on loopback may.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")

LIMIT = timedelta(seconds=5)
MESSAGE = Message("Le DPI est tombé", "Appelez Québec.\nTout de suite.", Tone.FAILURE)
PASSWORD = "c0rrect-h0rse"


@pytest.fixture
def send(tmp_path):
    """Send over a channel whose secret holds an address; the delivery, and the secrets."""
    commands = SystemCommands(f"notify-{os.getpid()}", tmp_path)

    def sent(address="", message=MESSAGE, **kind):
        (tmp_path / "url").write_text(address)
        configuration = Configuration(tmp_path, secrets={"url": SecretSource(file="url")})
        secrets = ConfiguredSecrets(configuration, commands, {})
        messenger = ConfiguredMessenger(tmp_path, secrets, commands, {"PATH": os.environ["PATH"]})
        return messenger.send(NotifyRule((), **(kind or {"to": "url"})), message, LIMIT)

    yield sent
    commands.close()


def mail(port, login=("dr", PASSWORD)):
    user = f"{login[0]}:{login[1]}@" if login else ""
    return f"mailto://{user}127.0.0.1:{port}/?from=drorch@hospital.example&to=oncall@hospital.example&mode=insecure"


def test_a_mail_arrives_with_title_and_text(send):
    with a_mailbox(("dr", PASSWORD)) as box:
        told = send(mail(box.port))
        assert (told.channel, told.why) == ("url", "")
    (one,) = box.mails
    assert (one["Subject"], one["To"]) == (MESSAGE.title, "oncall@hospital.example")
    assert "Appelez Québec." in box.texts()[0]


def test_a_name_that_is_not_utf8_stops_no_mail_and_no_command(send, tmp_path):
    told = replace(MESSAGE, title="caf\udce9", body="caf\ud800")
    with a_mailbox(("dr", PASSWORD)) as box:
        assert send(mail(box.port), told).done
    assert box.mails[0]["Subject"] == r"caf\udce9"
    assert send(message=told, command=("sh", "-c", "cat > text")).done
    assert (tmp_path / "text").read_text() == r"caf\ud800"


@pytest.fixture
def with_files(tmp_path):
    """The message, with two files."""
    paths = tuple(tmp_path / name for name in ("2026Q4.fr.pdf", "2026Q4.json"))
    for number, path in enumerate(paths):
        path.write_bytes(bytes(range(256)) * (1000 + number))
    return replace(MESSAGE, files=paths)


def test_a_mail_arrives_with_its_files(send, with_files):
    with a_mailbox(("dr", PASSWORD)) as box:
        assert send(mail(box.port), with_files).done
    (one,) = box.mails
    attached = {part.get_filename(): part.get_content() for part in one.iter_attachments()}
    assert set(attached) == {path.name for path in with_files.files}
    for path in with_files.files:
        content = attached[path.name]
        assert (content if isinstance(content, bytes) else content.encode()) == path.read_bytes()
    assert "Appelez Québec." in box.texts()[0]


def test_a_command_finds_the_files(send, tmp_path, with_files):
    script = 'printf %s "$DRORCH_FILES" > files; cat > text'
    assert send(message=with_files, command=("sh", "-c", script)).done
    assert (tmp_path / "files").read_text() == "\n".join(map(str, with_files.files))
    assert (tmp_path / "text").read_text() == MESSAGE.body


def test_a_service_that_takes_no_files_is_not_sent_half(send, with_files):
    told = send("gotify://127.0.0.1:9/token", with_files)
    assert told.why == "Gotify takes no files"
    assert "url" in told.hint


def test_files_that_are_gone_are_not_left_out_in_silence(send, with_files):
    with_files.files[0].unlink()
    with a_mailbox(("dr", PASSWORD)) as box:
        assert not send(mail(box.port), with_files).done
    assert box.mails == []


def test_a_wrong_password_is_told_without_telling_it(send):
    with a_mailbox(("dr", PASSWORD)) as box:
        told = send(mail(box.port, ("dr", "wr0ng-h0rse")))
    assert not told.done
    assert "535" in told.why, told.why
    assert "wr0ng" not in told.why + told.hint
    assert "secret url" in told.hint
    assert box.mails == []


def test_a_dead_mail_server_is_told(send):
    told = send(mail(free_port()))
    assert "refused" in told.why.lower(), told.why
    assert PASSWORD not in told.why + told.hint


def test_a_web_hook_is_given_it(send):
    with a_hook() as hook:
        assert send(f"json://127.0.0.1:{hook.port}/tell-t0ken/").done
    ((method, path, body),) = hook.asked
    assert (method, path) == ("POST", "/tell-t0ken/")
    assert (body["title"], body["type"]) == (MESSAGE.title, "failure")
    assert body["message"] == MESSAGE.body


def test_a_web_hook_that_refuses_is_told_without_its_token(send, capfd):
    with a_hook(status=403) as hook:
        told = send(f"json://someone:{PASSWORD}@127.0.0.1:{hook.port}/tell-t0ken/?+key=t0ken-two")
    assert "403" in told.why
    said = "".join((told.why, told.hint, *capfd.readouterr()))
    for part in (PASSWORD, "tell-t0ken", "t0ken-two"):
        assert part not in said


@pytest.mark.parametrize("address", ["nonsense", "mailto://", "tgram://t0ken/", "pigeon://a/b"])
def test_an_address_that_is_none_is_told_without_telling_it(send, capfd, address):
    told = send(address)
    assert not told.done
    assert "secret url" in told.hint
    assert "t0ken" not in "".join((told.why, *capfd.readouterr()))


def test_a_secret_that_is_not_there_is_told(send):
    told = send("x", to="gone")
    assert "secret gone is not named" in told.why
    assert told.hint


def test_a_command_reads_it(send, tmp_path):
    script = 'cat > said; printf "%s|%s" "$DRORCH_TITLE" "$DRORCH_TONE" > title; env | wc -l > env'
    assert send(command=("sh", "-c", script)).done
    assert (tmp_path / "said").read_text() == MESSAGE.body
    assert (tmp_path / "title").read_text() == f"{MESSAGE.title}|failure"
    told = send(command=("sh", "-c", "echo no paper >&2; exit 3"))
    assert told.why == "sh ended with 3: no paper"
    assert (told.channel, told.done) == ("sh", False)
    assert "there is no such program" in send(command=("./pager",)).why


def test_a_dead_mans_switch_is_called(send):
    with a_hook() as hook:
        assert send(f"http://127.0.0.1:{hook.port}/ping/uu1d-uu1d", ping="url").done
        hook.status = 500
        told = send(f"http://127.0.0.1:{hook.port}/ping/uu1d-uu1d", ping="url")
        assert "500" in told.why
        assert "uu1d" not in told.why
    assert [path for _, path, _ in hook.asked] == ["/ping/uu1d-uu1d"] * 2
    assert "not one of http" in send("ftp://x.example/", ping="url").why


def test_every_channel_is_tried_by_one_command(tmp_path):
    with a_mailbox() as box, a_hook() as hook:
        (tmp_path / "mail").write_text(mail(box.port, None))
        (tmp_path / "dead").write_text(f"json://127.0.0.1:{free_port()}/t0ken")
        (tmp_path / "switch").write_text(f"http://127.0.0.1:{hook.port}/ping")
        (tmp_path / "drorch.yaml").write_text(
            "organization: Sainte-Rive\nlanguage: fr\n"
            "secrets: {mail: {file: mail}, dead: {file: dead}, switch: {file: switch}}\n"
            "notify:\n"
            "  - {to: mail, when: [run.failed]}\n"
            "  - {to: dead, when: [run.failed]}\n"
            "  - {ping: switch, when: [run.failed]}\n"
        )
        done = drorch(tmp_path, "notify", "test", "--json")
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)
    assert [(f["channel"], f["told"]) for f in found] == [
        ("mail", True),
        ("dead", False),
        ("switch", True),
    ]
    assert "refused" in found[1]["message"]
    assert "t0ken" not in done.stdout + done.stderr
    assert box.mails[0]["Subject"] == "[EXERCICE] drorch: Sainte-Rive"
    assert [(f["by"], f["when"]) for f in found][1:] == [
        ("to", ["run.failed"]),
        ("ping", ["run.failed"]),
    ]


def test_people_are_shown_which_words_go_where(tmp_path):
    (tmp_path / "drorch.yaml").write_text(
        "secrets: {switch: {file: switch}}\n"
        "notify:\n"
        "  - {command: ['true'], when: [rpo.breached, all]}\n"
        "  - {command: ['false'], when: [run.failed, key.old], pause: 15m}\n"
        "  - {ping: switch}\n"
        "  - {ping: switch, when: [slot.missed]}\n"
    )
    done = drorch(tmp_path, "notify", "test")
    assert done.returncode == 1
    lines = [line.split("  ") for line in done.stdout.splitlines()[1:4]]
    cells = [[cell.strip() for cell in line if cell.strip()][:5] for line in lines]
    assert cells == [
        ["true", "command", "everything", "5m", "yes"],
        ["false", "command", "key.old, run.failed", "15m", "no"],
        ["switch", "ping", "good runs, unless slot.missed", "5m", "no"],
    ]


def test_without_a_channel_it_says_so(tmp_path):
    (tmp_path / "drorch.yaml").write_text("organization: Sainte-Rive\n")
    done = drorch(tmp_path, "notify", "test")
    assert done.returncode == 2
    assert "no channel is configured" in done.stderr


def drorch(folder, *words):
    line = [sys.executable, "-m", "drorch", "--config", str(folder / "drorch.yaml"), *words]
    return subprocess.run(
        line, capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL
    )
