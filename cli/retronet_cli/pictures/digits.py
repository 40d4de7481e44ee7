"""Pictures of digits as they are presented."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from retronet_cli.pictures.paper import ThemeName, note, on_paper, one_axes, show_plane

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray


def copies_figure(
    images: "NDArray[Any]", labels: Sequence[int], title: str, theme: ThemeName = "light"
) -> "Figure":
    """Return digits with their distorted copies beside them, one digit a row.

    Parameters
    ----------
    images
        Shape (digits, copies and 1, rows, columns); the first of each row is the digit itself.
    labels
        What they are, one a row.
    title
        Whose they are.
    theme
        Light or dark.
    """
    digits, across, rows, columns = images.shape
    with on_paper(theme):
        figure, axes = one_axes(1.0 + 0.6 * across, 1.1 + 0.6 * digits)
        sheet = np.concatenate(np.concatenate(images, axis=1), axis=1)
        show_plane(axes, sheet, float(images.min()), float(images.max()))
        axes.set_yticks(np.arange(digits) * rows + (rows - 1) / 2, [str(label) for label in labels])
        axes.set_xticks(
            np.arange(across) * columns + (columns - 1) / 2, ["itself", *map(str, range(1, across))]
        )
        axes.tick_params(length=0)
        axes.set_xlabel("copy")
        axes.set_ylabel("digit")
        axes.set_title(title)
        note(figure, "They follow from the recipe's seed, the digit and the number of the copy alone.")
        return figure
