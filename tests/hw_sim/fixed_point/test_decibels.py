"""Decibels against sixty digits."""

import math

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_sim.fixed_point.decibels import decibels

powers = st.floats(1e-100, 1e100)


@given(powers, powers)
def test_it_is_the_nearest_number_to_the_exact_one(signal: float, noise: float) -> None:
    with mpmath.workdps(60):
        exact = float(10 * mpmath.log10(mpmath.mpf(signal / noise)))
    found = decibels(signal, noise)
    # Rounded twice, to 28 digits and to a double: the neighbour at most.
    assert found is not None
    assert abs(found - exact) <= math.ulp(exact)


def test_ratios_of_ten_are_whole() -> None:
    assert [decibels(10.0**power, 1.0) for power in range(-3, 4)] == [-30, -20, -10, 0, 10, 20, 30]


@pytest.mark.parametrize(("signal", "noise"), [(0.0, 1.0), (1.0, 0.0), (0.0, 0.0)])
def test_without_signal_or_noise_there_is_none(signal: float, noise: float) -> None:
    assert decibels(signal, noise) is None
