"""Which format inputs, weights, biases, sums and states have, layer by layer, and how to choose it."""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from hw_sim.formats.fixed import MAX_BITS, Fixed, Overflow, Rounding
from hw_sim.formats.levels import Format
from hw_sim.formats.scales import ScaleRule, fit_scale
from hw_sim.plan.activations import HardwareActivation
from hw_sim.plan.format_rows import FormatRow, row_of
from retronet.connections import weight_rows
from retronet.errors import InputError
from retronet.network import NetworkSpec, Rbf, sized_layers

CHUNK = 1024
"""Images whose float states are held at a time, or that a rule sees which asks for all states."""
INPUT = ""

Scale = Annotated[float, msgspec.Meta(gt=0)]
ONE = (1.0,)


class Accumulator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sums that are cast to `form` after every MAC.

    With ``fused`` the exact product is added and the sum cast; without it each product is cast before it is
    added, as hls4ml's datapath does: to `product`, or to `form` itself where that is absent.
    """

    form: Fixed
    fused: bool = False
    product: Fixed | None = None

    def __post_init__(self) -> None:
        if self.fused and self.product is not None:
            raise InputError(
                "An accumulator can not be fused and have a format of products: fused sums take the exact "
                "product. Leave one of the two out."
            )


class LayerPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The formats of one layer.

    Attributes
    ----------
    layer
        Its name.
    weight, bias, state
        Formats. A bias has the step of sums, or is cast to it.
    activation
        The network's own activation, computed exactly and rounded, or what hardware has in its place.
    accumulator
        Absent: exact sums.
    preactivation
        What a sum is cast to before the activation; absent: the activation takes the sum as it is.
    bias_at
        Whether sums start with the bias or have it added, exactly, after the last product.
    weight_scale
        Where it is not 1: what weights in their format are multiplied with, one number or one a map.
    weight_divisor
        What weights are divided by before they are cast, if not by `weight_scale`.
    state_scale
        What states in their format are multiplied with.
    requantise
        How sums become pre-activations on integer hardware: times an integer and shifted, with one rounding
        or with two (see `fixed_point.requantise`); absent: by a cast, and the scale of the sums stays theirs.
    preactivation_scale
        What requantised pre-activations in their format are multiplied with.

    Notes
    -----
    Scales are divided out before anything is cast: a layer's sums are the real ones divided by the weights'
    and the inputs' scale, its biases too. A quotient or product of scales is a double; from there on all is
    exact.
    """

    layer: str
    weight: Format
    bias: Fixed
    state: Format
    activation: HardwareActivation
    accumulator: Accumulator | None = None
    preactivation: Fixed | None = None
    bias_at: Literal["start", "end"] = "start"
    weight_scale: Annotated[tuple[Scale, ...], msgspec.Meta(min_length=1)] = ONE
    weight_divisor: Annotated[tuple[Scale, ...], msgspec.Meta(min_length=1)] | None = None
    state_scale: Scale = 1.0
    requantise: Literal["single", "double"] | None = None
    preactivation_scale: Scale = 1.0


class PrecisionPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The formats of a network. A layer reads the states of the one below in their format.

    ``tap_order`` says in which order a unit adds up: kernel row, kernel column and input plane with the
    plane fastest, or plane by plane. It matters where sums are cast. ``seed`` decides stochastic rounding. An
    RBF output layer has no formats: see `hw_sim.fixed_point.simulate`.
    """

    input: Format
    layers: tuple[LayerPlan, ...]
    tap_order: Literal["plane_fastest", "plane_slowest"] = "plane_fastest"
    input_scale: Scale = 1.0
    seed: Annotated[int, msgspec.Meta(ge=0)] = 0

    def input_of(self, index: int) -> Format:
        """Return the format that layer `index` reads."""
        return self.input if index == 0 else self.layers[index - 1].state

    def input_scale_of(self, index: int) -> float:
        """Return what the inputs of layer `index` are multiplied with."""
        return self.input_scale if index == 0 else self.layers[index - 1].state_scale

    def describe(self) -> tuple[FormatRow, ...]:
        """Return every format with its range and step, in the order of the data."""
        rows = [row_of("", "input", self.input, [self.input_scale])]
        for index, plan in enumerate(self.layers):
            sums = [scale * self.input_scale_of(index) for scale in plan.weight_scale]
            rows.append(row_of(plan.layer, "weight", plan.weight, plan.weight_scale))
            rows.append(row_of(plan.layer, "bias", plan.bias, sums))
            if plan.accumulator is None:
                rows.append(FormatRow(plan.layer, "accumulator", "exact"))
            else:
                if plan.accumulator.product is not None:
                    rows.append(row_of(plan.layer, "product", plan.accumulator.product, sums))
                rows.append(row_of(plan.layer, "accumulator", plan.accumulator.form, sums))
            if plan.preactivation is not None:
                scales = sums if plan.requantise is None else [plan.preactivation_scale]
                rows.append(row_of(plan.layer, "preactivation", plan.preactivation, scales))
            rows.append(row_of(plan.layer, "state", plan.state, [plan.state_scale]))
        return tuple(rows)


def fitting(
    largest: float, bits: int, rounding: Rounding = Rounding.RND, overflow: Overflow = Overflow.SAT
) -> Fixed:
    """Return the signed format of `bits` bits with the smallest step that holds ±`largest` without clipping.

    Where `largest` is 0 every step would do; the range is then ±1.
    """
    top = Fixed(bits, 0, True, rounding, overflow).high
    if top == 0:
        raise InputError(
            f"A signed format of {bits} bit has no positive value, so no step holds ±{largest}. Give 2 bits "
            "or more."
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
    weight_format: Format | None = None,
    state_format: Format | None = None,
    accumulator: Accumulator | None = None,
    weight_scale: ScaleRule | None = None,
    state_scale: ScaleRule | None = None,
) -> PrecisionPlan:
    """Choose formats and scales: from the weights themselves, and from states on training images.

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
        Modes of inputs, weights, biases and states. Stochastic rounding is for weights and biases; inputs and
        states then have RND.
    weight_format, state_format
        A format for all weights; for inputs and all states; instead of bits. Its scale is then fitted unless
        the rule is absent.
    accumulator
        A given accumulator for all layers, instead of bits.
    weight_scale, state_scale
        Rules for the scales. Absent, or the rule power-of-two: the step itself is a power of two and the
        scale 1, except of formats that are given.

    Returns
    -------
    PrecisionPlan

    Raises
    ------
    InputError
        If a rule does not suit a format, or a number of bits is not allowed.
    """
    mode = Rounding.RND if rounding is Rounding.STOCHASTIC else rounding
    weights = Choice(
        weight_format, bits if weight_bits is None else weight_bits, weight_scale, rounding, overflow
    )
    states = Choice(state_format, bits if state_bits is None else state_bits, state_scale, mode, overflow)
    seen = _seen_states(network, parameters, images, whole=not states.needs_all)
    first, (first_scale,), _ = below = states.choose([seen[INPUT]])
    layers: list[LayerPlan] = []
    for sized in sized_layers(network):
        if isinstance(sized.layer, Rbf):
            continue
        rows = weight_rows(sized, np.asarray(parameters[f"{sized.name}.weight"], np.float64))
        weight, scale, divisor = weights.choose(
            [row[:taps] for row, taps in zip(rows, sized.fan_in, strict=True)]
        )
        frac_bits = weight.frac_bits + below[0].frac_bits
        sums = accumulator
        if sums is None and accumulator_bits is not None:
            sums = Accumulator(Fixed(accumulator_bits, frac_bits, True, mode, accumulator_overflow), fused)
        if accumulator is not None:
            frac_bits = accumulator.form.frac_bits
        bias = Fixed(sums.form.bits if sums else MAX_BITS, frac_bits, True, rounding, overflow)
        below = states.choose([seen[sized.name]])
        layers.append(
            LayerPlan(
                sized.name, weight, bias, below[0], sized.layer.activation, sums,
                weight_scale=scale, weight_divisor=divisor, state_scale=below[1][0],
            )
        )  # fmt: skip
    return PrecisionPlan(first, tuple(layers), input_scale=first_scale)


class Choice(msgspec.Struct, frozen=True):
    """How one kind of tensor gets its format and scale."""

    form: Format | None
    bits: int
    rule: ScaleRule | None
    rounding: Rounding
    overflow: Overflow

    @property
    def needs_all(self) -> bool:
        """Whether the rule asks for more than the largest magnitude."""
        return self.rule is not None and self.rule.kind in ("percentile", "mse", "threshold")

    def choose(
        self, maps: Sequence[NDArray[Any]]
    ) -> tuple[Format, tuple[float, ...], tuple[float, ...] | None]:
        """Return format, scales and divisors for the numbers of some maps."""
        maps = [values.astype(np.float64) for values in maps]
        peak = max(float(np.abs(values).max(initial=0.0)) for values in maps)
        real = self.rule is not None and self.rule.kind != "power-of-two"
        if self.form is None and not real:
            return fitting(peak, self.bits, self.rounding, self.overflow), ONE, None
        form = self.form or Fixed(self.bits, 0, True, self.rounding, self.overflow)
        if self.rule is None:
            return form, ONE, None
        parts = maps if self.rule.per_map else [np.concatenate(maps)]
        pairs = [fit_scale(self.rule, part, form) for part in parts]
        scales, divisors = (tuple(column) for column in zip(*pairs, strict=True))
        return form, scales, None if divisors == scales else divisors


def _seen_states(
    network: NetworkSpec, parameters: Mapping[str, NDArray[Any]], images: NDArray[np.float32], *, whole: bool
) -> dict[str, NDArray[np.float32]]:
    """Return what is seen of inputs and states: the largest of all images, or all states of some."""
    from retronet.engines.forward import layer_states

    if len(images) == 0:
        raise InputError("Formats can not be calibrated on no images. Give at least one training image.")
    if not whole:
        some = images[:: -(-len(images) // CHUNK)]
        return {INPUT: some.ravel()} | {
            name: states.ravel() for name, states in layer_states(network, dict(parameters), some).items()
        }
    found = {INPUT: np.abs(images).max(keepdims=True).ravel()}
    for start in range(0, len(images), CHUNK):
        for name, states in layer_states(network, dict(parameters), images[start : start + CHUNK]).items():
            peak = np.abs(states).max(keepdims=True).ravel()
            found[name] = np.maximum(found.get(name, peak), peak)
    return found
