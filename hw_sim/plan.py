"""Which format inputs, weights, biases, sums and states have, layer by layer, and how to choose it."""

import math
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from hw_sim.formats import MAX_BITS, Fixed, Overflow, Rounding
from retronet.errors import InputError
from retronet.network import Activation, NetworkSpec, Rbf, Subsample, places

CHUNK = 1024
"""Images whose float states are held at a time."""


class Accumulator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sums that are cast to `form` after every MAC, the bias first.

    With ``fused`` the exact product is added and the sum cast; without it each product is cast before it is
    added, as hls4ml's datapath does.
    """

    form: Fixed
    fused: bool = False


class LayerPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The formats of one layer. ``accumulator`` absent means exact sums."""

    layer: str
    weight: Fixed
    bias: Fixed
    state: Fixed
    activation: Activation
    accumulator: Accumulator | None = None


class FormatRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One format of a plan, ready to be shown; ``text`` is ``exact`` for sums that are not cast."""

    layer: str
    role: Literal["input", "weight", "bias", "accumulator", "state"]
    text: str
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    rounding: Rounding | None = None
    overflow: Overflow | None = None


class PrecisionPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The formats of a network. A layer reads the states of the one below in their format.

    ``tap_order`` says in which order a unit adds up: kernel row, kernel column and input plane with the
    plane fastest, or plane by plane. It matters where sums are cast.
    """

    input: Fixed
    layers: tuple[LayerPlan, ...]
    tap_order: Literal["plane_fastest", "plane_slowest"] = "plane_fastest"

    def input_of(self, index: int) -> Fixed:
        """Return the format that layer `index` reads."""
        return self.input if index == 0 else self.layers[index - 1].state

    def describe(self) -> tuple[FormatRow, ...]:
        """Return every format with its range and step, in the order of the data."""
        rows = [_row("", "input", self.input)]
        for layer in self.layers:
            rows += [_row(layer.layer, "weight", layer.weight), _row(layer.layer, "bias", layer.bias)]
            if layer.accumulator is None:
                rows.append(FormatRow(layer.layer, "accumulator", "exact"))
            else:
                rows.append(_row(layer.layer, "accumulator", layer.accumulator.form))
            rows.append(_row(layer.layer, "state", layer.state))
        return tuple(rows)


def _row(
    layer: str, role: Literal["input", "weight", "bias", "accumulator", "state"], form: Fixed
) -> FormatRow:
    return FormatRow(
        layer, role, form.text, form.minimum, form.maximum, form.step, form.rounding, form.overflow
    )


def fitting(
    largest: float, bits: int, rounding: Rounding = Rounding.RND, overflow: Overflow = Overflow.SAT
) -> Fixed:
    """Return the signed format of `bits` bits with the smallest step that holds ±`largest` without clipping.

    Where `largest` is 0 every step would do; the range is then ±1.
    """
    top = Fixed(bits, 0, True, rounding, overflow).high
    if top == 0:
        raise InputError(
            f"A signed format of {bits} bit has no positive value, so no step holds ±{largest}. Give "
            "2 bits or more."
        )
    if largest == 0:
        return Fixed(bits, bits - 1, True, rounding, overflow)
    frac_bits = math.frexp(top)[1] - math.frexp(largest)[1] + 1
    while math.ldexp(largest, frac_bits) > top:
        frac_bits -= 1
    return Fixed(bits, frac_bits, True, rounding, overflow)


def calibrate(
    network: NetworkSpec,
    parameters: Mapping[str, NDArray[Any]],
    images: NDArray[np.float32],
    bits: int = 8,
    *,
    weight_bits: int | None = None,
    state_bits: int | None = None,
    accumulator_bits: int | None = None,
    accumulator_overflow: Overflow = Overflow.WRAP,
    fused: bool = False,
    rounding: Rounding = Rounding.RND,
    overflow: Overflow = Overflow.SAT,
) -> PrecisionPlan:
    """Choose power-of-two steps by the largest magnitude seen: per layer for weights and states.

    Parameters
    ----------
    network, parameters
        The trained network in floating point.
    images : ndarray of float32, shape (n, rows, columns)
        *Training* images: what the states are measured on. Never the test set.
    bits
        Bits of inputs, weights and states.
    weight_bits, state_bits
        Bits of the weights; of inputs and states; instead of `bits`.
    accumulator_bits, accumulator_overflow, fused
        Sums of that many bits, cast after every MAC, with the fraction bits of a product. Absent: exact sums,
        with biases of 32 bits.
    rounding, overflow
        Modes of inputs, weights, biases and states.

    Returns
    -------
    PrecisionPlan

    Raises
    ------
    InputError
        If the network has a layer that has no integer form here, or a number of bits is not allowed.
    """
    weight_bits = bits if weight_bits is None else weight_bits
    state_bits = bits if state_bits is None else state_bits
    largest = _largest_states(network, parameters, images)
    first = below = fitting(float(np.abs(images).max()), state_bits, rounding, overflow)
    layers: list[LayerPlan] = []
    for place in places(network):
        layer = place.layer
        if isinstance(layer, Subsample | Rbf):
            raise InputError(
                f"Layer '{layer.name}' of network '{network.name}' can not be put on integers: it is "
                "of the kind "
                f"{type(layer).__name__}; Conv and Dense are allowed. Choose another network."
            )
        peak = float(np.abs(parameters[f"{layer.name}.weight"]).max())
        weight = fitting(peak, weight_bits, rounding, overflow)
        frac_bits = weight.frac_bits + below.frac_bits
        accumulator = None
        if accumulator_bits is not None:
            form = Fixed(accumulator_bits, frac_bits, True, rounding, accumulator_overflow)
            accumulator = Accumulator(form, fused)
        bias = Fixed(accumulator_bits or MAX_BITS, frac_bits, True, rounding, overflow)
        state = fitting(largest[layer.name], state_bits, rounding, overflow)
        layers.append(LayerPlan(layer.name, weight, bias, state, layer.activation, accumulator))
        below = state
    return PrecisionPlan(first, tuple(layers))


def _largest_states(
    network: NetworkSpec, parameters: Mapping[str, NDArray[Any]], images: NDArray[np.float32]
) -> dict[str, float]:
    from retronet.forward import layer_states

    if len(images) == 0:
        raise InputError("Formats can not be calibrated on no images. Give at least one training image.")
    largest: dict[str, float] = {}
    for start in range(0, len(images), CHUNK):
        for name, states in layer_states(network, dict(parameters), images[start : start + CHUNK]).items():
            largest[name] = max(largest.get(name, 0.0), float(np.abs(states).max()))
    return largest
