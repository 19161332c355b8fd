"""`dns.update` on a real name server (BIND) on loopback that takes signed updates."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from drorch.actions.names import UPDATE
from drorch.core.names import Verdict
from drorch.core.protect import Guarded, offences
from drorch.loopback import free_port
from tests.fakes.tools import Place

ZONE = """$TTL 60
@ IN SOA ns.hospital.example. admin.hospital.example. 1 60 60 60 60
@ IN NS ns.hospital.example.
ns IN A 127.0.0.1
ehr IN A 192.0.2.1
ehr IN A 192.0.2.2
"""


class NameServer:
    """Its own configuration, port, key and zone; ended by its process."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        made = ["tsig-keygen", "-a", "hmac-sha256", "drorch"]
        self.key = subprocess.run(made, capture_output=True, text=True, check=True).stdout
        (folder / "zone").write_text(ZONE)
        (folder / "named.conf").write_text(
            f"""
            options {{ directory "{folder}"; listen-on port {self.port} {{ 127.0.0.1; }};
              listen-on-v6 {{ none; }}; recursion no; pid-file none; session-keyfile none;
              notify no; dnssec-validation no; managed-keys-directory "{folder}"; }};
            controls {{ }};
            {self.key}
            zone "hospital.example" {{ type primary; file "zone"; allow-update {{ key drorch; }}; }};
            """
        )
        self.process = subprocess.Popen(
            ["named", "-g", "-c", str(folder / "named.conf"), "-n", "1"],
            stderr=subprocess.PIPE,
            text=True,
        )
        seen = []
        for line in self.process.stderr:
            seen.append(line)
            if line.rstrip().endswith(" running"):
                break
        else:
            raise AssertionError("".join(seen))

    def look_up(self, name: str, kind: str = "A") -> list[str]:
        asked = ["dig", "+short", "+tcp", "-p", str(self.port), "@127.0.0.1", name, kind]
        done = subprocess.run(asked, capture_output=True, text=True, check=True)
        return sorted(done.stdout.splitlines())

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()


@pytest.fixture(scope="module")
def named():
    folder = Path(tempfile.mkdtemp(prefix="drorch-named-"))
    server = NameServer(folder)
    yield server
    server.close()
    shutil.rmtree(folder)


@pytest.fixture
def update(tmp_path, commands, named):
    wrong = subprocess.run(["tsig-keygen", "drorch"], capture_output=True, text=True, check=True)
    place = Place(tmp_path, commands, {"tsig": named.key, "wrong": wrong.stdout})

    def do(label, values, **more):
        given = {
            "server": "127.0.0.1",
            "port": named.port,
            "zone": "hospital.example",
            "key": {"secret": "tsig"},
            "name": f"{label}.hospital.example",
            "values": values,
        }
        return place.do(UPDATE, **{**given, **more})

    return do


def verdict(result):
    return result.verdict.value, result.cause


def test_all_addresses_of_a_name_are_replaced(update, named):
    result = update("ehr", ["198.51.100.7"], ttl=30)
    assert result.verdict is Verdict.PASS, result.message
    assert named.look_up("ehr.hospital.example") == ["198.51.100.7"]
    assert result.outputs["values"] == ["198.51.100.7"]
    assert update("ehr", ["198.51.100.8", "198.51.100.9"]).verdict is Verdict.PASS
    assert update("ehr", ["198.51.100.9", "198.51.100.8"]).verdict is Verdict.PASS  # again
    assert named.look_up("ehr.hospital.example") == ["198.51.100.8", "198.51.100.9"]


def test_other_kinds_and_none_any_more(update, named):
    assert update("new", ["2001:db8::1"], type="AAAA").verdict is Verdict.PASS
    assert update("alias", ["new.hospital.example."], type="CNAME").verdict is Verdict.PASS
    said = 'say "so" \\ and; more'
    assert update("note", [said], type="TXT").verdict is Verdict.PASS
    assert named.look_up("new.hospital.example", "AAAA") == ["2001:db8::1"]
    assert named.look_up("alias.hospital.example", "CNAME") == ["new.hospital.example."]
    assert named.look_up("note.hospital.example", "TXT") == [r'"say \"so\" \\ and; more"']
    assert update("new", [], type="AAAA").verdict is Verdict.PASS
    assert named.look_up("new.hospital.example", "AAAA") == []


@pytest.mark.parametrize("key", [None, {"secret": "wrong"}])
def test_without_the_right_key_nothing_changes(update, named, key):
    before = named.look_up("ns.hospital.example")
    result = update("ns", ["192.0.2.66"], key=key)
    assert result.verdict is not Verdict.PASS
    assert named.look_up("ns.hospital.example") == before
    assert "192.0.2.66" not in result.message


def test_a_zone_that_is_not_this_servers(update):
    result = update("x", ["192.0.2.1"], zone="other.example", name="x.other.example")
    assert verdict(result) == ("fail", "refused")


def test_nobody_there_is_an_error(update):
    assert verdict(update("ehr", ["192.0.2.1"], port=free_port(), timeout="2s")) == (
        "error",
        "unreachable",
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": "ehr.elsewhere.example"}, "is not in zone"),
        ({"values": ["192.0.2.1\nupdate delete ns.hospital.example."]}, "is not one"),
        ({"name": "a b.hospital.example"}, "is not one"),
        ({"type": "MX"}, "knows no 'MX'"),
        ({"type": "TXT", "values": ["a\nb"]}, "printable"),
    ],
)
def test_arguments_that_are_refused(update, given, said):
    result = update("ehr", given.pop("values", ["192.0.2.1"]), **given)
    assert verdict(result) == ("fail", "argument")
    assert said in result.message


def test_a_protected_name_is_refused_in_a_drill(tmp_path):
    guarded = Guarded(tmp_path, hosts=("ehr.hospital.example",))
    arguments = {"server": "ns1.example", "zone": "hospital.example", "values": ["192.0.2.1"]}
    seen = offences({**arguments, "name": "ehr.hospital.example"}, UPDATE.spec, guarded)
    assert [offence.argument for offence in seen] == ["name"]
    assert not offences({**arguments, "name": "drill.hospital.example"}, UPDATE.spec, guarded)
