"""Whether the names of a configuration lead somewhere, and whether its parts agree."""

from collections.abc import Iterable, Iterator

from drorch.config.dataset_parts import CopyShape
from drorch.config.models import ConfigurationShape, DatasetShape, RegionShape
from drorch.config.source import Document, KeyPath
from drorch.core.errors import Problem
from drorch.core.jurisdictions import jurisdiction_within
from drorch.core.nearest import did_you_mean


def reference_problems(shape: ConfigurationShape, document: Document) -> Iterator[Problem]:
    """Everything that each part alone cannot show. `shape` may lack what was wrong in itself."""
    names = _Names(document)
    for name, region in shape.regions.items():
        yield from _of_region(names, name, region)
    yield from _same_places(shape, document)
    for name, dataset in shape.datasets.items():
        yield from _of_dataset(names, name, dataset)
        yield from _residency(shape, document, name, dataset)
    yield from _of_services_and_drills(names, shape)
    for index, rule in enumerate(shape.notify):
        for key, secret in (("to", rule.to), ("ping", rule.ping)):
            yield from names.check("secrets", secret, ("notify", index, key))
    yield from _of_evidence(names, shape, document)
    yield from _of_reports(names, shape)
    yield from _control_plane(names, shape, document)


class _Names:
    """The names that stand in the file, those of damaged entries included."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def of(self, section: str) -> list[str]:
        found = self._document.value.get(section)
        return list(found) if isinstance(found, dict) else []

    def check(
        self, section: str, name: str | None, path: KeyPath, *, at_key: bool = False
    ) -> Iterator[Problem]:
        """A problem if nothing of that name stands in the section."""
        if name is None or name in self.of(section):
            return
        kind = section.removesuffix("s")
        words = ".".join(str(p + 1) if isinstance(p, int) else p for p in path)
        hint = did_you_mean(name, self.of(section), f"{section} are")
        yield self._document.problem(
            path, f"{words}: there is no {kind} {name!r}", hint, at_key=at_key
        )

    def twice(self, path: KeyPath, listed: Iterable[str]) -> Iterator[Problem]:
        seen: set[str] = set()
        for index, item in enumerate(listed):
            if item in seen:
                words = ".".join(str(part) for part in path)
                yield self.problem((*path, index), f"{words}: {item!r} stands twice", "keep one")
            seen.add(item)

    def problem(self, path: KeyPath, message: str, hint: str, *, at_key: bool = False) -> Problem:
        return self._document.problem(path, message, hint, at_key=at_key)


def _of_region(names: _Names, name: str, region: RegionShape) -> Iterator[Problem]:
    for key, secret in (("access_key", region.access_key), ("secret_key", region.secret_key)):
        yield from names.check("secrets", secret, ("regions", name, key))


def _same_places(shape: ConfigurationShape, document: Document) -> Iterator[Problem]:
    """Two regions in one place: each other's repositories would be overwritten."""
    seen: dict[tuple[str, str, str], str] = {}
    for name, region in shape.regions.items():
        place = (region.endpoint.lower(), region.bucket, region.prefix)
        first = seen.setdefault(place, name)
        if first != name:
            message = f"regions.{name}: the same endpoint, bucket and prefix as region {first!r}"
            hint = "give it a bucket or prefix of its own: their repositories would collide"
            yield document.problem(("regions", name), message, hint, at_key=True)


def _of_dataset(names: _Names, name: str, dataset: DatasetShape) -> Iterator[Problem]:
    path: KeyPath = ("datasets", name)
    yield from names.check("secrets", dataset.password, (*path, "password"))
    yield from names.check("sites", dataset.site, (*path, "site"))
    yield from names.check("regions", dataset.primary, (*path, "primary"))
    yield from names.twice((*path, "paths"), dataset.paths or ())
    for region, copy in dataset.copies.items():
        yield from _of_copy(names, name, dataset, region, copy)


def _of_copy(
    names: _Names, name: str, dataset: DatasetShape, region: str, copy: CopyShape
) -> Iterator[Problem]:
    path: KeyPath = ("datasets", name, "copies", region)
    yield from names.check("regions", region, path, at_key=True)
    yield from names.check("secrets", copy.password, (*path, "password"))
    if region == dataset.primary:
        message = f"datasets.{name}.copies: {region!r} is the primary already"
        yield names.problem(path, message, "name another region, or another primary", at_key=True)
    if copy.mode == "mirror" and copy.password is not None:
        message = f"datasets.{name}.copies.{region}: a mirror has the dataset's own password"
        hint = "leave `password` out, or use `mode: copy` for a repository with its own key"
        yield names.problem((*path, "password"), message, hint, at_key=True)


