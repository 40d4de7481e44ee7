"""Level sets and powers of two."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import reference_integer

from hw_sim.formats.fixed import Fixed
from hw_sim.formats.levels import Levels, PowerOfTwo, begins_as_format, encode, parse_format
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


@given(level_sets | powers | st.builds(Fixed, st.integers(1, 32), st.integers(-9, 70), st.booleans()))
def test_formats_are_told_from_words_by_how_they_begin(form: Any) -> None:
    assert begins_as_format(form.text)
    for word in ("sat", "power-of-two", "percentile:99", "mse", "8 bits", "SAT_SYM", ""):
        assert not begins_as_format(word)
