"""Where copies of the control plane may lie, and which password seals them."""

from pathlib import Path

import pytest

from drorch.core.model import Configuration, Dataset, Region, Transfer
from drorch.core.plane import plane_password, plane_regions
from drorch.core.settings import ControlPlane

PAPERS = Transfer("EFVP-1", "C-1")


def configuration(*datasets, regions=(), plane=ControlPlane()):  # noqa: B008 - frozen
    return Configuration(
        Path("/x"),
        regions={r.name: r for r in regions},
        datasets={d.name: d for d in datasets},
        control_plane=plane,
    )


def region(name, where, **more):
    return Region(name, f"http://{name}.example", "drorch", where, **more)


def dataset(name, *residency, password="key", **more):
    return Dataset(name, password, "mtl", residency=residency, **more)


def names(found):
    return [r.name for r in plane_regions(found)]


MTL, TOR, NYC = region("mtl", "CA-QC"), region("tor", "CA-ON"), region("nyc", "US-NY")


def test_records_lie_where_every_dataset_may():
    found = configuration(dataset("a", "CA-QC"), dataset("b", "CA"), regions=(MTL, TOR, NYC))
    assert names(found) == ["mtl"]


def test_papers_let_them_lie_elsewhere():
    papered = region("tor", "CA-ON", transfer=PAPERS)
    assert names(configuration(dataset("a", "CA-QC"), regions=(MTL, papered))) == ["mtl", "tor"]
    loose = dataset("a", "CA-QC", transfer=PAPERS)
    assert names(configuration(loose, regions=(MTL, NYC))) == ["mtl", "nyc"]


def test_those_that_are_named_are_meant():
    plane = ControlPlane("key", ("tor",))
    assert names(configuration(dataset("a", "CA"), regions=(MTL, TOR), plane=plane)) == ["tor"]


@pytest.mark.parametrize(
    ("passwords", "named", "meant"),
    [
        (("k", "k"), None, "k"),
        (("k", "l"), None, None),
        (("k", "l"), "m", "m"),
        ((), None, None),
    ],
    ids=["one", "several", "named", "none"],
)
def test_the_password_is_the_named_one_or_the_only_one(passwords, named, meant):
    datasets = [dataset(f"d{n}", password=p) for n, p in enumerate(passwords)]
    assert plane_password(configuration(*datasets, plane=ControlPlane(named))) == meant
