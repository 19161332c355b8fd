"""What tests read out of a picture."""

import re
from xml.etree import ElementTree as ET

from drorch.reports.plots.palette import ON_PAPER, Ink
from drorch.reports.plots.picture import Picture

SVG = "{http://www.w3.org/2000/svg}"


def texts(picture: Picture) -> list[str]:
    """Every text that can be read in it."""
    return [" ".join("".join(t.itertext()).split(" ")) for t in tree(picture).iter(f"{SVG}text")]


def places(picture: Picture) -> list[tuple[float, float]]:
    """Where texts stand."""
    found = (text.attrib for text in tree(picture).iter(f"{SVG}text"))
    return [(float(one["x"]), float(one["y"])) for one in found]


def tree(picture: Picture) -> ET.Element:
    """The picture as a file of its own, read by an XML parser."""
    return ET.fromstring(picture.alone())


def holds_up(picture: Picture) -> None:
    """What every picture keeps to, whatever the library writes."""
    drawing = picture.drawing
    assert "<style" not in drawing
    assert "<script" not in drawing
    colours = set(re.findall(r"#[0-9a-f]{6}\b", drawing))
    assert colours <= {ink.stand_in for ink in Ink}
    assert "rgb(" not in drawing
    assert "black" not in drawing
    assert set(re.findall(r"#[0-9a-f]{6}\b", picture.alone())) <= set(ON_PAPER.values())
    page = picture.in_page("pic")
    assert not re.findall(r"#[0-9a-f]{6}\b", page)
    ids = re.findall(r'\bid="([^"]*)"', page)
    assert len(ids) == len(set(ids))
    assert all(one.startswith("pic-") for one in ids)
    referred = re.findall(r'url\(#([^)]*)\)|href="#([^"]*)"', page)
    assert {one or other for one, other in referred} <= set(ids)
    assert tree(picture).find(f"{SVG}title") is not None
