"""Puts a network on ANNA: levels of weights, states and converter, and what a chip's errors make of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from hw_sim.chips.analog.converter_fit import check_squashing, fit_converter, spaced, sums_and_states
from hw_sim.chips.analog.layers import AnalogLayer, nearest
from retronet.connections import connection_table, weight_rows
from retronet.errors import InputError
from retronet.network import NetworkSpec, SizedLayer, sized_layers

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]

CONVERTERS, MOST_TERMS = 8, 256
"""Dot products of a call, each with its converter, and the terms of one (ANNA-B §2, §4)."""
RANGE = 8
"""Steps of a converter of 3 bits."""
WEIGHTS = {
    "sign-magnitude": np.arange(-31, 32),
    "twos-complement": np.arange(-32, 32),
    "no-zero": np.arange(-63, 64, 2),
}
STATES = {
    "mid-tread": np.arange(-3, 4),
    "twos-complement": np.arange(-4, 4),
    "mid-rise": np.arange(-7, 8, 2),
}


class AnnaOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What no text that was reached says of ANNA (papers' §5.5). Every default is assumed.

    Attributes
    ----------
    weights
        Placement of the levels of 6 bits: −31 … 31, −32 … 31, or 64 odd levels without a zero.
    states
        Placement of the levels of 3 bits: −3 … 3, −4 … 3, or 8 odd levels without a zero.
    scales
        The 16 values of the 4-bit scale factor of a neuron: 1 … 16, or powers of two from 1 to 32,768.
    converter_step
        Step of the A/D converter in products of one step of weight and one of state, at a scale factor of 1.
        Absent: so that the neuron with the largest weights needs the largest factor.
    bias
        ``cells``: made of weights on states held at the largest level, so in steps of that level. ``fine``:
        in steps of one product.
    noise
        Standard deviation of each conversion, as a share of the converter's range of 8 steps.
    offset
        Standard deviation of the fixed offset of each of the 8 converters, as a share of the same range.
    mismatch
        Standard deviation of the fixed relative error of each weight.
    droop
        Share of its charge that a weight loses between two refreshes; each is found at a moment of its own.
    float_layers
        Last layers that run in floating point on the DSP-32C beside the chip.
    """

    weights: Literal["sign-magnitude", "twos-complement", "no-zero"] = "sign-magnitude"
    states: Literal["mid-tread", "twos-complement", "mid-rise"] = "mid-tread"
    scales: Literal["linear", "powers-of-two"] = "linear"
    converter_step: Annotated[int, msgspec.Meta(ge=1, le=1 << 20)] | None = None
    bias: Literal["cells", "fine"] = "cells"
    noise: Share = 0.01
    offset: Share = 0.01
    mismatch: Share = 0.02
    droop: Share = 0.01
    float_layers: Annotated[int, msgspec.Meta(ge=1)] = 1

    @property
    def ideal(self) -> "AnnaOptions":
        """The same chip without noise, offset, mismatch and droop."""
        return replace(self, noise=0.0, offset=0.0, mismatch=0.0, droop=0.0)

    @property
    def factors(self) -> NDArray[np.int64]:
        """The values of the scale factor."""
        return np.arange(1, 17) if self.scales == "linear" else 2 ** np.arange(16)


@dataclass(frozen=True)
class AnnaLayer:
    """A layer in the chip's numbers, without errors.

    Attributes
    ----------
    sized : SizedLayer
    weights : ndarray of int64, shape (maps, most taps)
    biases : ndarray of int64, shape (units,)
        In products of one step of weight and one of state.
    factors : ndarray of int64, shape (maps,)
        Scale factors.
    weight_steps : ndarray of float64, shape (maps,)
        Real value of a step of weight.
    state_step : float
        Real value of a step of this layer's states.
    border : int
    clipped : int
        Weights beyond the largest level.
    """

    sized: SizedLayer
    weights: NDArray[np.int64]
    biases: NDArray[np.int64]
    factors: NDArray[np.int64]
    weight_steps: Doubles
    state_step: float
    border: int
    clipped: int


@dataclass(frozen=True)
class AnnaNetwork:
    """The layers on the chip, its converter's step, and the real value of a step of the input."""

    options: AnnaOptions
    input_step: float
    converter_step: int
    layers: tuple[AnnaLayer, ...]

    @property
    def levels(self) -> NDArray[np.int64]:
        """Levels of states."""
        return STATES[self.options.states]

    @property
    def edges(self) -> Doubles:
        """Where the converter goes from each level to the next, in steps of state."""
        return (self.levels[1:] + self.levels[:-1]) / 2

    def pixels(self, images: NDArray[np.floating]) -> Floats:
        """Return the input's states (n, pixels)."""
        return nearest(images.reshape(len(images), -1) / self.input_step, self.levels.astype(np.float32))


