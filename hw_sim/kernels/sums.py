"""Sums of products of four units at one position, for many images at once.

The innermost loops run over images: `LANES` of them lie side by side in every row, and because their number
is a constant, every rule of rounding and overflow becomes vector instructions. Four units that read the same
inputs share each load of them. A word (32 or 64 bits) is fixed when a loop is made; the caller proves that it
is wide enough for what it asks, and pads taps to an even number with weights of 0, which change no sum.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hw_sim.kernels.cast import (
    INT32,
    INT64,
    SAT_ZERO,
    WRAP,
    Rule,
    Word,
    clamp_of,
    fit,
    mask_of,
    round64,
    round_of,
    rounding_terms,
    wrap_of,
    zero_of,
)

Ints = NDArray[Any]
Sum = Callable[..., None]

LANES = 128
"""Images in the lanes of one pass."""
UNITS = 4
"""Units that are summed together."""

EXACT, FIT, PRODUCT, FUSED, SPLIT = range(5)
"""How to add: no cast; sums in 32 bits wrapped or clamped with no bits to round away; each product cast and
each sum cast; the exact product added and the sum cast; each product cast to a format of its own."""


def exact_of(word: Word) -> Sum:
    """Return the loop without casts; two taps share one pass over the sums."""

    @njit(cache=True)
    def add(weights: Ints, sources: Ints, taps: int, inputs: Ints, sums: Ints) -> None:
        for tap in range(0, taps, 2):
            a0, a1 = word(weights[0, tap]), word(weights[0, tap + 1])
            b0, b1 = word(weights[1, tap]), word(weights[1, tap + 1])
            c0, c1 = word(weights[2, tap]), word(weights[2, tap + 1])
            d0, d1 = word(weights[3, tap]), word(weights[3, tap + 1])
            s0, s1 = sources[tap], sources[tap + 1]
            for lane in range(LANES):
                x0, x1 = word(inputs[s0, lane]), word(inputs[s1, lane])
                sums[0, lane] = word(word(sums[0, lane] + word(a0 * x0)) + word(a1 * x1))
                sums[1, lane] = word(word(sums[1, lane] + word(b0 * x0)) + word(b1 * x1))
                sums[2, lane] = word(word(sums[2, lane] + word(c0 * x0)) + word(c1 * x1))
                sums[3, lane] = word(word(sums[3, lane] + word(d0 * x0)) + word(d1 * x1))

    return add


def fit_of(rule: Rule) -> Sum:
    """Return the loop that fits the sum after every product and has no bits to round away."""
    word = INT32

    @njit(cache=True)
    def two(total: int, w0: int, x0: int, w1: int, x1: int, least: int, most: int) -> tuple[Any, Any]:
        first = word(total + word(w0 * x0))
        kept = rule(first, least, most)
        second = word(kept + word(w1 * x1))
        result = rule(second, least, most)
        return result, word(word(first != kept) + word(second != result))

    @njit(cache=True)
    def add(
        weights: Ints,
        sources: Ints,
        taps: int,
        inputs: Ints,
        sums: Ints,
        overflows: Ints,
        low: int,
        high: int,
    ) -> None:
        least, most = word(low), word(high)
        for tap in range(0, taps, 2):
            a0, a1 = word(weights[0, tap]), word(weights[0, tap + 1])
            b0, b1 = word(weights[1, tap]), word(weights[1, tap + 1])
            c0, c1 = word(weights[2, tap]), word(weights[2, tap + 1])
            d0, d1 = word(weights[3, tap]), word(weights[3, tap + 1])
            s0, s1 = sources[tap], sources[tap + 1]
            for lane in range(LANES):
                x0, x1 = word(inputs[s0, lane]), word(inputs[s1, lane])
                sums[0, lane], missed_a = two(sums[0, lane], a0, x0, a1, x1, least, most)
                sums[1, lane], missed_b = two(sums[1, lane], b0, x0, b1, x1, least, most)
                sums[2, lane], missed_c = two(sums[2, lane], c0, x0, c1, x1, least, most)
                sums[3, lane], missed_d = two(sums[3, lane], d0, x0, d1, x1, least, most)
                missed = word(word(missed_a + missed_b) + word(missed_c + missed_d))
                overflows[lane] = word(overflows[lane] + missed)

    return add


def rounded_of(word: Word, width_mask: int, rule: Rule, *, fused: bool) -> Sum:
    """Return a loop that rounds and fits products and sums, or (`fused`) sums with the exact product."""
    round_shift = round_of(word, width_mask)

    if fused:

        @njit(cache=True)
        def one(
            total: int, weight: int, x: int, scale: int, least: int, most: int, shift: int, base: int,
            negative: int, odd: int,
        ) -> tuple[Any, Any]:  # fmt: skip
            rounded = round_shift(word(word(total * scale) + word(weight * x)), shift, base, negative, odd)
            kept = rule(rounded, least, most)
            return kept, np.int32(rounded != kept)

    else:

        @njit(cache=True)
        def one(
            total: int, weight: int, x: int, scale: int, least: int, most: int, shift: int, base: int,  # noqa: ARG001
            negative: int, odd: int,
        ) -> tuple[Any, Any]:  # fmt: skip
            rounded = round_shift(word(weight * x), shift, base, negative, odd)
            product = rule(rounded, least, most)
            whole = word(total + product)
            kept = rule(whole, least, most)
            return kept, np.int32(np.int32(rounded != product) + np.int32(whole != kept))

    @njit(cache=True)
    def add(
        weights: Ints, sources: Ints, taps: int, inputs: Ints, sums: Ints, overflows: Ints,
        low: int, high: int, shift: int, base: int, negative: int, odd: int,
    ) -> None:  # fmt: skip
        least, most, scale = word(low), word(high), word(1 << shift)
        lift, below, tie = word(base), word(negative), word(odd)
        for tap in range(0, taps, 2):
            s0, s1 = sources[tap], sources[tap + 1]
            for unit in range(0, UNITS, 2):
                a0, a1 = word(weights[unit, tap]), word(weights[unit, tap + 1])
                b0, b1 = word(weights[unit + 1, tap]), word(weights[unit + 1, tap + 1])
                for lane in range(LANES):
                    x0, x1 = word(inputs[s0, lane]), word(inputs[s1, lane])
                    a, m0 = one(sums[unit, lane], a0, x0, scale, least, most, shift, lift, below, tie)
                    a, m1 = one(a, a1, x1, scale, least, most, shift, lift, below, tie)
                    b, m2 = one(sums[unit + 1, lane], b0, x0, scale, least, most, shift, lift, below, tie)
                    b, m3 = one(b, b1, x1, scale, least, most, shift, lift, below, tie)
                    sums[unit, lane], sums[unit + 1, lane] = a, b
                    overflows[lane] += np.int32(np.int32(m0 + m1) + np.int32(m2 + m3))

    return add


@njit(cache=True)
def add_split(
    weights: Ints,
    sources: Ints,
    taps: int,
    inputs: Ints,
    sums: Ints,
    overflows: Ints,
    first: Ints,
    second: Ints,
) -> None:
    """Cast each product to a format of its own, add it, and cast the sum: in 64 bits.

    `first` and `second` are the casts of products and sums: shift, rounding, overflow, low, high, and the
    bits that products (first) and sums (second) are shifted up before they are added.
    """
    base, negative, odd = rounding_terms(first[1], first[0])
    base_sum, negative_sum, odd_sum = rounding_terms(second[1], second[0])
    up, up_sum = first[5] & 63, second[5] & 63
    for tap in range(taps):
        for unit in range(UNITS):
            weight, source = np.int64(weights[unit, tap]), sources[tap]
            for lane in range(LANES):
                exact = weight * np.int64(inputs[source, lane])
                rounded = round64(exact << (max(-first[0], 0) & 63), max(first[0], 0), base, negative, odd)
                product = fit(rounded, first[2], first[3], first[4])
                total = (sums[unit, lane] << up_sum) + (product << up)
                whole = round64(total, second[0], base_sum, negative_sum, odd_sum)
                kept = fit(whole, second[2], second[3], second[4])
                sums[unit, lane] = kept
                overflows[lane] += np.int32(rounded != product) + np.int32(whole != kept)


fit_mask = fit_of(mask_of(INT32))
fit_clamp = fit_of(clamp_of(INT32))


def sum_of(word: Word, width_mask: int) -> Sum:
    """Return the choice between the ways to add in one word."""
    exact = exact_of(word)
    wrap, clamp, zero = wrap_of(word), clamp_of(word), zero_of(word)

    product_wrap = rounded_of(word, width_mask, wrap, fused=False)
    product_clamp = rounded_of(word, width_mask, clamp, fused=False)
    product_zero = rounded_of(word, width_mask, zero, fused=False)
    fused_wrap = rounded_of(word, width_mask, wrap, fused=True)
    fused_clamp = rounded_of(word, width_mask, clamp, fused=True)
    fused_zero = rounded_of(word, width_mask, zero, fused=True)

    @njit(cache=True)
    def add(
        weights: Ints,
        sources: Ints,
        taps: int,
        inputs: Ints,
        sums: Ints,
        overflows: Ints,
        method: int,
        adder: Ints,
    ) -> None:
        if method == EXACT:
            exact(weights, sources, taps, inputs, sums)
            return
        shift, overflow, low, high = adder[0], adder[2], adder[3], adder[4]
        base, negative, odd = rounding_terms(adder[1], shift)
        terms = (weights, sources, taps, inputs, sums, overflows, low, high, shift, base, negative, odd)
        if method == PRODUCT:
            if overflow == WRAP:
                product_wrap(*terms)
            elif overflow == SAT_ZERO:
                product_zero(*terms)
            else:
                product_clamp(*terms)
        elif overflow == WRAP:
            fused_wrap(*terms)
        elif overflow == SAT_ZERO:
            fused_zero(*terms)
        else:
            fused_clamp(*terms)

    return add


@njit(cache=True)
def add_fit(
    weights: Ints, sources: Ints, taps: int, inputs: Ints, sums: Ints, overflows: Ints, adder: Ints
) -> None:
    """Add with sums wrapped or clamped in 32 bits."""
    overflow, low, high = adder[2], adder[3], adder[4]
    if overflow != WRAP:
        fit_clamp(weights, sources, taps, inputs, sums, overflows, low, high)
        return
    # Counted from the low end of the range, wrapping is one mask.
    for unit in range(UNITS):
        for lane in range(LANES):
            sums[unit, lane] -= low
    fit_mask(weights, sources, taps, inputs, sums, overflows, 0, high - low)
    for unit in range(UNITS):
        for lane in range(LANES):
            sums[unit, lane] += low


add32 = sum_of(INT32, 31)
add64 = sum_of(INT64, 63)
