"""The three matrix products of a layer, each shaped so that its innermost loop is long and contiguous.

With weights ``w`` (maps, taps), deltas ``d`` (maps, positions) and gathered inputs ``f``, a layer needs

====================  ==========================  ==========================
product               f is (positions, taps)      f is (taps, positions)
====================  ==========================  ==========================
sums (maps, pos.)     ``rows_by_rows(w, f)``      ``rows_by_columns(w, f)``
weight gradient       ``rows_by_columns(d, f)``   ``rows_by_rows(d, f)``
gradient of f         ``columns(d, w)``           ``columns(w, d)``
====================  ==========================  ==========================

Which of the two layouts a layer takes is decided by which axis is longer. Each works on tiles of two by four
rows, so that a number loaded serves several multiply-adds. Maps go in pairs: their number must be even (the
caller adds an empty map if it must), and a row of ``runs`` lists the half-open ranges of taps that either map
of a pair reads; unused ranges are empty. Gradients of f take maps in fours with runs of their own.

Rows that one tile after the other reads again are taken 32 at a time, so that they stay in the nearest cache.

A matrix is a flat vector and where it starts there: making array views of it in each call costs a tenth of a
presentation. Indices are unsigned: a signed one may count from the end, and checking for that keeps a loop
from vectorising.

Every sum is taken in one order, the same on each processor (:mod:`retronet.kernels.vectors`): in
`rows_by_columns` and `columns` term after term, in `rows_by_rows` in eight partial sums, each of which takes
every eighth term, or for the last rows of b in four times eight.
"""

import numpy as np
from numpy.typing import NDArray

from retronet.kernels.jit import njit
from retronet.kernels.vectors import (
    add_halves,
    chain8,
    first4,
    first8,
    fma4,
    fma8,
    fma_to_first4,
    load4,
    load8,
    same4,
    splat4,
    splat8,
    store8,
    store_first8,
    sum4,
    sum8,
    sums_of_eight,
)

Floats = NDArray[np.floating]
Runs = NDArray[np.uint64]
_0, _1, _2, _3, _4 = (np.uint64(number) for number in range(5))
_8, _16, _24, _32 = (np.uint64(number) for number in (8, 16, 24, 32))


@njit()
def rows_by_columns(
    a: Floats,
    a_start: int,
    b: Floats,
    b_start: int,
    out: Floats,
    out_start: int,
    inner: int,
    width: int,
    pairs: int,
    runs: Runs,
    first_run: int,
    runs_on_rows: bool,
) -> None:
    """Add ``a @ b`` to `out`; a is (2 · pairs, inner), b (inner, width).

    The runs of a pair of rows, from row `first_run` on, restrict the rows of b (`runs_on_rows`) or the
    columns of b and out.
    """
    step, b_row = np.uint64(width), np.uint64(b_start)
    _, ranges, _ = runs.shape
    for block in range(_0, np.uint64(inner), _32):
        for pair in range(pairs):
            p, o = np.uint64(a_start + 2 * pair * inner), np.uint64(out_start + 2 * pair * width)
            q, o1 = p + np.uint64(inner), o + step
            for run in range(ranges):
                start, end = runs[first_run + pair, run, 0], runs[first_run + pair, run, 1]
                if start == end:
                    continue
                first, stop, left, right = _0, np.uint64(inner), _0, step
                if runs_on_rows:
                    first, stop = start, end
                else:
                    left, right = start, end
                first = max(first, np.uint64(block))
                stop = max(first, min(stop, np.uint64(block + _32)))
                rest, whole = first + (stop - first) // _4 * _4, left + (right - left) // _8 * _8
                for j in range(first, rest, _4):
                    row, ps, qs = b_row + j * step, splat4(a, p + j, _1), splat4(a, q + j, _1)
                    for k in range(left, whole, _8):
                        x = load4(b, row + k, step)
                        store8(out, o + k, chain8(load8(out, o + k), ps, x))
                        store8(out, o1 + k, chain8(load8(out, o1 + k), qs, x))
                    if whole < right:
                        x, few = load4(b, row + whole, step), right - whole
                        s, t = load8(out, o + whole), load8(out, o1 + whole)
                        store_first8(out, o + whole, chain8(s, ps, x), s, few)
                        store_first8(out, o1 + whole, chain8(t, qs, x), t, few)
                for j in range(rest, stop):
                    row, p0, q0 = b_row + j * step, splat8(a[p + j]), splat8(a[q + j])
                    for k in range(left, whole, _8):
                        x0 = load8(b, row + k)
                        store8(out, o + k, fma8(p0, x0, load8(out, o + k)))
                        store8(out, o1 + k, fma8(q0, x0, load8(out, o1 + k)))
                    if whole < right:
                        x0, few = load8(b, row + whole), right - whole
                        s, t = load8(out, o + whole), load8(out, o1 + whole)
                        store_first8(out, o + whole, fma8(p0, x0, s), s, few)
                        store_first8(out, o1 + whole, fma8(q0, x0, t), t, few)


