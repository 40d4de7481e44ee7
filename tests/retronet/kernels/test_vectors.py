"""Eight numbers at a time: compiled instructions against exact fractions, and against their plain twins."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numba import njit

from retronet.kernels import interpreted, vectors

pytestmark = pytest.mark.skipif(vectors.fma is interpreted.fma, reason="Numba's compiler is switched off.")


@njit
def run_all(values: Any, outputs: Any, count: int) -> None:
    a, b, c = vectors.load8(values, 0), vectors.load8(values, 8), vectors.load8(values, 16)
    d, e = vectors.load4(values, 0, 8), vectors.load4(values, 3, 5)
    vectors.store8(outputs[0], 0, vectors.fma8(a, b, c))
    vectors.store8(outputs[1], 0, vectors.chain8(a, d, e))
    vectors.store8(outputs[2], 0, vectors.sum4(vectors.fma4(d, e, vectors.same4(c))))
    vectors.store8(outputs[3], 0, vectors.sum4(vectors.fma4(a, e, d)))
    vectors.store8(outputs[4], 0, vectors.sum4(vectors.fma_to_first4(a, b, d)))
    vectors.store8(outputs[FUSED], 0, vectors.add8(a, b))
    vectors.store8(outputs[FUSED + 1], 0, vectors.mul8(a, b))
    vectors.store8(outputs[FUSED + 2], 0, vectors.splat8(vectors.sum8(a)))
    vectors.store8(outputs[FUSED + 3], 0, vectors.sums_of_eight(d, e))
    vectors.store8(outputs[FUSED + 4], 0, vectors.sums_of_pairs(a, b))
    vectors.store8(outputs[FUSED + 5], 0, vectors.lower_twice(a))
    vectors.store8(outputs[FUSED + 6], 0, vectors.upper_twice(a))
    vectors.store8(outputs[FUSED + 7], 0, vectors.first8(a, count))
    vectors.store_first8(outputs[FUSED + 8], 0, a, b, count)
    vectors.add_halves(outputs[FUSED + 9], 0, 4, a)
    vectors.store8(outputs[FUSED + 10], 0, vectors.sub8(a, b))
    vectors.store8(outputs[FUSED + 11], 0, vectors.div8(a, b))
    vectors.store8(outputs[FUSED + 12], 0, vectors.sum4(vectors.first4(d, count)))
    vectors.store8(outputs[FUSED + 13], 0, vectors.sum4(vectors.splat4(values, 1, 7)))
    outputs[FUSED + 14, 0] = vectors.at_least8(a, b)


FUSED, ROWS = 5, 20
"""Rows that come first and have multiply-adds, and all rows."""


def plain(values: Any, count: int) -> Any:
    """Return what `run_all` stores, by the twins; rounded twice where it fuses."""
    outputs = np.zeros((ROWS, 8), values.dtype)
    a, b, c = values.reshape(6, 8)[:3]
    d, e = interpreted.load4(values, 0, 8), interpreted.load4(values, 3, 5)
    outputs[0] = interpreted.fma8(a, b, c)
    outputs[1] = interpreted.chain8(a, d, e)
    outputs[2] = interpreted.sum4(interpreted.fma4(d, e, interpreted.same4(c)))
    outputs[3] = interpreted.sum4(interpreted.fma4(a, e, d))
    outputs[4] = interpreted.sum4(interpreted.fma_to_first4(a, b, d))
    outputs[FUSED] = interpreted.add8(a, b)
    outputs[FUSED + 1] = interpreted.mul8(a, b)
    outputs[FUSED + 2] = interpreted.sum8(a)
    outputs[FUSED + 3] = interpreted.sums_of_eight(d, e)
    outputs[FUSED + 4] = interpreted.sums_of_pairs(a, b)
    outputs[FUSED + 5] = interpreted.lower_twice(a)
    outputs[FUSED + 6] = interpreted.upper_twice(a)
    outputs[FUSED + 7] = interpreted.first8(a, count)
    interpreted.store_first8(outputs[FUSED + 8], 0, a, b, count)
    interpreted.add_halves(outputs[FUSED + 9], 0, 4, a)
    outputs[FUSED + 10] = interpreted.sub8(a, b)
    outputs[FUSED + 11] = interpreted.div8(a, b)
    outputs[FUSED + 12] = interpreted.sum4(interpreted.first4(d, count))
    outputs[FUSED + 13] = interpreted.sum4(interpreted.splat4(values, 1, 7))
    outputs[FUSED + 14, 0] = interpreted.at_least8(a, b)
    return outputs


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("count", [0, 3, 8])
def test_instructions_are_their_twins(dtype: type, count: int) -> None:
    """Where nothing is rounded, whole numbers that are small, both give the same in every place."""
    values = np.random.default_rng(count).integers(-9, 10, 48).astype(dtype)
    values[values == 0] = 10  # what is divided by
    outputs = np.zeros((ROWS, 8), dtype)
    run_all(values, outputs, count)
    np.testing.assert_array_equal(outputs, plain(values, count))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sums_are_taken_in_the_stated_order(dtype: type) -> None:
    """Where everything is rounded, sums are still the twins' to the bit: the order is the same."""
    values = np.random.default_rng(1).standard_normal(48).astype(dtype)
    outputs = np.zeros((ROWS, 8), dtype)
    run_all(values, outputs, 5)
    np.testing.assert_array_equal(outputs[FUSED:], plain(values, 5)[FUSED:])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_multiply_add_rounds_once(dtype: type) -> None:
    """The rounding of the exact a · b + c; terms that nearly cancel tell one rounding from two."""
    random = np.random.default_rng(2)
    a, b = random.standard_normal((2, 8)).astype(dtype)
    c = -(a * b)
    outputs = np.zeros((ROWS, 8), dtype)
    run_all(np.concatenate([a, b, c, a, b, c]), outputs, 8)
    triples = zip(a.tolist(), b.tolist(), c.tolist(), strict=True)
    exact = [Fraction(x) * Fraction(y) + Fraction(z) for x, y, z in triples]
    assert any(exact)
    for one, stated in zip(outputs[0], exact, strict=True):
        assert one == dtype(float(stated)), "what is left of a product fits the type"
    assert (plain(np.concatenate([a, b, c, a, b, c]), 8)[0] == 0).all(), "two roundings leave nothing"