def _residency(
    shape: ConfigurationShape, document: Document, name: str, dataset: DatasetShape
) -> Iterator[Problem]:
    path: KeyPath = ("datasets", name)
    if _has_transfer(document, "datasets", name):
        return
    places = [(dataset.primary, (*path, "primary"))]
    places += [(region, (*path, "copies", region)) for region in dataset.copies]
    for region_name, place in places:
        region = shape.regions.get(region_name)
        if region is None or _has_transfer(document, "regions", region_name):
            continue
        if not jurisdiction_within(region.jurisdiction, dataset.residency):
            message = (
                f"datasets.{name}: may lie only in {', '.join(dataset.residency)}, "
                f"but region {region_name!r} is in {region.jurisdiction}"
            )
            hint = (
                "take another region, or name the papers under the region or the dataset: "
                "`transfer: {assessment: …, agreement: …}`"
            )
            at_key = place[-1] != "primary"
            yield document.problem(place, message, hint, at_key=at_key)


def _of_evidence(names: _Names, shape: ConfigurationShape, document: Document) -> Iterator[Problem]:
    evidence = shape.evidence
    yield from names.check("secrets", evidence.key, ("evidence", "key"))
    if evidence.key is not None and not evidence.public_key:
        message = "evidence: there is a key to seal with, and none to check seals with"
        hint = "name its public half, too: `public_key: FILE` (drorch init makes both)"
        yield names.problem(("evidence",), message, hint, at_key=True)
    for index, listed in enumerate(evidence.regions):
        place: KeyPath = ("evidence", "regions", index)
        yield from names.check("regions", listed, place)
        if outside := _outside(shape, document, listed):
            message = f"evidence.regions: {listed!r} is outside the residency of {outside}"
            hint = "evidence tells of the data: take another region, or name the papers: `transfer`"
            yield names.problem(place, message, hint)
    yield from names.twice(("evidence", "regions"), evidence.regions)


def _outside(shape: ConfigurationShape, document: Document, name: str) -> str:
    """The datasets, in words, that may not lie in the region."""
    region = shape.regions.get(name)
    if region is None or _has_transfer(document, "regions", name):
        return ""
    return ", ".join(
        dataset
        for dataset, one in shape.datasets.items()
        if not jurisdiction_within(region.jurisdiction, one.residency)
        and not _has_transfer(document, "datasets", dataset)
    )


def _control_plane(
    names: _Names, shape: ConfigurationShape, document: Document
) -> Iterator[Problem]:
    """Its password is one, and its records lie nowhere that a dataset's may not."""
    plane, path = shape.control_plane, ("control_plane", "regions")
    yield from names.check("secrets", plane.password, ("control_plane", "password"))
    yield from names.twice(path, plane.regions)
    passwords = {dataset.password for dataset in shape.datasets.values()}
    if plane.password is None and len(passwords) > 1:
        message = "control_plane.password is missing: the datasets have several passwords"
        hint = f"name the secret that seals drorch's records: one of {', '.join(sorted(passwords))}"
        yield document.problem(("control_plane",), message, hint, at_key=True)
    for index, listed in enumerate(plane.regions):
        yield from names.check("regions", listed, (*path, index))
        if outside := _outside(shape, document, listed):
            message = f"control_plane.regions: {listed!r} is outside the residency of {outside}"
            hint = "records tell of the data: leave it out, or name the papers: `transfer`"
            yield names.problem((*path, index), message, hint)


def _has_transfer(document: Document, section: str, name: str) -> bool:
    """Whether papers are named at all; what is wrong with them is said elsewhere."""
    entries = document.value.get(section)
    entry = entries.get(name) if isinstance(entries, dict) else None
    return isinstance(entry, dict) and entry.get("transfer") is not None


def _of_services_and_drills(names: _Names, shape: ConfigurationShape) -> Iterator[Problem]:
    for name, service in shape.services.items():
        path: KeyPath = ("services", name, "datasets")
        for index, dataset in enumerate(service.datasets):
            yield from names.check("datasets", dataset, (*path, index))
        yield from names.twice(path, service.datasets)


def _of_reports(names: _Names, shape: ConfigurationShape) -> Iterator[Problem]:
    quarterly = shape.reports.quarterly
    path: KeyPath = ("reports", "quarterly")
    for key, listed in (("languages", quarterly.languages), ("formats", quarterly.formats)):
        yield from names.twice((*path, key), listed or ())
    recipients = [one.to or " ".join(one.command or ()) for one in quarterly.to]
    yield from names.twice((*path, "to"), recipients)
    for index, one in enumerate(quarterly.to):
        yield from names.check("secrets", one.to, (*path, "to", index))
    signing = [f"{one.name}, {one.role}" for one in shape.reports.sign_off]
    yield from names.twice(("reports", "sign_off"), signing)
    yield from names.twice(("reports", "controls"), shape.reports.controls or ())


def runbook_name_problems(
    shape: ConfigurationShape, document: Document, known: Iterable[str]
) -> Iterator[Problem]:
    """Runbooks that services and drills name and that are not in the folder."""
    listed = sorted(known)
    named = [(("services", name, "runbook"), s.runbook) for name, s in shape.services.items()]
    named += [(("drills", name, "runbook"), d.runbook) for name, d in shape.drills.items()]
    for path, runbook in named:
        if runbook is not None and runbook not in listed:
            message = f"{'.'.join(path)}: there is no runbook {runbook!r}"
            hint = did_you_mean(runbook, listed, "runbooks are")
            yield document.problem(path, message, hint)