@njit()
def rows_by_rows(
    a: Floats,
    a_start: int,
    b: Floats,
    b_start: int,
    out: Floats,
    out_start: int,
    width: int,
    rows: int,
    pairs: int,
    runs: Runs,
    first_run: int,
    runs_on_rows: bool,
) -> None:
    """Add ``a @ b.T`` to `out`; a is (2 · pairs, width), b (rows, width).

    The runs of a pair of rows, from row `first_run` on, restrict the rows of b and columns of out
    (`runs_on_rows`) or the columns of a and b.
    """
    zeros = same4(splat8(a.dtype.type(0)))
    step, b_row = np.uint64(width), np.uint64(b_start)
    _, ranges, _ = runs.shape
    for block in range(_0, np.uint64(rows), _32):
        for pair in range(pairs):
            p, o = np.uint64(a_start + 2 * pair * width), np.uint64(out_start + 2 * pair * rows)
            q, o1 = p + step, o + np.uint64(rows)
            for run in range(ranges):
                start, end = runs[first_run + pair, run, 0], runs[first_run + pair, run, 1]
                if start == end:
                    continue
                first, stop, left, right = _0, np.uint64(rows), _0, step
                if runs_on_rows:
                    first, stop = start, end
                else:
                    left, right = start, end
                first = max(first, np.uint64(block))
                stop = max(first, min(stop, np.uint64(block + _32)))
                rest, whole = first + (stop - first) // _4 * _4, left + (right - left) // _8 * _8
                for j in range(first, rest, _4):
                    row, s, t = b_row + j * step, zeros, zeros
                    for k in range(left, whole, _8):
                        x, y, rows_of_b = load8(a, p + k), load8(a, q + k), load4(b, row + k, step)
                        s, t = fma4(x, rows_of_b, s), fma4(y, rows_of_b, t)
                    if whole < right:
                        few = right - whole
                        x, y = first8(load8(a, p + whole), few), first8(load8(a, q + whole), few)
                        rows_of_b = first4(load4(b, row + whole, step), few)
                        s, t = fma4(x, rows_of_b, s), fma4(y, rows_of_b, t)
                    add_halves(out, o + j, o1 + j, sums_of_eight(s, t))
                # Few rows are left, or there is but one: four sets of partial sums keep the core busy.
                wide = left + (whole - left) // _32 * _32
                for j in range(rest, stop):
                    row, s, t = b_row + j * step, zeros, zeros
                    for k in range(left, wide, _32):
                        x4 = load4(b, row + k, _8)
                        s, t = fma4(load4(a, p + k, _8), x4, s), fma4(load4(a, q + k, _8), x4, t)
                    for k in range(wide, whole, _8):
                        x = load8(b, row + k)
                        s, t = fma_to_first4(load8(a, p + k), x, s), fma_to_first4(load8(a, q + k), x, t)
                    if whole < right:
                        few = right - whole
                        x = first8(load8(b, row + whole), few)
                        s = fma_to_first4(first8(load8(a, p + whole), few), x, s)
                        t = fma_to_first4(first8(load8(a, q + whole), few), x, t)
                    out[o + j] += sum8(sum4(s))
                    out[o1 + j] += sum8(sum4(t))


@njit()
def columns(
    a: Floats,
    a_start: int,
    b: Floats,
    b_start: int,
    out: Floats,
    out_start: int,
    maps: int,
    count: int,
    width: int,
    runs: Runs,
    first_run: int,
) -> None:
    """Put ``a.T @ b`` into `out`; a is (maps, count), b (maps, width).

    Maps go in fours, the last perhaps a pair; their runs, from row `first_run` on, restrict the columns of b
    and out.
    """
    step, stride = np.uint64(width), np.uint64(count)
    _, ranges, _ = runs.shape
    for k in range(np.uint64(out_start), np.uint64(out_start + count * width)):
        out[k] = 0
    for block in range(_0, stride, _32):
        for four in range(maps // 4):
            a0, row = np.uint64(a_start + 4 * four * count), np.uint64(b_start + 4 * four * width)
            for run in range(ranges):
                left, right = runs[first_run + four, run, 0], runs[first_run + four, run, 1]
                whole, stop = left + (right - left) // _8 * _8, min(stride, block + _32)
                paired = stop // _2 * _2
                for i in range(block, paired, _2):
                    o = np.uint64(out_start) + i * step
                    o1, p, q = o + step, splat4(a, a0 + i, stride), splat4(a, a0 + i + _1, stride)
                    for k in range(left, whole, _8):
                        x = load4(b, row + k, step)
                        store8(out, o + k, chain8(load8(out, o + k), p, x))
                        store8(out, o1 + k, chain8(load8(out, o1 + k), q, x))
                    if whole < right:
                        x, few = load4(b, row + whole, step), right - whole
                        s, t = load8(out, o + whole), load8(out, o1 + whole)
                        store_first8(out, o + whole, chain8(s, p, x), s, few)
                        store_first8(out, o1 + whole, chain8(t, q, x), t, few)
                for i in range(paired, stop):
                    o, p = np.uint64(out_start) + i * step, splat4(a, a0 + i, stride)
                    for k in range(left, right, _8):
                        s = load8(out, o + k)
                        store_first8(out, o + k, chain8(s, p, load4(b, row + k, step)), s, right - k)
    if maps % 4:
        a0, r0 = np.uint64(a_start + (maps - 2) * count), np.uint64(b_start + (maps - 2) * width)
        a1, r1, last = a0 + stride, r0 + step, first_run + maps // 4
        for run in range(ranges):
            left, right = runs[last, run, 0], runs[last, run, 1]
            for i in range(stride):
                o, p0, p1 = np.uint64(out_start) + i * step, splat8(a[a0 + i]), splat8(a[a1 + i])
                for k in range(left, right, _8):
                    s = load8(out, o + k)
                    t = fma8(p1, load8(b, r1 + k), fma8(p0, load8(b, r0 + k), s))
                    store_first8(out, o + k, t, s, right - k)
