"""Every integer that a network makes of a few images."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw_sim.fixed_point.quantize import IntegerLayer, IntegerNetwork, quantize
from hw_sim.fixed_point.runner import LaneRunner
from hw_sim.kernels.sums import INTEGER_LANES
from hw_sim.plan.plan import PrecisionPlan
from retronet.datasets import Dataset
from retronet.errors import InputError
from retronet.network import Padding
from retronet.trained import Trained


@dataclass(frozen=True)
class LayerTrace:
    """The integers of a layer, in the order in which they are made.

    Attributes
    ----------
    layer : str
        Its name.
    inputs : ndarray of int32, shape (n, planes, rows, columns)
        What it reads, with the border around each plane.
    sums : ndarray of int64, shape (n, maps, rows, columns)
        Sums of products, with the bias where they start with it; of a max pool the largest inputs.
    after_bias : ndarray of int64, shape (n, maps, rows, columns)
        The same with a bias that is added last; exact.
    preactivations : ndarray of int64, shape (n, maps, rows, columns)
        What enters the activation.
    states : ndarray of int32, shape (n, maps, rows, columns)
    sum_frac_bits, after_bias_frac_bits, preactivation_frac_bits, state_frac_bits : int
        A number is its integer times ``2^-frac_bits`` times its scale.
    sum_scales : tuple of float
        Scale of sums, also with bias: one, or one a map.
    preactivation_scales : tuple of float
    state_scale : float
    """

    layer: str
    inputs: NDArray[np.int32]
    sums: NDArray[np.int64]
    after_bias: NDArray[np.int64]
    preactivations: NDArray[np.int64]
    states: NDArray[np.int32]
    sum_frac_bits: int
    after_bias_frac_bits: int
    preactivation_frac_bits: int
    state_frac_bits: int
    sum_scales: tuple[float, ...]
    preactivation_scales: tuple[float, ...]
    state_scale: float

    @property
    def values(self) -> NDArray[np.float64]:
        """The states as real numbers."""
        return self.states.astype(np.float64) * (2.0**-self.state_frac_bits * self.state_scale)

    def widened(self, low: float, high: float) -> tuple[float, float]:
        """Return `low` and `high`, moved apart to hold every pre-activation, as real numbers."""
        scales = np.asarray(self.preactivation_scales)[:, None, None] * 2.0**-self.preactivation_frac_bits
        reals = self.preactivations * scales
        return min(low, float(reals.min(initial=0))), max(high, float(reals.max(initial=0)))


@dataclass(frozen=True)
class Trace:
    """The integers of all layers, the pixels (n, rows · columns) first, and the outputs (n, classes)."""

    inputs: NDArray[np.int32]
    input_frac_bits: int
    layers: tuple[LayerTrace, ...]
    outputs: NDArray[np.float64]


def trace(trained: Trained, digits: Dataset | NDArray[np.floating], plan: PrecisionPlan) -> Trace:
    """Return every integer that a trained network makes of a few digits.

    Parameters
    ----------
    trained
        The trained network.
    digits
        Digits, or their images (n, rows, columns) in single or double precision: cast to the format of the
        inputs, as they are.
    plan
        The formats: see `hw_sim.plan.calibrate.calibrate`.

    Raises
    ------
    InputError
        If the parts do not fit each other, or pixels are not finite.
    """
    images = digits.images if isinstance(digits, Dataset) else digits
    return trace_integers(quantize(trained, plan), images)


def trace_integers(network: IntegerNetwork, images: NDArray[np.floating]) -> Trace:
    """Return every integer that `network` makes of a few `images`, as `trace` does.

    Raises
    ------
    InputError
        If the images have another size than the network reads, or are not finite.
    """
    flat = flattened(network, images)
    worker = LaneRunner(network, flat, keep_sums=True)
    count, layers = len(flat), network.layers
    rows = [np.empty((count, len(lanes) - 1), np.int32) for lanes in worker.rows]
    kinds = list(zip(*worker.kept, strict=True))
    sums = [[np.empty((count, layer.sized.units), np.int64) for layer in layers] for _ in kinds]
    for first in range(0, count, INTEGER_LANES):
        used = worker.run(first)
        for integers, lanes in zip(rows, worker.rows, strict=True):
            integers[first : first + used] = lanes[:-1, :used].T
        for targets, source in zip(sums, kinds, strict=True):
            for target, part in zip(targets, source, strict=True):
                target[first : first + used] = part[: target.shape[1], :used].T
    traced = tuple(
        _layer(layer, rows[index], rows[index + 1], [kind[index] for kind in sums])
        for index, layer in enumerate(layers)
    )
    return Trace(rows[0], network.plan.input.frac_bits, traced, outputs_of(network, rows[-1]))


def layer_values(
    network: IntegerNetwork, images: NDArray[np.floating]
) -> tuple[list[NDArray[np.float64]], NDArray[np.float64]]:
    """Return the states of every layer as real numbers (n, units), and the outputs (n, classes).

    Raises
    ------
    InputError
        As for `trace`.
    """
    flat = flattened(network, images)
    worker = LaneRunner(network, flat)
    states_by_layer = [np.empty((len(flat), layer.sized.units), np.float64) for layer in network.layers]
    for first in range(0, len(flat), INTEGER_LANES):
        used = worker.run(first)
        for states, row in zip(states_by_layer, worker.rows[1:], strict=True):
            states[first : first + used] = row[:-1, :used].T
    outputs = outputs_of(network, states_by_layer[-1].astype(np.int32))
    for states, layer in zip(states_by_layer, network.plan.layers, strict=True):
        states *= layer.state.step * layer.state_scale
    return states_by_layer, outputs


def _layer(
    layer: IntegerLayer,
    inputs: NDArray[np.int32],
    states: NDArray[np.int32],
    sums: list[NDArray[np.int64]],
) -> LayerTrace:
    sized, plan = layer.sized, layer.plan
    shape = (-1, *sized.output)
    planes = inputs.reshape(-1, *sized.input)
    pad = sized.padding
    if pad != Padding():
        edges = (0, 0), (0, 0), (pad.top, pad.bottom), (pad.left, pad.right)
        planes = np.pad(planes, edges, constant_values=layer.border)
    pre = plan.preactivation
    return LayerTrace(
        sized.name,
        planes,
        sums[0].reshape(shape),
        sums[1].reshape(shape),
        sums[2].reshape(shape),
        states.reshape(shape),
        layer.sum_frac_bits,
        layer.biased_frac_bits,
        layer.biased_frac_bits if pre is None else pre.frac_bits,
        plan.state.frac_bits,
        layer.sum_scales,
        layer.sum_scales if plan.requantise is None else (plan.preactivation_scale,),
        plan.state_scale,
    )


def flattened(network: IntegerNetwork, images: NDArray[np.floating]) -> NDArray[Any]:
    """Return `images` as rows of pixels; refuse those of another size or with numbers that are not finite."""
    wanted = network.network.input
    pixels = int(np.prod(wanted))
    if images.ndim < 2 or int(np.prod(images.shape[1:])) != pixels:
        raise InputError(
            f"The images do not fit network '{network.network.name}': they are {images.shape[1:]}; "
            f"{wanted[1]}×{wanted[2]} is needed. Choose data of that size."
        )
    if not np.isfinite(images).all():
        raise InputError(
            "The images hold numbers that are infinite or NaN; finite ones are allowed. Mend the data."
        )
    kind = np.float64 if images.dtype == np.float64 else np.float32
    return np.ascontiguousarray(images.reshape(len(images), pixels), dtype=kind)


def outputs_of(network: IntegerNetwork, states: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return what the last layer's `states` (n, units) are as real outputs (n, classes)."""
    plan = network.plan.layers[-1]
    step = plan.state.step * plan.state_scale
    if network.codes is None:
        return states.astype(np.float64) * step
    whole = states.astype(np.int64)
    squares, products = np.square(whole).sum(axis=1, keepdims=True), whole @ network.codes.T
    return np.asarray(2 * step * products - (step**2 * squares + network.codes.shape[1]), np.float64)
