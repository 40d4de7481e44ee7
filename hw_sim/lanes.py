"""Hands the layers of an integer network to the kernels, as many images at a time as there are lanes."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw_sim.kernels.layer import CAST, COUNTS, RELU, STEPS, load_images, run_layer
from hw_sim.kernels.sums import EXACT, FIT, FUSED, LANES, PRODUCT
from hw_sim.quantize import IntegerLayer, IntegerNetwork
from retronet.network import Relu

METHODS = {"exact": EXACT, "fit": FIT, "product": PRODUCT, "fused": FUSED}
RUN: Callable[..., None] = run_layer


class LaneRunner:
    """The buffers of one thread: rows of lanes for every layer."""

    def __init__(self, network: IntegerNetwork, *, keep_sums: bool = False) -> None:
        self.network = network
        self.form = _form(network.plan.input.frac_bits, network.layers[0])
        units = [int(np.prod(network.network.input)), *(layer.place.units for layer in network.layers)]
        self.rows = [np.zeros((count + 1, LANES), np.int32) for count in units]
        for below, layer in zip(self.rows, network.layers, strict=False):
            below[-1] = layer.border
        self.sums = [np.zeros((count if keep_sums else 1, LANES), np.int64) for count in units[1:]]
        self.counts = np.zeros((len(network.layers), len(COUNTS)), np.int64)
        self.clipped_pixels = 0
        self.arguments = [_arguments(layer) for layer in network.layers]

    def run(self, images: NDArray[np.float32], first: int) -> int:
        """Simulate as many images from `first` on as there are lanes; return how many."""
        used = min(LANES, len(images) - first)
        border = self.network.layers[0].border
        self.clipped_pixels += load_images(images, first, used, self.form, border, self.rows[0])
        for index, arguments in enumerate(self.arguments):
            RUN(
                *arguments, self.rows[index], used, self.rows[index + 1], self.sums[index], self.counts[index]
            )
        return used


def _form(first: int, layer: IntegerLayer, *, state: bool = False) -> NDArray[np.int64]:
    form = layer.plan.state if state else layer.input
    return np.array([first, form.rounding.code, form.overflow.code, form.low, form.high], np.int64)


def _arguments(layer: IntegerLayer) -> tuple[Any, ...]:
    """Return what `run_layer` takes of a layer."""
    formats = layer.plan
    adder = np.zeros(6, np.int64)
    if formats.accumulator is not None:
        form = formats.accumulator.form
        shift = layer.input.frac_bits + formats.weight.frac_bits + layer.prescale - form.frac_bits
        adder[1:] = shift, form.rounding.code, form.overflow.code, form.low, form.high
    adder[0] = METHODS[layer.method]
    cast_form = _form(layer.sum_frac_bits - formats.state.frac_bits, layer, state=True)
    stairs = layer.staircase
    if stairs is None:
        kind = RELU if isinstance(formats.activation, Relu) else CAST
        steps, thresholds, levels = np.zeros(5, np.int64), np.zeros(1, np.int64), np.zeros(2, np.int32)
    else:
        kind, thresholds, levels = STEPS, stairs.thresholds, stairs.levels
        steps = np.array([stairs.first, stairs.final, stairs.shift, stairs.inside, stairs.beyond], np.int64)
    return (
        layer.weights, layer.fan_in, layer.tables, layer.sources, layer.biases, adder, layer.word_bits == 64,
        kind, steps, thresholds, levels, cast_form,
    )  # fmt: skip
