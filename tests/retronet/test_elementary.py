"""Exponential, logarithm, tangent and cosine against 40 digits; arrays and kernels bit for bit alike."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf

from retronet import elementary
from retronet.kernels import elementary as kernels

RNG = np.random.default_rng(0)
SPREAD = np.concatenate([RNG.uniform(-30, 3, 800), RNG.uniform(-700, 700, 300), [0.0, -1e-300, 1e-17]])
POSITIVE = np.concatenate(
    [RNG.uniform(0, 20, 800), 10.0 ** RNG.uniform(-300, 300, 300), 1 + RNG.uniform(-1e-3, 1e-3, 300), [1.0]]
)


def worst(function: Callable[[float], float], exact: Callable[[Any], Any], values: np.ndarray) -> float:
    """Return the largest error in units in the last place of the exact value."""
    mp.dps = 40
    errors = []
    for value in values.tolist():
        wanted = exact(mpf(value))
        errors.append(abs(mpf(float(function(value))) - wanted) / math.ulp(float(wanted)))
    return float(max(errors))


def test_errors_in_the_last_place() -> None:
    assert worst(kernels.exp, mp.exp, SPREAD) < 2
    assert worst(kernels.log, mp.log, POSITIVE) < 3
    assert worst(kernels.tanh, mp.tanh, SPREAD) < 3


def test_arrays_and_kernels_have_the_same_bits() -> None:
    assert elementary.exp(SPREAD).tolist() == [kernels.exp(value) for value in SPREAD.tolist()]
    assert elementary.log(POSITIVE).tolist() == [kernels.log(value) for value in POSITIVE.tolist()]


@pytest.mark.parametrize(
    ("value", "exponential", "logarithm"),
    [
        (math.inf, math.inf, math.inf),
        (-math.inf, 0.0, math.nan),
        (math.nan, math.nan, math.nan),
        (0.0, 1.0, -math.inf),
        (800.0, math.inf, math.log(800.0)),
        (-800.0, 0.0, math.nan),
    ],
)
def test_ends_of_the_range(value: float, exponential: float, logarithm: float) -> None:
    for module in (elementary, kernels):
        np.testing.assert_equal(float(module.exp(value)), exponential)
        np.testing.assert_allclose(float(module.log(value)), logarithm, rtol=1e-15)


def test_powers_decibels_and_cosines() -> None:
    assert elementary.powers(10.0, [0.0, 2.0, -3.5]) == pytest.approx([1.0, 100.0, 10**-3.5], rel=1e-14)
    assert elementary.decibels_of_ratio(1e3) == pytest.approx(30.0, rel=1e-15)
    for power in (elementary.whole_power, kernels.whole_power):
        assert power(0.9, 45) == pytest.approx(0.9**45, rel=1e-14)
        assert power(3.0, 0) == 1.0
    shares = np.linspace(0, 1, 1001)
    np.testing.assert_allclose(elementary.half_cosine(shares), np.cos(np.pi * shares), rtol=0, atol=4e-16)
