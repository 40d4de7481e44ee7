"""Scale rules: what they say, and that they do it."""

import numpy as np
import pytest

from hw_sim.formats.fixed import Fixed
from hw_sim.formats.levels import Levels, encode
from hw_sim.formats.scales import ScaleRule, fit_scale, parse_rule
from retronet.errors import InputError


@pytest.mark.parametrize(
    "text",
    ["power-of-two", "max-abs/map", "percentile:99.9", "percentile:99.9999999", "mse", "threshold:0.7/map"],
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
