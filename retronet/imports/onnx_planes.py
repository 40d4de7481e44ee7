"""Planes of images and of convolutions, as graphs and descriptions have them."""

import math

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from retronet.errors import InputError
from retronet.network import MOST_UNITS, Conv, Shape

Floats = NDArray[np.float64]


def without_empty_planes(conv: Conv, weights: Floats) -> tuple[Conv, Floats, bool]:
    """Return a convolution without planes that its maps do not see, its weights, and whether there are any.

    A map does not see a plane of which all its weights are 0; one that would see none sees the first.
    """
    maps, seen = weights.shape[:2]
    used = (weights != 0).any((2, 3))
    if used.all():
        return conv, weights, False
    used[~used.any(1), 0] = True
    sees = conv.sees or (tuple(range(seen)),) * maps
    kept = tuple(tuple(np.array(row)[mask].tolist()) for row, mask in zip(sees, used, strict=True))
    kernels = weights[used]
    if len(set(map(len, kept))) == 1:
        kernels = kernels.reshape(maps, -1, *weights.shape[2:])
    return replace(conv, sees=kept), kernels, True


def check_image(sizes: tuple[int, ...]) -> tuple[Shape, NDArray[np.int64]]:
    """Return the planes of an image that a graph reads as `sizes`, and the unit that each element is.

    Four kinds are known: planes first, planes last (at most four of them), one plane, and square images as
    rows.

    Raises
    ------
    InputError
        If the sizes are none of these, or too large.
    """
    count = math.prod(sizes)
    if count > MOST_UNITS:
        raise InputError(f"its images have {count:,} pixels, at most {MOST_UNITS:,} are allowed")
    match sizes:
        case (rows, columns, planes) if planes <= 4 < rows:
            shape = (planes, rows, columns)
            return shape, np.arange(count).reshape(shape).transpose(1, 2, 0)
        case (planes, rows, columns):
            shape = (planes, rows, columns)
        case (rows, columns):
            shape = (1, rows, columns)
        case (pixels,) if math.isqrt(pixels) ** 2 == pixels:
            shape = (1, math.isqrt(pixels), math.isqrt(pixels))
        case _:
            raise InputError(f"it reads rows of {count:,} pixels, which make no square image")
    return shape, np.arange(count).reshape(sizes)
