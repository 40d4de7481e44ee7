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
from retronet.reading.strip import Strip

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


def work_of_stages(
    made: Stages, size: int = SIZE, strips: Sequence[Strip] | None = None
) -> tuple[StageWork, ...]:
    """Return the work of each stage before the network for a picture whose `stages` were made.

    Parameters
    ----------
    made
        See `retronet.reading.read.stages`; with its pictures.
    size
        Rows and columns of a normalised digit.
    strips
        The picture's lines, where a network is slid over them: they are normalised in place of the digits.
    """
    pixels, ink = made.ink.size, int(made.ink.sum())
    threshold = (4 * FILTERS + DECIDED) * pixels
    components = 2 * pixels + (NEIGHBOURS + 2) * ink
    if strips is None:
        normalised = [normalisation_work(part.ink, size) for line in made.lines for part in line]
    else:
        normalised = [_strip_work(strip) for strip in strips]
    return (
        StageWork("threshold", threshold, 0),
        StageWork("components", components, 0),
        StageWork("normalisation", sum(each[0] for each in normalised), sum(each[1] for each in normalised)),
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
    longer = max(ink.shape)
    return _resampling_work(ink.shape, (size, size), size / longer)


def _strip_work(strip: Strip) -> tuple[int, int]:
    """Return the same of a line that becomes a strip."""
    return _resampling_work(strip.line.ink.shape, strip.field.shape, strip.scale)


def _resampling_work(ink: tuple[int, ...], field: tuple[int, ...], scale: float) -> tuple[int, int]:
    """Return the pixels touched and the multiply-adds to bring a box onto a field, `scale` pixels a cell."""
    (rows, columns), (high, wide) = ink, field
    down = np.count_nonzero(coverage(rows, high, rows * scale) > ROUNDING)
    across = np.count_nonzero(coverage(columns, wide, columns * scale) > ROUNDING)
    touched = rows * columns + 2 * high * columns + 3 * high * wide
    return touched, int(down * columns + across * high + high * wide)
