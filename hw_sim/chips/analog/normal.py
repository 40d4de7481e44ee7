"""Normal numbers that are the same on every processor."""

import numpy as np
from numpy.typing import NDArray


def normal(generator: np.random.Generator, shape: int | tuple[int, ...]) -> NDArray[np.float64]:
    """Return standard normal numbers, rounded to single precision.

    One in three thousand is a logarithm of the C library's, whose last bit depends on the processor; rounding
    leaves nothing of it.
    """
    return generator.standard_normal(shape).astype(np.float32).astype(np.float64)
