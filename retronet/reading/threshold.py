"""Grey to ink and paper, by a threshold that follows the light (NC89 §5.2: adaptive; its law is not stated).

Ours is the middle between the lightest and the darkest that lie near a pixel (Bernsen's rule), where these
differ enough to be paper and ink at all; assumed.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

CONTRAST = 0.25
"""Least difference of paper and ink, of the difference in the whole picture; assumed."""
SMOOTHING = 3
"""Rows and columns of the mean that is taken first, so that a single speck sets no threshold; assumed."""
WINDOW = 6
"""The window's side is the picture's longer one divided by this; assumed."""
LEAST_WINDOW = 31
JUDGED = 1000
"""Of a larger picture so many rows or columns at most tell paper from ink."""


def dark_on_light(darkness: NDArray[np.float32]) -> tuple[NDArray[np.float32], bool]:
    """Return the picture with paper lighter than ink, and whether it was turned over for that.

    Paper is taken to be what there is more of where paper and ink lie near each other; so a shadow on a
    photograph, though it covers most of it, is none.
    """
    every = -(-max(darkness.shape) // JUDGED)
    enough, dark = _sides(darkness[::every, ::every], None)
    if 2 * int(dark.sum()) > int(enough.sum()):
        return 1 - darkness, True
    return darkness, False


def binarised(darkness: NDArray[np.float32], window: int | None = None) -> NDArray[np.bool_]:
    """Return where ink is.

    Parameters
    ----------
    darkness : ndarray of float32, shape (rows, columns)
        Ink is darker than paper.
    window
        Side of the square around a pixel that paper and ink are looked for in; an even one counts as the next
        odd one. Beyond its edges the picture goes on mirrored.
    """
    return _sides(darkness, window)[1]


def _sides(darkness: NDArray[np.float32], window: int | None) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return where paper and ink differ enough to be told apart, and where of that is the darker side."""
    if darkness.min() == darkness.max():
        return np.zeros(darkness.shape, bool), np.zeros(darkness.shape, bool)
    side = (window or max(LEAST_WINDOW, max(darkness.shape) // WINDOW)) | 1
    small = min(darkness.shape) < 4 * SMOOTHING
    smooth = darkness if small else ndimage.uniform_filter(darkness, SMOOTHING)
    lightest = ndimage.minimum_filter(smooth, side)
    darkest = ndimage.maximum_filter(smooth, side)
    enough: NDArray[np.bool_] = darkest - lightest >= CONTRAST * max(float(smooth.max() - smooth.min()), 1e-6)
    dark: NDArray[np.bool_] = enough & (smooth > (lightest + darkest) / 2)
    return enough, dark
