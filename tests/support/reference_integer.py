"""Fixed-point arithmetic and integer layers, slow and obvious: Python integers, fractions, plain loops."""

import itertools
import math
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from hw_sim.formats.fixed import Fixed
from hw_sim.plan.plan import LayerPlan, PrecisionPlan
from retronet.network import Activation, SizedLayer
from support.reference_taps import taps_of

HALF = Fraction(1, 2)


def round_fraction(value: Fraction | int | float, rounding: str) -> int:
    """Round an exact value to an integer by the ap_fixed mode called `rounding`."""
    down = math.floor(value)
    rest = value - down
    if rest == 0:
        return down
    if rounding == "TRN":
        return down
    if rounding == "TRN_ZERO":
        return down if value > 0 else down + 1
    if rest != HALF:
        return down if rest < HALF else down + 1
    toward_zero = down if value > 0 else down + 1
    match rounding:
        case "RND":
            return down + 1
        case "RND_MIN_INF":
            return down
        case "RND_ZERO":
            return toward_zero
        case "RND_INF":
            return 2 * down + 1 - toward_zero
        case "RND_CONV":
            return down if down % 2 == 0 else down + 1
    raise ValueError(rounding)


def fit_integer(value: Fraction | int | float, bits: int, signed: bool, overflow: str) -> int:
    """Bring an integer into `bits` bits by the ap_fixed mode called `overflow`."""
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    if overflow == "SAT_SYM" and signed:
        low = -high
    if low <= value <= high:
        return value
    match overflow:
        case "WRAP":
            return (value - low) % 2**bits + low
        case "SAT" | "SAT_SYM":
            return low if value < low else high
        case "SAT_ZERO":
            return 0
    raise ValueError(overflow)


def cast(value: Fraction | int | float, form: Fixed) -> tuple[int, bool]:
    """Return the integer of the exact `value` in `form`, and whether it did not fit."""
    rounded = round_fraction(Fraction(value) * Fraction(2) ** form.frac_bits, form.rounding)
    kept = fit_integer(rounded, form.bits, form.signed, form.overflow)
    return kept, kept != rounded


def real(integer: int, form: Any) -> Fraction:
    """Return the exact value of an integer of `form`."""
    return integer * Fraction(2) ** -form.frac_bits


def activated(activation: Activation, value: Fraction | int | float) -> Fraction:
    """Return the activation of an exact value: exact, or to 60 digits where it is a tanh."""
    match type(activation).__name__:
        case "Identity":
            return value
        case "Relu":
            return max(value, Fraction(0))
        case "HardTanh":
            return min(max(value, Fraction(activation.low)), Fraction(activation.high))
        case "Sigmoid":
            with mpmath.workdps(60):
                result = 1 / (1 + mpmath.exp(-mpmath.mpf(value.numerator) / value.denominator))
                return Fraction(int(mpmath.floor(result * mpmath.mpf(2) ** 180)), 2**180)
        case "Tanh":
            with mpmath.workdps(60):
                argument = mpmath.mpf(activation.slope) * value.numerator / value.denominator
                result = mpmath.mpf(activation.amplitude) * mpmath.tanh(argument)
                return (
                    Fraction(int(mpmath.floor(result * mpmath.mpf(2) ** 180)), 2**180)
                    if result
                    else Fraction(0)
                )
    raise ValueError(activation)


def code(value: Fraction, form: Any) -> tuple[int, bool]:
    """Return the integer of an exact value in a format of any kind, and whether it was clipped."""
    if isinstance(form, Fixed):
        return cast(value, form)
    steps, levels = value * Fraction(2) ** form.frac_bits, form.levels
    nearest = min(levels, key=lambda level: (abs(level - steps), -level))
    below = steps < levels[0] - Fraction(levels[1] - levels[0], 2)
    return nearest, below or steps >= levels[-1] + Fraction(levels[-1] - levels[-2], 2)


