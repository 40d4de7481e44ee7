"""Hands the layers of an integer network to the kernels, as many images at a time as there are lanes."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw_sim.fixed_point.quantize import IntegerLayer, IntegerNetwork
from hw_sim.fixed_point.step_function import StepFunction
from hw_sim.formats.fixed import Fixed
from hw_sim.formats.levels import Format, twice_edges
from hw_sim.kernels import layer as kernels
from hw_sim.kernels.pixels import load_images, load_levels
from hw_sim.kernels.sums import EXACT, FIT, FUSED, LANES, PRODUCT, SPLIT, UNITS
from retronet.network import Relu

METHODS = {"exact": EXACT, "fit": FIT, "product": PRODUCT, "fused": FUSED, "split": SPLIT}
STAGES = {"single": kernels.SINGLE, "double": kernels.DOUBLE}
RUN: Callable[..., None] = kernels.run_layer
SMALL = 2.0**28
Ints = NDArray[np.int64]


class LaneRunner:
    """The buffers of one thread: rows of lanes for every layer."""

    def __init__(self, network: IntegerNetwork, *, keep_sums: bool = False) -> None:
        self.network = network
        units = [int(np.prod(network.network.input)), *(layer.sized.units for layer in network.layers)]
        self.rows = [np.zeros((count + 1, LANES), np.int32) for count in units]
        for below, layer in zip(self.rows, network.layers, strict=False):
            below[-1] = layer.border
        # The kernels keep nothing where there is one row, so a layer of one unit has two.
        kept = [max(count, 2) if keep_sums else 1 for count in units[1:]]
        self.sums, self.biased, self.preactivations = (
            [np.zeros((count, LANES), np.int64) for count in kept] for _ in range(3)
        )
        self.work = np.array(
            [_work(layer, count) for layer, count in zip(network.layers, units, strict=False)]
        )
        self.counts = np.zeros_like(self.work)
        self.clipped_pixels = 0
        self.arguments = [
            arguments_of(layer, count) for layer, count in zip(network.layers, units, strict=False)
        ]

    def run(self, images: NDArray[np.floating], first: int) -> int:
        """Simulate as many images from `first` on as there are lanes; return how many."""
        used = min(LANES, len(images) - first)
        self.clipped_pixels += self._load(images, first, used)
        for index, arguments in enumerate(self.arguments):
            RUN(
                *arguments, self.rows[index], used, self.rows[index + 1], self.sums[index],
                self.biased[index], self.preactivations[index], self.counts[index],
            )  # fmt: skip
        self.counts += self.work * used
        return used

    def _load(self, images: NDArray[np.floating], first: int, used: int) -> int:
        form, scale = self.network.plan.input, self.network.plan.input_scale
        border = self.network.layers[0].border
        if isinstance(form, Fixed):
            largest = np.abs(images[first : first + used]).max() / scale * form.step**-1
            small = form.bits <= 30 and form.frac_bits >= 0 and largest < SMALL
            cast = _cast(form.frac_bits, form)
            return int(load_images(images, first, used, scale, cast, small, border, self.rows[0]))
        edges = twice_edges(form) * (0.5 * form.step)
        levels = np.array((form.low, *form.levels, form.high), np.int64)
        return int(load_levels(images, first, used, scale, edges, levels, border, self.rows[0]))


def _cast(first: int, form: Format) -> Ints:
    """Return `first`, rounding, overflow, low and high of a format; zeros of levels, which take no cast."""
    if not isinstance(form, Fixed):
        return np.zeros(5, np.int64)
    return np.array([first, form.rounding.code, form.overflow.code, form.low, form.high], np.int64)


def _work(layer: IntegerLayer, border: int) -> Ints:
    """Return the counts of one image that no datum changes."""
    counts = np.zeros(len(kernels.COUNTS), np.int64)
    table = layer.connections
    kernels.count_work(layer.weights, table.fan_in, table.tables, table.sources, border, counts)
    return counts


def arguments_of(layer: IntegerLayer, border: int) -> tuple[Any, ...]:
    """Return what `run_layer` takes of a layer that reads `border` units."""
    weights, rows, tables, sources = _blocks(layer, border)
    adder, second = _adders(layer)
    stage, before, scalings = _stage(layer)
    formats = layer.plan
    if layer.step_functions:
        kind, steps = kernels.STEPS, _join(layer.step_functions)
    else:
        kind = kernels.RELU if isinstance(formats.activation, Relu) else kernels.CAST
        steps = (
            np.zeros((1, 6), np.int64),
            np.zeros(1, np.int64),
            np.zeros(2, np.int32),
            np.zeros(2, np.bool_),
        )
    given = layer.biased_frac_bits if formats.preactivation is None else formats.preactivation.frac_bits
    form = _cast(given - formats.state.frac_bits, formats.state)
    return (
        weights, rows, tables, sources, layer.starts, layer.ends, METHODS[layer.method], layer.word_bits ==
        64, adder, second, stage, before, scalings, kind, *steps, form,
    )  # fmt: skip


def _blocks(layer: IntegerLayer, border: int) -> tuple[NDArray[np.int32], ...]:
    """Return the maps in blocks that read the same inputs, and their taps filled up to an even number."""
    connections = layer.connections
    blocks = [
        (table, maps[start : start + UNITS])
        for table in range(connections.sources.shape[0])
        for maps in [np.flatnonzero(connections.tables == table)]
        for start in range(0, len(maps), UNITS)
    ]
    taps = connections.sources.shape[2]
    even = taps + taps % 2
    weights = np.zeros((len(blocks), UNITS, even), np.int32)
    rows = np.full((len(blocks), UNITS), -1, np.int32)
    tables = np.empty((len(blocks), 2), np.int32)
    for index, (table, maps) in enumerate(blocks):
        weights[index, : len(maps), :taps] = layer.weights[maps]
        rows[index, : len(maps)] = maps
        fan_in = int(connections.fan_in[maps[0]])
        tables[index] = table, fan_in + fan_in % 2
    sources = np.full((*connections.sources.shape[:2], even), border, np.int32)
    sources[:, :, :taps] = connections.sources
    return weights, rows, tables, sources


def _adders(layer: IntegerLayer) -> tuple[Ints, Ints]:
    """Return the casts of products and of sums: see sums.py."""
    accumulator = layer.plan.accumulator
    if accumulator is None:
        return np.zeros(6, np.int64), np.zeros(6, np.int64)
    form, product = accumulator.form, accumulator.product
    product_bits = layer.input.frac_bits + layer.plan.weight.frac_bits + layer.prescale
    if product is None:
        return np.append(_cast(product_bits - form.frac_bits, form), 0), np.zeros(6, np.int64)
    common = max(form.frac_bits, product.frac_bits)
    first = np.append(_cast(product_bits - product.frac_bits, product), common - product.frac_bits)
    return first, np.append(_cast(common - form.frac_bits, form), common - form.frac_bits)


def _stage(layer: IntegerLayer) -> tuple[int, Ints, Ints]:
    """Return what comes between sums and activation: see `kernels.prepare`."""
    pre = layer.plan.preactivation
    lift = layer.biased_frac_bits - layer.sum_frac_bits
    scalings = np.array(layer.multipliers or [(0, 0)], np.int64)
    if pre is None:
        return kernels.KEEP, np.array([lift, 0, 0, 0, 0, 0], np.int64), scalings
    before = np.concatenate(([lift], _cast(layer.biased_frac_bits - pre.frac_bits, pre)))
    requantise = layer.plan.requantise
    return kernels.CAST_PRE if requantise is None else STAGES[requantise], before, scalings


def _join(
    step_functions: tuple[StepFunction, ...],
) -> tuple[Ints, Ints, NDArray[np.int32], NDArray[np.bool_]]:
    """Return staircases one after the other, with a table of where each begins."""
    table = np.zeros((len(step_functions), 6), np.int64)
    cells = steps = 0
    for row, stairs in zip(table, step_functions, strict=True):
        row[:] = stairs.first, stairs.final, stairs.shift, cells, steps, stairs.clips.any()
        cells, steps = cells + stairs.thresholds.size, steps + stairs.levels.size
    return (
        table,
        np.concatenate([stairs.thresholds for stairs in step_functions]),
        np.concatenate([stairs.levels for stairs in step_functions]),
        np.concatenate([stairs.clips for stairs in step_functions]),
    )
