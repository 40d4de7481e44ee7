"""Sums of products of one unit, for many images at once.

The innermost loops run over images: `LANES` of them lie side by side in every row, and because their
number is a constant, every rule of rounding and overflow becomes vector instructions. A word (32 or 64
bits) is fixed when a loop is made; the caller proves that it is wide enough for what it asks.
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
    mask_of,
    round_of,
    wrap_of,
    zero_of,
)

Ints = NDArray[Any]
Sum = Callable[..., None]

LANES = 128
"""Images in the lanes of one pass."""

EXACT, FIT, PRODUCT, FUSED = range(4)
"""How to add: no cast; sums in 32 bits wrapped or clamped with no bits to round away; each product cast and
each sum cast; the exact product added and the sum cast."""


def exact_of(word: Word) -> Sum:
    """Return the loop without casts; four taps share one pass over the sums."""

    @njit(cache=True)
    def add(
        weights: Ints, row: int, sources: Ints, table: int, position: int, taps: int, inputs: Ints, sums: Ints
    ) -> None:
        whole = taps - taps % 4
        for tap in range(0, whole, 4):
            w0, w1 = weights[row, tap], weights[row, tap + 1]
            w2, w3 = weights[row, tap + 2], weights[row, tap + 3]
            s0, s1 = sources[table, position, tap], sources[table, position, tap + 1]
            s2, s3 = sources[table, position, tap + 2], sources[table, position, tap + 3]
            for lane in range(LANES):
                total = word(sums[lane] + word(word(w0) * word(inputs[s0, lane])))
                total = word(total + word(word(w1) * word(inputs[s1, lane])))
                total = word(total + word(word(w2) * word(inputs[s2, lane])))
                sums[lane] = word(total + word(word(w3) * word(inputs[s3, lane])))
        for tap in range(whole, taps):
            w0, s0 = weights[row, tap], sources[table, position, tap]
            for lane in range(LANES):
                sums[lane] = word(sums[lane] + word(word(w0) * word(inputs[s0, lane])))

    return add


def fit_of(fit: Rule) -> Sum:
    """Return the loop that fits the sum after every product and has no bits to round away."""
    word = INT32

    @njit(cache=True)
    def add(
        weights: Ints, row: int, sources: Ints, table: int, position: int, taps: int, inputs: Ints,
        sums: Ints, overflows: Ints, low: int, high: int,
    ) -> None:  # fmt: skip
        least, most = word(low), word(high)
        whole = taps - taps % 4
        for tap in range(0, whole, 4):
            w0, w1 = weights[row, tap], weights[row, tap + 1]
            w2, w3 = weights[row, tap + 2], weights[row, tap + 3]
            s0, s1 = sources[table, position, tap], sources[table, position, tap + 1]
            s2, s3 = sources[table, position, tap + 2], sources[table, position, tap + 3]
            for lane in range(LANES):
                t0 = word(sums[lane] + word(word(w0) * word(inputs[s0, lane])))
                r0 = fit(t0, least, most)
                t1 = word(r0 + word(word(w1) * word(inputs[s1, lane])))
                r1 = fit(t1, least, most)
                t2 = word(r1 + word(word(w2) * word(inputs[s2, lane])))
                r2 = fit(t2, least, most)
                t3 = word(r2 + word(word(w3) * word(inputs[s3, lane])))
                r3 = fit(t3, least, most)
                sums[lane] = r3
                missed = np.int32(t0 != r0) + np.int32(t1 != r1) + np.int32(t2 != r2) + np.int32(t3 != r3)
                overflows[lane] += np.int32(missed)
        for tap in range(whole, taps):
            w0, s0 = weights[row, tap], sources[table, position, tap]
            for lane in range(LANES):
                t0 = word(sums[lane] + word(word(w0) * word(inputs[s0, lane])))
                r0 = fit(t0, least, most)
                sums[lane] = r0
                overflows[lane] += np.int32(t0 != r0)

    return add


def product_of(word: Word, width_mask: int, fit: Rule) -> Sum:
    """Return the loop that casts each product, adds it and casts the sum."""
    round_shift = round_of(word, width_mask)

    @njit(cache=True)
    def add(
        weights: Ints, row: int, sources: Ints, table: int, position: int, taps: int, inputs: Ints,
        sums: Ints, overflows: Ints, low: int, high: int, shift: int, base: int, negative: int, odd: int,
    ) -> None:  # fmt: skip
        least, most = word(low), word(high)
        lift, below, tie = word(base), word(negative), word(odd)
        for tap in range(taps):
            weight, source = weights[row, tap], sources[table, position, tap]
            for lane in range(LANES):
                exact = word(word(weight) * word(inputs[source, lane]))
                rounded = round_shift(exact, shift, lift, below, tie)
                product = fit(rounded, least, most)
                total = word(sums[lane] + product)
                kept = fit(total, least, most)
                sums[lane] = kept
                overflows[lane] += np.int32(np.int32(rounded != product) + np.int32(total != kept))

    return add


def fused_of(word: Word, width_mask: int, fit: Rule) -> Sum:
    """Return the loop that adds the exact product and casts the sum once."""
    round_shift = round_of(word, width_mask)

    @njit(cache=True)
    def add(
        weights: Ints, row: int, sources: Ints, table: int, position: int, taps: int, inputs: Ints,
        sums: Ints, overflows: Ints, low: int, high: int, shift: int, base: int, negative: int, odd: int,
    ) -> None:  # fmt: skip
        least, most = word(low), word(high)
        lift, below, tie = word(base), word(negative), word(odd)
        scale = word(1 << shift)
        for tap in range(taps):
            weight, source = weights[row, tap], sources[table, position, tap]
            for lane in range(LANES):
                exact = word(word(weight) * word(inputs[source, lane]))
                total = round_shift(word(word(sums[lane] * scale) + exact), shift, lift, below, tie)
                kept = fit(total, least, most)
                sums[lane] = kept
                overflows[lane] += np.int32(total != kept)

    return add


fit_mask = fit_of(mask_of(INT32))
fit_clamp = fit_of(clamp_of(INT32))


def sum_of(word: Word, width_mask: int) -> Sum:
    """Return the choice between all the ways to add, for one word."""
    exact = exact_of(word)
    wrap, clamp, zero = wrap_of(word), clamp_of(word), zero_of(word)

    product_wrap = product_of(word, width_mask, wrap)
    product_clamp = product_of(word, width_mask, clamp)
    product_zero = product_of(word, width_mask, zero)
    fused_wrap = fused_of(word, width_mask, wrap)
    fused_clamp = fused_of(word, width_mask, clamp)
    fused_zero = fused_of(word, width_mask, zero)

    @njit(cache=True)
    def add(
        method: int, overflow: int,
        weights: Ints, row: int, sources: Ints, table: int, position: int, taps: int, inputs: Ints,
        sums: Ints, overflows: Ints, low: int, high: int, shift: int, base: int, negative: int, odd: int,
    ) -> None:  # fmt: skip
        if method == EXACT:
            exact(weights, row, sources, table, position, taps, inputs, sums)
        elif method == FIT:
            if overflow == WRAP:
                # Counted from the low end of the range, wrapping is one mask.
                for lane in range(LANES):
                    sums[lane] -= low
                fit_mask(weights, row, sources, table, position, taps, inputs, sums, overflows, 0, high - low)
                for lane in range(LANES):
                    sums[lane] += low
            else:
                fit_clamp(weights, row, sources, table, position, taps, inputs, sums, overflows, low, high)
        else:
            terms = (
                weights, row, sources, table, position, taps, inputs, sums, overflows, low, high,
                shift, base, negative, odd,
            )  # fmt: skip
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


add32 = sum_of(INT32, 31)
add64 = sum_of(INT64, 63)
