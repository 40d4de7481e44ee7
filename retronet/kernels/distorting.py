"""Pictures seen through a planar affine map: bilinear, at places that are whole numbers of 2⁻¹⁷ pixels."""

import numpy as np
from numpy.typing import NDArray

from retronet.kernels.jit import njit

ONE = 1 << 16
"""What stands for 1 in `moves`."""


@njit()
def distort(
    images: NDArray[np.floating], moves: NDArray[np.int64], paper: float, out: NDArray[np.floating]
) -> None:
    """Fill `out` with `images`, both (n, rows, columns), each seen through its own map.

    With y down and x across from the middle of the picture, a pixel of `out` takes what lies at

        ``down · y − shift_down`` down and ``across · x + shear · y − shift_across`` across

    in the image: two pixels of the row above blended, two of the row below, then the two blends.

    Parameters
    ----------
    images
        What is seen.
    moves
        Per image `shift_down`, `shift_across`, `down`, `across` and `shear`, shape (n, 5), in 65,536ths.
    paper
        What lies beyond an image.
    out
        What is filled.
    """
    count, rows, columns = images.shape
    fraction = images.dtype.type(1.0 / (2 * ONE))
    beyond = images.dtype.type(paper)
    for n in range(count):
        image = images[n]
        shift_down, shift_across, down, across, shear = (
            moves[n, 0], moves[n, 1], moves[n, 2], moves[n, 3], moves[n, 4]
        )  # fmt: skip
        for r in range(rows):
            # Twice the distance from the middle is whole, so that places are 2⁻¹⁷ pixels.
            y = 2 * r - (rows - 1)
            place = (rows - 1) * ONE + down * y - 2 * shift_down
            upper = place >> 17
            below = images.dtype.type(place - (upper << 17)) * fraction
            for c in range(columns):
                x = 2 * c - (columns - 1)
                place = (columns - 1) * ONE + across * x + shear * y - 2 * shift_across
                left = place >> 17
                aside = images.dtype.type(place - (left << 17)) * fraction
                if 0 <= upper < rows - 1 and 0 <= left < columns - 1:
                    v00, v01 = image[upper, left], image[upper, left + 1]
                    v10, v11 = image[upper + 1, left], image[upper + 1, left + 1]
                else:
                    above, under = 0 <= upper < rows, 0 <= upper + 1 < rows
                    west, east = 0 <= left < columns, 0 <= left + 1 < columns
                    v00 = image[upper, left] if above and west else beyond
                    v01 = image[upper, left + 1] if above and east else beyond
                    v10 = image[upper + 1, left] if under and west else beyond
                    v11 = image[upper + 1, left + 1] if under and east else beyond
                first = v00 + (v01 - v00) * aside
                second = v10 + (v11 - v10) * aside
                out[n, r, c] = first + (second - first) * below
