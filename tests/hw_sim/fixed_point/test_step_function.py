"""Thresholds of activations against fractions and arbitrary-precision arithmetic."""

import math
from fractions import Fraction
from itertools import pairwise
from typing import Any

import mpmath
import numpy as np
import pytest
from support import reference_integer

from hw_sim.fixed_point.step_function import look_up_states, step_function
from hw_sim.formats.fixed import Fixed
from hw_sim.formats.levels import Format, parse_format
from hw_sim.formats.modes import DETERMINISTIC, Overflow, Rounding
from hw_sim.plan.activations import Converter, HardwareActivation, PiecewiseLinear, Table
from retronet.errors import InputError
from retronet.network import HardTanh, Identity, Relu, Sigmoid, Tanh

LECUN = Tanh(1.7159, 2 / 3)
BENT = PiecewiseLinear(((-2.0, -1.5), (-0.5, -0.5), (0.0, -0.5), (0.5, 0.5), (2.0, 1.0)))
SUMS = np.arange(-300, 301)
LEVELS = ["{-5,0,1}", "{-1,1}", "{-7:7:2}.2", "p2.0", "p2.0z", "p3.1"]


def applied(activation: HardwareActivation, value: Fraction) -> Fraction:
    match activation:
        case Tanh():
            with mpmath.workdps(80):
                argument = mpmath.mpf(activation.slope) * value.numerator / value.denominator
                result = mpmath.mpf(activation.amplitude) * mpmath.tanh(argument)
                return Fraction(int(mpmath.floor(result * mpmath.mpf(2) ** 240)), 2**240)
        case Converter(gain=gain):
            return value * Fraction(gain)
        case PiecewiseLinear():
            points = [(Fraction(x), Fraction(y)) for x, y in activation.points]
            if value <= points[0][0]:
                return points[0][1]
            for (x0, y0), (x1, y1) in pairwise(points):
                if value <= x1:
                    return y0 + (value - x0) * (y1 - y0) / (x1 - x0)
            return points[-1][1]
    return reference_integer.activated(activation, value)


def stated(value: Fraction, form: Format) -> tuple[int, bool]:
    """Return the integer of an exact value in `form`, and whether it was clipped."""
    if isinstance(form, Fixed):
        return reference_integer.cast(value, form)
    steps, levels = value * Fraction(2) ** form.frac_bits, form.levels
    nearest = min(levels, key=lambda level: (abs(level - steps), -level))
    below = steps < levels[0] - Fraction(levels[1] - levels[0], 2)
    return nearest, below or steps >= levels[-1] + Fraction(levels[-1] - levels[-2], 2)


def check(
    activation: HardwareActivation, unit: Fraction, form: Format, scale: float, sums: Any, reach: int = 300
) -> None:
    found, clipped = look_up_states(
        step_function(activation, unit, form, scale, reach), np.asarray(sums, np.int64)
    )
    for total, state, clip in zip(sums, found.tolist(), clipped.tolist(), strict=True):
        value = applied(activation, int(total) * unit) / Fraction(scale)
        assert (state, clip) == stated(value, form), (activation, form.text, total)


@pytest.mark.parametrize("rounding", DETERMINISTIC)
@pytest.mark.parametrize("overflow", Overflow)
@pytest.mark.parametrize(
    "activation",
    [LECUN, Tanh(), Identity(), Relu(), Converter(0.75), BENT, Sigmoid(), HardTanh(), HardTanh(-0.3, 1.7)],
    ids=repr,
)
def test_every_sum_of_small_formats(
    rounding: Rounding, overflow: Overflow, activation: HardwareActivation
) -> None:
    for bits, frac_bits, signed in ((3, 1, True), (4, 4, False), (6, 5, True)):
        form = Fixed(bits, frac_bits, signed, rounding, overflow)
        check(activation, Fraction(1, 64), form, 1.0, SUMS[::3])
        check(activation, Fraction(0.013), form, 0.3, SUMS[::7])


@pytest.mark.parametrize("text", LEVELS)
def test_every_sum_of_sets_of_levels(text: str) -> None:
    for activation in (LECUN, Identity(), Relu(), Converter(1.25), BENT, Sigmoid(), HardTanh(0.1, 1.6)):
        check(activation, Fraction(1, 64), parse_format(text), 1.0, SUMS)
        check(activation, Fraction(0.021), parse_format(text), 0.7, SUMS[::5])


