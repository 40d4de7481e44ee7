"""Fits a converter of a few levels to a squashing function, on what training images make of it."""

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from retronet.elementary import powers
from retronet.errors import InputError
from retronet.network import AveragePool, Identity, MaxPool, Rbf, SizedLayer, Tanh
from retronet.trained import Trained

Doubles = NDArray[np.float64]

SEEN = 256
"""Training images that steps are fitted on."""


def spaced(images: NDArray[np.float32], count: int = SEEN) -> NDArray[np.float32]:
    """Return at most `count` images, evenly spaced."""
    if len(images) == 0:
        raise InputError("Steps can not be fitted on no images. Give at least one training image.")
    return images[:: -(-len(images) // count)]


def check_squashing(sized: SizedLayer, chip: str) -> None:
    """Refuse a layer that is no sum of products, or whose squashing a saturating converter can not be."""
    if isinstance(sized.layer, MaxPool | AveragePool):
        kind = sized.layer.__struct_config__.tag
        raise InputError(
            f"Layer '{sized.name}' can not run on {chip}: it is of the kind {kind}, and the chip's neurons "
            "are weighted sums with trained weights. Leave it and what is above it to floating point, or "
            "choose a network of conv, subsample and dense layers."
        )
    if isinstance(sized.layer, Rbf) or not isinstance(sized.layer.activation, Tanh):
        raise InputError(
            f"Layer '{sized.name}' can not run on {chip}: its converter stands for a tanh, which the layer "
            "does not have. Leave more layers to floating point, or choose a network with tanh."
        )


def sums_and_states(trained: Trained, images: NDArray[np.float32], index: int) -> tuple[Doubles, Doubles]:
    """Return the sums of layer `index`, biases included, and its states, in floating point: (n, units)."""
    network = trained.network
    layer = network.layers[index]
    assert not isinstance(layer, Rbf)
    both = []
    for last in (replace(layer, activation=Identity()), layer):
        part = replace(network, layers=(*network.layers[:index], last))
        kept = {f"{each.name}.{end}" for each in part.layers for end in ("weight", "bias")}
        own = {name: array for name, array in trained.parameters.items() if name in kept}
        states = Trained(part, own, trained.recipe).states(images)[layer.name]
        both.append(states.astype(np.float64).reshape(len(images), -1))
    return both[0], both[1]


def fit_converter(sums: Doubles, states: Doubles, levels: NDArray[np.int64]) -> tuple[float, float]:
    """Return the steps of sums and of states that bring a converter nearest to a squashing function.

    Of a geometric grid of steps of sums, the one with the least squared error is taken; the step of states
    is then the best one. `levels` are whole numbers of steps.
    """
    edges = (levels[1:] + levels[:-1]) / 2
    spread = float(np.sqrt(np.mean(sums**2))) or 1.0
    best = (np.inf, spread, 1.0)
    for sum_step in spread / levels[-1] * (0.2 * powers(20.0, np.linspace(0, 1, 60))):
        converted = levels[np.searchsorted(edges, sums / sum_step, side="right")]
        power = float(np.sum(converted**2))
        state_step = float(np.sum(converted * states)) / power if power else 0.0
        error = float(np.sum((states - state_step * converted) ** 2))
        if state_step > 0 and error < best[0]:
            best = error, float(sum_step), state_step
    return best[1], best[2]
