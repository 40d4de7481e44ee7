"""Puts a network on ANNA: levels of weights, states and converter, and what a chip's errors make of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hw_sim.chips.analog.converter_fit import check_squashing, fit_converter, spaced, sums_and_states
from hw_sim.chips.analog.layers import AnalogLayer, nearest
from hw_sim.chips.analog.normal import normal
from hw_sim.chips.anna.options import MOST_INPUTS, AnnaOptions, AnnaSizes, anna_options, anna_sizes
from hw_sim.chips.spec import ChipSpec
from hw_sim.fixed_point.deleted import check_deleted
from retronet.connections import connection_table, weight_rows
from retronet.errors import InputError
from retronet.network import SizedLayer, sized_layers
from retronet.trained import Trained

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

EXACT = 1 << 24
"""Whole numbers below this are exact in single precision."""


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

    sizes: AnnaSizes
    options: AnnaOptions
    input_step: float
    converter_step: int
    layers: tuple[AnnaLayer, ...]

    @property
    def levels(self) -> NDArray[np.int64]:
        """Levels of states."""
        return self.sizes.state_levels(self.options)

    @property
    def edges(self) -> Doubles:
        """Where the converter goes from each level to the next, in steps of state."""
        return (self.levels[1:] + self.levels[:-1]) / 2

    def pixels(self, images: NDArray[np.floating]) -> Floats:
        """Return the input's states (n, pixels)."""
        return nearest(images.reshape(len(images), -1) / self.input_step, self.levels.astype(np.float32))


def anna_network(
    chip: ChipSpec, trained: Trained, images: Floats, options: AnnaOptions | None = None
) -> AnnaNetwork:
    """Put the first layers of a trained network on a chip of this arithmetic.

    The step of each layer's states and of its sums, in the network's numbers, are those of least squared
    error between its squashing function and the converter's staircase. A neuron's scale factor is the
    smallest that holds its largest weight.

    Parameters
    ----------
    chip
        Its sizes are taken from its description.
    trained
        The trained network.
    images
        *Training* images: what steps are fitted on.
    options
        What the description leaves open; the documented defaults if absent.

    Raises
    ------
    InputError
        If a layer can not run on the chip, or the arithmetic can not take a size of the chip.
    """
    sizes, options = anna_sizes(chip), options or anna_options(chip)
    network, parameters = trained.network, trained.parameters
    chosen = sized_layers(network)[: len(network.layers) - options.float_layers]
    for index, sized in enumerate(chosen):
        _check(sized, sizes, len(network.layers) - index)
    levels = sizes.state_levels(options)
    some = spaced(images)
    below = [float(np.abs(some).max()) / int(levels[-1]) or 1.0]
    sum_steps = []
    for index in range(len(chosen)):
        sum_step, state_step = fit_converter(*sums_and_states(trained, some, index), levels)
        sum_steps.append(sum_step)
        below.append(state_step)
    rows = [
        weight_rows(sized, np.asarray(parameters[f"{sized.name}.weight"], np.float64)) for sized in chosen
    ]
    # What the products of a neuron must be multiplied with to hold its largest weight, per step of converter.
    weight_levels = sizes.weight_levels(options)
    low, high = weight_levels[[0, -1]].tolist()
    needs = [
        np.maximum(row / low, row / high).max(axis=1) * state_step / sum_step
        for row, state_step, sum_step in zip(rows, below, sum_steps, strict=False)
    ]
    step = options.converter_step or max(1, int(options.factors[-1] / max(need.max() for need in needs)))
    mapped = AnnaNetwork(sizes, options, below[0], step, ())
    biases = [np.asarray(parameters[f"{sized.name}.bias"], np.float64) for sized in chosen]
    layers = tuple(
        _layer(mapped, *each)
        for each in zip(chosen, rows, biases, needs, sum_steps, pairwise(below), strict=True)
    )
    for layer in layers:
        check_deleted(layer.sized, trained, layer.weights, f"a weight of {sizes.called}")
    return replace(mapped, layers=layers)


