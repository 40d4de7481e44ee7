"""Steps in parameter space, over flat vectors: eight numbers at a time, of which these hold whole eights.

That says no more than what a compiler finds by itself, and saves it the search.
"""

import numpy as np
from numpy.typing import NDArray

from retronet.kernels.jit import njit, part
from retronet.kernels.vectors import add8, div8, load8, mul8, splat8, store8, sub8

Floats = NDArray[np.floating]
_0, _8 = np.uint64(0), np.uint64(8)


@njit()
def square(values: Floats, squares: Floats) -> None:
    """Put the squares of `values` into `squares`."""
    for k in range(_0, np.uint64(values.size), _8):
        eight = load8(values, k)
        store8(squares, k, mul8(eight, eight))


@part(later=True)
def scale(values: Floats, factor: float) -> None:
    """Multiply all of `values`."""
    factors = splat8(values.dtype.type(factor))
    for k in range(_0, np.uint64(values.size), _8):
        store8(values, k, mul8(load8(values, k), factors))


@part(later=True)
def clear(values: Floats) -> None:
    """Make all of `values` 0."""
    zeros = splat8(values.dtype.type(0))
    for k in range(_0, np.uint64(values.size), _8):
        store8(values, k, zeros)


@part(later=True)
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
    number = parameters.dtype.type
    factor, floor, kept = splat8(number(rate)), splat8(number(mu)), splat8(number(keep))
    zeros = splat8(number(0))
    for k in range(_0, np.uint64(parameters.size), _8):
        curved = load8(curvature, k)
        step = div8(mul8(factor, load8(gradient, k)), add8(floor, curved))
        value = sub8(load8(parameters, k), step)
        store8(parameters, k, value)
        store8(squares, k, mul8(value, value))
        store8(curvature, k, mul8(curved, kept))
        store8(gradient, k, zeros)
