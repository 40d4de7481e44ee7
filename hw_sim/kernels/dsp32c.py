"""Multiply-accumulate in the DSP-32C's floating point, for a full set of lanes, bit for bit.

A number of the format is carried as the float64 of the same value: a mantissa of 24 bits in memory or of 32
in an accumulator fits the 53 bits of a double, and so does every step between. A product of two words has
48 bits. The adder aligns to the larger exponent with 46 bits behind the point, so that a sum has at most 50.
Each floor is exact; nothing is ever rounded to nearest.

The *scale* of a number is the power of two of its exponent field. A mantissa is in [1, 2) or [-2, -1): the
scale of 1 is 1, that of -1 is 1/2.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retronet.kernels.elementary import tanh
from retronet.kernels.jit import njit, part

Floats = NDArray[Any]
Ints = NDArray[Any]

DSP_LANES = 32
"""Images that a kernel runs side by side. With 16 a MAC takes 4 times as long: LLVM then unrolls the loop
over lanes and forgets that it is one."""

EXPONENT_FIELD: Any = np.int64(0x7FF0000000000000)
GUARD_REST: Any = np.int64((1 << 21) - 1)
"""Bits of a double below the last guard bit: it has 52 fraction bits, an accumulator 31."""
WORD_REST: Any = np.int64((1 << 29) - 1)
"""Bits of a double below the last bit of a memory word, which has 23 fraction bits."""
LARGEST = np.float64((2 - 2.0**-31) * 2.0**127)
LEAST = np.float64(-(2.0**128))
SMALLEST = np.float64(2.0**-127)
"""Of the positive numbers; the negative ones begin below its negative."""
ALIGNED_STEP = np.float64(2.0**-46)
ALIGNER = np.float64(1.5 * 2.0**6)
"""Times a scale, the number whose last bit in a double is ALIGNED_STEP times that scale."""

IDENTITY, RELU, TANH, SN_TANH = range(4)

INVERSE_LN2 = np.float64(1.4426950408889634)

SN_AMPLITUDE, SN_SLOPE, SN_SATURATION = 1.71593428, 0.66666666, 13.0


@part()
def scale_of(value: float) -> float:
    """Return the scale of `value`, 0 for 0."""
    bits = np.float64(value).view(np.int64)
    # One less where negative: a mantissa of -2, not of -1, stands for a negative power of two.
    return np.int64((bits + (bits >> 63)) & EXPONENT_FIELD).view(np.float64)


@njit()
def fill_scales(values: Floats, scales: Floats) -> None:
    """Fill `scales` with those of `values`, both of shape (rows, columns)."""
    rows, columns = values.shape
    for row in range(rows):
        for column in range(columns):
            scales[row, column] = scale_of(values[row, column])


@njit()
def floor_mantissa(value: float, rest: int) -> float:
    """Return `value` with the fraction bits in `rest` dropped, towards minus infinity."""
    bits = np.float64(value).view(np.int64)
    # A double holds sign and magnitude: downwards is away from zero where negative.
    return np.int64((bits + ((bits >> 63) & rest)) & ~rest).view(np.float64)


@part()
def nearest_word(value: float) -> float:
    """Return the memory word nearest to `value`, below 2^127 in magnitude; 0 where it is too small."""
    bits = np.float64(value).view(np.int64)
    rounded = np.int64((bits + ((WORD_REST + 1) >> 1)) & ~WORD_REST).view(np.float64)
    return rounded if rounded >= SMALLEST or rounded < -SMALLEST else np.float64(0.0)


@njit()
def fill_words(values: Floats, nearest: bool, words: Floats) -> None:
    """Fill `words` with the memory words that `values` (n,) become: the nearest ones, or those below."""
    for place in range(values.size):
        value = values[place]
        words[place] = nearest_word(value) if nearest else floor_mantissa(value, WORD_REST)


@part()
def multiply_add(total: float, weight: float, weight_scale: float, state: float, state_scale: float) -> float:
    """Return the accumulator `total` plus weight times state, as an accumulator holds it."""
    product = weight * state
    product_scale = weight_scale * state_scale
    total_scale = scale_of(total)
    # Choices throughout: max and min are functions, and calling them keeps the loop from vectorising.
    scale = product_scale if product_scale >= total_scale else total_scale
    upper = product if product_scale >= total_scale else total
    lower = total if product_scale >= total_scale else product
    aligner = scale * ALIGNER
    near = (lower + aligner) - aligner
    lower = near - (scale * ALIGNED_STEP if near > lower else 0.0)
    rounded = floor_mantissa(upper + lower, GUARD_REST)
    rounded = LEAST if rounded < LEAST else rounded
    rounded = LARGEST if rounded > LARGEST else rounded
    return rounded if rounded >= SMALLEST or rounded < -SMALLEST else np.float64(0.0)


@njit()
def accumulate(bias: float, weights: Floats, states: Floats) -> float:
    """Return the accumulator after `bias` and the products of two rows of memory words."""
    total = bias
    for tap in range(weights.size):
        weight, state = weights[tap], states[tap]
        total = multiply_add(total, weight, scale_of(weight), state, scale_of(state))
    return total


@njit()
def sn_tanh(value: float) -> float:
    """Return SN's fast 1.71593428 tanh(0.66666666 a), in double precision (papers' §6.4)."""
    distance = abs(value)
    if distance >= SN_SATURATION:
        return math.copysign(SN_AMPLITUDE, value)
    step = SN_SLOPE * distance / 8
    power = 1 + step * (1 + step * (1 / 2 + step / 6))
    for _ in range(4):
        power *= power
    return math.copysign(SN_AMPLITUDE * (power - 1) / (power + 1), value)


@part()
def activate(kind: int, amplitude: float, slope: float, total: float) -> float:
    """Return the state, a memory word, for a sum stored as one."""
    if kind == TANH:
        return nearest_word(amplitude * tanh(slope * total))
    if kind == SN_TANH:
        return nearest_word(sn_tanh(total))
    return np.float64(0.0) if kind == RELU and total < 0 else total


@njit(allocates=True, nogil=True)
def run_dsp_layer(
    weights: Floats, weight_scales: Floats, fan_in: Ints, sources: Ints, biases: Floats,
    kind: int, amplitude: float, slope: float,
    inputs: Floats, input_scales: Floats, states: Floats, state_scales: Floats,
) -> None:  # fmt: skip
    """Compute the states of all units of a layer for the images in the lanes.

    Parameters
    ----------
    weights, weight_scales : ndarray of float64, shape (maps, most taps)
        Memory words and their scales.
    fan_in : ndarray of int32, shape (maps,)
        Taps of each map.
    sources : ndarray of int32, shape (maps, positions, most taps)
        Row of `inputs` that each tap reads, in the order of accumulation.
    biases : ndarray of float64, shape (units,)
        Where each sum starts.
    kind, amplitude, slope
        The activation.
    inputs, input_scales : ndarray of float64, shape (rows, DSP_LANES)
    states, state_scales : ndarray of float64, shape (units or more, DSP_LANES)
        Filled.
    """
    totals = np.empty(DSP_LANES, np.float64)
    _, positions, _ = sources.shape
    for row in range(len(weights)):
        for position in range(positions):
            unit = row * positions + position
            for lane in range(DSP_LANES):
                totals[lane] = biases[unit]
            for tap in range(fan_in[row]):
                weight, scale, source = (
                    weights[row, tap],
                    weight_scales[row, tap],
                    sources[row, position, tap],
                )
                for lane in range(DSP_LANES):
                    totals[lane] = multiply_add(
                        totals[lane], weight, scale, inputs[source, lane], input_scales[source, lane]
                    )
            for lane in range(DSP_LANES):
                state = activate(kind, amplitude, slope, floor_mantissa(totals[lane], WORD_REST))
                states[unit, lane] = state
                state_scales[unit, lane] = scale_of(state)


@njit(allocates=True, nogil=True)
def run_double_layer(
    weights: Floats, fan_in: Ints, sources: Ints, biases: Floats,
    kind: int, amplitude: float, slope: float, inputs: Floats, states: Floats,
) -> None:  # fmt: skip
    """Do what `run_dsp_layer` does in IEEE double precision, in the same order; SN_TANH is the exact one."""
    totals = np.empty(DSP_LANES, np.float64)
    _, positions, _ = sources.shape
    for row in range(len(weights)):
        for position in range(positions):
            unit = row * positions + position
            for lane in range(DSP_LANES):
                totals[lane] = biases[unit]
            for tap in range(fan_in[row]):
                weight, source = weights[row, tap], sources[row, position, tap]
                for lane in range(DSP_LANES):
                    totals[lane] += weight * inputs[source, lane]
            for lane in range(DSP_LANES):
                total = totals[lane]
                if kind == RELU:
                    total = total if total > 0 else np.float64(0.0)
                elif kind != IDENTITY:
                    total = amplitude * tanh(slope * total)
                states[unit, lane] = total