@pytest.mark.parametrize(
    ("state", "sum_bits"), [("s8.6", 13), ("s8.7:TRN:SAT", 20), ("s16.14", 30), ("s12.10:RND_CONV:SAT", 45)]
)
def test_both_sides_of_every_threshold_of_large_formats(state: str, sum_bits: int) -> None:
    form = Fixed.parse(state)
    unit = Fraction(1, 2**sum_bits)
    stairs = step_function(LECUN, unit, form)
    steps = np.unique(stairs.thresholds[stairs.thresholds < 2**60])
    assert len(steps) > 2 ** (form.bits - 1) - 2
    some = np.random.default_rng(5).choice(steps, min(len(steps), 300), replace=False)
    check(LECUN, unit, form, 1.0, np.concatenate((some - 1, some)))


@pytest.mark.parametrize(
    ("state", "sum_bits"), [("u8.8", 13), ("u8.8:TRN:SAT", 20), ("s16.15", 30), ("u12.12:RND_CONV:SAT", 45)]
)
def test_both_sides_of_every_threshold_of_the_sigmoid(state: str, sum_bits: int) -> None:
    form, unit = Fixed.parse(state), Fraction(1, 2**sum_bits)
    stairs = step_function(Sigmoid(), unit, form)
    steps = np.unique(stairs.thresholds[np.abs(stairs.thresholds) < 2**60])
    assert len(steps) > 2 ** (form.bits - form.signed) - 3
    some = np.random.default_rng(5).choice(steps, min(len(steps), 300), replace=False)
    far = 100 << sum_bits
    check(Sigmoid(), unit, form, 1.0, np.concatenate((some - 1, some, [-far, -1, 0, 1, far])))


@pytest.mark.parametrize("function", [Sigmoid(), HardTanh(-0.5, 0.75)], ids=repr)
def test_tables_of_other_bounded_functions(function: Sigmoid | HardTanh) -> None:
    table = Table(function, limit=4.0, entries=64, index=Rounding.RND, entry=Fixed.parse("s9.7:TRN:SAT"))
    found, _ = look_up_states(step_function(table, Fraction(1, 50), Fixed(7, 6)), SUMS)
    for total, value in zip(SUMS.tolist(), found.tolist(), strict=True):
        entry, _ = reference_integer.activate(table, Fraction(total, 50))
        assert value == stated(entry, Fixed(7, 6))[0], total


def test_amplitude_on_an_edge_is_never_reached() -> None:
    stairs = step_function(Tanh(1.0, 1.0), Fraction(1, 16), Fixed(8, 6, rounding=Rounding.TRN))
    assert look_up_states(stairs, np.array([2**50, -(2**50)]))[0].tolist() == [63, -64]


def test_states_too_fine_for_a_table_are_refused() -> None:
    with pytest.raises(InputError, match="at most 262,144 are allowed"):
        step_function(LECUN, Fraction(1, 2**30), Fixed(32, 30))


@pytest.mark.parametrize("state", ["s16.10:TRN:WRAP", "s8.7:TRN:WRAP", "s6.3:RND_CONV:SAT", "{-7:7:2}.3"])
def test_hls4ml_table_against_its_definition(state: str) -> None:
    form = parse_format(state)
    sums = np.arange(-5000, 5000, 3)
    found, _ = look_up_states(step_function(Table(), Fraction(1, 2**10), form), sums)
    for total, value in zip(sums.tolist(), found.tolist(), strict=True):
        index = min(max(int(total / 2**10 * 1024 / 8) + 512, 0), 1023)
        entry = math.floor(math.tanh(float(np.float32(8 * (index - 512) / 1024))) * 2**10)
        assert value == stated(Fraction(entry, 2**10), form)[0], total


def test_table_whose_entries_wrap() -> None:
    table = Table(LECUN, limit=2.0, entries=32, index=Rounding.RND, entry=Fixed.parse("s5.4:TRN:WRAP"))
    found, _ = look_up_states(step_function(table, Fraction(3, 100), Fixed(5, 4)), SUMS)
    for total, value in zip(SUMS.tolist(), found.tolist(), strict=True):
        index = min(max(math.floor(Fraction(3 * total * 8, 100) + Fraction(1, 2)), -16), 15)
        assert value == stated(applied(LECUN, Fraction(index, 8)), table.entry)[0]
    assert (np.diff(found) < 0).any()
