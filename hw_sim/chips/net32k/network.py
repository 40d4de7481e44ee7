"""Puts a network on NET32K: ±1 cells joined to weights and states of a few bits, and thresholds.

All numbers are whole: a weight of n bits is one of the odd numbers −(2^n − 1) … 2^n − 1, made of n cells; so
is a state. A sum has as many parts as it needs to stay within the blocks that join.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hw_sim.chips.analog.converter_fit import check_squashing, fit_converter, spaced, sums_and_states
from hw_sim.chips.analog.layers import nearest
from hw_sim.chips.net32k.options import (
    Net32kOptions,
    Net32kSizes,
    Whole,
    net32k_options,
    net32k_sizes,
    odd_levels,
)
from hw_sim.chips.spec import ChipSpec
from hw_sim.fixed_point.deleted import check_deleted
from hw_sim.formats.levels import Levels
from hw_sim.formats.scales import ScaleRule, fit_scale
from retronet.connections import ConnectionTable, connection_table, weight_rows
from retronet.errors import InputError
from retronet.network import SizedLayer, sized_layers
from retronet.trained import Trained

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

PART_LEVELS = np.arange(-7, 8, 2)
"""What a converter of 3 bits can hand over of a part of a sum."""


@dataclass(frozen=True)
class Part:
    """Some taps of a layer's sums that one call adds up.

    Attributes
    ----------
    connections : ConnectionTable
    weights : ndarray of int64, shape (maps, taps)
    references : ndarray of int64, shape (units, comparators)
    values : ndarray of int64, shape (comparators + 1,)
        What the comparators hand over: states, or numbers to be added to those of other parts.
    """

    connections: ConnectionTable
    weights: Whole
    references: Whole
    values: Whole


@dataclass(frozen=True)
class Net32kLayer:
    """A layer in the chip's numbers, without errors.

    Attributes
    ----------
    sized : SizedLayer
    parts : tuple of Part
    thresholds : ndarray of int64, shape (units, comparators)
        For added parts: where a sum becomes the next state. Empty for a layer in one part.
    levels : ndarray of int64, shape (states,)
    blocks : int
        Blocks that one sum, or the widest part of one, joins.
    state_step, border
        Real value of a step of state; state around the planes below.
    """

    sized: SizedLayer
    parts: tuple[Part, ...]
    thresholds: Whole
    levels: Whole
    blocks: int
    state_step: float
    border: int


@dataclass(frozen=True)
class Net32kNetwork:
    """The layers on the chip, and the real value of a step of the input."""

    sizes: Net32kSizes
    options: Net32kOptions
    input_step: float
    layers: tuple[Net32kLayer, ...]

    def pixels(self, images: NDArray[np.floating]) -> Floats:
        """Return the input's states (n, pixels)."""
        levels = odd_levels(self.options.input_bits).astype(np.float32)
        return nearest(images.reshape(len(images), -1) / self.input_step, levels)


def net32k_network(
    chip: ChipSpec, trained: Trained, images: Floats, options: Net32kOptions | None = None
) -> Net32kNetwork:
    """Put the first layers of a trained network on a chip of this arithmetic.

    Each map's weights have the scale of least squared error. A straight line then leads from what its sums
    are on the chip to what they are in floating point, fitted on training images, and moves its thresholds.

    Parameters
    ----------
    chip
        Its sizes are taken from its description.
    trained
        The trained network.
    images
        *Training* images: what steps and thresholds are fitted on.
    options
        Numbers of bits, and what the description leaves open; the documented defaults if absent.

    Raises
    ------
    InputError
        If a layer can not run on the chip, its numbers need more blocks than join, or the arithmetic can not
        take a size of the chip.
    """
    sizes, options = net32k_sizes(chip), options or net32k_options(chip)
    some = spaced(images)
    pixel_levels = odd_levels(options.input_bits)
    step = float(np.abs(some).max()) / float(pixel_levels[-1]) or 1.0
    mapped = Net32kNetwork(sizes, options, step, ())
    states, bits = mapped.pixels(some).astype(np.int64), options.input_bits
    for index, sized in enumerate(sized_layers(trained.network)[: options.layers]):
        check_squashing(sized, sizes.called)
        real = sums_and_states(trained, some, index)
        layer = _layer(mapped, sized, trained, states, bits, step, real)
        states, bits, step = run_exactly(layer, states), options.state_bits, layer.state_step
        mapped = replace(mapped, layers=(*mapped.layers, layer))
    return mapped


