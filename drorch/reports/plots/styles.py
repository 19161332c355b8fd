"""How areas are drawn: a face, an edge, a hatch in the edge's colour."""

from typing import Any

from drorch.reports.plots.library import Ink


def area(face: Ink, edge: Ink, hatch: str = "", width: float = 1.2, **more: Any) -> dict[str, Any]:
    """The library's keywords of a rectangle."""
    hatched = {"hatch": hatch, "hatchcolor": edge.stand_in} if hatch else {}
    plain = {"facecolor": face.stand_in, "edgecolor": edge.stand_in, "linewidth": width}
    return {**plain, **hatched, **more}
