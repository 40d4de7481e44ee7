"""Figures of a page: drawn in both themes and said in words, or left out where there is no matplotlib."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from retronet_cli.views.pages.tables import figure_html

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from retronet_cli.pictures.paper import ThemeName

Drawn = Callable[["ThemeName"], "Figure"]
Picture = Callable[[Drawn, str], str]
"""A figure drawn in both themes and said in words, as HTML; nothing where there is no matplotlib."""


def no_picture(_draw: Drawn, _words: str) -> str:
    """Return nothing: pictures are left out."""
    return ""


def picture(draw: Drawn, words: str) -> str:
    """Return a figure in both themes."""
    from retronet_cli.pictures.paper import svg

    return figure_html(svg(draw("light"), words), svg(draw("dark"), words), words)
