"""Initial parameters."""

from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from retronet.network import Dense, NetworkSpec, Place, Subsample, parameter_shapes, places
from retronet.recipe import BiasStart, HeLecun, Initial, TorchUniform, Uniform

Parameters = dict[str, NDArray[np.floating]]


def initial_parameters(network: NetworkSpec, initial: Initial, seed: int) -> Parameters:
    """Return parameters drawn as `initial` says, layer by layer from the input, weights before biases.

    Parameters
    ----------
    network
        The network.
    initial
        Distribution and treatment of biases (NC89 §4; papers.md §1.3).
    seed
        Seed of numpy's PCG64, or of torch's generator for TorchUniform.

    Returns
    -------
    dict
        Arrays named and shaped as :func:`retronet.network.parameter_shapes` says.
    """
    match initial:
        case Uniform():
            return _uniform(network, initial, seed)
        case TorchUniform():
            return _torch_uniform(network, initial, seed)
        case HeLecun(bias=bias):
            return _he_lecun(network, bias, seed)
        case _ as unreachable:
            assert_never(unreachable)


def _uniform(network: NetworkSpec, initial: Uniform, seed: int) -> Parameters:
    generator = np.random.default_rng(seed)
    drawn = initial.bias == "drawn"
    found = _biases(network, "zero" if initial.bias == "drawn" else initial.bias)
    for place in _trained(network):
        inputs = np.array(place.fan_in, dtype=float) + drawn
        match initial.divisor:
            case "fan-in":
                bound = initial.bound / inputs
            case "root-fan-in":
                bound = initial.bound / np.sqrt(inputs)
            case "dense-outputs":
                dense = isinstance(place.layer, Dense)
                bound = initial.bound / (np.full(inputs.size, place.units) if dense else inputs)
        weights = generator.uniform(-1, 1, place.weight_shape) * _bound_of_each_kernel(place, bound)
        if initial.coefficient is not None and isinstance(place.layer, Subsample):
            weights = np.full(place.weight_shape, initial.coefficient)
        found[f"{place.name}.weight"] = weights
        if drawn:
            biases = generator.uniform(-1, 1, place.bias_shape)
            found[f"{place.name}.bias"] = biases * bound.reshape(-1, *(1,) * (len(place.bias_shape) - 1))
    return found


def _bound_of_each_kernel(place: Place, bound: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the maps' bounds, shaped to multiply the layer's weights."""
    shape = place.weight_shape
    if shape[0] != bound.size:
        bound = np.repeat(bound, [len(seen) for seen in place.sees])
    return bound.reshape(-1, *(1,) * (len(shape) - 1))


def _torch_uniform(network: NetworkSpec, initial: TorchUniform, seed: int) -> Parameters:
    import torch  # slow to import, and only this distribution needs it

    generator = torch.Generator().manual_seed(seed)
    dtype = {"float32": torch.float32, "float64": torch.float64}[initial.precision]
    found = _biases(network, initial.bias)
    for place in _trained(network):
        dense = isinstance(place.layer, Dense)
        shape = place.weight_shape[::-1] if dense else place.weight_shape
        # The order of operations is the re-creation's: it fixes the last bit.
        uniform = (torch.rand(*shape, generator=generator, dtype=dtype) - 0.5) * 2 * initial.bound
        weights = (uniform / _one_fan_in(place) ** 0.5).double().numpy()
        found[f"{place.name}.weight"] = np.ascontiguousarray(weights.T if dense else weights)
    return found


def _he_lecun(network: NetworkSpec, bias: BiasStart, seed: int) -> Parameters:
    generator = np.random.default_rng(seed)
    found = _biases(network, bias)
    for place in _trained(network):
        if isinstance(place.layer, Dense):
            # Cutting a normal distribution at two standard deviations leaves 0.8796 of one.
            deviation = 1 / np.sqrt(_one_fan_in(place)) / 0.87962566103423978
            weights = deviation * _cut_normal(generator, place.weight_shape)
        else:
            bound = np.sqrt(6 / np.array(place.fan_in))
            weights = generator.uniform(-1, 1, place.weight_shape) * _bound_of_each_kernel(place, bound)
        found[f"{place.name}.weight"] = weights
    return found


def _cut_normal(generator: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return normal numbers, those beyond two standard deviations drawn again."""
    values = generator.standard_normal(shape)
    while (outside := np.abs(values) > 2).any():
        values[outside] = generator.standard_normal(int(outside.sum()))
    return values


def _trained(network: NetworkSpec) -> list[Place]:
    """Return the layers that have parameters."""
    names = parameter_shapes(network)
    return [place for place in places(network) if f"{place.name}.weight" in names]


def _one_fan_in(place: Place) -> int:
    """Return the fan-in of the layer's first map; the distributions that ask are for maps that are alike."""
    return place.fan_in[0]


def _biases(network: NetworkSpec, start: BiasStart) -> Parameters:
    """Return all arrays, empty of weights, with biases at their start."""
    found: Parameters = {name: np.zeros(shape) for name, shape in parameter_shapes(network).items()}
    if start == "output-minus-one":
        found[list(found)[-1]] -= 1
    return found
