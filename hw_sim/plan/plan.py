"""Which format inputs, weights, biases, sums and states have, layer by layer."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from hw_sim.formats.fixed import Fixed
from hw_sim.formats.levels import Format
from hw_sim.formats.modes import Overflow, Rounding
from hw_sim.plan.activations import HardwareActivation
from retronet.errors import InputError

Role = Literal["input", "weight", "bias", "product", "accumulator", "preactivation", "state"]
Scale = Annotated[float, msgspec.Meta(ge=1e-100, le=1e100)]
"""Products of several stay far from what a double can not hold."""
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


class FormatRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One format of a plan, ready to be shown; ``text`` is ``exact`` for sums that are not cast.

    Range and step are in real numbers, scales included. Where every map has its own scale, ``step`` is the
    smallest one and ``largest_step`` the largest.
    """

    layer: str
    role: Role
    text: str
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    rounding: Rounding | None = None
    overflow: Overflow | None = None
    largest_step: float | None = None


class PrecisionPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The formats of a network. A layer reads the states of the one below in their format.

    ``tap_order`` says in which order a unit adds up: kernel row, kernel column and input plane with the
    plane fastest, or plane by plane. It matters where sums are cast. ``seed`` decides stochastic rounding. An
    RBF output layer has no formats: see `hw_sim.fixed_point.simulate`.
    """

    input: Format
    layers: tuple[LayerPlan, ...]
    tap_order: Literal["plane_fastest", "plane_slowest"] = "plane_fastest"
    input_scale: Annotated[float, msgspec.Meta(ge=1e-30, le=1e30)] = 1.0
    seed: Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)] = 0

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


def row_of(layer: str, role: Role, form: Format, scales: Sequence[float]) -> FormatRow:
    """Return the row of a format whose values are multiplied with one of `scales`."""
    least, most = min(scales), max(scales)
    return FormatRow(
        layer,
        role,
        form.text,
        min(form.minimum * least, form.minimum * most),
        max(form.maximum * least, form.maximum * most),
        form.step * least,
        form.rounding if isinstance(form, Fixed) else None,
        form.overflow if isinstance(form, Fixed) else None,
        form.step * most if most > least else None,
    )
