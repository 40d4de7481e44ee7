"""Staircases against casts in plain fractions: between the jumps, at the jumps, and nowhere else."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import reference_integer

from hw_sim.formats.fixed import Fixed
from hw_sim.formats.levels import Levels, PowerOfTwo, parse_format
from hw_sim.formats.modes import DETERMINISTIC, Overflow
from hw_sim.formats.staircase import CHANCES, staircase
from retronet.errors import InputError

fixed = st.builds(
    Fixed,
    bits=st.integers(1, 6),
    frac_bits=st.integers(-3, 8),
    signed=st.booleans(),
    rounding=st.sampled_from(DETERMINISTIC),
    overflow=st.sampled_from(Overflow),
)
level_sets = st.builds(
    Levels,
    levels=st.sets(st.integers(-30, 30), min_size=2, max_size=9).map(lambda found: tuple(sorted(found))),
    frac_bits=st.integers(0, 5),
)
powers = st.builds(PowerOfTwo, exponent_bits=st.integers(1, 3), top=st.integers(-3, 3), zero=st.booleans())


def output(value: Fraction, form: Any) -> Fraction:
    """Return what the slow reference makes of a number."""
    return reference_integer.code(value, form)[0] * Fraction(form.step)


@given(fixed | level_sets | powers, st.integers(1, 999))
@settings(deadline=None, max_examples=150)
def test_the_staircase_is_the_cast(form: Any, place: int) -> None:
    steps = staircase(form)
    edges = [Fraction(edge) for edge in steps.edges]
    for left, right, found in zip(edges, edges[1:], steps.outputs, strict=False):
        inside = left + (right - left) * Fraction(place, 1000)
        assert Fraction(found) == output(inside, form)
    for edge, found in zip(edges, steps.at_edges, strict=True):
        assert Fraction(found) == output(edge, form)
    for before, at, after in zip(steps.outputs, steps.at_edges[1:-1], steps.outputs[1:], strict=False):
        assert not before == at == after, "an edge at which nothing happens"


def test_a_half_falls_as_its_mode_says() -> None:
    wanted = {"RND": 1.0, "RND_ZERO": 0.0, "RND_MIN_INF": 0.0, "RND_INF": 1.0, "RND_CONV": 0.0}
    for mode, at_half in wanted.items():
        steps = staircase(parse_format(f"s3.0:{mode}:SAT"))
        assert dict(zip(steps.edges, steps.at_edges, strict=True))[0.5] == at_half


@pytest.mark.parametrize(
    ("text", "largest"),
    [("s3.0", 0.5), ("s3.0:TRN:SAT", 1.0), ("s4.2:RND_CONV:WRAP", 0.125), ("{-5,0,1}", 2.5), ("p2.0", 0.25)],
)
def test_the_largest_error_is_that_within_the_range(text: str, largest: float) -> None:
    assert staircase(parse_format(text)).largest_error == largest


def test_chance_goes_up_as_often_as_the_dropped_bits_say() -> None:
    steps = staircase(Fixed(8, 0, rounding=parse_format("s2.0:STOCHASTIC:SAT").rounding), -100.0, 100.0)
    assert steps.chance
    assert len(steps.edges) == 200 * CHANCES + 1
    errors = steps.at_edges - steps.edges
    assert np.abs(errors).max() < 1
    assert abs(errors.mean()) < 0.03  # five standard deviations are 0.036 at the most


def test_what_can_not_be_drawn_is_refused() -> None:
    with pytest.raises(InputError, match=r"from 2 to -1: the first number must be below the last. Name"):
        staircase(parse_format("s3.0"), 2.0, -1.0)
    with pytest.raises(
        InputError, match=r"s16.8 has 98,302 steps .* at most 2,048 are drawn. Name a shorter"
    ):
        staircase(parse_format("s16.8"))
    assert len(staircase(parse_format("s16.8"), -1.0, 1.0).outputs) == 513
