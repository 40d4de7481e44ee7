"""Casts of arrays against exact fractions, and against the loops of the kernels."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import reference_integer

from hw_sim.formats.casts import LIMIT, cast_integers, cast_reals, fit_all, rounded
from hw_sim.formats.fixed import Fixed
from hw_sim.formats.modes import DETERMINISTIC, Overflow, Rounding
from hw_sim.kernels.cast import cast_integer, cast_real

formats = st.builds(
    Fixed,
    bits=st.integers(1, 32),
    frac_bits=st.integers(-40, 70),
    signed=st.booleans(),
    rounding=st.sampled_from(DETERMINISTIC),
    overflow=st.sampled_from(Overflow),
)


def counted(values: list[Fraction], form: Fixed) -> tuple[list[int], int]:
    """Return the integers of exact values and how many did not fit."""
    pairs = [reference_integer.cast(value, form) for value in values]
    return [integer for integer, _ in pairs], sum(missed for _, missed in pairs)


def modes_of(form: Fixed) -> tuple[str, str, int, int]:
    return form.rounding.value, form.overflow.value, form.low, form.high


def codes_of(form: Fixed) -> tuple[int, int, int, int]:
    return form.rounding.code, form.overflow.code, form.low, form.high


@settings(deadline=None)
@given(formats, st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=9))
def test_reals_are_cast_as_exact_fractions_and_as_the_kernels_do(form: Fixed, values: list[float]) -> None:
    integers, missed = cast_reals(np.array(values), form.frac_bits, *modes_of(form))
    assert (integers.tolist(), missed) == counted([Fraction(value) for value in values], form)
    kernels = [cast_real(value, 2.0**form.frac_bits, *codes_of(form)) for value in values]
    assert ([int(kept) for kept, _ in kernels], sum(far for _, far in kernels)) == (integers.tolist(), missed)


@settings(deadline=None)
@given(formats, st.integers(-70, 70), st.lists(st.integers(1 - LIMIT, LIMIT - 1), min_size=1, max_size=9))
def test_integers_are_cast_as_exact_fractions_and_as_the_kernels_do(
    form: Fixed, shift: int, values: list[int]
) -> None:
    integers, missed = cast_integers(np.array(values, np.int64), shift, *modes_of(form))
    exact = [value * Fraction(2) ** -(shift + form.frac_bits) for value in values]
    assert (integers.tolist(), missed) == counted(exact, form)
    kernels = [cast_integer(value, shift, *codes_of(form)) for value in values]
    assert ([int(kept) for kept, _ in kernels], sum(far for _, far in kernels)) == (integers.tolist(), missed)


@pytest.mark.parametrize("mode", DETERMINISTIC)
def test_halves_and_quarters_are_rounded_by_every_mode(mode: Rounding) -> None:
    quarters = np.arange(-13, 14) / 4
    expected = [reference_integer.round_fraction(Fraction(value), mode.value) for value in quarters]
    assert rounded(quarters, mode.value).tolist() == expected


@pytest.mark.parametrize(("overflow", "kept"), [("WRAP", -8), ("SAT", 7), ("SAT_ZERO", 0)])
def test_what_is_one_too_large(overflow: str, kept: int) -> None:
    assert fit_all(np.array([8, 7, -8]), overflow, -8, 7).tolist() == [kept, 7, -8]


def test_a_mode_that_no_array_has_is_named() -> None:
    with pytest.raises(ValueError, match="STOCHASTIC is no rounding of an array"):
        rounded(np.zeros(1), "STOCHASTIC")
    with pytest.raises(ValueError, match="STOCHASTIC is no rounding of an integer"):
        cast_integers(np.zeros(1, np.int64), 1, "STOCHASTIC", "WRAP", -1, 0)
