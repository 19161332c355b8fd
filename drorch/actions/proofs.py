"""What has been proven of a dataset in a region, as the journal knows it."""

from drorch.core.facts import Proven
from drorch.core.model import Dataset, Region
from drorch.ports import Knowledge, Tools


def proofs_of(knowledge: Knowledge, dataset: Dataset, region: str) -> list[Proven]:
    """What the journal knows to be proven of a region."""
    known = knowledge.facts(Proven, dataset.name)
    return [k.fact for k in known if k.fact.region == region]


def known_damage(tools: Tools, dataset: Dataset, region: Region) -> bool:
    """Whether the journal knows of damaged objects there."""
    return any(proof.damaged for proof in proofs_of(tools.knowledge, dataset, region.name))
