"""Fixed-point arithmetic and integer layers, slow and obvious: Python integers, fractions, plain loops."""

import math
from fractions import Fraction
from typing import Any

import mpmath
from numpy.typing import NDArray

from hw_sim.formats import Fixed
from hw_sim.plan import LayerPlan, PrecisionPlan
from retronet.network import Activation, Place

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


def real(integer: int, form: Fixed) -> Fraction:
    """Return the exact value of an integer of `form`."""
    return integer * Fraction(2) ** -form.frac_bits


def squash(activation: Activation, value: Fraction | int | float) -> Fraction:
    """Return the activation of an exact value: exact, or to 60 digits where it is a tanh."""
    match type(activation).__name__:
        case "Identity":
            return value
        case "Relu":
            return max(value, Fraction(0))
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


def taps_of(
    layer: Any, weights: NDArray[Any], output_map: int, row: int, column: int, planes: Any, order: str
) -> list[tuple[float, int, int, int]]:
    """Return [(weight, plane, row, column), ...] of one unit in the order of accumulation."""
    taps = []
    _, rows, columns = planes
    if type(layer).__name__ == "Dense":
        size, stride, pad, seen = (rows, columns), 1, 0, range(planes[0])
        kernels = weights[output_map].reshape(planes)
    else:
        size, stride, pad = (layer.kernel, layer.kernel), layer.stride, layer.pad
        seen = layer.sees[output_map] if layer.sees else range(planes[0])
        if weights.ndim == 4:
            kernels = weights[output_map]
        else:
            start = sum(len(planes_seen) for planes_seen in layer.sees[:output_map])
            kernels = weights[start : start + len(seen)]
    for kernel_row in range(size[0]):
        for kernel_column in range(size[1]):
            for index, plane in enumerate(seen):
                place = (plane, row * stride - pad + kernel_row, column * stride - pad + kernel_column)
                taps.append((index, float(kernels[index, kernel_row, kernel_column]), *place))
    if order == "plane_slowest":
        taps.sort(key=lambda tap: tap[0])  # stable: rows and columns keep their order
    return [tap[1:] for tap in taps]


def run_layer(
    layer: Any,
    formats: LayerPlan,
    input_form: Fixed,
    weights: NDArray[Any],
    biases: NDArray[Any],
    planes: Any,
    output_shape: tuple[int, ...],
    order: str,
) -> tuple[dict[Any, Any], dict[Any, int], dict[str, int]]:
    """Return sums and states {(map, row, column): integer} and the counts of one image.

    `planes` is a list of planes of rows of integers.
    """
    counts = dict.fromkeys(("macs", "border_macs", "zero_macs", "saturations", "overflows"), 0)
    shape = (len(planes), len(planes[0]), len(planes[0][0]))
    accumulator = formats.accumulator
    sums, states = {}, {}

    def keep(value: Fraction | int | float) -> Fraction:
        integer, overflowed = cast(value, accumulator.form)
        counts["overflows"] += overflowed
        return real(integer, accumulator.form)

    for output_map in range(output_shape[0]):
        for row in range(output_shape[1]):
            for column in range(output_shape[2]):
                bias = biases[output_map, row, column] if biases.ndim == 3 else biases[output_map]
                total = real(cast(float(bias), formats.bias)[0], formats.bias)
                if accumulator is not None:
                    total = real(cast(total, accumulator.form)[0], accumulator.form)
                for weight, plane, tap_row, tap_column in taps_of(
                    layer, weights, output_map, row, column, shape, order
                ):
                    if 0 <= tap_row < shape[1] and 0 <= tap_column < shape[2]:
                        state = planes[plane][tap_row][tap_column]
                    else:
                        state = cast(layer.border, input_form)[0]
                        counts["border_macs"] += 1
                    factor = cast(weight, formats.weight)[0]
                    counts["macs"] += 1
                    counts["zero_macs"] += factor == 0
                    product = real(factor, formats.weight) * real(state, input_form)
                    if accumulator is None:
                        total += product
                    elif accumulator.fused:
                        total = keep(total + product)
                    else:
                        total = keep(total + keep(product))
                unit = (output_map, row, column)
                sums[unit] = total
                states[unit], clipped = cast(squash(formats.activation, total), formats.state)
                counts["saturations"] += clipped
    return sums, states, counts


def run_network(
    places: tuple[Place, ...], plan: PrecisionPlan, parameters: dict[str, NDArray[Any]], image: NDArray[Any]
) -> list[Any]:
    """Return [(sums, states, counts), ...] of all layers for one image (rows, columns) of floats."""
    planes = [[[cast(float(pixel), plan.input)[0] for pixel in row] for row in image]]
    form, results = plan.input, []
    for place, formats in zip(places, plan.layers, strict=True):
        weights, biases = parameters[f"{place.name}.weight"], parameters[f"{place.name}.bias"]
        found = run_layer(place.layer, formats, form, weights, biases, planes, place.output, plan.tap_order)
        results.append(found)
        maps, rows, columns = place.output
        planes = [[[found[1][m, r, c] for c in range(columns)] for r in range(rows)] for m in range(maps)]
        form = formats.state
    return results
