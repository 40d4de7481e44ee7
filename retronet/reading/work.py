"""What each stage before the network does for a picture: pixels touched and multiply-adds, counted.

A pixel is touched when it is read or written. Counts are those of the stages as they are defined here, by
algorithms that touch least: running sums for means, running extremes, two passes for components.
The network's own work is `retronet.network.SizedLayer.macs`.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from retronet.reading.normalise import SIZE, coverage
from retronet.reading.read import Stages

FILTERS = 3
"""A mean, a lightest and a darkest value, each by rows and then by columns: a read and a write each time."""
DECIDED = 4
"""The smoothed value and both extremes read, ink written."""
NEIGHBOURS = 4
"""Of a pixel of ink, labelled already: three above and one before."""
ROUNDING = 1e-9
"""Cells that a pixel covers by less end where it begins."""


class StageWork(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Pixels that a stage touches and multiply-adds that it makes, for one picture."""

    stage: Literal["threshold", "components", "normalisation"]
    pixels: int
    macs: int


def work_of_stages(made: Stages, size: int = SIZE) -> tuple[StageWork, ...]:
    """Return the work of each stage before the network for a picture whose `stages` were made.

    Parameters
    ----------
    made
        See `retronet.reading.read.stages`.
    size
        Rows and columns of a normalised digit.
    """
    pixels, ink = made.ink.size, int(made.ink.sum())
    threshold = (4 * FILTERS + DECIDED) * pixels
    components = 2 * pixels + (NEIGHBOURS + 2) * ink
    digits = [normalisation_work(part.ink, size) for line in made.lines for part in line]
    return (
        StageWork("threshold", threshold, 0),
        StageWork("components", components, 0),
        StageWork("normalisation", sum(each[0] for each in digits), sum(each[1] for each in digits)),
    )


def summed(works: Sequence[tuple[StageWork, ...]]) -> tuple[StageWork, ...]:
    """Return the work of several pictures together, stage by stage."""
    return tuple(
        StageWork(each[0].stage, sum(one.pixels for one in each), sum(one.macs for one in each))
        for each in zip(*works, strict=True)
    )


def normalisation_work(ink: NDArray[np.generic], size: int = SIZE) -> tuple[int, int]:
    """Return the pixels touched and the multiply-adds to normalise one digit of these rows and columns.

    The box is read, its rows are summed into `size`, written and read, then its columns, written; the result
    is read and written once more. A pixel that a cell does not reach costs nothing. Scaling to −1 … 1 is one
    multiply-add a pixel.
    """
    rows, columns = ink.shape
    longer = max(rows, columns)
    down = np.count_nonzero(coverage(rows, size, size * rows / longer) > ROUNDING)
    across = np.count_nonzero(coverage(columns, size, size * columns / longer) > ROUNDING)
    touched = rows * columns + 2 * size * columns + 3 * size * size
    return touched, int(down * columns + across * size + size * size)
