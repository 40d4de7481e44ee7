"""Size normalisation: a segmented digit of any size becomes the 16×16 grey picture that the network reads.

NC89 §2.2: a linear transformation into 16×16 that keeps the aspect ratio; the result is grey, its levels
scaled and translated into −1 … 1. How a digit lies in the square is not stated; the digits of USPS show it:
the longer side of its box fills the square, and the box is centred on the shorter one. That each pixel is the
mean of what it covers is our choice of the transformation.
"""

import numpy as np
from numpy.typing import NDArray

from retronet.errors import InputError

SIZE = 16
"""Rows and columns of a normalised digit (NC89 §2.2)."""
EVEN = 1e-9
"""Grey levels that differ by less, of the darkest, differ by the rounding of sums alone."""


def box_of(ink: NDArray[np.generic]) -> tuple[slice, slice]:
    """Return the rows and columns that hold all of the `ink`, zero being paper.

    Raises
    ------
    InputError
        If there is no ink.
    """
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if rows.size == 0:
        raise InputError(
            "The picture can not be normalised: it has no ink; at least one pixel must not be zero. "
            "Give a picture of a digit."
        )
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def coverage(count: int, size: int, length: float) -> NDArray[np.float64]:
    """Return how many of `count` cells, laid in a row `length` pixels long and centred, each pixel covers.

    Parameters
    ----------
    count
        Cells: the rows or the columns of a digit's box.
    size
        Pixels they are laid on.
    length
        Of the row of cells, in pixels; at most `size`.

    Returns
    -------
    ndarray of float64, shape (size, count)
        The share of each cell that lies on each pixel. A row sums to `count` / `length` where the pixel lies
        wholly on cells, and to less at the two ends.
    """
    scale = length / count
    starts = (size - length) / 2 + scale * np.arange(count)
    pixels = np.arange(size)[:, np.newaxis]
    overlap = np.minimum(pixels + 1, starts + scale) - np.maximum(pixels, starts)
    share: NDArray[np.float64] = np.maximum(overlap, 0) / scale
    return share


def normalised(ink: NDArray[np.generic], size: int = SIZE) -> NDArray[np.float32]:
    """Return a digit as the network reads it.

    Parameters
    ----------
    ink : ndarray, shape (rows, columns)
        Of one digit, of any size: 0 or False is paper, larger numbers are darker.
    size
        Rows and columns of the result.

    Returns
    -------
    ndarray of float32, shape (size, size)
        −1 is the lightest pixel, +1 the darkest. A digit that covers all pixels alike is +1 throughout.

    Raises
    ------
    InputError
        If there is no ink.
    """
    part = np.asarray(ink)[box_of(ink)].astype(np.float64)
    rows, columns = part.shape
    longer = max(rows, columns)
    down = coverage(rows, size, size * rows / longer)
    across = coverage(columns, size, size * columns / longer)
    # Products of small matrices, written as sums in a stated order: a BLAS may have another on each machine.
    half = np.zeros((size, columns))
    for row in range(rows):
        half += down[:, row, np.newaxis] * part[row]
    grey = np.zeros((size, size))
    for column in range(columns):
        grey += half[:, column, np.newaxis] * across[:, column]
    low, high = float(grey.min()), float(grey.max())
    if high - low <= EVEN * high:
        return np.ones((size, size), np.float32)
    return (2 * (grey - low) / (high - low) - 1).astype(np.float32)
