"""Hands the layers of an integer network to the kernels, as many images at a time as there are lanes."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hw_sim.fixed_point.kernel_records import (
    activation_of,
    adding_of,
    arrays_of,
    pixel_cast,
    word_of,
)
from hw_sim.fixed_point.quantize import IntegerLayer, IntegerNetwork
from hw_sim.formats.fixed import Fixed
from hw_sim.formats.levels import twice_edges
from hw_sim.kernels import layer as kernels
from hw_sim.kernels.layer_records import Kept, Lanes
from hw_sim.kernels.pixels import IMAGES_TOGETHER, load_images, load_levels
from hw_sim.kernels.sums import FLOAT_LIMIT, INTEGER_LANES, UNITS
from retronet.network import AveragePool, MaxPool

RUN: Callable[..., None] = kernels.run_integer_layer
Ints = NDArray[np.int64]


class LaneRunner:
    """The buffers of one thread: rows of lanes for every layer.

    Parameters
    ----------
    network
        Integers and formats.
    images : ndarray of float32 or float64, shape (n, pixels)
        What will be simulated, or a part of it.
    keep_sums
        Whether sums and pre-activations are wanted too.
    """

    def __init__(
        self, network: IntegerNetwork, images: NDArray[np.floating], *, keep_sums: bool = False
    ) -> None:
        self.network, self.images = network, images
        units = [int(np.prod(network.network.input)), *(layer.sized.units for layer in network.layers)]
        # Inputs are kept in the word that their layer is summed in, the last states in that of their own.
        words = [word_of(layer) for layer in network.layers]
        small = words[-1] is not np.float32 or network.plan.layers[-1].state.magnitude <= FLOAT_LIMIT
        words.append(words[-1] if small else np.int64)
        self.rows = [
            np.zeros((count + 1, INTEGER_LANES), word) for count, word in zip(units, words, strict=True)
        ]
        for below, layer in zip(self.rows, network.layers, strict=False):
            below[-1] = layer.border
        pairs = list(zip(network.layers, units, strict=False))
        self.keep_sums = keep_sums
        self.kept = [
            # The kernels keep nothing where there is one row, so a layer of one unit has two.
            Kept(*(np.zeros((max(count, 2) if keep_sums else 1, INTEGER_LANES), np.int64) for _ in range(3)))
            for count in units[1:]
        ]
        self._load = self._loader()
        self.work = np.array([_work(layer, count) for layer, count in pairs])
        self.counts = np.zeros_like(self.work)
        self.clipped_pixels = 0
        self.calls = [self._call(index) for index in range(len(network.layers))]

    def _call(self, index: int) -> Callable[[int], object]:
        """Return the loop of a layer, which takes how many lanes are used."""
        layer, kept = self.network.layers[index], self.kept[index]
        arrays = arrays_of(layer, self.network.plan.tap_order)
        adding, offset = adding_of(layer, arrays.weights)
        activation = activation_of(layer, keep_sums=self.keep_sums)
        above = np.empty((2, INTEGER_LANES), np.int32 if layer.word_bits == 32 else np.int64)
        missed = np.empty((2, INTEGER_LANES), np.int32)
        block = (kernels.POSITIONS_TOGETHER, UNITS, INTEGER_LANES)
        sums, whole = np.empty(block, arrays.weights.dtype), np.empty(block, np.int64)
        inputs, states = self.rows[index], self.rows[index + 1]
        lanes = Lanes(inputs, states, above, missed, sums, whole, self.counts[index], kept)
        return partial(RUN, arrays._replace(offset=offset), *adding, *activation, lanes)

    def run(self, first: int) -> int:
        """Simulate as many images from `first` on as there are lanes; return how many."""
        used = min(INTEGER_LANES, len(self.images) - first)
        self.clipped_pixels += self._load(first, used)
        for call in self.calls:
            call(used)
        self.counts += self.work * used
        return used

    def _loader(self) -> Callable[[int, int], int]:
        """Return what brings images into the lanes: from which one on, and how many."""
        form, scale = self.network.plan.input, self.network.plan.input_scale
        border, images = self.network.layers[0].border, self.images
        if isinstance(form, Fixed):
            cast = pixel_cast(form, scale, float(np.abs(images).max(initial=0)))
            block = np.empty((IMAGES_TOGETHER, images.shape[1]), np.int32)
            return partial(load_images, images, *cast, border, block, self.rows[0])
        edges = twice_edges(form) * (0.5 * form.step)
        levels = np.array((form.low, *form.levels, form.high), np.int64)
        return partial(load_levels, images, scale, edges, levels, border, self.rows[0])


def _work(layer: IntegerLayer, border: int) -> Ints:
    """Return the counts of one image that no datum changes."""
    table = layer.connections
    positions, most = table.sources.shape[1:]
    used = np.arange(most) < table.fan_in[:, np.newaxis]
    at_border = ((table.sources == border).sum(axis=1)[table.tables] * used).sum()
    macs, units = int(used.sum()) * positions, len(table.fan_in) * positions
    counts = np.zeros(len(kernels.COUNTS), np.int64)
    if isinstance(layer.sized.layer, MaxPool | AveragePool):  # inputs are read, but no weight or bias
        counts[kernels.STATE_READS], counts[kernels.STATE_WRITES] = macs - at_border, units
        kind = kernels.COMPARISONS if isinstance(layer.sized.layer, MaxPool) else kernels.ADDITIONS
        counts[kind] = macs - at_border - units
        return counts
    counts[kernels.MACS], counts[kernels.BORDER] = macs, at_border
    counts[kernels.ZERO] = np.count_nonzero((layer.weights == 0) & used) * positions
    counts[kernels.WEIGHT_READS] = macs + units  # the bias is read too
    counts[kernels.STATE_READS], counts[kernels.STATE_WRITES] = macs - at_border, units
    return counts
