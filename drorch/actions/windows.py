"""A dataset's window: how fast its bytes go to regions and come from them, by hour of the day."""

from drorch.core.model import Dataset
from drorch.ports import Tools
from drorch.storage import pace
from drorch.storage.pace import Flow


def flow_of(tools: Tools, dataset: Dataset) -> Flow:
    """What everything that is done with the dataset at once shares."""
    zone = tools.configuration.timezone
    return pace.flow_of(dataset.name, dataset.window, tools.clock, zone)
