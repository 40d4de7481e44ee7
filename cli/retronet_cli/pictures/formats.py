"""Pictures of number formats: what a cast makes of every number, and how far that is from the number."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from retronet_cli.pictures.paper import THEMES, ThemeName, new_figure, on_paper

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hw_sim.formats.staircase import Reals, Staircase

MOST_COLUMNS = 4
FEW_EDGES = 80
"""Up to so many edges the output at each edge is drawn as a dot."""
ROOM = 2.4
"""The errors that are drawn, in the largest one within the format's range."""


def staircases_figure(
    stairs: "Mapping[str, Staircase]",
    theme: ThemeName = "light",
    origin: tuple[float, float] = (0.0, 1.0),
    unit: str = "",
) -> "Figure":
    """Return a staircase and the error below it for each format.

    Parameters
    ----------
    stairs
        By what stands above each.
    theme
        Light or dark.
    origin
        What is subtracted from inputs and outputs, and what both are then divided by.
    unit
        What the numbers on the axes then are, in words.
    """
    columns = min(len(stairs), MOST_COLUMNS)
    blocks = -(-len(stairs) // columns)
    ranges = {(each.minimum, each.maximum, each.edges[0], each.edges[-1]) for each in stairs.values()}
    with on_paper(theme):
        figure = new_figure(max(3.8, 1.9 * columns), 0.6 + 3.2 * blocks)
        grid = figure.subplots(
            2 * blocks, columns, squeeze=False, sharey="row" if len(ranges) == 1 else "none",
            height_ratios=[2.1, 1.0] * blocks,
        )  # fmt: skip
        for axes in grid.flat:
            axes.set_visible(False)
        widest = [ROOM * max(each.largest_error, 0.5 * each.step) / origin[1] for each in stairs.values()]
        for number, (words, each) in enumerate(stairs.items()):
            block, column = divmod(number, columns)
            above, below = grid[2 * block][column], grid[2 * block + 1][column]
            _draw_outputs(above, each, theme, origin)
            _draw_errors(below, each, theme, origin)
            # Where the format ends, errors leave the picture.
            limit = max(widest) if len(ranges) == 1 else widest[number]
            below.set_ylim(-limit, limit)
            above.set_title(words, fontsize="small")
            above.tick_params(labelbottom=False)
            for axes in (above, below):
                axes.set_visible(True)
                axes.set_xlim(*_moved(each.edges[[0, -1]], origin))
            if column == 0:
                above.set_ylabel(f"output{unit}")
                below.set_ylabel("output − input")
        figure.supxlabel(f"input{unit}", fontsize="medium")
        return figure


def _moved(values: "Reals", origin: tuple[float, float]) -> "Reals":
    return (values - origin[0]) / origin[1]


def _draw_outputs(axes: "Axes", stairs: "Staircase", theme: ThemeName, origin: tuple[float, float]) -> None:
    """Draw the staircase on the line of what is exact; beyond the format's range the paper is darker."""
    colours = THEMES[theme]
    edges, outputs, at_edges = (
        _moved(each, origin) for each in (stairs.edges, stairs.outputs, stairs.at_edges)
    )
    axes.plot(edges[[0, -1]], edges[[0, -1]], color=colours.ink, linewidth=0.7, linestyle=(0, (4, 3)))
    for low, high in ((stairs.edges[0], stairs.minimum), (stairs.maximum, stairs.edges[-1])):
        if low < high:
            axes.axvspan(*_moved(np.array([low, high]), origin), color=colours.faint, alpha=0.45, linewidth=0)
    if stairs.chance:
        _dots(axes, edges, at_edges, theme, 1.4)
        return
    axes.plot(
        _broken(edges[:-1], edges[1:]), _broken(outputs, outputs), color=colours.lines[0], linewidth=1.7,
        solid_capstyle="butt",
    )  # fmt: skip
    axes.plot(
        _broken(edges[1:-1], edges[1:-1]), _broken(outputs[:-1], outputs[1:]),
        color=colours.lines[0], linewidth=0.5, alpha=0.7,
    )  # fmt: skip
    if len(edges) <= FEW_EDGES:
        _dots(axes, edges[1:-1], at_edges[1:-1], theme, 3.0)


def _draw_errors(axes: "Axes", stairs: "Staircase", theme: ThemeName, origin: tuple[float, float]) -> None:
    """Draw output − input."""
    colours = THEMES[theme]
    edges, scale = _moved(stairs.edges, origin), origin[1]
    axes.axhline(0, color=colours.ink, linewidth=0.7, linestyle=(0, (4, 3)))
    at_edges = (stairs.at_edges - stairs.edges) / scale
    if stairs.chance:
        _dots(axes, edges, at_edges, theme, 1.4, line=1)
    else:
        axes.plot(
            _broken(edges[:-1], edges[1:]),
_broken(*((stairs.outputs - ends) / scale for ends in (stairs.edges[:-1], stairs.edges[1:]))),
            color=colours.lines[1], linewidth=1.2,
        )  # fmt: skip
        if len(edges) <= FEW_EDGES:
            _dots(axes, edges[1:-1], at_edges[1:-1], theme, 3.0, line=1)


def _dots(axes: "Axes", x: "Reals", y: "Reals", theme: ThemeName, size: float, line: int = 0) -> None:
    axes.plot(
        x, y, linestyle="", marker="o", markersize=size, color=THEMES[theme].lines[line], markeredgewidth=0
    )


def _broken(first: "Reals", second: "Reals") -> "Reals":
    """Return first and second numbers in turn, with a gap after each pair."""
    return np.stack((first, second, np.full_like(first, np.nan)), axis=1).ravel()
