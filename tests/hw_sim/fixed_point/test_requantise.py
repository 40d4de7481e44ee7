"""Scaling with an integer multiplier: the multiplier itself, and its two roundings."""

from fractions import Fraction

import numpy as np
import pytest
from msgspec.structs import replace
from support.all_kinds import NETWORK, changed
from support.small_network import draw, plan_of
from support.trained_networks import trained_of

from hw_sim.fixed_point.quantize import quantize
from hw_sim.fixed_point.requantise import multiplier_of
from hw_sim.fixed_point.trace import trace_integers
from hw_sim.formats.fixed import Fixed
from retronet.errors import InputError


@pytest.mark.parametrize("factor", [2.0**-31, 0.0007, 0.25, 0.9999999999, 1.0, 3.7, 2.0**29])
def test_the_multiplier_is_the_nearest_of_31_bits(factor: float) -> None:
    multiplier, shift = multiplier_of(factor)

    assert 2**30 <= multiplier < 2**31
    one = Fraction(2) ** (shift - 31)
    assert abs(multiplier * one - Fraction(factor)) <= one / 2


@pytest.mark.parametrize("factor", [2.0**-32, 2.0**30])
def test_factors_out_of_range_are_refused(factor: float) -> None:
    with pytest.raises(InputError, match=r"2\^-31 to 2\^30 are allowed"):
        multiplier_of(factor)


def test_one_rounding_and_two_differ_by_one_unit_now_and_then() -> None:
    parameters, pixels = draw(NETWORK, 5, 64)
    found = []
    for variant in ("single", "double"):
        plan = changed(
            plan_of(NETWORK, "s8.0", bias="s32.0"), weight_scale=(0.0078,), preactivation=Fixed(20, 0),
            preactivation_scale=0.0007, requantise=variant, state_scale=0.0135,
        )  # fmt: skip
        integers = quantize(trained_of(NETWORK, parameters), replace(plan, input_scale=0.0079))
        found.append(trace_integers(integers, pixels).layers[0].preactivations)
    difference = found[0] - found[1]
    assert np.abs(difference).max() == 1
    assert np.count_nonzero(difference) < difference.size / 10
