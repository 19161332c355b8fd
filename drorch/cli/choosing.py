"""The options by which verbs are told which datasets and regions are meant."""

from collections.abc import Callable
from typing import Any

import click

from drorch.cli.names import dataset_names, region_names

#: What click makes of a function: an option more on it.
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def of_datasets(otherwise: str = "all") -> Decorator:
    """`--dataset NAME`, any number of times, as `datasets`; `otherwise` says what none means."""
    return click.option(
        "--dataset",
        "datasets",
        metavar="NAME",
        multiple=True,
        shell_complete=dataset_names,
        help=f"Only this dataset; may be given again. Else {otherwise}.",
    )


def of_region(meant: str = "Only in this region.") -> Decorator:
    """`--region NAME`, as `region`."""
    return click.option("--region", metavar="NAME", shell_complete=region_names, help=meant)
