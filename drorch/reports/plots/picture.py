"""A finished picture, and what becomes of it in a page and on paper."""

import re
from dataclasses import dataclass
from html import escape

from drorch.reports.plots.palette import as_variables, on_paper

#: Widths in pixels, letters having 12: for a screen, a sheet of paper, a phone.
WIDE = 860
PAPER = 720
NARROW = 360

_ID = re.compile(r'\bid="([^"]*)"')
_REFERENCE = re.compile(r'url\(#([^)]*)\)|xlink:href="#([^"]*)"')


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing of `width` to `height` pixels, in stand-ins for colours.

    `title` and `description` are for who cannot see it. `drawing` is what stands inside of <svg>.
    """

    title: str
    description: str
    width: int
    height: int
    drawing: str

    def in_page(self, name: str) -> str:
        """For a page with templates/report.css: `name` sets its ids apart from other pictures'."""
        drawing = as_variables(_named_apart(self.drawing, name))
        return (
            f'<svg class="plot" viewBox="0 0 {self.width} {self.height}"'
            f' role="img" aria-labelledby="{name}-t {name}-d"'
            ' stroke-linejoin="round">'
            f'<title id="{name}-t">{escape(self.title)}</title>'
            f'<desc id="{name}-d">{escape(self.description)}</desc>{drawing}</svg>'
        )

    def alone(self) -> str:
        """As a file of its own, in the colours of paper."""
        return (
            '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
            f' viewBox="0 0 {self.width} {self.height}" width="{self.width}" height="{self.height}"'
            ' stroke-linejoin="round" font-family="Libertinus Serif, DejaVu Sans, sans-serif">'
            f"<title>{escape(self.title)}</title><desc>{escape(self.description)}</desc>"
            f"{on_paper(self.drawing)}</svg>"
        )


def _named_apart(drawing: str, name: str) -> str:
    """Ids with the name before them."""
    drawing = _ID.sub(rf'id="{name}-\1"', drawing)
    return _REFERENCE.sub(lambda found: found[0].replace("#", f"#{name}-", 1), drawing)
