from pathlib import Path

import pytest

from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.model import Configuration, Dataset, Protected
from drorch.core.protect import Guarded, offences

GUARDED = Guarded(
    Path("/etc/drorch"),
    (Path("/srv/ehr"), Path("/etc/drorch/var/hospital/documents")),
    ("ehr.example", "*.db.example", "10.0.0.7"),
)
SPEC = ActionSpec(
    "anything",
    "",
    tuple(
        Parameter(name, kind, required=False)
        for name, kind in {
            "argv": Kind.ARGV,
            "env": Kind.MAPPING,
            "cwd": Kind.WRITE_PATH,
            "to": Kind.WRITE_PATH,
            "source": Kind.READ_PATH,
            "url": Kind.URL,
            "host": Kind.HOST,
            "script": Kind.TEXT,
            "prompt": Kind.TEXT,
            "headers": Kind.MAPPING,
            "include": Kind.LIST,
            "body": Kind.ANY,
        }.items()
    ),
)


@pytest.mark.parametrize(
    "arguments",
    [
        {"to": "/srv/ehr"},
        {"to": "/srv/ehr/"},
        {"to": "/srv/./ehr/../ehr/x"},
        {"to": "//srv/ehr"},
        {"to": "../../srv/ehr"},
        {"to": "/"},
        {"source": "var/hospital"},
        {"source": "var/hospital/documents/a.txt"},
        {"cwd": "/srv/ehr/x"},
        {"argv": ["rm", "-rf", "/srv/ehr"]},
        {"argv": ["rm", "-rf", "/srv"]},
        {"argv": ["ls", "/"]},
        {"argv": ["tar", "--directory=/srv/ehr"]},
        {"argv": ["cc", "-I/srv/ehr"]},
        {"argv": ["mount", "host:/srv/ehr"]},
        {"argv": ["rm", "ehr"], "cwd": "/srv"},
        {"argv": ["rm", "../documents/x"], "cwd": "var/hospital/other"},
        {"argv": ["rm", "var/hospital/documents"]},
        {"argv": ["curl", "file:///srv/ehr/x"]},
        {"argv": ["psql", "host=ehr.example dbname=ehr"]},
        {"argv": ["ssh", "root@EHR.example."]},
        {"argv": ["ping", "10.0.0.7"]},
        {"env": {"PGHOST": "one.db.example"}},
        {"env": {"TARGET": "/srv/ehr"}},
        {"url": "https://ehr.example:8443/x"},
        {"url": "postgresql://u@other,two.db.example:5432/ehr"},
        {"url": "sqlite:////srv/ehr/ehr.db"},
        {"url": "sqlite:///var/hospital/documents/ehr.db"},
        {"host": "ehr.example"},
        {"script": "set -e; rm -rf '/srv/ehr/x'"},
        {"body": {"deep": ["/srv/ehr"]}},
    ],
    ids=str,
)
def test_pointing_at_what_is_protected(arguments):
    """Pain 15: the drill itself must not harm production."""
    assert offences(arguments, SPEC, GUARDED)


@pytest.mark.parametrize(
    "arguments",
    [
        {"to": "/srv/ehr-copy"},
        {"to": "/srv/ehrx/y"},
        {"to": "var/drill/srv/ehr"},
        {"to": "/var/drill"},
        {"cwd": "/"},
        {"cwd": "."},
        {"argv": ["python3", "-m", "http.server", "--directory", "var/drill/documents"]},
        {"argv": ["/usr/bin/true"]},
        {"argv": ["restored/srv/ehr/documents"]},
        {"argv": ["rm", "x"], "cwd": "/srv/other"},
        {"argv": ["ping", "10.0.0.77"]},
        {"url": "http://127.0.0.1:18080/"},
        {"url": "http://not-ehr.example/"},
        {"url": "http://ehr.example.org/"},
        {"host": "db.example"},
        {"prompt": "Is ehr.example down, and /srv/ehr gone?"},
        {"headers": {"Host": "ehr.example"}},
        {"include": ["/srv/ehr/documents/a.txt"]},
        {"script": "echo 1 / 2"},
    ],
    ids=str,
)
def test_pointing_elsewhere(arguments):
    assert offences(arguments, SPEC, GUARDED) == []


def test_every_dataset_and_every_declared_place_is_protected():
    configuration = Configuration(
        Path("/etc/drorch"),
        datasets={"d": Dataset("d", "k", "r", paths=(Path("/data"),))},
        protected=Protected((Path("/srv"),), ("h",)),
    )
    assert Guarded.of(configuration) == Guarded(
        Path("/etc/drorch"), (Path("/srv"), Path("/data")), ("h",)
    )


def test_symbolic_links_are_seen_through_on_both_sides(tmp_path):
    real, link, alias = tmp_path / "real", tmp_path / "link", tmp_path / "alias"
    real.mkdir()
    link.symlink_to(real)
    alias.symlink_to(real)
    guarded = Guarded(tmp_path, (link,))
    arguments = {"to": str(alias / "x")}
    assert offences(arguments, SPEC, guarded) == []
    seen = offences(arguments, SPEC, guarded, lambda path: (tmp_path / path).resolve())
    assert [one.argument for one in seen] == ["to"]


def test_an_argument_is_told_of_once():
    (one,) = offences({"to": "/srv/ehr/x"}, SPEC, GUARDED)
    assert one.message == (
        "to: '/srv/ehr/x' lies in /srv/ehr, which is protected: a drill must not touch it"
    )
