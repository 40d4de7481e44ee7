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

A matrix is a flat vector and where it starts there: making array views of it in each call costs a tenth of a
presentation. Indices are unsigned: a signed one may count from the end, and checking for that keeps a loop
from vectorising.

Every sum is taken in one order. That of rows_by_rows is the compiler's, fixed by the processor it compiles
for: same machine, same bytes.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Runs = NDArray[np.uint64]
_0, _1, _2, _3, _4 = (np.uint64(number) for number in range(5))


@njit(cache=True, fastmath={"contract"})
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
    for pair in range(pairs):
        p, o = np.uint64(a_start + 2 * pair * inner), np.uint64(out_start + 2 * pair * width)
        q, o1 = p + np.uint64(inner), o + step
        for run in range(runs.shape[1]):
            first, stop, left, right = _0, np.uint64(inner), _0, step
            if runs_on_rows:
                first, stop = runs[first_run + pair, run, 0], runs[first_run + pair, run, 1]
            else:
                left, right = runs[first_run + pair, run, 0], runs[first_run + pair, run, 1]
            rest = first + (stop - first) // _4 * _4
            for j in range(first, rest, _4):
                r0 = b_row + j * step
                r1, r2, r3 = r0 + step, r0 + _2 * step, r0 + _3 * step
                p0, p1, p2, p3 = a[p + j], a[p + j + _1], a[p + j + _2], a[p + j + _3]
                q0, q1, q2, q3 = a[q + j], a[q + j + _1], a[q + j + _2], a[q + j + _3]
                for k in range(left, right):
                    x0, x1, x2, x3 = b[r0 + k], b[r1 + k], b[r2 + k], b[r3 + k]
                    s = out[o + k] + p0 * x0
                    s += p1 * x1
                    s += p2 * x2
                    out[o + k] = s + p3 * x3
                    s = out[o1 + k] + q0 * x0
                    s += q1 * x1
                    s += q2 * x2
                    out[o1 + k] = s + q3 * x3
            for j in range(rest, stop):
                r0, p0, q0 = b_row + j * step, a[p + j], a[q + j]
                for k in range(left, right):
                    out[o + k] += p0 * b[r0 + k]
                    out[o1 + k] += q0 * b[r0 + k]


@njit(cache=True, fastmath={"contract", "reassoc", "nsz"})
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
    zero = a.dtype.type(0)
    step, b_row = np.uint64(width), np.uint64(b_start)
    for pair in range(pairs):
        p, o = np.uint64(a_start + 2 * pair * width), np.uint64(out_start + 2 * pair * rows)
        q, o1 = p + step, o + np.uint64(rows)
        for run in range(runs.shape[1]):
            first, stop, left, right = _0, np.uint64(rows), _0, step
            if runs_on_rows:
                first, stop = runs[first_run + pair, run, 0], runs[first_run + pair, run, 1]
            else:
                left, right = runs[first_run + pair, run, 0], runs[first_run + pair, run, 1]
            rest = first + (stop - first) // _4 * _4
            for j in range(first, rest, _4):
                r0 = b_row + j * step
                r1, r2, r3 = r0 + step, r0 + _2 * step, r0 + _3 * step
                s0, s1, s2, s3 = zero, zero, zero, zero
                t0, t1, t2, t3 = zero, zero, zero, zero
                for k in range(left, right):
                    x, y = a[p + k], a[q + k]
                    x0, x1, x2, x3 = b[r0 + k], b[r1 + k], b[r2 + k], b[r3 + k]
                    s0 += x * x0
                    s1 += x * x1
                    s2 += x * x2
                    s3 += x * x3
                    t0 += y * x0
                    t1 += y * x1
                    t2 += y * x2
                    t3 += y * x3
                out[o + j] += s0
                out[o + j + _1] += s1
                out[o + j + _2] += s2
                out[o + j + _3] += s3
                out[o1 + j] += t0
                out[o1 + j + _1] += t1
                out[o1 + j + _2] += t2
                out[o1 + j + _3] += t3
            for j in range(rest, stop):
                r0, s0, t0 = b_row + j * step, zero, zero
                for k in range(left, right):
                    s0 += a[p + k] * b[r0 + k]
                    t0 += a[q + k] * b[r0 + k]
                out[o + j] += s0
                out[o1 + j] += t0


@njit(cache=True, fastmath={"contract"})
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
    for k in range(np.uint64(out_start), np.uint64(out_start + count * width)):
        out[k] = 0
    # Rows of out are paired half the matrix apart: the compiler's one check that they do not overlap takes in
    # all the rows that either loop variable reaches, and neighbours would fail it.
    half = stride // _2
    for four in range(maps // 4):
        a0, r0 = np.uint64(a_start + 4 * four * count), np.uint64(b_start + 4 * four * width)
        a1, a2, a3 = a0 + stride, a0 + _2 * stride, a0 + _3 * stride
        r1, r2, r3 = r0 + step, r0 + _2 * step, r0 + _3 * step
        for run in range(runs.shape[1]):
            left, right = runs[first_run + four, run, 0], runs[first_run + four, run, 1]
            for i in range(half):
                i1 = i + half
                o, o1 = np.uint64(out_start) + i * step, np.uint64(out_start) + i1 * step
                p0, p1, p2, p3 = a[a0 + i], a[a1 + i], a[a2 + i], a[a3 + i]
                q0, q1, q2, q3 = a[a0 + i1], a[a1 + i1], a[a2 + i1], a[a3 + i1]
                for k in range(left, right):
                    x0, x1, x2, x3 = b[r0 + k], b[r1 + k], b[r2 + k], b[r3 + k]
                    s = out[o + k] + p0 * x0
                    s += p1 * x1
                    s += p2 * x2
                    out[o + k] = s + p3 * x3
                    s = out[o1 + k] + q0 * x0
                    s += q1 * x1
                    s += q2 * x2
                    out[o1 + k] = s + q3 * x3
            for i in range(_2 * half, stride):
                o = np.uint64(out_start) + i * step
                p0, p1, p2, p3 = a[a0 + i], a[a1 + i], a[a2 + i], a[a3 + i]
                for k in range(left, right):
                    s = out[o + k] + p0 * b[r0 + k]
                    s += p1 * b[r1 + k]
                    s += p2 * b[r2 + k]
                    out[o + k] = s + p3 * b[r3 + k]
    if maps % 4:
        a0, r0 = np.uint64(a_start + (maps - 2) * count), np.uint64(b_start + (maps - 2) * width)
        a1, r1, last = a0 + stride, r0 + step, first_run + maps // 4
        for run in range(runs.shape[1]):
            left, right = runs[last, run, 0], runs[last, run, 1]
            for i in range(stride):
                o, p0, p1 = np.uint64(out_start) + i * step, a[a0 + i], a[a1 + i]
                for k in range(left, right):
                    s = out[o + k] + p0 * b[r0 + k]
                    out[o + k] = s + p1 * b[r1 + k]
