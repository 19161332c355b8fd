"""Lists of what is to be deleted, kept as evidence, and which regions still owe what they name."""

from collections.abc import Iterable

from drorch.core.errors import DrorchError
from drorch.core.facts import PruneOwed
from drorch.core.model import Dataset
from drorch.core.values import Evidence
from drorch.ports import Tools


def kept_list(tools: Tools, run: str, region: str, names: Iterable[str]) -> Evidence:
    """A list of names, kept durably before the first of them is deleted."""
    content = "".join(f"{name}\n" for name in names)
    return tools.evidence.keep(run, f"deletions-{region}.txt", content.encode())


def read_list(tools: Tools, run: str, name: str, sha256: str) -> list[str]:
    """The names; DrorchError if the list is not there any more, or is not what was kept."""
    return tools.evidence.read(run, name, sha256).decode().splitlines()


def owing_of(tools: Tools, dataset: Dataset) -> dict[str, PruneOwed]:
    """By region, what it still owes of a prune."""
    facts = tools.knowledge.facts(PruneOwed, dataset.name)
    return {k.fact.region: k.fact for k in facts if not k.fact.paid}


def pruned_before(tools: Tools, dataset: Dataset) -> dict[str, frozenset[str]]:
    """By region that owes a prune, the ids of the objects that others were freed of.

    A list that is lost leaves its names out: then more flows back than need be, never too little.
    """
    return {
        region: frozenset(
            name.rpartition("/")[2] for one in fact.lists for name in _names(tools, one)
        )
        for region, fact in owing_of(tools, dataset).items()
    }


def _names(tools: Tools, reference: str) -> list[str]:
    run, name, sha256 = reference.split("/")
    try:
        return read_list(tools, run, name, sha256)
    except DrorchError:
        return []
