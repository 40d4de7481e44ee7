"""Pictures of what a network has learnt and what it makes of a digit: kernels and feature maps."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from retronet_cli.pictures.paper import ThemeName, new_figure, note, on_paper, show_plane

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

States = Mapping[str, "NDArray[Any]"]


def kernels_figure(runs: "Mapping[str, NDArray[Any]]", layer: str, theme: ThemeName = "light") -> "Figure":
    """Return the kernels of one layer as squares of grey, zero in the middle; a row of them a run.

    Parameters
    ----------
    runs
        For each run, by its name, kernels (maps, planes, rows, columns); each plane is drawn apart.
    layer
        Its name.
    theme
        Light or dark.
    """
    planes = {name: kernels.reshape(-1, *kernels.shape[-2:]) for name, kernels in runs.items()}
    largest = max(float(np.abs(each).max()) for each in planes.values())
    most = max(len(each) for each in planes.values())
    columns = 12 if most <= 24 else 16
    rows = {name: -(-len(each) // columns) for name, each in planes.items()}
    with on_paper(theme) as colours:
        figure = new_figure(7.2, 0.65 * sum(rows.values()) * 12 / max(columns, 12) + 0.9 * len(runs))
        parts = figure.subfigures(len(runs), 1, squeeze=False, height_ratios=list(rows.values()))[:, 0]
        image = None
        every: list[Any] = []
        for part, (name, each) in zip(parts, planes.items(), strict=True):
            if len(runs) > 1:
                part.suptitle(name, fontsize="small")
            panels = part.subplots(rows[name], columns, squeeze=False)
            every += list(panels.flat)
            for index, panel in enumerate(panels.flat):
                if index < len(each):
                    image = show_plane(panel, each[index], -largest, largest)
                else:
                    panel.set_visible(False)
            bar = part.colorbar(image, ax=panels, location="bottom", shrink=0.4, aspect=30)
            bar.set_label(f"weight of {layer}; grey is 0", fontsize="small")
            bar.outline.set_edgecolor(colours.ink)
        return figure


def maps_figure(
    digit: "NDArray[Any]", states: States, few: States, words: str, theme: ThemeName = "light"
) -> "Figure":
    """Return the feature maps of one digit in floating point and, below each layer's, in few bits.

    Grey is 0 in the middle; where no state is above 0, as of distances to codes with their sign turned, black
    and white are the ends. Outputs bear their numbers.

    Parameters
    ----------
    digit
        The picture (rows, columns).
    states, few
        For each layer its states (planes, rows, columns), in floating point and as few bits have them.
    words
        What the few bits are called, such as ``4 bits``.
    theme
        Light or dark.
    """
    shapes = {name: _drawn(array) for name, array in states.items()}
    with on_paper(theme):
        figure = new_figure(7.2, 1.3 + 1.25 * len(shapes))
        heights = [0.9, *(2.0 if len(each) > 1 else 1.1 for each in shapes.values())]
        top, *parts = figure.subfigures(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
        panels = top.subplots(1, 9)
        for index, panel in enumerate(panels):
            if index == 4:
                show_plane(panel, digit, float(digit.min()), float(digit.max()))
            else:
                panel.set_visible(False)
        top.suptitle("the digit", fontsize="small")
        for part, (name, exact) in zip(parts, shapes.items(), strict=True):
            other = _drawn(few[name])
            low, high = _ends(exact, other)
            part.suptitle(
                f"{name}, states from {_signed(low)} (black) to {_signed(high)} (white)", fontsize="small"
            )
            rows = part.subplots(2, len(exact), squeeze=False)
            for row, planes, label in zip(rows, (exact, other), ("float", words), strict=True):
                for panel, plane in zip(row, planes, strict=True):
                    show_plane(panel, plane, low, high)
                row[0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize="small")
            if name == list(shapes)[-1] and exact.shape[:2] == (1, 1):
                rows[-1, 0].set_xticks(range(exact.shape[2]))
                rows[-1, 0].tick_params(labelsize="x-small", length=0)
        note(figure, "Upper rows: floating point. Lower rows: the same states as fixed point has them.")
        return figure


def _ends(exact: "NDArray[Any]", few: "NDArray[Any]") -> tuple[float, float]:
    """Return the numbers that are black and white."""
    least, most = min(exact.min(), few.min()), max(exact.max(), few.max())
    if most < 0:
        return float(least), float(most)
    reach = float(max(-least, most)) or 1.0
    return -reach, reach


def _signed(number: float) -> str:
    return f"{number:.3g}".replace("-", "−")


def _drawn(array: "NDArray[Any]") -> "NDArray[Any]":
    """Return planes to draw: those of a map, or all single units side by side in one strip."""
    planes = np.asarray(array, np.float64)
    return planes.reshape(1, 1, -1) if planes.shape[1:] == (1, 1) else planes
