"""The DSP-32C's words against printed ones and against plain fractions."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import reference_dsp32c as reference
from support.dsp_words import words

from hw_sim.chips.dsp32c.words import decode_words, encode_words, from_ieee, to_ieee, word_staircase
from hw_sim.formats.modes import Rounding
from retronet.errors import InputError

# Papers' §6.2.
CHECK_WORDS = {
    1.0: 0x00000080,
    2.0: 0x00000081,
    0.5: 0x0000007F,
    1.5: 0x40000080,
    -1.0: 0x8000007F,
    -1.5: 0xC0000080,
    -2.0: 0x80000080,
    0.0: 0x00000000,
    2.0**-127: 0x00000001,
    (2 - 2.0**-23) * 2.0**127: 0x7FFFFFFF,
    -(2.0**128): 0x800000FF,
}


@pytest.mark.parametrize(("value", "word"), CHECK_WORDS.items())
def test_check_words(value: float, word: int) -> None:
    assert int(encode_words(np.array([value]))[0]) == word
    assert float(decode_words(np.array([word], np.uint32))[0]) == value


@given(words(0, 255))
@settings(deadline=None)
def test_words_mean_what_the_format_says(word: int) -> None:
    value = decode_words(np.array([word], np.uint32))
    assert Fraction(float(value[0])) == reference.decode_words(word)
    assert int(encode_words(value)[0]) == (word if word & 0xFF else 0)


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_ieee_converts_there_and_back(pattern: int) -> None:
    single = np.array([pattern], np.uint32).view(np.float32)
    found = from_ieee(single)
    encode_words(found)  # raises for what is no number of the format
    if not np.isfinite(single[0]):
        assert found[0] == (-(2.0**128) if np.signbit(single[0]) else (2 - 2.0**-23) * 2.0**127)
    elif abs(float(single[0])) < 2.0**-126:
        assert found[0] == 0
        assert to_ieee(found)[0] == 0
    else:
        assert found[0] == single[0]
        assert to_ieee(found)[0] == single[0]


def test_what_ieee_can_not_hold() -> None:
    beyond = np.array([-(2.0**128), 2.0**-127, -(1 + 2.0**-23) * 2.0**-127, 1 + 2.0**-31, -1 - 2.0**-31])
    assert to_ieee(beyond).tolist() == [-np.inf, 0.0, 0.0, 1.0, -1.0]


@pytest.mark.parametrize("value", [1 + 2.0**-24, 2.0**-128, 2.0**128, -(2.0**-127)])
def test_what_is_no_number_of_the_format_is_refused(value: float) -> None:
    with pytest.raises(InputError, match="24 significant bits"):
        encode_words(np.array([value]))


@pytest.mark.parametrize("around", [1.0, -1.0, 0.25])
@pytest.mark.parametrize("mode", [Rounding.TRN, Rounding.RND])
def test_staircase_beside_a_power_of_two(mode: Rounding, around: float) -> None:
    """Each output is a word; a store takes the word below, the other the nearest."""
    steps = word_staircase(mode, around)
    encode_words(steps.outputs)  # refuses what is no word
    middle = 0.5 * (steps.edges[:-1] + steps.edges[1:])
    apart = abs(around) * 2.0**-23
    if mode is Rounding.TRN:
        assert (steps.outputs <= middle).all()
        assert (middle - steps.outputs < apart).all()
        assert (steps.at_edges[1:-1] == steps.edges[1:-1]).all()
    else:
        assert (np.abs(steps.outputs - middle) <= 0.5 * apart).all()
    gaps = np.diff(np.unique(steps.outputs))
    assert set(gaps) == {apart, 0.5 * apart}


def test_other_roundings_make_no_words() -> None:
    with pytest.raises(InputError, match=r"by RND_CONV: TRN, as stores do, and RND are allowed. Name one"):
        word_staircase(Rounding.RND_CONV)