def _layer(
    mapped: Net32kNetwork,
    sized: SizedLayer,
    trained: Trained,
    inputs: Whole,
    input_bits: int,
    input_step: float,
    real: tuple[Doubles, Doubles],
) -> Net32kLayer:
    sizes, options, parameters = mapped.sizes, mapped.options, trained.parameters
    rows = weight_rows(sized, np.asarray(parameters[f"{sized.name}.weight"], np.float64))
    weights = np.zeros(rows.shape, np.int64)
    form, levels = Levels(tuple(map(int, options.weight_levels))), options.weight_levels
    for row, taps in enumerate(sized.fan_in):
        scale = fit_scale(ScaleRule("mse"), rows[row, :taps], form)[0]
        edges = (levels[1:] + levels[:-1]) / 2
        weights[row, :taps] = levels[np.searchsorted(edges, rows[row, :taps] / scale, side="right")]
    check_deleted(sized, trained, weights, f"a {options.weights} weight of {sizes.called}")
    connections = connection_table(sized, "plane_slowest")
    border = int(
        nearest(np.array(getattr(sized.layer, "border", 0.0)) / input_step, _floats(odd_levels(input_bits)))
    )
    cuts = _cuts(sized, sizes, len(options.cell_factors) * input_bits)
    parts = [(part_of(connections, start, stop), weights[:, start:stop]) for start, stop in cuts]
    sums = [exact_sums(own, taken, inputs, border) for own, taken in parts]
    values = [np.zeros(0, np.int64)] * len(parts)
    references = [np.zeros((sized.units, 0), np.int64)] * len(parts)
    if len(parts) > 1:
        for index, part in enumerate(sums):
            step, value = fit_converter(part.astype(np.float64), part.astype(np.float64), PART_LEVELS)
            edges = np.ceil((PART_LEVELS[1:] + PART_LEVELS[:-1]) / 2 * step).astype(np.int64)
            values[index] = np.floor(PART_LEVELS * value + 0.5).astype(np.int64)
            references[index] = np.tile(edges, (sized.units, 1))
            sums[index] = values[index][np.searchsorted(edges, part, side="right")]
    state_levels = odd_levels(options.state_bits)
    biases = np.asarray(parameters[f"{sized.name}.bias"], np.float64).reshape(len(rows), -1)
    thresholds, state_step = _thresholds(sized, biases, np.asarray(np.add.reduce(sums)), real, state_levels)
    if len(parts) == 1:
        references, values, thresholds = [thresholds], [state_levels], thresholds[:, :0]
    segments = max(-(-(stop - start) // sizes.block) for start, stop in cuts)
    blocks = segments * len(options.cell_factors) * input_bits
    made = tuple(
        Part(own, taken, reference, value)
        for (own, taken), reference, value in zip(parts, references, values, strict=True)
    )
    return Net32kLayer(sized, made, thresholds, state_levels, blocks, state_step, border)


def _floats(levels: Whole) -> Floats:
    return levels.astype(np.float32)


def _cuts(sized: SizedLayer, sizes: Net32kSizes, blocks_a_term: int) -> list[tuple[int, int]]:
    """Return where the taps of a sum are cut, so that no part needs more blocks than join."""
    most = sizes.most_blocks // blocks_a_term * sizes.block
    taps = max(sized.fan_in)
    if most == 0:
        raise InputError(
            f"Layer '{sized.name}' can not run on {sizes.called}: a weight and what it reads together need "
            f"{blocks_a_term} blocks; at most {sizes.most_blocks} join. Give weights or states fewer bits."
        )
    count = -(-taps // most)
    return [(taps * part // count, taps * (part + 1) // count) for part in range(count)]


def part_of(connections: ConnectionTable, start: int, stop: int) -> ConnectionTable:
    """Return the connections of the taps from `start` to `stop`."""
    fan_in = np.clip(connections.fan_in - start, 0, stop - start)
    sources = np.ascontiguousarray(connections.sources[:, :, start:stop])
    return ConnectionTable(fan_in, connections.tables, sources)


def exact_sums(connections: ConnectionTable, weights: Whole, inputs: Whole, border: int) -> Whole:
    """Return the sums (n, units) of whole inputs (n, units below)."""
    edged = np.concatenate([inputs, np.full((len(inputs), 1), border)], axis=1).astype(np.float64)
    maps, positions = len(weights), connections.sources.shape[1]
    sums = np.empty((len(inputs), maps, positions))
    for table in range(len(connections.sources)):
        own = connections.tables == table
        # Products of small whole numbers: exact in double precision in any order.
        sums[:, own] = (edged[:, connections.sources[table]] @ weights[own].T).transpose(0, 2, 1)
    return sums.reshape(len(inputs), -1).astype(np.int64)


def _thresholds(
    sized: SizedLayer, biases: Doubles, sums: Whole, real: tuple[Doubles, Doubles], levels: Whole
) -> tuple[Whole, float]:
    """Return the thresholds (units, comparators) of sums on the chip, and the real step of states."""
    count, positions = len(sums), sized.positions
    each = np.broadcast_to(biases, (len(biases), positions)).reshape(-1)
    wanted = (real[0] - each).reshape(count, -1, positions)
    chip = sums.astype(np.float64).reshape(count, -1, positions)
    chip_mean, wanted_mean = chip.mean((0, 2)), wanted.mean((0, 2))
    spread = np.maximum(((chip - chip_mean[:, np.newaxis]) ** 2).mean((0, 2)), 1e-12)
    covariance = ((chip - chip_mean[:, np.newaxis]) * (wanted - wanted_mean[:, np.newaxis])).mean((0, 2))
    slope = np.maximum(covariance / spread, 1e-9)
    level = wanted_mean - slope * chip_mean
    predicted = chip * slope[:, np.newaxis] + level[:, np.newaxis] + each.reshape(-1, positions)
    sum_step, state_step = fit_converter(predicted.reshape(count, -1), real[1], levels)
    edges = (levels[1:] + levels[:-1]) / 2 * sum_step
    slopes, lifts = np.repeat(slope, positions), np.repeat(level, positions) + each
    limit = float(1 << 22)
    exact = np.clip((edges - lifts[:, np.newaxis]) / slopes[:, np.newaxis], -limit, limit)
    return np.ceil(exact).astype(np.int64), state_step


def run_exactly(layer: Net32kLayer, inputs: Whole) -> Whole:
    """Return the states (n, units) of a layer without errors, in whole numbers."""
    converted = []
    for part in layer.parts:
        sums = exact_sums(part.connections, part.weights, inputs, layer.border)
        converted.append(part.values[(sums[:, :, np.newaxis] >= part.references).sum(2)])
    total = np.asarray(np.add.reduce(converted))
    if len(converted) == 1:
        return total
    states: Whole = layer.levels[(total[:, :, np.newaxis] >= layer.thresholds).sum(2)]
    return states


def slid_net32k(network: Net32kNetwork, wide: Sequence[SizedLayer]) -> Net32kNetwork:
    """Return what was meant for a field, put on a larger one: `wide` are its layers there, slid.

    Only positions are added: cells and comparators of a map stay the same ones, and so do a chip's errors.
    """
    layers = (_slid(layer, sized) for layer, sized in zip(network.layers, wide, strict=False))
    return replace(network, layers=tuple(layers))


def _slid(layer: Net32kLayer, sized: SizedLayer) -> Net32kLayer:
    connections = connection_table(sized, "plane_slowest")

    def spread(of_units: Whole) -> Whole:
        return np.repeat(of_units[:: layer.sized.positions], sized.positions, axis=0)

    parts, start = [], 0
    for part in layer.parts:
        stop = start + part.weights.shape[1]
        own = part_of(connections, start, stop)
        parts.append(replace(part, connections=own, references=spread(part.references)))
        start = stop
    return replace(layer, sized=sized, parts=tuple(parts), thresholds=spread(layer.thresholds))
