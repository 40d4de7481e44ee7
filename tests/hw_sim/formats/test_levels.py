"""Level sets, powers of two, stochastic rounding and scale rules."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import reference_integer

from hw_sim.formats.fixed import Fixed, Rounding, cast, quantize
from hw_sim.formats.levels import Levels, PowerOfTwo, encode, parse_format
from hw_sim.formats.scales import ScaleRule, fit_scale, parse_rule
from retronet.errors import InputError

level_sets = st.builds(
    Levels,
    levels=st.sets(st.integers(-300, 300), min_size=2, max_size=20).map(lambda found: tuple(sorted(found))),
    frac_bits=st.integers(0, 12),
)
powers = st.builds(PowerOfTwo, exponent_bits=st.integers(1, 4), top=st.integers(-20, 20), zero=st.booleans())
reals = st.floats(-1e6, 1e6)


@given(level_sets | powers, st.lists(reals, min_size=1, max_size=8))
def test_a_number_becomes_the_nearest_level(form: Any, values: list[float]) -> None:
    found, clipped = encode(np.array(values), form)
    expected = [reference_integer.code(Fraction(value), form) for value in values]
    assert found.tolist() == [level for level, _ in expected]
    assert clipped == sum(missed for _, missed in expected)
    again, missed = encode(found * form.step, form)
    assert np.array_equal(again, found)
    assert missed == 0


@given(level_sets | powers)
def test_text_gives_the_format_back(form: Any) -> None:
    assert parse_format(form.text) == form


def test_formats_of_the_chips_of_the_time() -> None:
    assert parse_format("{-15:15:2}.3") == Levels(tuple(range(-15, 16, 2)), 3)
    assert parse_format("{-15:15:2}.3").bits == 4
    assert (parse_format("{-5,0,1}").bits, parse_format("{-1,1}").bits) == (2, 1)
    states = PowerOfTwo(2)
    assert [level * states.step for level in states.levels if level > 0] == [0.125, 0.25, 0.5, 1.0]
    assert PowerOfTwo(2, zero=True).levels == (-8, -4, -2, 0, 2, 4, 8)
    assert parse_format("{-15:15:2}.3").sentence == "{-15:15:2}.3: 16 levels, −1.875 … 1.875"
    assert states.sentence == "p2.0: ±0.125 … ±1, powers of two"


@pytest.mark.parametrize(
    "text", ["{1}", "{1,0}", "{0,0}", "{-1,1}.-1", "{3:1:1}", "{0:4:0}", "p5.0", "p0.0", "p2"]
)
def test_texts_that_are_no_format_are_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"no format|not a set of levels|can not be used|not a power-of-two"):
        parse_format(text)


def test_stochastic_rounding_is_right_on_average_and_repeats_itself() -> None:
    form = Fixed(8, 2, rounding=Rounding.STOCHASTIC)
    values = np.full(40_000, 0.3)
    found = quantize(values, form, (3, 1))
    assert set(found.tolist()) == {1, 2}
    # The mean of 40,000 draws is within 5 standard errors of 0.2.
    assert found.mean() - 1 == pytest.approx(0.2, abs=5 * 0.4 / 200)
    assert np.array_equal(found, quantize(values, form, (3, 1)))
    assert not np.array_equal(found, quantize(values, form, (3, 2)))
    exact = np.arange(-600, 600) / 4
    assert np.array_equal(quantize(exact, form), np.clip(exact * 4, -128, 127))


def test_stochastic_rounding_is_for_parameters() -> None:
    with pytest.raises(InputError, match="stochastic rounding is for parameters"):
        cast(np.array([1]), 4, Fixed(8, 2, rounding=Rounding.STOCHASTIC))


@pytest.mark.parametrize(
    "text", ["power-of-two", "max-abs/map", "percentile:99.9", "mse", "threshold:0.7/map"]
)
def test_rules_are_read_as_written(text: str) -> None:
    assert parse_rule(text).text == text


@pytest.mark.parametrize(
    "text", ["", "max", "percentile", "percentile:0", "percentile:101", "mse:3", "threshold:0"]
)
def test_other_rules_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="is no scale rule"):
        parse_rule(text)


def test_scales_do_what_their_rule_says() -> None:
    values = np.random.default_rng(0).laplace(size=5_000)
    form = Fixed(4, 0)
    error = {}
    for text in ("power-of-two", "max-abs", "percentile:99", "mse"):
        scale, divisor = fit_scale(parse_rule(text), values, form)
        assert scale == divisor
        error[text] = np.square(values - encode(values / scale, form)[0] * scale).sum()
        if text == "power-of-two":
            assert float(np.log2(scale)).is_integer()
            assert np.abs(values).max() / scale <= 7 < 2 * np.abs(values).max() / scale
        if text == "max-abs":
            assert scale == np.abs(values).max() / 7
        if text == "percentile:99":
            assert np.mean(np.abs(values) <= 7 * scale) == pytest.approx(0.99, abs=1e-3)
    assert error["mse"] < min(error["power-of-two"], error["max-abs"], error["percentile:99"])
    # A step a hundredth larger or smaller is no better.
    scale = fit_scale(parse_rule("mse"), values, form)[0]
    for other in (0.99 * scale, 1.01 * scale):
        assert np.square(values - encode(values / other, form)[0] * other).sum() > error["mse"] * 0.999


def test_threshold_rule_by_hand() -> None:
    values = np.array([-1.0, -0.1, 0.2, 0.3, 0.9])
    scale, divisor = fit_scale(ScaleRule("threshold", 0.7), values, Levels((-1, 0, 1)))
    assert divisor == pytest.approx(2 * 0.7 * 0.5)  # the mean magnitude is 0.5
    assert scale == pytest.approx(0.95)
    assert encode(values / divisor, Levels((-1, 0, 1)))[0].tolist() == [-1, 0, 0, 0, 1]


def test_threshold_rule_is_for_three_levels() -> None:
    with pytest.raises(InputError, match=r"for the levels \{-1,0,1\}; the format is s4.0"):
        fit_scale(ScaleRule("threshold"), np.ones(3), Fixed(4, 0))