def activate(activation: Any, value: Fraction) -> tuple[Fraction, bool]:
    """Return what an activation makes of an exact sum, and whether an entry of its table was clipped."""
    match type(activation).__name__:
        case "Table":
            half = activation.entries // 2
            width = Fraction(activation.limit) / half
            index = min(max(round_fraction(value / width, activation.index), -half), half - 1)
            entry, clipped = cast(activated(activation.function, index * width), activation.entry)
            return real(entry, activation.entry), clipped
        case "Converter":
            return value * Fraction(activation.gain), False
        case "PiecewiseLinear":
            points = [(Fraction(x), Fraction(y)) for x, y in activation.points]
            if value <= points[0][0]:
                return points[0][1], False
            for (x0, y0), (x1, y1) in itertools.pairwise(points):
                if value <= x1:
                    return y0 + (value - x0) * (y1 - y0) / (x1 - x0), False
            return points[-1][1], False
    return activated(activation, value), False


def requantise(total: int, factor: float, variant: str) -> int:
    """Scale an integer as TensorFlow Lite does, written after gemmlowp's description with C's operators."""
    fraction, shift = math.frexp(factor)
    multiplier = math.floor(fraction * 2**31 + 0.5)
    if multiplier == 2**31:
        multiplier, shift = 2**30, shift + 1
    if variant == "single":
        return (total * multiplier + 2 ** (30 - shift)) // 2 ** (31 - shift)
    product = total * 2 ** max(shift, 0) * multiplier
    nudge = 2**30 if product >= 0 else 1 - 2**30
    high = int(Fraction(product + nudge, 2**31))  # towards zero, as C divides
    exponent = max(-shift, 0)
    rest = high % 2**exponent
    threshold = (2**exponent - 1) // 2 + (high < 0)
    return high // 2**exponent + (rest > threshold)


