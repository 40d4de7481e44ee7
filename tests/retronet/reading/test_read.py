"""The stages one after the other, and what a reader is told."""

import numpy as np
import pytest
from numpy.typing import NDArray

from retronet.datasets import load
from retronet.errors import InputError
from retronet.reading.compose import compose
from retronet.reading.forms import FORMS
from retronet.reading.normalise import normalised
from retronet.reading.read import answered, check_legible, confidences, stages
from retronet.reading.segments import digits_in
from retronet.reading.threshold import binarised

TEST = load("digits5k").test
LINE = np.zeros((100, 400))
LINE[50:53] = 1


def nearest(digits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Answer with minus the distance to the nearest of some known digits of each class."""
    known = np.array([normalised(image > 0).ravel() for image in TEST.images[:300]])
    labels = TEST.labels[:300]
    far = np.array([np.square(known - each.ravel()).sum(axis=1) for each in digits])
    return -np.stack([far[:, labels == digit].min(axis=1) for digit in range(10)], axis=1)


def test_each_stage_gets_what_the_one_before_makes() -> None:
    code = compose(TEST, 5, seed=1, difficulty="easy")
    made = stages(code.darkness)
    np.testing.assert_array_equal(made.ink, binarised(code.darkness))
    (line,) = digits_in(made.ink)
    assert [(part.row, part.column) for part in made.lines[0]] == [(part.row, part.column) for part in line]
    np.testing.assert_array_equal(made.normalised, [normalised(part.ink) for part in line])
    wide = stages(code.darkness, form=FORMS[16, 16]["bipolar28"]).normalised
    np.testing.assert_array_equal(wide[:, 6:22, 6:22], made.normalised)


def test_a_code_is_read_and_its_digits_lie_where_they_are() -> None:
    code = compose(TEST, 5, seed=3, difficulty="easy")
    read = answered(stages(code.darkness, 5), nearest)
    ((text,), (line,)) = read.texts, read.lines
    assert len(text) == 5
    assert sum(one == other for one, other in zip(text, code.text, strict=True)) >= 3
    ink = 1 - code.levels / 255 > 0.5
    for each in line:
        assert ink[each.row : each.row + each.rows, each.column : each.column + each.columns].any()
    assert [each.column for each in line] == sorted(each.column for each in line)


def test_a_page_is_read_line_by_line_and_light_on_dark_too() -> None:
    codes = [compose(TEST, 5, seed=4, number=number, difficulty="easy") for number in range(3)]
    page = np.full((288, max(code.levels.shape[1] for code in codes)), 0.08, np.float32)
    for number, code in enumerate(codes):
        page[96 * number : 96 * (number + 1), : code.levels.shape[1]] = code.darkness
    alone = [answered(stages(code.darkness, 5), nearest).texts[0] for code in codes]
    read = answered(stages(page, 5), nearest)
    assert not read.turned
    assert [len(text) for text in read.texts] == [5, 5, 5]
    assert (
        sum(
            a != b
            for one, other in zip(read.texts, alone, strict=True)
            for a, b in zip(one, other, strict=True)
        )
        <= 1
    )
    turned = answered(stages(1 - page, 5), nearest)
    assert turned.turned
    assert turned.texts == read.texts


def test_digits_below_the_least_confidence_are_rejected() -> None:
    made = stages(compose(TEST, 5, seed=1, difficulty="easy").darkness, 5)
    outputs = np.zeros((5, 10))
    outputs[:, 3] = [1, 2, 3, 4, 5]
    read = answered(made, lambda _digits: outputs, 3)
    assert read.texts == ("--333",)
    assert [each.confidence for each in read.lines[0]] == [1, 2, 3, 4, 5]
    assert answered(made, lambda _digits: outputs).texts == ("33333",)


def test_confidence_is_the_lead_of_the_largest_output() -> None:
    outputs = np.random.default_rng(0).random((50, 10))
    wanted = [sorted(row)[-1] - sorted(row)[-2] for row in outputs.tolist()]
    np.testing.assert_array_equal(confidences(outputs), wanted)


@pytest.mark.parametrize(
    ("darkness", "why"),
    [
        (np.ones((30, 40)), "all its pixels are alike"),
        (np.zeros((1, 1)), "all its pixels are alike"),
        (LINE, "no piece of ink in its 100 × 400 pixels has the size of a digit"),
    ],
)
def test_a_picture_without_digits_is_refused(darkness: NDArray[np.float64], why: str) -> None:
    made = stages(darkness.astype(np.float32))
    assert answered(made, nearest).texts == ()
    with pytest.raises(
        InputError, match=rf"Nothing can be read in a\.png: {why}; dark digits on light paper"
    ):
        check_legible("a.png", made)


def test_the_pictures_of_a_page_can_be_let_go() -> None:
    made = stages(compose(TEST, 5, seed=1, difficulty="easy").darkness, 5)
    light = made.without_pictures
    assert light.darkness.size == light.ink.size == 0
    assert light.darkness.base is None, "no view that keeps the whole"
    assert answered(light, nearest) == answered(made, nearest)
