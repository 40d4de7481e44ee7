"""Digits between others: whose ink is where, in the same place every time."""

import hashlib

import numpy as np
import pytest

from retronet.datasets import load
from retronet.datasets.neighbours import ACROSS, DOWN, between_neighbours

ALONE = load("digits5k", "bipolar28").test.images[:200]
BESIDE = between_neighbours(ALONE)


def shifted(image: np.ndarray, down: int, across: int) -> np.ndarray:
    wide = np.pad(image, 2 * ACROSS, constant_values=-1)
    rows, columns = image.shape
    return wide[2 * ACROSS + down :, 2 * ACROSS + across :][:rows, :columns]


def test_each_digit_is_there_moved_by_little_and_only_ink_is_added() -> None:
    for alone, beside in zip(ALONE, BESIDE, strict=True):
        places = [
            shifted(alone, down, across)
            for down in range(-DOWN, DOWN + 1)
            for across in range(-ACROSS, ACROSS + 1)
        ]
        assert any((beside >= place).all() for place in places)


def test_most_have_neighbours_and_these_are_other_digits_ink() -> None:
    more = [
        (beside > -0.9).sum() > (alone > -0.9).sum() + 3 for alone, beside in zip(ALONE, BESIDE, strict=True)
    ]
    assert 0.7 < np.mean(more) <= 1
    assert BESIDE.min() == -1
    assert set(np.unique(BESIDE)) <= set(np.unique(ALONE)), "no grey is made up"


def test_they_are_the_same_every_time() -> None:
    np.testing.assert_array_equal(between_neighbours(ALONE), BESIDE)
    assert (
        hashlib.sha256(BESIDE.tobytes()).hexdigest()
        == "8c76ff355507ebde80e13655eb63dab093581043ecebd24d7d65bf51990c2a1b"
    )


def test_a_picture_without_ink_stays_without() -> None:
    assert (between_neighbours(np.full((1, 28, 28), -1, np.float32)) == -1).all()


@pytest.mark.parametrize("split", ["train", "test"])
def test_it_is_a_preparation_of_both_halves(split: str) -> None:
    digits = load("digits5k", "neighbours28")
    half, alone = getattr(digits, split), getattr(load("digits5k", "bipolar28"), split)
    assert half.provenance.preparation == "neighbours28"
    np.testing.assert_array_equal(half.images, between_neighbours(alone.images))
