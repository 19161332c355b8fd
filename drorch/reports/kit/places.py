"""Tables of the kit: regions, datasets, and the keys of their repositories."""

from collections.abc import Iterator

from drorch.core.kit import by_password, kit_regions
from drorch.core.model import Dataset, LockMode, Region
from drorch.core.plane import plane_password, plane_regions
from drorch.reports.blocks import Cell, Column, Row, Table, Text, code, row, table
from drorch.reports.kit.source import Source
from drorch.reports.language import Language


def region_table(source: Source, language: Language) -> Table:
    """Where the regions are, and what lies in each."""
    say = language.say
    columns = (
        Column(say("Region")),
        Column(say("Address"), wide=True),
        Column(say("Bucket and folder")),
        Column(say("Where")),
        Column(say("What lies there"), wide=True),
    )
    rows = [_region(source, one, language) for one in kit_regions(source.configuration)]
    return table(columns, rows)


def _region(source: Source, region: Region, language: Language) -> Row:
    prefix = region.prefix.strip("/")
    return row(
        region.name,
        code(region.endpoint),
        code(f"{region.bucket}/{prefix}" if prefix else region.bucket),
        Cell(region.jurisdiction, notes=(region.location,)),
        Cell(_holds(source, region, language), notes=tuple(_lock(region, language))),
    )


def _holds(source: Source, region: Region, language: Language) -> str:
    configuration = source.configuration
    there = [d.name for d in configuration.datasets.values() if region.name in d.regions]
    if plane_password(configuration) and region in plane_regions(configuration):
        there.insert(0, language.say("drorch’s own records"))
    return language.listed(there)


def _lock(region: Region, language: Language) -> Iterator[str]:
    lock = region.object_lock
    if lock is None:
        return
    length = language.duration(lock.keep)
    if lock.mode is LockMode.COMPLIANCE:
        yield language.say("locked for {length}: nobody can delete it", length=length)
    else:
        yield language.say("locked for {length} (governance)", length=length)


def data_tables(source: Source, language: Language) -> Iterator[Table | Text]:
    """Which data there is, and what opens it."""
    say = language.say
    columns = (
        Column(say("Dataset")),
        Column(say("What comes back"), wide=True),
        Column(say("Lies in")),
        Column(say("Opened by the file")),
    )
    datasets = source.configuration.datasets.values()
    yield table(columns, [one for d in datasets for one in _dataset(d, language)])


def _dataset(dataset: Dataset, language: Language) -> Iterator[Row]:
    for n, (password, regions) in enumerate(by_password(dataset).items()):
        first = dataset.name if n == 0 else language.say("{name}, other key", name=dataset.name)
        yield row(first, _content(dataset), language.listed(regions), code(password))


def _content(dataset: Dataset) -> Cell:
    if dataset.dump is not None:
        return code(dataset.dump.filename, " ".join(dataset.dump.command))
    first, *others = [str(path) for path in dataset.paths] or ["/"]
    return code(first, *others)
