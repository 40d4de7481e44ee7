"""Initial parameters."""

import numpy as np
from numpy.typing import NDArray

from retronet.network import NetworkSpec, Place, places
from retronet.recipe import Uniform


def initial_parameters(network: NetworkSpec, initial: Uniform, seed: int) -> dict[str, NDArray[np.float64]]:
    """Return parameters drawn as `initial` says, layer by layer from the input, weights before biases.

    Parameters
    ----------
    network
        The network.
    initial
        Range and treatment of biases (NC89 §4; papers.md §1.3).
    seed
        Seed of numpy's PCG64.

    Returns
    -------
    dict
        Arrays named and shaped as :func:`retronet.network.parameter_shapes` says.
    """
    generator = np.random.default_rng(seed)
    drawn = initial.bias == "drawn"
    found: dict[str, NDArray[np.float64]] = {}
    for place in places(network):
        inputs = np.array(place.fan_in, dtype=float) + drawn
        bound = initial.bound / (inputs if initial.divisor == "fan-in" else np.sqrt(inputs))
        weights = generator.uniform(-1, 1, place.weight_shape)
        found[f"{place.name}.weight"] = weights * _bound_of_each_kernel(place, bound)
        biases = generator.uniform(-1, 1, place.bias_shape) if drawn else np.zeros(place.bias_shape)
        found[f"{place.name}.bias"] = biases * bound.reshape(-1, *(1,) * (len(place.bias_shape) - 1))
    return found


def _bound_of_each_kernel(place: Place, bound: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the maps' bounds, shaped to multiply the layer's weights."""
    shape = place.weight_shape
    if shape[0] != bound.size:
        bound = np.repeat(bound, [len(seen) for seen in place.sees])
    return bound.reshape(-1, *(1,) * (len(shape) - 1))
