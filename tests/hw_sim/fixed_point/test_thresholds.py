"""Exact inverses: the smallest integer at which a function reaches an edge, against fractions."""

import itertools
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from support import reference_integer

from hw_sim.fixed_point.thresholds import (
    NEVER,
    fixed_levels,
    line,
    rectified,
    rounding_edges,
    thresholds_of_tanh,
)
from hw_sim.formats.fixed import Fixed
from hw_sim.formats.modes import DETERMINISTIC, Rounding
from retronet.network import Tanh

TWICE = np.arange(-40, 41)
UNITS = [Fraction(1, 64), Fraction(3, 100), Fraction(0.013)]


def reaches(value: Fraction, twice: int, own: bool, size: Fraction) -> bool:
    edge = Fraction(twice, 2) * size
    return value > edge or (own and value == edge)


@pytest.mark.parametrize("rounding", DETERMINISTIC)
def test_edges_are_where_rounding_steps(rounding: Rounding) -> None:
    results = np.arange(-9, 10)
    for result, twice, own in zip(results.tolist(), *rounding_edges(rounding, results), strict=True):
        form = Fixed(16, 0, True, rounding)
        edge = Fraction(int(twice), 2)
        at, above = (reference_integer.cast(edge + extra, form)[0] for extra in (0, Fraction(1, 1000)))
        assert (at >= result) == own
        assert above >= result > reference_integer.cast(edge - Fraction(1, 1000), form)[0]


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("gain", [1.0, 0.75, 1.14])
def test_a_line_reaches_its_edges_where_it_is_said_to(unit: Fraction, gain: float) -> None:
    size = Fraction(0.3)
    for own in (np.ones(TWICE.shape, np.bool_), TWICE % 3 == 0):
        for twice, also, first in zip(TWICE, own, line(TWICE, own, size, unit, gain), strict=True):
            value = [Fraction(gain) * (int(first) + step) * unit for step in (-1, 0)]
            assert [reaches(each, int(twice), bool(also), size) for each in value] == [False, True]


@pytest.mark.parametrize("unit", UNITS)
def test_a_rectified_line_has_passed_all_that_lies_below_zero(unit: Fraction) -> None:
    own = TWICE % 2 == 0
    for twice, also, first in zip(TWICE, own, rectified(TWICE, own, Fraction(1, 4), unit), strict=True):
        if reaches(Fraction(0), int(twice), bool(also), Fraction(1, 4)):
            assert first == -NEVER
            continue
        value = [max((int(first) + step) * unit, Fraction(0)) for step in (-1, 0)]
        assert [reaches(each, int(twice), bool(also), Fraction(1, 4)) for each in value] == [False, True]


@pytest.mark.parametrize("unit", [*UNITS, Fraction(1, 2**45)])
@pytest.mark.parametrize("tanh", [Tanh(), Tanh(1.7159, 2 / 3)])
def test_a_tanh_reaches_its_edges_where_it_is_said_to(unit: Fraction, tanh: Tanh) -> None:
    size = Fraction(1, 16)
    found = thresholds_of_tanh(tanh, TWICE, np.ones(TWICE.shape, np.bool_), size, unit)
    with mpmath.workdps(60):
        for twice, first in zip(TWICE.tolist(), found.tolist(), strict=True):
            edge = mpmath.mpf(twice) / 32
            if abs(edge) >= tanh.amplitude:
                assert first == (NEVER if edge > 0 else -NEVER)
                continue
            scaled = [
                mpmath.mpf(tanh.slope) * (first + step) * unit.numerator / unit.denominator
                for step in (-1, 0)
            ]
            below, at = (mpmath.mpf(tanh.amplitude) * mpmath.tanh(each) for each in scaled)
            assert below < edge <= at


def test_a_format_is_asked_about_one_result_beyond_each_end_where_it_saturates() -> None:
    for text, (low, high) in itertools.product(["s4.0:RND:SAT", "s4.0:RND:WRAP"], [(-30, 30), (-3, 3)]):
        form = Fixed.parse(text)
        asked = fixed_levels(form, low, high)
        kept = (low, high) if text.endswith("WRAP") else (max(low, -9), min(high, 8))
        assert (asked[0], asked[-1]) == kept
