"""Digits of a data set drawn large, as with a pen, and read back: what threshold and normalisation change."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from retronet.reading.compose import stretched
from retronet.reading.forms import Form
from retronet.reading.threshold import binarised

TIMES = 8
"""How much larger digits of 16×16 are drawn; others come to the same size."""
MARGIN = 16


def drawn_large(image: NDArray[np.floating], times: int = TIMES) -> NDArray[np.float32]:
    """Return the darkness of a digit drawn large, 0 white and 1 black, with paper around it.

    Parameters
    ----------
    image : ndarray, shape (rows, columns)
        −1 is paper, +1 ink. Between the middles of its pixels the grey runs straight.
    times
        How much larger it is drawn.
    """
    rows, columns = (size * times for size in image.shape)
    large = stretched(stretched(image.astype(np.float64), rows).T, columns).T
    darkness: NDArray[np.float32] = ((np.pad(large, MARGIN, constant_values=-1) + 1) / 2).astype(np.float32)
    return darkness


def read_back(images: NDArray[np.floating], form: Form, times: int = TIMES) -> Iterator[NDArray[np.float32]]:
    """Yield digits as a network reads them after they were drawn large, thresholded and normalised.

    Parameters
    ----------
    images : ndarray, shape (n, rows, columns)
        −1 is paper, +1 ink.
    form
        How the network reads a digit.
    times
        How much larger they are drawn.

    Raises
    ------
    InputError
        If a digit has no ink after the threshold.
    """
    for image in images:
        yield form.placed(binarised(drawn_large(image, times)))
