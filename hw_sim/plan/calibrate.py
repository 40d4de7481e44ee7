"""Chooses the formats of a trained network: from its weights, and from its states on training digits."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from hw_sim.formats.fixed import MAX_BITS, Fixed
from hw_sim.formats.levels import Format
from hw_sim.formats.modes import Overflow, Rounding
from hw_sim.formats.scales import fit_scale
from hw_sim.plan.plan import ONE, LayerPlan, PrecisionPlan
from hw_sim.plan.pools import passes_states, pool_formats
from hw_sim.plan.room import (
    Scaled,
    bias_of,
    borders_above,
    coarser,
    excess_bits,
    holding_border,
    largest_start,
    scale_for_border,
)
from hw_sim.plan.rules import SumRule, TensorRule
from retronet.connections import weight_rows
from retronet.curvature import INPUT
from retronet.datasets import Dataset
from retronet.errors import InputError
from retronet.network import AveragePool, MaxPool, Rbf, sized_layers
from retronet.trained import Trained

CHUNK = 1024
"""Images whose float states are held at a time, or that a rule sees which asks for all states."""


def calibrate(
    trained: Trained,
    digits: Dataset | NDArray[np.float32],
    bits: int = 8,
    *,
    weights: TensorRule | str | None = None,
    states: TensorRule | str | None = None,
    sums: SumRule | str | None = None,
) -> PrecisionPlan:
    """Choose formats and scales by three rules.

    Parameters
    ----------
    trained
        The trained network.
    digits
        *Training* digits, or their images (n, rows, columns): what the states are measured on. Never the test
        set.
    bits
        Bits of weights, inputs and states where a rule does not say.
    weights
        The rule of the weights, or its text, such as ``"6 bits, mse/map"``. Its modes are those of biases
        too, which have the bits of the sums, and 32 where those are exact.
    states
        The rule of inputs and states, such as ``"s4.2"``. They are rounded anew for each image, so never
        stochastically.
    sums
        The rule of sums, such as ``"s18.10:TRN:WRAP"``; exact if absent.

    Raises
    ------
    InputError
        If a text is no rule, a rule does not suit a format, or there are no digits.
    """
    of_weights, of_states = _tensor_rule(weights), _tensor_rule(states)
    of_sums = SumRule.parse(sums) if isinstance(sums, str) else sums or SumRule()
    _check_states(of_states)
    images = digits.images if isinstance(digits, Dataset) else digits
    pixels, seen = _finite_seen(trained, images, whole=not _needs_all(of_states))
    borders = borders_above(trained.network)
    first, (first_scale,), _ = below = _chosen(of_states, bits, [pixels], borders.get("", 0.0))
    layers: list[LayerPlan] = []
    for sized in sized_layers(trained.network):
        if isinstance(sized.layer, Rbf):
            continue
        if isinstance(sized.layer, MaxPool | AveragePool):
            fields = pool_formats(sized.layer, below[0])
            if isinstance(sized.layer, AveragePool):
                fields["accumulator"] = of_sums.accumulator(fields["weight"].frac_bits + below[0].frac_bits)
            if not passes_states(sized.layer):
                below = _chosen(of_states, bits, [seen[sized.name]], borders.get(sized.name, 0.0))
            fields |= {"state": below[0], "state_scale": below[1][0]}
            layers.append(LayerPlan(sized.name, activation=sized.layer.activation, **fields))
            continue
        rows = weight_rows(sized, np.asarray(trained.parameters[f"{sized.name}.weight"], np.float64))
        maps = [row[:taps] for row, taps in zip(rows, sized.fan_in, strict=True)]
        weight = _chosen(of_weights, bits, maps)
        start = largest_start(sized, trained.parameters, weight[1], below[1][0])
        if of_sums.form is None and (of_weights.form is None or of_weights.scale is not None):
            excess = excess_bits(start, weight[0].frac_bits + below[0].frac_bits)
            weight = coarser(weight, excess, given=of_weights.form is not None)
            start = largest_start(sized, trained.parameters, weight[1], below[1][0])
        product_bits = weight[0].frac_bits + below[0].frac_bits
        accumulator = of_sums.accumulator(
            product_bits
            if of_sums.bits is None
            else bias_of(Fixed(of_sums.bits, 0), start, product_bits).frac_bits
        )
        modes = of_weights.rounding or Rounding.RND, of_weights.overflow or Overflow.SAT
        if accumulator is None:
            bias = bias_of(Fixed(MAX_BITS, 0, True, *modes), start, product_bits)
        else:
            bias = Fixed(accumulator.form.bits, accumulator.form.frac_bits, True, *modes)
        below = _chosen(of_states, bits, [seen[sized.name]], borders.get(sized.name, 0.0))
        layers.append(
            LayerPlan(
                sized.name, weight[0], bias, below[0], sized.layer.activation, accumulator,
                weight_scale=weight[1], weight_divisor=weight[2], state_scale=below[1][0],
            )
        )  # fmt: skip
    return PrecisionPlan(first, tuple(layers), input_scale=first_scale)


def _tensor_rule(rule: TensorRule | str | None) -> TensorRule:
    return TensorRule.parse(rule) if isinstance(rule, str) else rule or TensorRule()


def _check_states(rule: TensorRule) -> None:
    """Refuse modes that inputs and states can not have, or would not get."""
    modes = [mode for mode in (rule.rounding, rule.overflow) if mode is not None]
    if rule.form is not None and modes:
        raise InputError(
            f"The rule of states gives the format {rule.form.text} and the mode {modes[0]} besides: a format "
            "has its modes behind colons, such as s4.2:TRN:WRAP. Leave the mode out, or write it there."
        )
    if rule.rounding is Rounding.STOCHASTIC:
        raise InputError(
            "Inputs and states can not have the rounding mode STOCHASTIC: it is for weights and biases. "
            "Choose another rounding mode for states."
        )


def _needs_all(rule: TensorRule) -> bool:
    """Return whether a rule asks for more than the largest magnitude."""
    return rule.scale is not None and rule.scale.kind in ("percentile", "mse", "threshold")


def _seen(
    trained: Trained, images: NDArray[np.float32], *, whole: bool
) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
    """Return what is seen of pixels, and of states by layer: the largest of all images, or all of some."""
    if len(images) == 0:
        raise InputError("Formats can not be calibrated on no images. Give at least one training image.")
    if not whole:
        some = images[:: -(-len(images) // CHUNK)]
        return some.ravel(), {name: states.ravel() for name, states in trained.states(some).items()}
    largest: dict[str, NDArray[Any]] = {}
    for start in range(0, len(images), CHUNK):
        for name, states in trained.states(images[start : start + CHUNK]).items():
            peak = np.abs(states).max(keepdims=True).ravel()
            largest[name] = np.maximum(largest.get(name, peak), peak)
    return np.abs(images).max(keepdims=True).ravel(), largest


def _finite_seen(
    trained: Trained, images: NDArray[np.float32], *, whole: bool
) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
    """Return what `_seen` returns, if none of it is infinite or NaN: no format would fit that."""
    pixels, states = _seen(trained, images, whole=whole)
    for name, values in [("", pixels), *states.items()]:
        if not np.isfinite(values).all():
            raise InputError(
                f"The {f'states of layer {name!r}' if name else 'images'} are infinite or NaN in floating "
                "point, so no format fits them; finite ones are needed. Train or import a network with "
                "smaller weights."
            )
    return pixels, states


def _chosen(rule: TensorRule, bits: int, maps: Sequence[NDArray[Any]], border: float = 0.0) -> Scaled:
    """Return what `rule` chooses for the numbers of some maps, and for a border that joins them."""
    maps = [values.astype(np.float64) for values in maps]
    modes = rule.rounding or Rounding.RND, rule.overflow or Overflow.SAT
    width = bits if rule.bits is None else rule.bits
    if rule.form is None and (rule.scale is None or rule.scale.kind == "power-of-two"):
        peak = max(float(np.abs(values).max(initial=0.0)) for values in maps)
        return holding_border(fitting(peak, width, *modes), border), ONE, None
    form = rule.form or Fixed(width, 0, True, *modes)
    if rule.scale is None:
        return form, ONE, None
    parts = maps if rule.scale.per_map else [np.concatenate(maps)]
    pairs = [fit_scale(rule.scale, part, form) for part in parts]
    scales, divisors = (tuple(column) for column in zip(*pairs, strict=True))
    if divisors != scales:  # those of three levels are a mean: a border becomes the nearest of them
        return form, scales, divisors
    power = rule.scale.kind == "power-of-two"
    return form, tuple(scale_for_border(scale, form, border, power=power) for scale in scales), None


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
    if not math.isfinite(largest):
        raise InputError(
            f"No format of {bits} bits can be fitted to numbers up to {largest}; finite ones are allowed. "
            "Train or import a network whose weights and states are finite."
        )
    if largest == 0:
        return Fixed(bits, bits - 1, True, rounding, overflow)
    frac_bits = math.frexp(top)[1] - math.frexp(largest)[1] + 1
    while math.ldexp(largest, frac_bits) > top:
        frac_bits -= 1
    return Fixed(bits, frac_bits, True, rounding, overflow)


def mixed_plan(
    trained: Trained,
    calibrated: Callable[[int], PrecisionPlan],
    weight_bits: Mapping[str, int],
    state_bits: Mapping[str, int],
) -> PrecisionPlan:
    """Return a plan in which each layer's weights and states have bits of their own, and sums are exact.

    Parameters
    ----------
    trained
        The trained network.
    calibrated
        Gives the plan with that many bits for all tensors and exact sums, none of them in a format that was
        given; asked once for each number.
    weight_bits
        Bits of the weights, by layer.
    state_bits
        Bits of the states, by layer, and of the pixels under the name ``input``.
    """
    plans = {bits: calibrated(bits) for bits in {*weight_bits.values(), *state_bits.values()}}
    first = plans[state_bits[INPUT]]
    below: tuple[Format, float] = first.input, first.input_scale
    layers: list[LayerPlan] = []
    for index, (sized, layer) in enumerate(zip(sized_layers(trained.network), first.layers, strict=False)):
        weights = plans[weight_bits[layer.layer]].layers[index]
        states = plans[state_bits[layer.layer]].layers[index]
        weight: Scaled = weights.weight, weights.weight_scale, weights.weight_divisor
        start = largest_start(sized, trained.parameters, weight[1], below[1])
        weight = coarser(weight, excess_bits(start, weight[0].frac_bits + below[0].frac_bits), given=False)
        start = largest_start(sized, trained.parameters, weight[1], below[1])
        layers.append(
            replace(
                layer,
                weight=weight[0],
                weight_scale=weight[1],
                weight_divisor=weight[2],
                bias=bias_of(layer.bias, start, weight[0].frac_bits + below[0].frac_bits),
                state=states.state,
                state_scale=states.state_scale,
            )
        )
        below = states.state, states.state_scale
    return replace(first, layers=tuple(layers))
