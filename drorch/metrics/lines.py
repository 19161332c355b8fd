"""Families of metrics written as text, in Prometheus' own form or as OpenMetrics.

The library wants an object for each sample; of 10,000 datasets there are 300,000 (docs/adr/0013).
Tests hold what is written here against the library's parsers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

_ESCAPED = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
#: What the name of a sample has after the family's.
_SUFFIX = {"gauge": "", "counter": "_total", "info": "_info"}


@dataclass(frozen=True, slots=True)
class Family:
    """Samples of one name: each with its labels, as `labelled` writes them, and its value.

    A counter's samples are called `NAME_total`, those of an info `NAME_info`.
    """

    name: str
    says: str
    samples: Iterable[tuple[str, float]]
    kind: Literal["gauge", "counter", "info"] = "gauge"


def labelled(labels: Mapping[str, str]) -> str:
    """`{dataset="ehr-db",region="qc"}`."""
    told = ",".join(f'{name}="{value.translate(_ESCAPED)}"' for name, value in labels.items())
    return f"{{{told}}}"


def written(families: Iterable[Family], *, openmetrics: bool) -> bytes:
    """The families as text, without what ends the whole."""
    return "".join(_written(family, openmetrics) for family in families).encode()


def _written(family: Family, openmetrics: bool) -> str:
    sample = family.name + _SUFFIX[family.kind]
    # OpenMetrics describes the family, and knows infos; the older form describes the samples.
    name = family.name if openmetrics else sample
    kind = "gauge" if family.kind == "info" and not openmetrics else family.kind
    head = f"# HELP {name} {family.says}\n# TYPE {name} {kind}\n"
    return head + "".join([f"{sample}{labels} {value}\n" for labels, value in family.samples])
