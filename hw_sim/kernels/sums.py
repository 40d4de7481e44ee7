"""Sums of products of four units at one position, for many images at once.

The innermost loops run over images: `INTEGER_LANES` of them lie side by side in every row, and because
their number is a constant, every rule of rounding and overflow becomes vector instructions. Four units that
read the same inputs share each load of them. Weights, inputs and sums are of one machine word: 32 or 64 bits,
or floating point, in which whole numbers up to 2^24 or 2^53 are exact whatever the order. The caller proves
that the word is wide enough for what it asks, and fills up taps with weights of 0, which change no sum.

What a loop does not do it is not compiled with: what is None in a record of `Casts` is not there.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hw_sim.kernels.cast import (
    INT32,
    INT64,
    Range,
    RoundingShift,
    Word,
    fit,
    fit_of,
    round64,
    round_of,
    rounding_terms,
)
from retronet.kernels.jit import part

Ints = NDArray[Any]
Numbers = NDArray[Any]
Sum = Callable[..., None]
SINGLE: Any = np.float32

INTEGER_LANES = 128
"""Images in the lanes of one pass."""
UNITS = 4
"""Units that are summed together."""
EXACT_TAPS = 5
"""Taps that share one pass over the sums where nothing is cast."""
CAST_TAPS = 2
"""Taps that do so where every sum is cast."""
CAREFUL = 4
"""How many times so many taps are cast one by one before it is asked again whether they have to be."""
FLOAT_LIMIT, DOUBLE_LIMIT = 1 << 24, 1 << 53
"""Whole numbers up to here are exact in single and in double precision."""


class Casts(NamedTuple):
    """What happens at every product and sum.

    Attributes
    ----------
    rounding
        The shift of each product, or of each sum where `lift` is there.
    lift
        What a sum is multiplied with before the exact product is added to it: fused sums.
    product
        The range of products, where one could leave it.
    total
        The range of sums.
    """

    rounding: RoundingShift | None
    lift: int | None
    product: Range | None
    total: Range


class Split(NamedTuple):
    """Casts of products to a format of their own, and of sums: shift, rounding, overflow, low, high.

    The last number is how many bits products (first) and sums (second) are shifted up before they are added.
    """

    product: Ints
    total: Ints


class Ranged(NamedTuple):
    """Sums in single precision that wrap or saturate, without casts as long as none can leave the range.

    Attributes
    ----------
    reaches : ndarray of int64, shape (blocks, taps / EXACT_TAPS)
        How far the sums of a block move by so many taps at most.
    limit
        The magnitude up to which all sums lie within the range.
    low, high
        The range, in single precision.
    turn
        What part of the range 1 is, None where sums saturate.
    """

    reaches: Ints
    limit: int
    low: Any
    high: Any
    turn: Any | None


@part(fastmath={"contract"})
def five(total: Any, w: Any, x0: Any, x1: Any, x2: Any, x3: Any, x4: Any) -> Any:  # noqa: ANN401
    """Return the sum with five products more.

    In floating point the compiler may fuse a product and a sum: whole numbers are exact either way.
    """
    return total + w[0] * x0 + w[1] * x1 + w[2] * x2 + w[3] * x3 + w[4] * x4


@part()
def add_exact(weights: Numbers, sources: Ints, first: int, last: int, inputs: Numbers, sums: Numbers) -> None:
    """Add the taps from `first` to before `last` without casts, in any word."""
    for tap in range(first, last, EXACT_TAPS):
        s0, s1, s2 = sources[tap], sources[tap + 1], sources[tap + 2]
        s3, s4 = sources[tap + 3], sources[tap + 4]
        t1, t2, t3, t4 = tap + 1, tap + 2, tap + 3, tap + 4
        a = weights[0, tap], weights[0, t1], weights[0, t2], weights[0, t3], weights[0, t4]
        b = weights[1, tap], weights[1, t1], weights[1, t2], weights[1, t3], weights[1, t4]
        c = weights[2, tap], weights[2, t1], weights[2, t2], weights[2, t3], weights[2, t4]
        d = weights[3, tap], weights[3, t1], weights[3, t2], weights[3, t3], weights[3, t4]
        for lane in range(INTEGER_LANES):
            x0, x1, x2 = inputs[s0, lane], inputs[s1, lane], inputs[s2, lane]
            x3, x4 = inputs[s3, lane], inputs[s4, lane]
            sums[0, lane] = five(sums[0, lane], a, x0, x1, x2, x3, x4)
            sums[1, lane] = five(sums[1, lane], b, x0, x1, x2, x3, x4)
            sums[2, lane] = five(sums[2, lane], c, x0, x1, x2, x3, x4)
            sums[3, lane] = five(sums[3, lane], d, x0, x1, x2, x3, x4)


@part()
def keep_largest(weights: Numbers, sources: Ints, taps: int, inputs: Numbers, sums: Numbers) -> None:
    """Keep the largest of a sum and the inputs that a unit reads: those whose weight is not 0."""
    for unit in range(UNITS):
        for tap in range(taps):
            if weights[unit, tap] != 0:
                source = sources[tap]
                for lane in range(INTEGER_LANES):
                    sums[unit, lane] = max(sums[unit, lane], inputs[source, lane])


@part()
def farthest(sums: Numbers) -> Any:  # noqa: ANN401
    """Return the largest magnitude of sums, which 32 bits hold."""
    most = np.int32(0)
    for unit in range(UNITS):
        for lane in range(INTEGER_LANES):
            total = np.int32(sums[unit, lane])
            most = max(most, max(total, np.int32(-total)))
    return most


@part(fastmath={"contract", "nnan", "nsz"}, optional=True)
def one_in_range(
    total: float, left: float, weight: float, x: float, low: float, high: float, turn: float | None
) -> tuple[Any, Any]:
    """Return the sum with one product more, brought into the range, and how often sums have left that."""
    whole = total + weight * x
    if turn is None:
        kept = min(max(whole, low), high)
        return kept, left + SINGLE(kept != whole)
    # How many times the range lies between: 0, or 1 up or down. Exact, its length being a power of two.
    turns = np.floor(whole * turn + SINGLE(0.5))
    return whole - turns * (high - low + SINGLE(1)), left + turns * turns


@part()
def add_in_range(
    weights: Numbers, sources: Ints, block: int, taps: int, inputs: Numbers, sums: Numbers, overflows: Ints,
    ranged: Ranged,
) -> None:  # fmt: skip
    """Add, and bring each sum into the range if any of those side by side could leave it."""
    limit, low, high, turn = ranged.limit, ranged.low, ranged.high, ranged.turn
    reaches, groups = ranged.reaches[block], taps // EXACT_TAPS
    first = 0
    while first < groups:
        room, last = limit - farthest(sums), first
        while last < groups and reaches[last] <= room:
            room -= reaches[last]
            last += 1
        if last > first:
            add_exact(weights, sources, first * EXACT_TAPS, last * EXACT_TAPS, inputs, sums)
        else:
            last = min(first + CAREFUL, groups)
            begin, end = first * EXACT_TAPS, last * EXACT_TAPS
            add_carefully(weights, sources, begin, end, inputs, sums, overflows, low, high, turn)
        first = last


@part()
def add_carefully(
    weights: Numbers, sources: Ints, first: int, last: int, inputs: Numbers, sums: Numbers, overflows: Ints,
    low: float, high: float, turn: float | None,
) -> None:  # fmt: skip
    """Add the taps from `first` to before `last`, and bring every sum into the range."""
    for tap in range(first, last, EXACT_TAPS):
        s0, s1, s2 = sources[tap], sources[tap + 1], sources[tap + 2]
        s3, s4 = sources[tap + 3], sources[tap + 4]
        t1, t2, t3, t4 = tap + 1, tap + 2, tap + 3, tap + 4
        for unit in range(0, UNITS, 2):
            one, two = unit, unit + 1
            a = weights[one, tap], weights[one, t1], weights[one, t2], weights[one, t3], weights[one, t4]
            b = weights[two, tap], weights[two, t1], weights[two, t2], weights[two, t3], weights[two, t4]
            for lane in range(INTEGER_LANES):
                x0, x1, x2 = inputs[s0, lane], inputs[s1, lane], inputs[s2, lane]
                x3, x4 = inputs[s3, lane], inputs[s4, lane]
                a_sum, a_left = sums[one, lane], SINGLE(0)
                b_sum, b_left = sums[two, lane], SINGLE(0)
                a_sum, a_left = one_in_range(a_sum, a_left, a[0], x0, low, high, turn)
                b_sum, b_left = one_in_range(b_sum, b_left, b[0], x0, low, high, turn)
                a_sum, a_left = one_in_range(a_sum, a_left, a[1], x1, low, high, turn)
                b_sum, b_left = one_in_range(b_sum, b_left, b[1], x1, low, high, turn)
                a_sum, a_left = one_in_range(a_sum, a_left, a[2], x2, low, high, turn)
                b_sum, b_left = one_in_range(b_sum, b_left, b[2], x2, low, high, turn)
                a_sum, a_left = one_in_range(a_sum, a_left, a[3], x3, low, high, turn)
                b_sum, b_left = one_in_range(b_sum, b_left, b[3], x3, low, high, turn)
                a_sum, a_left = one_in_range(a_sum, a_left, a[4], x4, low, high, turn)
                b_sum, b_left = one_in_range(b_sum, b_left, b[4], x4, low, high, turn)
                sums[one, lane], sums[two, lane] = a_sum, b_sum
                overflows[lane] += np.int32(a_left + b_left)


def cast_loop_of(word: Word, width_mask: int) -> Sum:
    """Return the loop that casts products, sums or both."""
    shifted, fitted = round_of(word, width_mask), fit_of(word)

    @part(optional=True)
    def round_to(value: int, rounding: RoundingShift | None) -> int:
        if rounding is None:
            return value
        return shifted(value, rounding.shift, rounding.base, rounding.negative, rounding.odd)

    @part(optional=True)
    def fit_to(value: int, span: Range | None) -> int:
        if span is None:
            return value
        return fitted(value, span.low, span.high, span.wraps, span.zeroes)

    @part(optional=True)
    def one(
        total: int, weight: int, x: int, rounding: RoundingShift | None, lift: int | None,
        product_range: Range | None, total_range: Range,
    ) -> tuple[Any, Any]:  # fmt: skip
        exact = word(weight * x)
        if lift is not None:
            rounded = round_to(word(word(total * word(lift)) + exact), rounding)
            kept = fit_to(rounded, total_range)
            return kept, np.int32(rounded != kept)
        rounded = round_to(exact, rounding)
        product = fit_to(rounded, product_range)
        whole = word(total + product)
        kept = fit_to(whole, total_range)
        return kept, np.int32(np.int32(rounded != product) + np.int32(whole != kept))

    @part()
    def add(
        weights: Ints, sources: Ints, taps: int, inputs: Ints, sums: Ints, overflows: Ints, casts: Casts
    ) -> None:
        rounding, lift, product, total = casts
        for tap in range(0, taps, CAST_TAPS):
            s0, s1 = sources[tap], sources[tap + 1]
            for unit in range(0, UNITS, 2):
                a0, a1 = weights[unit, tap], weights[unit, tap + 1]
                b0, b1 = weights[unit + 1, tap], weights[unit + 1, tap + 1]
                for lane in range(INTEGER_LANES):
                    x0, x1 = inputs[s0, lane], inputs[s1, lane]
                    a, m0 = one(sums[unit, lane], a0, x0, rounding, lift, product, total)
                    a, m1 = one(a, a1, x1, rounding, lift, product, total)
                    b, m2 = one(sums[unit + 1, lane], b0, x0, rounding, lift, product, total)
                    b, m3 = one(b, b1, x1, rounding, lift, product, total)
                    sums[unit, lane], sums[unit + 1, lane] = a, b
                    overflows[lane] += np.int32(np.int32(m0 + m1) + np.int32(m2 + m3))

    return add


@part()
def add_split(
    weights: Ints, sources: Ints, taps: int, inputs: Ints, sums: Ints, overflows: Ints, split: Split
) -> None:
    """Cast each product to a format of its own, add it, and cast the sum: in 64 bits."""
    first, second = split
    base, negative, odd = rounding_terms(first[1], first[0])
    base_sum, negative_sum, odd_sum = rounding_terms(second[1], second[0])
    up, up_sum = first[5] & 63, second[5] & 63
    for tap in range(taps):
        for unit in range(UNITS):
            weight, source = weights[unit, tap], sources[tap]
            for lane in range(INTEGER_LANES):
                exact = weight * inputs[source, lane]
                rounded = round64(exact << (max(-first[0], 0) & 63), max(first[0], 0), base, negative, odd)
                product = fit(rounded, first[2], first[3], first[4])
                total = (sums[unit, lane] << up_sum) + (product << up)
                whole = round64(total, second[0], base_sum, negative_sum, odd_sum)
                kept = fit(whole, second[2], second[3], second[4])
                sums[unit, lane] = kept
                overflows[lane] += np.int32(rounded != product) + np.int32(whole != kept)


cast32, cast64 = cast_loop_of(INT32, 31), cast_loop_of(INT64, 63)
