"""Initial parameters."""

import math
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from retronet.network import Dense, NetworkSpec, SizedLayer, Subsample, parameter_shapes, sized_layers
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
    parameters = _biases(network, "zero" if initial.bias == "drawn" else initial.bias)
    for sized in _trained(network):
        inputs = np.array(sized.fan_in, dtype=float) + drawn
        match initial.divisor:
            case "fan-in":
                bound = initial.bound / inputs
            case "root-fan-in":
                bound = initial.bound / np.sqrt(inputs)
            case "dense-outputs":
                dense = isinstance(sized.layer, Dense)
                bound = initial.bound / (np.full(inputs.size, sized.units) if dense else inputs)
        weights = generator.uniform(-1, 1, sized.weight_shape) * _bound_of_each_kernel(sized, bound)
        if initial.coefficient is not None and isinstance(sized.layer, Subsample):
            weights = np.full(sized.weight_shape, initial.coefficient)
        parameters[f"{sized.name}.weight"] = weights
        if drawn:
            biases = generator.uniform(-1, 1, sized.bias_shape)
            parameters[f"{sized.name}.bias"] = biases * bound.reshape(-1, *(1,) * (len(sized.bias_shape) - 1))
    return parameters


def _bound_of_each_kernel(sized: SizedLayer, bound: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the maps' bounds, shaped to multiply the layer's weights."""
    shape = sized.weight_shape
    if shape[0] != bound.size:
        bound = np.repeat(bound, [len(seen) for seen in sized.sees])
    return bound.reshape(-1, *(1,) * (len(shape) - 1))


def _torch_uniform(network: NetworkSpec, initial: TorchUniform, seed: int) -> Parameters:
    import torch  # slow to import, and only this distribution needs it

    generator = torch.Generator().manual_seed(seed)
    dtype = {"float32": torch.float32, "float64": torch.float64}[initial.precision]
    parameters = _biases(network, initial.bias)
    for sized in _trained(network):
        dense = isinstance(sized.layer, Dense)
        shape = sized.weight_shape[::-1] if dense else sized.weight_shape
        # The order of operations is the re-creation's: it fixes the last bit.
        uniform = (torch.rand(*shape, generator=generator, dtype=dtype) - 0.5) * 2 * initial.bound
        weights = (uniform / math.sqrt(_one_fan_in(sized))).double().numpy()
        parameters[f"{sized.name}.weight"] = np.ascontiguousarray(weights.T if dense else weights)
    return parameters


def _he_lecun(network: NetworkSpec, bias: BiasStart, seed: int) -> Parameters:
    generator = np.random.default_rng(seed)
    parameters = _biases(network, bias)
    for sized in _trained(network):
        if isinstance(sized.layer, Dense):
            # Cutting a normal distribution at two standard deviations leaves 0.8796 of one.
            deviation = 1 / np.sqrt(_one_fan_in(sized)) / 0.87962566103423978
            weights = deviation * _cut_normal(generator, sized.weight_shape)
        else:
            bound = np.sqrt(6 / np.array(sized.fan_in))
            weights = generator.uniform(-1, 1, sized.weight_shape) * _bound_of_each_kernel(sized, bound)
        parameters[f"{sized.name}.weight"] = weights
    return parameters


def _cut_normal(generator: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return normal numbers, those beyond two standard deviations drawn again."""
    values = generator.standard_normal(shape)
    while (outside := np.abs(values) > 2).any():
        values[outside] = generator.standard_normal(int(outside.sum()))
    return values


def _trained(network: NetworkSpec) -> list[SizedLayer]:
    """Return the layers that have parameters."""
    names = parameter_shapes(network)
    return [sized for sized in sized_layers(network) if f"{sized.name}.weight" in names]


def _one_fan_in(sized: SizedLayer) -> int:
    """Return the fan-in of the layer's first map; the distributions that ask are for maps that are alike."""
    return sized.fan_in[0]


def _biases(network: NetworkSpec, start: BiasStart) -> Parameters:
    """Return all arrays, empty of weights, with biases at their start."""
    biases: Parameters = {name: np.zeros(shape) for name, shape in parameter_shapes(network).items()}
    if start == "output-minus-one":
        biases[list(biases)[-1]] -= 1
    return biases
