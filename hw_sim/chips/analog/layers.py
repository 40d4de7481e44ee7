"""Layers of analog sums and comparators run on images: what ANNA and NET32K have in common."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hw_sim.kernels.analog import ANALOG_LANES, run_analog_layer
from retronet.connections import ConnectionTable
from retronet.network import SizedLayer

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class AnalogLayer:
    """A layer as it lies on a chip.

    Attributes
    ----------
    sized : SizedLayer
    connections : ConnectionTable
    weights : ndarray of float32, shape (maps, most taps)
        Whole numbers, or what a chip's errors made of them.
    starts : ndarray of float32, shape (units,)
        Biases, in units of a sum.
    references : ndarray of float32, shape (units, comparators)
        Ascending in each row as long as no error is drawn.
    levels : ndarray of float32, shape (comparators + 1,)
        Whole numbers.
    border : float
        State that stands around the planes.
    sigma : ndarray of float32, shape (maps,)
        Noise of each sum.
    """

    sized: SizedLayer
    connections: ConnectionTable
    weights: Floats
    starts: Floats
    references: Floats
    levels: Floats
    border: float
    sigma: Floats


def run_analog(
    layers: Sequence[AnalogLayer],
    pixels: Floats,
    seed: tuple[int, ...],
    *,
    last_only: bool = True,
    before: int = 0,
) -> tuple[Floats, ...]:
    """Return the states of the last layer, or of every layer.

    Parameters
    ----------
    layers
        From the first one on.
    pixels : ndarray of float32, shape (n, pixels)
        States of the input: whole numbers.
    seed
        Decides the noise, for each image by its place among the images.
    last_only
        Whether the other layers' states are wanted too.
    before
        Images that were run before these, of the same ones: a multiple of `ANALOG_LANES`.

    Returns
    -------
    tuple of ndarray of float32, shape (n, units)
        Whole numbers; one array, or one a layer.
    """
    rows = [np.zeros((count + 1, ANALOG_LANES), np.float32) for count in _units(pixels, layers)]
    for below, layer in zip(rows, layers, strict=False):
        below[-1] = layer.border
    wanted = layers[-1:] if last_only else layers
    outputs = tuple(np.empty((len(pixels), layer.sized.units), np.float32) for layer in wanted)
    for first in range(0, len(pixels), ANALOG_LANES):
        used = min(ANALOG_LANES, len(pixels) - first)
        rows[0][:-1, :used] = pixels[first : first + used].T
        for index, layer in enumerate(layers):
            table = layer.connections
            run_analog_layer(
                layer.weights, table.fan_in, table.tables, table.sources, layer.starts,
                layer.references, layer.levels, layer.sigma, _noise(layer, (*seed, index, before + first)),
                rows[index], rows[index + 1],
            )  # fmt: skip
        for states, row in zip(outputs, rows[-len(outputs) :], strict=True):
            states[first : first + used] = row[:-1, :used].T
    return outputs


def _units(pixels: Floats, layers: Sequence[AnalogLayer]) -> list[int]:
    return [pixels.shape[1], *(layer.sized.units for layer in layers)]


def _noise(layer: AnalogLayer, seed: tuple[int, ...]) -> Floats:
    """Return normal numbers of their own for each seed, layer and set of lanes, or none."""
    units = layer.sized.units if layer.sigma.any() else 0
    return np.random.default_rng(seed).standard_normal((units, ANALOG_LANES), np.float32)


def nearest(values: NDArray[np.floating], levels: Floats) -> Floats:
    """Return the nearest of ascending `levels`, the upper one from halfway on."""
    edges = (levels[1:] + levels[:-1]).astype(np.float64) / 2
    return levels[np.searchsorted(edges, values, side="right")]