def run_layer(
    layer: Any,
    formats: LayerPlan,
    below: tuple[Any, float],
    weights: NDArray[Any],
    biases: NDArray[Any],
    planes: Any,
    output_shape: tuple[int, ...],
    order: str,
) -> tuple[dict[str, dict[Any, Any]], dict[str, int]]:
    """Return what each unit makes, {stage: {(map, row, column): value}}, and the counts of one image.

    `below` holds format and scale of the inputs, `planes` a list of planes of rows of integers.
    """
    largest = type(layer).__name__ == "MaxPool"
    events = ("saturations", "overflows", "preactivation_overflows")
    counts = dict.fromkeys(("macs", "border_macs", "zero_macs", *events), 0)
    shape = (len(planes), len(planes[0]), len(planes[0][0]))
    accumulator, pre = formats.accumulator, formats.preactivation
    input_form, input_scale = below
    found: dict[str, dict[Any, Any]] = {
        name: {} for name in ("sums", "after_bias", "preactivations", "states")
    }

    def keep(value: Fraction, form: Fixed) -> Fraction:
        integer, overflowed = cast(value, form)
        counts["overflows"] += overflowed
        return real(integer, form)

    def of_map(values: Any, output_map: int) -> float:
        return values[output_map] if len(values) > 1 else values[0]

    for output_map in range(output_shape[0]):
        scale = of_map(formats.weight_scale, output_map)
        divisor = of_map(formats.weight_divisor or formats.weight_scale, output_map)
        sum_scale = scale * input_scale  # a double, as the plan says
        for row in range(output_shape[1]):
            for column in range(output_shape[2]):
                given = float(biases[output_map, row, column] if biases.ndim == 3 else biases[output_map])
                bias = real(cast(given / sum_scale, formats.bias)[0], formats.bias)
                total = bias if formats.bias_at == "start" else Fraction(0)
                if accumulator is not None:
                    total = real(cast(total, accumulator.form)[0], accumulator.form)
                inside: list[Fraction] = []
                for weight, plane, tap_row, tap_column in taps_of(
                    layer, weights, output_map, row, column, shape, order
                ):
                    if 0 <= tap_row < shape[1] and 0 <= tap_column < shape[2]:
                        state = planes[plane][tap_row][tap_column]
                    else:
                        border = getattr(layer, "border", 0.0)
                        state = code(Fraction(border / input_scale), input_form)[0]
                        counts["border_macs"] += 1
                        if largest:
                            continue  # nothing outside is the largest
                    factor = code(Fraction(weight / divisor), formats.weight)[0]
                    counts["macs"] += 1
                    counts["zero_macs"] += factor == 0
                    product = real(factor, formats.weight) * real(state, input_form)
                    if largest:
                        inside.append(product)
                    elif accumulator is None:
                        total += product
                    elif accumulator.fused:
                        total = keep(total + product, accumulator.form)
                    else:
                        product = keep(product, accumulator.product or accumulator.form)
                        total = keep(total + product, accumulator.form)
                total = max(inside) if largest else total
                unit = (output_map, row, column)
                found["sums"][unit] = total
                total += bias if formats.bias_at == "end" else 0
                found["after_bias"][unit] = total
                if formats.requantise is not None:
                    bits = max(real_bits(formats, input_form))
                    factor = sum_scale * 2.0**-bits / (pre.step * formats.preactivation_scale)
                    wide = requantise(int(total * 2**bits), factor, formats.requantise)
                    integer = fit_integer(wide, pre.bits, pre.signed, pre.overflow)
                    counts["preactivation_overflows"] += integer != wide
                    total, value = (
                        real(integer, pre),
                        real(integer, pre) * Fraction(formats.preactivation_scale),
                    )
                else:
                    if pre is not None:
                        integer, missed = cast(total, pre)
                        counts["preactivation_overflows"] += missed
                        total = real(integer, pre)
                    value = total * Fraction(sum_scale)
                found["preactivations"][unit] = total
                squashed, lost = activate(formats.activation, value)
                found["states"][unit], clipped = code(squashed / Fraction(formats.state_scale), formats.state)
                counts["saturations"] += clipped or lost
    if "Pool" in type(layer).__name__:
        read = len(taps_of(layer, weights, 0, 0, 0, shape, order)) * math.prod(output_shape)
        done = read - counts["border_macs"] - math.prod(output_shape)
        counts |= dict.fromkeys(("macs", "border_macs", "zero_macs"), 0)
        counts |= {"comparisons": done * largest, "additions": done * (not largest)}
    return found, counts


def real_bits(formats: LayerPlan, input_form: Any) -> tuple[int, int]:
    """Return the fraction bits of sums, and of a bias that is added last."""
    product = formats.weight.frac_bits + input_form.frac_bits
    sums = product if formats.accumulator is None else formats.accumulator.form.frac_bits
    if formats.accumulator is None and formats.bias_at == "start":
        sums = max(sums, formats.bias.frac_bits)
    return sums, formats.bias.frac_bits if formats.bias_at == "end" else sums


def run_network(
    sized_layers: tuple[SizedLayer, ...],
    plan: PrecisionPlan,
    parameters: dict[str, NDArray[Any]],
    image: NDArray[Any],
) -> list[Any]:
    """Return [(stages, counts), ...] of all layers with formats, for one image (rows, columns) of floats."""
    planes = [
        [[code(Fraction(float(pixel) / plan.input_scale), plan.input)[0] for pixel in row] for row in image]
    ]
    below, results = (plan.input, plan.input_scale), []
    for sized, formats in zip(sized_layers, plan.layers, strict=False):
        weights = parameters.get(f"{sized.name}.weight", np.zeros(0))
        biases = parameters.get(f"{sized.name}.bias", np.zeros(sized.output[0]))
        found = run_layer(sized.layer, formats, below, weights, biases, planes, sized.output, plan.tap_order)
        results.append(found)
        maps, rows, columns = sized.output
        states = found[0]["states"]
        planes = [[[states[m, r, c] for c in range(columns)] for r in range(rows)] for m in range(maps)]
        below = (formats.state, formats.state_scale)
    return results
