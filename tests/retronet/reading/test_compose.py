"""Composed codes: what they hold, that their bytes stay, and that difficulty is what it says."""

import hashlib

import numpy as np
import pytest

from retronet.datasets import Dataset, load
from retronet.errors import InputError
from retronet.reading.compose import HEIGHT, LAYOUTS, Difficulty, compose, enlarged, stretched
from retronet.reading.pictures import png_bytes
from retronet.reading.segments import components
from retronet.reading.threshold import binarised

TEST = load("digits5k").test


@pytest.mark.parametrize("rows", [1, 7, 16, 48])
def test_stretching_is_linear_between_the_middles_of_pixels(rows: int) -> None:
    values = np.random.default_rng(rows).random((16, 3))
    middles = (np.arange(rows) + 0.5) * 16 / rows - 0.5
    wanted = np.stack([np.interp(middles, np.arange(16), column) for column in values.T], axis=1)
    np.testing.assert_allclose(stretched(values, rows), wanted, atol=1e-12)


def test_enlarged_ink_is_where_the_grey_is_above_the_middle() -> None:
    image = TEST.images[3]
    ink = enlarged(image, 48)
    big = stretched(stretched(image.astype(np.float64), 48).T, 48).T
    rows, columns = np.nonzero(big * 1.5 + 0.5 > 0)
    box = big[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    assert ink.shape == box.shape
    np.testing.assert_array_equal(ink > 0.5, box > 0)
    assert set(ink[[0, -1]].any(axis=1)) == set(ink[:, [0, -1]].any(axis=0)) == {True}


@pytest.mark.parametrize("difficulty", LAYOUTS)
def test_the_labels_are_those_of_the_digits(difficulty: Difficulty) -> None:
    for number in range(5):
        code = compose(TEST, 4, seed=7, number=number, difficulty=difficulty)
        assert code.text == "".join(str(TEST.labels[place]) for place in code.digits)
        assert len(code.text) == 4
        assert code.levels.shape[0] == 2 * HEIGHT
        assert code.darkness.dtype == np.float32
        assert code.darkness.min() >= 0
    assert compose(TEST, 4, 7, 0, difficulty).digits == compose(TEST, 4, 7, 0, "easy").digits


DIGESTS = {
    "easy": "61ff0266d04823a945534bb3206f347e1f48820ec017f88dae85907b600aa808",
    "medium": "3b80b3f96dfe15e1f7ffdf9e39a063bd20348920aae5b7adcc6d8182c77c7073",
    "hard": "96669c0525650affea5442604c51ab9d7330b349c87ad14086533c2cacd5efb9",
}


@pytest.mark.parametrize("difficulty", LAYOUTS)
def test_the_bytes_are_the_same_everywhere(difficulty: Difficulty) -> None:
    content = b"".join(png_bytes(compose(TEST, 5, 1, number, difficulty).levels) for number in range(3))
    assert hashlib.sha256(content).hexdigest() == DIGESTS[difficulty]


def test_easy_digits_stand_apart_and_hard_ones_do_not() -> None:
    def pieces(difficulty: Difficulty) -> float:
        codes = [compose(TEST, 5, 0, number, difficulty) for number in range(20)]
        return sum(len(components(binarised(code.darkness))) for code in codes) / 20

    assert 4.5 <= pieces("easy") <= 8
    assert pieces("hard") > 10, "specks are components too"


def test_what_can_not_be_composed_is_refused() -> None:
    other = Dataset((TEST.images + 1) / 2, TEST.labels, TEST.provenance)
    for digits, data in ((0, TEST), (5, other)):
        with pytest.raises(
            InputError, match=r"at least one, prepared from −1 to \+1, is needed\. Choose another"
        ):
            compose(data, digits)
