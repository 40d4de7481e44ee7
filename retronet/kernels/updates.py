"""Steps in parameter space, over flat vectors."""

import numpy as np
from numpy.typing import NDArray

from retronet.kernels.jit import njit, part

Floats = NDArray[np.floating]


@njit()
def square(values: Floats, squares: Floats) -> None:
    """Put the squares of `values` into `squares`."""
    for k in range(values.size):
        squares[k] = values[k] * values[k]


# The numpy error model: a check for division by zero would keep the loop from vectorising.
@part(later=True, error_model="numpy")
def step_sdlm(
    parameters: Floats,
    squares: Floats,
    gradient: Floats,
    curvature: Floats,
    rate: float,
    mu: float,
    keep: float,
) -> None:
    """Step each parameter at its own rate, ``rate / (mu + curvature)`` (PIEEE98 eq. 21).

    What the next pattern needs is done in the same sweep over memory: the `squares` of the new parameters, a
    cleared `gradient`, and the `curvature` times `keep`.
    """
    factor, floor, kept = parameters.dtype.type(rate), parameters.dtype.type(mu), parameters.dtype.type(keep)
    for k in range(parameters.size):
        value = parameters[k] - factor * gradient[k] / (floor + curvature[k])
        parameters[k] = value
        squares[k] = value * value
        curvature[k] *= kept
        gradient[k] = 0
