"""What a kit says, part by part, and which part is no longer true."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from drorch.core.kit import (
    Known,
    Plane,
    changed_since,
    compile_kit,
    kit_regions,
    needed_secrets,
    said_of,
    whole_digest,
)
from drorch.core.kit_made import KitMade
from drorch.core.model import (
    Configuration,
    CopyMode,
    CopyPolicy,
    Dataset,
    Region,
    SecretSource,
)

MTL = Region("mtl", "https://mtl", "b", "CA-QC", access_key="mtl-id", secret_key="mtl-secret")
QC = Region("qc", "https://qc", "b", "CA-QC", prefix="prod", access_key="k", secret_key="k2")
TOR = Region("tor", "https://tor", "b", "CA-ON", profile="toronto")
COPIES = (
    CopyPolicy("qc", CopyMode.MIRROR, "repo-key"),
    CopyPolicy("tor", CopyMode.COPY, "tor-key"),
)
DOCS = Dataset("docs", "repo-key", "mtl", COPIES, paths=(Path("/srv"),), residency=("CA-QC",))
CONFIGURATION = Configuration(
    Path("/x"),
    organization="O",
    secrets={n: SecretSource(env=n) for n in ("repo-key", "tor-key", "mtl-id", "mtl-secret")},
    regions={r.name: r for r in (TOR, MTL, QC)},
    datasets={"docs": DOCS},
)
KNOWN = Known(Plane("p", "v"), {("docs", "mtl"): ("a" * 64,)}, ("f" * 64,))


def made(configuration=CONFIGURATION, known=KNOWN):
    parts = said_of(configuration, known)
    return KitMade(datetime(2026, 11, 27, tzinfo=UTC), "o", whole_digest(parts), parts)


def test_regions_with_the_records_come_first():
    assert [r.name for r in kit_regions(CONFIGURATION)] == ["mtl", "qc", "tor"]


def test_every_secret_that_reading_takes_is_named_once():
    found = {(one.file, one.kind): one.opens for one in needed_secrets(CONFIGURATION)}
    assert found == {
        ("mtl-id", "access"): ("mtl",),
        ("mtl-secret", "secret"): ("mtl",),
        ("k", "access"): ("qc",),
        ("k2", "secret"): ("qc",),
        ("tor.access-key", "access"): ("tor",),
        ("tor.secret-key", "secret"): ("tor",),
        ("repo-key", "password"): ("", "docs"),
        ("tor-key", "password"): ("docs",),
    }


def test_what_is_no_longer_true_is_named():
    kit = made()
    assert changed_since(kit, said_of(CONFIGURATION, KNOWN)) == []
    moved = replace(QC, endpoint="https://elsewhere")
    other = replace(CONFIGURATION, regions={**CONFIGURATION.regions, "qc": moved})
    assert changed_since(kit, said_of(other, KNOWN)) == ["region qc"]
    more = replace(CONFIGURATION, datasets={"docs": DOCS, "db": replace(DOCS, name="db")})
    assert changed_since(kit, said_of(more, KNOWN)) == ["dataset db"]
    assert changed_since(made(more), said_of(CONFIGURATION, KNOWN)) == ["dataset db"]
    rotated = replace(KNOWN, keys={("docs", "mtl"): ("b" * 64,)})
    assert changed_since(kit, said_of(CONFIGURATION, rotated)) == ["dataset docs"]
    sealed_anew = replace(KNOWN, plane=Plane("p", "w"))
    assert changed_since(kit, said_of(CONFIGURATION, sealed_anew)) == ["control plane"]
    assert whole_digest(said_of(other, KNOWN)) != kit.digest
    # What a kit does not say does not make it old.
    quiet = replace(CONFIGURATION, timezone="UTC", digest="x", runbooks=Path("r"))
    assert changed_since(kit, said_of(quiet, KNOWN)) == []


def test_the_plan_says_which_secrets_are_in_it_and_never_their_values():
    plan = compile_kit(CONFIGURATION, replace(made(), secrets=("repo-key",), holders=5, needed=3))
    assert plan.title == "Recovery kit with 1 secret, shared by 5, of whom 3 open it"
    assert plan.steps[0].arguments["secrets"] == ["repo-key"]