def _check(sized: SizedLayer, sizes: AnnaSizes, above: int) -> None:
    """Refuse a layer that the chip can not sum; from it on there are `above` layers."""
    check_squashing(sized, sizes.called)
    needed, most = max(sized.fan_in), sizes.most_terms
    if needed > most:
        raise InputError(
            f"Layer '{sized.name}' can not run on {sizes.called}: it sums {needed} products; at most {most} "
            f"are added before they are converted. engine.inputs is {most}; from {needed} to {MOST_INPUTS:,} "
            "are allowed. State more inputs, or leave this layer and those above it to floating point: "
            f"float_layers={above}."
        )


def _layer(
    mapped: AnnaNetwork,
    sized: SizedLayer,
    rows: Doubles,
    biases: Doubles,
    needs: Doubles,
    sum_step: float,
    state_steps: tuple[float, float],
) -> AnnaLayer:
    """Return a layer in the chip's numbers; `sum_step` is the real value of a step of its converter."""
    options, step = mapped.options, mapped.converter_step
    levels, states = mapped.sizes.weight_levels(options), mapped.levels
    kinds = options.factors
    factors = kinds[np.minimum(np.searchsorted(kinds, needs * step * (1 - 1e-12)), len(kinds) - 1)]
    products = factors * (sum_step / step)
    steps = np.asarray(products / state_steps[0], np.float64)
    scaled = rows / steps[:, np.newaxis]
    used = np.arange(rows.shape[1]) < np.array(sized.fan_in)[:, np.newaxis]
    edges = (levels[1:] + levels[:-1]) / 2
    weights = np.where(used, levels[np.searchsorted(edges, scaled, side="right")], 0)
    grain = int(states[-1]) if options.bias == "cells" else 1
    real = biases.reshape(len(products), -1)
    whole = np.floor(real / (products[:, np.newaxis] * grain) + 0.5).astype(np.int64) * grain
    each = np.broadcast_to(whole, (len(products), sized.positions)).reshape(-1)
    outside = np.array(getattr(sized.layer, "border", 0.0)) / state_steps[0]
    border = nearest(outside, states.astype(np.float32))
    clipped = int(np.count_nonzero(np.abs(scaled) > np.abs(levels).max() + 0.5 * (levels[1] - levels[0])))
    most = int(np.abs(weights).sum(axis=1).max() * np.abs(states).max() + np.abs(whole).max())
    if most >= EXACT:
        raise InputError(
            f"Layer '{sized.name}' can not be simulated on {mapped.sizes.called}: its sums may reach "
            f"{most:,} steps; numbers below {EXACT:,} are exact. State fewer bits of weights or of states."
        )
    return AnnaLayer(sized, weights, each, factors, steps, state_steps[1], int(border), clipped)


def slid_anna(network: AnnaNetwork, wide: Sequence[SizedLayer]) -> AnnaNetwork:
    """Return what was meant for a field, put on a larger one: `wide` are its layers there, slid.

    Only positions are added: weights, steps and factors of a map stay, and so do the errors of a chip.
    """
    layers = tuple(
        replace(
            layer,
            sized=sized,
            biases=np.repeat(layer.biases[:: layer.sized.positions], sized.positions),
        )
        for layer, sized in zip(network.layers, wide, strict=False)
    )
    return replace(network, layers=layers)


def layers_on_chip(network: AnnaNetwork, seed: tuple[int, ...] | None) -> tuple[AnalogLayer, ...]:
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
    share one. A map uses the converter of its number modulo their number.
    """
    options = network.options if seed is not None else network.options.ideal
    generator = np.random.default_rng(seed if seed is not None else 0)
    offsets = options.offset * normal(generator, network.sizes.converters)
    span = network.sizes.steps * float(network.levels[1] - network.levels[0])
    drawn = []
    for layer in network.layers:
        maps = len(layer.weights)
        kept = 1 - options.droop * generator.random(layer.weights.shape)
        cells = (1 + options.mismatch * normal(generator, layer.weights.shape)) * kept
        bias = (1 + options.mismatch * normal(generator, maps)) * (1 - options.droop * generator.random(maps))
        steps = network.converter_step / layer.factors
        references = steps[:, np.newaxis] * (
            network.edges + span * offsets[np.arange(maps) % len(offsets), np.newaxis]
        )
        drawn.append(
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
    return tuple(drawn)
