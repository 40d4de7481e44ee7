"""What did not fit its format, said with the format that would have held it."""

from collections.abc import Sequence

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from hw_sim.fixed_point.counts import LayerCounts
from hw_sim.fixed_point.quantize import IntegerLayer, IntegerNetwork
from hw_sim.formats.fixed import MAX_BITS, Fixed, to_fixed
from hw_sim.formats.modes import Overflow
from hw_sim.plan.activations import Converter, PiecewiseLinear, Table
from hw_sim.plan.plan import LayerPlan
from retronet.network import HardTanh, MaxPool, Relu, Sigmoid, Tanh

DID = {
    Overflow.WRAP: "wrapped",
    Overflow.SAT: "saturated",
    Overflow.SAT_SYM: "saturated",
    Overflow.SAT_ZERO: "became 0",
}


def overflow_warnings(
    network: IntegerNetwork,
    counts: Sequence[LayerCounts],
    images: int,
    clipped_pixels: int,
    pixels: tuple[float, float],
    reached: NDArray[np.float64],
) -> tuple[str, ...]:
    """Return a sentence for everything that overflowed in a simulation.

    Parameters
    ----------
    network
        What was simulated.
    counts
        What its layers counted.
    images
        How many images it saw.
    clipped_pixels, pixels
        How many pixels did not fit their format, and the least and the largest of all.
    reached : ndarray of float64, shape (layers, 2)
        The least and the largest pre-activation of each layer.
    """
    warnings: list[str] = []
    form = network.plan.input
    if clipped_pixels and isinstance(form, Fixed):
        total = images * int(np.prod(network.network.input))
        ends = _rounded(np.array(pixels) / (network.plan.input_scale * form.step), form)
        warnings.append(_sentence(clipped_pixels, total, "pixels", form, *ends))
    for layer, count, between in zip(network.layers, counts, reached, strict=True):
        warnings += _of_layer(layer, count, between)
    return tuple(warnings)


def _of_layer(layer: IntegerLayer, counts: LayerCounts, reached: NDArray[np.float64]) -> list[str]:
    plan, name = layer.plan, layer.sized.name
    warnings: list[str] = []
    if counts.overflows and plan.accumulator is not None:
        taps = sum(layer.sized.fan_in) * counts.state_writes // layer.sized.output[0]
        casts, most = taps * (1 if plan.accumulator.fused else 2), unlimited(layer)
        warnings.append(
            _sentence(
                counts.overflows,
                casts,
                f"casts of sums of layer '{name}'",
                plan.accumulator.form,
                -most,
                most,
            )
        )
    if counts.preactivation_overflows and plan.preactivation is not None:
        kept = unlimited(layer) if plan.accumulator is None else plan.accumulator.form.magnitude
        real = kept * 2.0**-layer.sum_frac_bits + np.abs(layer.ends).max() * 2.0**-layer.biased_frac_bits
        if plan.requantise is not None:
            real *= max(layer.sum_scales) / plan.preactivation_scale
        steps = int(np.ceil(real / plan.preactivation.step)) + 1
        what = f"pre-activations of layer '{name}'"
        warnings.append(
            _sentence(
                counts.preactivation_overflows, counts.state_writes, what, plan.preactivation, -steps, steps
            )
        )
    if counts.saturations and isinstance(plan.state, Fixed):
        ends = _rounded(_states(plan, reached) / (plan.state.step * plan.state_scale), plan.state)
        warnings.append(
            _sentence(counts.saturations, counts.state_writes, f"states of layer '{name}'", plan.state, *ends)
        )
    return warnings


def unlimited(layer: IntegerLayer) -> int:
    """Return a bound of what sums would reach if nothing cut them, in steps of the accumulator."""
    if isinstance(layer.sized.layer, MaxPool):
        return layer.input.magnitude
    weights = np.abs(layer.weights.astype(np.int64))
    products = int(weights.sum(axis=1).max()) * layer.input.magnitude
    shift = layer.input.frac_bits + layer.plan.weight.frac_bits + layer.prescale - layer.sum_frac_bits
    rounding = 2 * int(layer.connections.fan_in.max())  # a product and a sum may be rounded up
    return (
        (products >> shift if shift >= 0 else products << -shift) + rounding + int(np.abs(layer.starts).max())
    )


def _states(plan: LayerPlan, reached: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the states that the activation, which never descends, makes of the ends of what it was given."""
    match plan.activation:
        case Tanh(amplitude=amplitude, slope=slope):
            return amplitude * np.tanh(slope * reached)
        case Relu():
            return np.maximum(reached, 0.0)
        case Sigmoid():
            return 0.5 + 0.5 * np.tanh(0.5 * reached)
        case HardTanh(low=low, high=high):
            return np.clip(reached, low, high)
        case Table(entry=entry):
            return np.array([entry.minimum, entry.maximum])
        case PiecewiseLinear(points=points):
            sums, states = np.array(points).T
            return np.asarray(np.interp(reached, sums, states), np.float64)
        case Converter(gain=gain):
            return gain * reached
        case _:
            return reached


def _rounded(steps: NDArray[np.float64], form: Fixed) -> tuple[int, int]:
    """Return the integers that the ends are rounded to, were there room for them."""
    room = float(1 << (MAX_BITS - 1))
    if np.abs(steps).max() >= room - 1:
        return int(np.floor(steps[0])), int(np.ceil(steps[1]))
    low, high = to_fixed(steps, Fixed(MAX_BITS, 0, True, form.rounding))
    return int(low), int(high)


def smallest(form: Fixed, low: int, high: int) -> Fixed:
    """Return the narrowest format with the steps and modes of `form` that holds `low` to `high`.

    It has a sign if `low` needs one, and fewer fraction bits if it would else be wider than a format can be.
    """
    signed = form.signed or low < 0
    for bits in range(1 + signed, MAX_BITS + 1):
        wider = replace(form, bits=bits, signed=signed)
        if wider.low <= low and high <= wider.high:
            return wider
    coarser = replace(form, bits=MAX_BITS, frac_bits=form.frac_bits - 1, signed=signed)
    return smallest(coarser, low // 2, -(-high // 2))


def _sentence(count: int, total: int, what: str, form: Fixed, low: int, high: int) -> str:
    holds = smallest(form, low, high)
    return (
        f"{count:,} of {total:,} {what} did not fit {form.text} and {DID[form.overflow]}; "
        f"{holds.text} holds all of them{' in coarser steps' if holds.frac_bits < form.frac_bits else ''}."
    )
