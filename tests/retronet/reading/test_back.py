"""Digits drawn large and read back are nearly what they were."""

import numpy as np

from retronet.datasets import load
from retronet.reading.back import MARGIN, drawn_large, read_back
from retronet.reading.forms import FORMS, USPS16
from retronet.reading.normalise import normalised
from retronet.reading.threshold import binarised

DIGITS = 2 * load("digits5k", "unit28").test.images[:60] - 1


def test_a_digit_is_drawn_with_paper_around_it() -> None:
    large = drawn_large(DIGITS[0], 4)
    assert large.shape == (28 * 4 + 2 * MARGIN,) * 2
    assert (large[:MARGIN] == 0).all()
    inside = large[MARGIN:-MARGIN, MARGIN:-MARGIN]
    middles = np.interp((np.arange(112) + 0.5) / 4 - 0.5, np.arange(28), (DIGITS[0][14] + 1) / 2)
    between = (inside[14 * 4 + 1] + inside[14 * 4 + 2]) / 2
    np.testing.assert_allclose(
        between, middles, atol=0.13 * np.abs(np.diff((DIGITS[0] + 1) / 2, axis=0)).max()
    )


def test_what_is_read_back_is_the_drawn_ink_normalised() -> None:
    for image, back in zip(DIGITS[:5], read_back(DIGITS[:5], USPS16, 4), strict=True):
        np.testing.assert_array_equal(back, normalised(binarised(drawn_large(image, 4))))


def test_mnist_comes_back_as_mnist() -> None:
    form = FORMS[28, 28]["unit28"]
    back = np.array(list(read_back(DIGITS, form, 4)))
    wanted = (DIGITS + 1) / 2
    far = np.abs(back - wanted).mean()
    others = np.abs(back - np.roll(wanted, 1, axis=0)).mean()
    assert far < 0.05
    assert far < others / 3
