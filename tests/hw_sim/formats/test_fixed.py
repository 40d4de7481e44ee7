"""Casts against exact fractions and an outside implementation."""

import itertools
import math
from fractions import Fraction
from typing import Any

import apytypes
import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from support import reference_integer

from hw_sim.formats.fixed import Fixed, cast, cast_counted, to_fixed, to_fixed_counted
from hw_sim.formats.modes import DETERMINISTIC, Overflow, Rounding
from retronet.errors import InputError

MODES = list(itertools.product(DETERMINISTIC, Overflow))
APYTYPES = {
    Rounding.TRN: "TO_NEG",
    Rounding.TRN_ZERO: "TO_ZERO",
    Rounding.RND: "TIES_POS",
    Rounding.RND_ZERO: "TIES_ZERO",
    Rounding.RND_MIN_INF: "TIES_NEG",
    Rounding.RND_INF: "TIES_AWAY",
    Rounding.RND_CONV: "TIES_EVEN",
}
formats = st.builds(
    Fixed,
    bits=st.integers(1, 32),
    frac_bits=st.integers(-40, 70),
    signed=st.booleans(),
    rounding=st.sampled_from(DETERMINISTIC),
    overflow=st.sampled_from(Overflow),
)
integers = st.integers(-(2**61) + 1, 2**61 - 1)
reals = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(("rounding", "overflow"), MODES)
def test_small_formats_exhaustively(rounding: Rounding, overflow: Overflow) -> None:
    source = np.arange(-80, 81)
    for bits, frac_bits, signed in itertools.product((1, 2, 3, 5), (-2, 0, 1, 4, 6), (True, False)):
        form = Fixed(bits, frac_bits, signed, rounding, overflow)
        expected = [reference_integer.cast(Fraction(int(value), 16), form) for value in source]
        found, clipped = cast_counted(source, 4, form)
        assert found.tolist() == [value for value, _ in expected], form.text
        assert clipped == sum(changed for _, changed in expected), form.text
        from_reals, clipped_reals = to_fixed_counted(source / 16, form)
        assert np.array_equal(from_reals, found), form.text
        assert clipped_reals == clipped, form.text


@pytest.mark.parametrize("rounding", DETERMINISTIC)
@pytest.mark.parametrize(
    ("overflow", "signed"), [(Overflow.WRAP, True), (Overflow.WRAP, False), (Overflow.SAT, True)]
)
def test_agrees_with_apytypes(rounding: Rounding, overflow: Overflow, signed: bool) -> None:
    # Its arrays are signed; an unsigned WRAP is the same pattern read otherwise.
    source = np.arange(-512, 512)
    given_array = apytypes.APyFixedArray(source.tolist(), bits=11, frac_bits=5)
    for bits, frac_bits in itertools.product((2, 4, 7), (-1, 0, 2, 4, 5, 7)):
        form = Fixed(bits, frac_bits, signed, rounding, overflow)
        modes = (
            getattr(apytypes.QuantizationMode, APYTYPES[rounding]),
            getattr(apytypes.OverflowMode, overflow),
        )
        other = given_array.cast(bits=bits, frac_bits=frac_bits, quantization=modes[0], overflow=modes[1])
        patterns = np.array([value % 2**bits for value in other.to_bits()])
        assert np.array_equal(cast(source, 5, form) % 2**bits, patterns), form.text


@given(integers, st.integers(-80, 140), formats)
def test_integers_of_any_size_against_fractions(value: Any, frac_bits: int, form: Fixed) -> None:
    exact = value * Fraction(2) ** -frac_bits
    found, clipped = cast_counted(np.array([value]), frac_bits, form)
    assert (int(found[0]), bool(clipped)) == reference_integer.cast(exact, form)


@given(reals, formats)
def test_reals_of_any_size_against_fractions(value: Any, form: Fixed) -> None:
    found, clipped = to_fixed_counted(np.array([value]), form)
    assert (int(found[0]), bool(clipped)) == reference_integer.cast(Fraction(value), form)


