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
caller adds an empty map if it must), and ``runs[pair]`` lists the half-open ranges of taps that either map of
the pair reads; unused ranges are empty.

Every sum is taken in one order. That of rows_by_rows is the compiler's, fixed by the processor it compiles
for: same machine, same bytes.

Indices that do not start at zero are unsigned: a signed one may count from the end, and checking for that
keeps a loop from vectorising.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.floating]
_0, _1, _2, _3, _4 = (np.uint64(number) for number in range(5))


@njit(cache=True, fastmath={"contract"})
def rows_by_columns(a: Floats, b: Floats, runs: NDArray[np.uint64], runs_on_rows: bool, out: Floats) -> None:
    """Add ``a @ b`` to `out`.

    The runs of a pair of rows restrict the rows of b (`runs_on_rows`) or the columns of b and out.
    """
    for pair in range(runs.shape[0]):
        i, i1 = 2 * pair, 2 * pair + 1
        for run in range(runs.shape[1]):
            first, stop, left, right = _0, np.uint64(b.shape[0]), _0, np.uint64(b.shape[1])
            if runs_on_rows:
                first, stop = runs[pair, run, 0], runs[pair, run, 1]
            else:
                left, right = runs[pair, run, 0], runs[pair, run, 1]
            rest = first + (stop - first) // _4 * _4
            for j in range(first, rest, _4):
                j1, j2, j3 = j + _1, j + _2, j + _3
                p0, p1, p2, p3 = a[i, j], a[i, j1], a[i, j2], a[i, j3]
                q0, q1, q2, q3 = a[i1, j], a[i1, j1], a[i1, j2], a[i1, j3]
                for k in range(left, right):
                    x0, x1, x2, x3 = b[j, k], b[j1, k], b[j2, k], b[j3, k]
                    s = out[i, k] + p0 * x0
                    s += p1 * x1
                    s += p2 * x2
                    out[i, k] = s + p3 * x3
                    s = out[i1, k] + q0 * x0
                    s += q1 * x1
                    s += q2 * x2
                    out[i1, k] = s + q3 * x3
            for j in range(rest, stop):
                p0, q0 = a[i, j], a[i1, j]
                for k in range(left, right):
                    out[i, k] += p0 * b[j, k]
                    out[i1, k] += q0 * b[j, k]


@njit(cache=True, fastmath={"contract", "reassoc", "nsz"})
def rows_by_rows(a: Floats, b: Floats, runs: NDArray[np.uint64], runs_on_rows: bool, out: Floats) -> None:
    """Add ``a @ b.T`` to `out`.

    The runs of a pair of rows restrict the rows of b and columns of out (`runs_on_rows`) or the columns of a
    and b.
    """
    zero = a.dtype.type(0)
    for pair in range(runs.shape[0]):
        i, i1 = 2 * pair, 2 * pair + 1
        for run in range(runs.shape[1]):
            first, stop, left, right = _0, np.uint64(b.shape[0]), _0, np.uint64(a.shape[1])
            if runs_on_rows:
                first, stop = runs[pair, run, 0], runs[pair, run, 1]
            else:
                left, right = runs[pair, run, 0], runs[pair, run, 1]
            rest = first + (stop - first) // _4 * _4
            for j in range(first, rest, _4):
                j1, j2, j3 = j + _1, j + _2, j + _3
                s0, s1, s2, s3 = zero, zero, zero, zero
                t0, t1, t2, t3 = zero, zero, zero, zero
                for k in range(left, right):
                    p, q = a[i, k], a[i1, k]
                    x0, x1, x2, x3 = b[j, k], b[j1, k], b[j2, k], b[j3, k]
                    s0 += p * x0
                    s1 += p * x1
                    s2 += p * x2
                    s3 += p * x3
                    t0 += q * x0
                    t1 += q * x1
                    t2 += q * x2
                    t3 += q * x3
                out[i, j] += s0
                out[i, j1] += s1
                out[i, j2] += s2
                out[i, j3] += s3
                out[i1, j] += t0
                out[i1, j1] += t1
                out[i1, j2] += t2
                out[i1, j3] += t3
            for j in range(rest, stop):
                s0, t0 = zero, zero
                for k in range(left, right):
                    s0 += a[i, k] * b[j, k]
                    t0 += a[i1, k] * b[j, k]
                out[i, j] += s0
                out[i1, j] += t0


@njit(cache=True, fastmath={"contract"})
def columns(a: Floats, b: Floats, out: Floats) -> None:
    """Put ``a.T @ b`` into `out`; a and b have an even number of rows."""
    rows, count = a.shape
    out[:, :] = 0
    for i in range(0, count - 1, 2):
        i1 = i + 1
        for j in range(0, rows - 3, 4):
            p0, p1, p2, p3 = a[j, i], a[j + 1, i], a[j + 2, i], a[j + 3, i]
            q0, q1, q2, q3 = a[j, i1], a[j + 1, i1], a[j + 2, i1], a[j + 3, i1]
            for k in range(b.shape[1]):
                x0, x1, x2, x3 = b[j, k], b[j + 1, k], b[j + 2, k], b[j + 3, k]
                s = out[i, k] + p0 * x0
                s += p1 * x1
                s += p2 * x2
                out[i, k] = s + p3 * x3
                s = out[i1, k] + q0 * x0
                s += q1 * x1
                s += q2 * x2
                out[i1, k] = s + q3 * x3
        if rows % 4:
            j, j1 = rows - 2, rows - 1
            p0, p1, q0, q1 = a[j, i], a[j1, i], a[j, i1], a[j1, i1]
            for k in range(b.shape[1]):
                out[i, k] += p0 * b[j, k] + p1 * b[j1, k]
                out[i1, k] += q0 * b[j, k] + q1 * b[j1, k]
    if count % 2:
        i = count - 1
        for j in range(0, rows, 2):
            p0, p1 = a[j, i], a[j + 1, i]
            for k in range(b.shape[1]):
                out[i, k] += p0 * b[j, k] + p1 * b[j + 1, k]
