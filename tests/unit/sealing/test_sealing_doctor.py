"""What doctor says of sealing, and what may be called a file of a bundle."""

from dataclasses import replace
from pathlib import Path

import pytest

from drorch.app.doctor import doctor
from drorch.app.evidence import evidence_checks
from drorch.app.program import Program
from drorch.core.errors import ConfigurationError
from drorch.core.model import Region
from drorch.sealing.keys import new_key
from drorch.sealing.packing import is_name
from tests.unit.sealing.archive import organisation

QC = Region("qc", "http://127.0.0.1:9", "drorch", "CA-QC")


def told(program: Program) -> list[tuple[str, str]]:
    return [(check.result.value, check.message) for check in evidence_checks(program)]


def test_nothing_is_sealed_without_a_key(tmp_path: Path) -> None:
    ((result, message),) = told(organisation(tmp_path, None, QC))
    assert (result, message.partition(":")[0]) == ("warn", "nothing is sealed")


def test_a_pair_that_belongs_together_is_good(tmp_path: Path) -> None:
    key = new_key()
    program = organisation(tmp_path, key, QC)
    assert told(program) == [("pass", f"seals as {key.public.id[:16]}")]
    # A former key may be listed beside it.
    evidence = replace(
        program.configuration.evidence, public_keys=(new_key().public.pem, key.public.pem)
    )
    assert told(Program(replace(program.configuration, evidence=evidence), {}))[0][0] == "pass"


def test_a_pair_that_does_not_belong_together_fails(tmp_path: Path) -> None:
    program = organisation(tmp_path, new_key(), QC)
    (tmp_path / "evidence-key").write_text(new_key().pem)
    ((result, message),) = told(program)
    assert (result, message.partition(":")[0]) == (
        "fail",
        "public_key is not the public half of key",
    )


@pytest.mark.parametrize("content", [None, "hello", ""])
def test_a_key_that_cannot_be_had_fails(tmp_path: Path, content: str | None) -> None:
    program = organisation(tmp_path, new_key(), QC)
    (tmp_path / "evidence-key").unlink()
    if content is not None:
        (tmp_path / "evidence-key").write_text(content)
    with pytest.raises(ConfigurationError, match="secret evidence-key"):
        told(program)
    checks = doctor(organisation_without_regions(program))["checks"]
    assert isinstance(checks, list)
    found = [check for check in checks if isinstance(check, dict) and check["check"] == "evidence"]
    assert [check["result"] for check in found] == ["fail"]


def organisation_without_regions(program: Program) -> Program:
    return Program(replace(program.configuration, regions={}), {"PATH": "/usr/bin"})


def test_a_public_key_that_cannot_be_read_fails(tmp_path: Path) -> None:
    program = organisation(tmp_path, new_key(), QC)
    evidence = replace(program.configuration.evidence, public_keys=(str(tmp_path / "none.pub"),))
    with pytest.raises(ConfigurationError, match=r"evidence.public_key.1: .* cannot be read"):
        told(Program(replace(program.configuration, evidence=evidence), {}))


def test_evidence_that_no_region_keeps_is_a_warning(tmp_path: Path) -> None:
    assert told(organisation(tmp_path, new_key()))[1] == (
        "warn",
        "sealed evidence is kept in no region: none is configured",
    )


@pytest.mark.parametrize("name", ["a", "a.txt", "evidence/é ü.log", "evidence/..log"])
def test_names_of_files_of_a_bundle(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    "name", ["", "/a", "../a", "a/..", "a/b/c", "a//b", "a\\b", "a\nb", "./a", "a/", "a\0"]
)
def test_names_that_lead_elsewhere(name: str) -> None:
    assert not is_name(name)