@pytest.mark.parametrize("value", [5e-324, -5e-324, 1.7976931348623157e308, -1.7976931348623157e308])
@pytest.mark.parametrize("frac_bits", [-256, 0, 256])
def test_ends_of_float64(value: Any, frac_bits: int) -> None:
    for rounding, overflow in MODES:
        form = Fixed(8, frac_bits, True, rounding, overflow)
        assert int(to_fixed(np.array([value]), form)[0]) == reference_integer.cast(Fraction(value), form)[0]


@given(hnp.arrays(np.int64, 8, elements=integers), st.integers(-40, 70), formats)
def test_a_cast_is_idempotent_bounded_and_monotone(values: Any, frac_bits: int, form: Fixed) -> None:
    once = cast(np.sort(values), frac_bits, form)
    assert np.array_equal(cast(once, form.frac_bits, form), once)
    assert once.min() >= form.low
    assert once.max() <= form.high
    if form.overflow in (Overflow.SAT, Overflow.SAT_SYM):
        assert (np.diff(once) >= 0).all()


@given(integers, st.integers(1, 32), st.booleans())
def test_wrap_is_modulo(value: Any, bits: int, signed: bool) -> None:
    form = Fixed(bits, 0, signed, overflow=Overflow.WRAP)
    found = int(cast(np.array([value]), 0, form)[0])
    assert (found - value) % 2**bits == 0
    assert form.low <= found <= form.high


@given(formats)
def test_text_and_json_keep_the_format(form: Fixed) -> None:
    assert Fixed.parse(form.text) == form
    assert msgspec.json.decode(msgspec.json.encode(form), type=Fixed) == form


def test_range_is_printed_for_a_reader() -> None:
    assert Fixed.parse("s8.6").sentence == "s8.6: −2 … 1.984375, step 2^-6"
    assert Fixed.parse("u8.8").sentence == "u8.8: 0 … 0.99609375, step 2^-8"
    assert Fixed.parse("s4.-2").sentence == "s4.-2: −32 … 28, step 2^2"
    assert Fixed.parse("s2.1:RND:SAT_SYM").minimum == -0.5


@pytest.mark.parametrize("text", ["", "8.6", "s8", "s8.6:RND", "s8.6:SAT:RND", "s8.6 ", "x8.6"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="is not a number format"):
        Fixed.parse(text)


def test_no_bits_is_not_exact() -> None:
    with pytest.raises(InputError, match="0 bits can not be used: 1 to 32"):
        Fixed.parse("s0.0")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_refused(value: Any) -> None:
    with pytest.raises(InputError, match="1 of 2 are infinite or NaN"):
        to_fixed(np.array([0.0, value]), Fixed(8, 6))


def test_integers_beyond_the_proved_range_are_refused() -> None:
    with pytest.raises(InputError, match="not below 2\\^61"):
        cast(np.array([2**61]), 0, Fixed(8, 6))


def test_stochastic_rounding_is_right_on_average_and_repeats_itself() -> None:
    form = Fixed(8, 2, rounding=Rounding.STOCHASTIC)
    values = np.full(40_000, 0.3)
    found = to_fixed(values, form, (3, 1))
    assert set(found.tolist()) == {1, 2}
    # The mean of 40,000 draws is within 5 standard errors of 0.2.
    assert found.mean() - 1 == pytest.approx(0.2, abs=5 * 0.4 / 200)
    assert np.array_equal(found, to_fixed(values, form, (3, 1)))
    assert not np.array_equal(found, to_fixed(values, form, (3, 2)))
    exact = np.arange(-600, 600) / 4
    assert np.array_equal(to_fixed(exact, form), np.clip(exact * 4, -128, 127))


def test_stochastic_rounding_is_for_parameters() -> None:
    with pytest.raises(InputError, match="stochastic rounding is for parameters"):
        cast(np.array([1]), 4, Fixed(8, 2, rounding=Rounding.STOCHASTIC))