def anna_network(
    network: NetworkSpec, parameters: Mapping[str, NDArray[Any]], images: Floats, options: AnnaOptions
) -> AnnaNetwork:
    """Put the first layers of a trained network on the chip.

    The step of each layer's states and of its sums, in the network's numbers, are those of least squared
    error between its squashing function and the converter's staircase. A neuron's scale factor is the
    smallest that holds its largest weight.

    Parameters
    ----------
    network, parameters
        The trained network.
    images
        *Training* images: what steps are fitted on.
    options
        The chip.

    Raises
    ------
    InputError
        If a layer can not run on the chip.
    """
    chosen = sized_layers(network)[: len(network.layers) - options.float_layers]
    for sized in chosen:
        _check(sized)
    levels = STATES[options.states]
    some = spaced(images)
    below = [float(np.abs(some).max()) / int(levels[-1]) or 1.0]
    sum_steps = []
    for index in range(len(chosen)):
        sum_step, state_step = fit_converter(*sums_and_states(network, parameters, some, index), levels)
        sum_steps.append(sum_step)
        below.append(state_step)
    rows = [
        weight_rows(sized, np.asarray(parameters[f"{sized.name}.weight"], np.float64)) for sized in chosen
    ]
    # What the products of a neuron must be multiplied with to hold its largest weight, per step of converter.
    low, high = WEIGHTS[options.weights][[0, -1]].tolist()
    needs = [
        np.maximum(row / low, row / high).max(axis=1) * state_step / sum_step
        for row, state_step, sum_step in zip(rows, below, sum_steps, strict=False)
    ]
    step = options.converter_step or max(1, int(options.factors[-1] / max(need.max() for need in needs)))
    layers = tuple(
        _layer(sized, row, parameters, options, need * step, sum_step / step, states)
        for sized, row, need, sum_step, states in zip(
            chosen, rows, needs, sum_steps, pairwise(below), strict=True
        )
    )
    return AnnaNetwork(options, below[0], step, layers)


def _check(sized: SizedLayer) -> None:
    check_squashing(sized, "ANNA")
    if max(sized.fan_in) > MOST_TERMS:
        raise InputError(
            f"Layer '{sized.name}' can not run on ANNA: it sums {max(sized.fan_in)} products; at most "
            f"{MOST_TERMS} are added before they are converted. Leave more layers to floating point."
        )


def _layer(
    sized: SizedLayer,
    rows: Doubles,
    parameters: Mapping[str, NDArray[Any]],
    options: AnnaOptions,
    needs: Doubles,
    sum_step: float,
    state_steps: tuple[float, float],
) -> AnnaLayer:
    """Return a layer in the chip's numbers; `sum_step` is the real value of a product at a factor of 1."""
    levels, top_state = WEIGHTS[options.weights], int(STATES[options.states][-1])
    kinds = options.factors
    factors = kinds[np.minimum(np.searchsorted(kinds, needs * (1 - 1e-12)), len(kinds) - 1)]
    products = factors * sum_step
    steps = np.asarray(products / state_steps[0], np.float64)
    scaled = rows / steps[:, np.newaxis]
    used = np.arange(rows.shape[1]) < np.array(sized.fan_in)[:, np.newaxis]
    edges = (levels[1:] + levels[:-1]) / 2
    weights = np.where(used, levels[np.searchsorted(edges, scaled, side="right")], 0)
    biases = np.asarray(parameters[f"{sized.name}.bias"], np.float64).reshape(len(products), -1)
    grain = top_state if options.bias == "cells" else 1
    whole = np.floor(biases / (products[:, np.newaxis] * grain) + 0.5).astype(np.int64) * grain
    each = np.broadcast_to(whole, (len(products), sized.positions)).reshape(-1)
    border = nearest(np.array(getattr(sized.layer, "border", 0.0)) / state_steps[0],
                     STATES[options.states].astype(np.float32))  # fmt: skip
    clipped = int(np.count_nonzero(np.abs(scaled) > np.abs(levels).max() + 0.5 * (levels[1] - levels[0])))
    return AnnaLayer(sized, weights, each, factors, steps, state_steps[1], int(border), clipped)


def on_chip(network: AnnaNetwork, seed: tuple[int, ...] | None) -> tuple[AnalogLayer, ...]:
    """Return the layers as they lie on one chip.

    Parameters
    ----------
    network
        What was meant.
    seed
        Decides the fixed errors of this chip; none are drawn without it.

    Notes
    -----
    Every weight has an error of its own, also where weights take turns in one cell. The cells of a bias
    share one. A map uses the converter of its number modulo 8.
    """
    options = network.options if seed is not None else network.options.ideal
    generator = np.random.default_rng(seed if seed is not None else 0)
    offsets = options.offset * generator.standard_normal(CONVERTERS)
    span = RANGE * float(network.levels[1] - network.levels[0])
    found = []
    for layer in network.layers:
        maps = len(layer.weights)
        kept = 1 - options.droop * generator.random(layer.weights.shape)
        cells = (1 + options.mismatch * generator.standard_normal(layer.weights.shape)) * kept
        bias = (1 + options.mismatch * generator.standard_normal(maps)) * (
            1 - options.droop * generator.random(maps)
        )
        steps = network.converter_step / layer.factors
        references = steps[:, np.newaxis] * (
            network.edges + span * offsets[np.arange(maps) % CONVERTERS, np.newaxis]
        )
        found.append(
            AnalogLayer(
                layer.sized,
                connection_table(layer.sized, "plane_slowest"),
                (layer.weights * cells).astype(np.float32),
                (layer.biases * np.repeat(bias, layer.sized.positions)).astype(np.float32),
                np.repeat(references, layer.sized.positions, axis=0).astype(np.float32),
                network.levels.astype(np.float32),
                float(layer.border),
                (options.noise * span * steps).astype(np.float32),
            )
        )  # fmt: skip
    return tuple(found)
