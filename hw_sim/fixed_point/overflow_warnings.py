"""What did not fit its format, said with the format that would have held it."""

from collections.abc import Sequence

import numpy as np
from msgspec.structs import replace

from hw_sim.fixed_point.counts import LayerCounts
from hw_sim.fixed_point.quantize import IntegerLayer, IntegerNetwork
from hw_sim.formats.fixed import MAX_BITS, Fixed
from hw_sim.formats.modes import Overflow
from hw_sim.plan.activations import Converter, PiecewiseLinear, Table
from retronet.network import Tanh

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
    largest_pixel: float,
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
    clipped_pixels, largest_pixel
        Pixels that did not fit their format, and the largest magnitude of a pixel.
    """
    found: list[str] = []
    form = network.plan.input
    if clipped_pixels and isinstance(form, Fixed):
        total = images * int(np.prod(network.network.input))
        most = largest_pixel / (network.plan.input_scale * form.step)
        found.append(_sentence(clipped_pixels, total, "pixels", form, most))
    for layer, count in zip(network.layers, counts, strict=True):
        found += _of_layer(layer, count)
    return tuple(found)


def _of_layer(layer: IntegerLayer, counts: LayerCounts) -> list[str]:
    plan, name = layer.plan, layer.sized.name
    found: list[str] = []
    if counts.overflows and plan.accumulator is not None:
        casts = counts.macs * (1 if plan.accumulator.fused else 2)
        found.append(
            _sentence(
                counts.overflows,
                casts,
                f"casts of sums of layer '{name}'",
                plan.accumulator.form,
                unlimited(layer),
            )
        )
    if counts.preactivation_overflows and plan.preactivation is not None:
        kept = unlimited(layer) if plan.accumulator is None else plan.accumulator.form.magnitude
        most = kept * 2.0**-layer.sum_frac_bits + np.abs(layer.ends).max() * 2.0**-layer.biased_frac_bits
        if plan.requantise is not None:
            most *= max(layer.sum_scales) / plan.preactivation_scale
        steps = most / plan.preactivation.step + 1
        what = f"pre-activations of layer '{name}'"
        found.append(
            _sentence(counts.preactivation_overflows, counts.state_writes, what, plan.preactivation, steps)
        )
    if counts.saturations and isinstance(plan.state, Fixed):
        most = _largest_state(layer)
        found.append(
            _sentence(counts.saturations, counts.state_writes, f"states of layer '{name}'", plan.state, most)
        )
    return found


def unlimited(layer: IntegerLayer) -> int:
    """Return a bound of what sums would reach if nothing cut them, in steps of the accumulator."""
    weights = np.abs(layer.weights.astype(np.int64))
    products = int(weights.sum(axis=1).max()) * layer.input.magnitude
    shift = layer.input.frac_bits + layer.plan.weight.frac_bits + layer.prescale - layer.sum_frac_bits
    rounding = 2 * int(layer.connections.fan_in.max())  # a product and a sum may be rounded up
    return (
        (products >> shift if shift >= 0 else products << -shift) + rounding + int(np.abs(layer.starts).max())
    )


def _largest_state(layer: IntegerLayer) -> float:
    """Return a bound of the states that the activation asks for, in steps."""
    plan = layer.plan
    size = plan.state.step * plan.state_scale
    match plan.activation:
        case Tanh(amplitude=amplitude):
            return amplitude / size
        case Table(entry=entry):
            return entry.maximum / size
        case PiecewiseLinear(points=points):
            return max(abs(points[0][1]), abs(points[-1][1])) / size
        case _:
            gain = plan.activation.gain if isinstance(plan.activation, Converter) else 1.0
            if plan.preactivation is not None:
                scale = max(layer.sum_scales) if plan.requantise is None else plan.preactivation_scale
                return plan.preactivation.magnitude * plan.preactivation.step * scale * gain / size
            kept = unlimited(layer) if plan.accumulator is None else plan.accumulator.form.magnitude
            real = (
                kept * 2.0**-layer.sum_frac_bits
                + float(np.abs(layer.ends).max()) * 2.0**-layer.biased_frac_bits
            )
            return real * max(layer.sum_scales) * gain / size


def _sentence(count: int, total: int, what: str, form: Fixed, most: float) -> str:
    wider = int(np.ceil(most)).bit_length() + 1 - (not form.signed)
    if wider > MAX_BITS:
        advice = f"it would take {wider} bits to hold all of them, so give them fewer fraction bits."
    elif wider <= form.bits:
        advice = f"a larger range, such as {_text(form, form.bits + 1)}, holds all of them."
    else:
        advice = f"{_text(form, wider)} holds all of them."
    return f"{count:,} of {total:,} {what} did not fit {form.text} and {DID[form.overflow]}; {advice}"


def _text(form: Fixed, bits: int) -> str:
    return replace(form, bits=min(bits, MAX_BITS)).text
