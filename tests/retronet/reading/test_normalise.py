"""Normalisation against exact areas, pixel by pixel."""

from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from retronet.errors import InputError
from retronet.reading.normalise import box_of, coverage, normalised

SHAPES = [(1, 1), (1, 9), (9, 1), (16, 16), (16, 10), (7, 16), (40, 60), (61, 37), (5, 3), (200, 13)]


def shared(one: tuple[Fraction, Fraction], other: tuple[Fraction, Fraction]) -> Fraction:
    return max(Fraction(0), min(one[1], other[1]) - max(one[0], other[0]))


def slowly_normalised(ink: NDArray[np.generic], size: int) -> list[list[Fraction]]:
    """Return the mean of what each pixel covers, scaled to −1 … 1, in whole numbers and their ratios."""
    places = [
        (row, column) for row, line in enumerate(ink.tolist()) for column, dark in enumerate(line) if dark
    ]
    top, left = min(row for row, _ in places), min(column for _, column in places)
    rows = max(row for row, _ in places) + 1 - top
    columns = max(column for _, column in places) + 1 - left
    cell = Fraction(size, max(rows, columns))
    above, before = (size - rows * cell) / 2, (size - columns * cell) / 2
    grey = [[Fraction(0)] * size for _ in range(size)]
    for row, column in places:
        y, x = above + (row - top) * cell, before + (column - left) * cell
        for pixel_row in range(size):
            high = shared((y, y + cell), (Fraction(pixel_row), Fraction(pixel_row + 1)))
            if high:
                for pixel_column in range(size):
                    wide = shared((x, x + cell), (Fraction(pixel_column), Fraction(pixel_column + 1)))
                    grey[pixel_row][pixel_column] += high * wide * Fraction(ink[row, column].item())
    low, high = min(map(min, grey)), max(map(max, grey))
    if low == high:
        return [[Fraction(1)] * size for _ in range(size)]
    return [[2 * (each - low) / (high - low) - 1 for each in line] for line in grey]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("size", [16, 20])
def test_pixels_are_the_means_of_what_they_cover(shape: tuple[int, int], size: int) -> None:
    ink = np.random.default_rng(shape).random(shape) < 0.4
    ink[0, 0] = True
    exact = np.array([[float(each) for each in line] for line in slowly_normalised(ink, size)])
    np.testing.assert_allclose(normalised(ink, size), exact, rtol=0, atol=2e-7)


def test_grey_ink_is_weighed() -> None:
    ink = np.random.default_rng(3).integers(0, 256, (23, 31))
    exact = np.array([[float(each) for each in line] for line in slowly_normalised(ink, 16)])
    np.testing.assert_allclose(normalised(ink), exact, rtol=0, atol=2e-7)


def test_where_a_digit_lies_and_how_large_it_is_drawn_does_not_matter() -> None:
    ink = np.random.default_rng(4).random((13, 8)) < 0.5
    ink[[0, -1], [0, -1]] = True
    moved = np.pad(np.kron(ink, np.ones((5, 5), bool)), ((3, 70), (20, 1)))
    np.testing.assert_allclose(normalised(moved), normalised(ink), rtol=0, atol=2e-7)


def test_the_longer_side_fills_the_square_and_the_shorter_is_centred() -> None:
    bar, one = normalised(np.ones((40, 10), bool)), np.float32(1)
    np.testing.assert_allclose(bar[:, 6:10], one, atol=1e-6)
    assert (np.delete(bar, slice(6, 10), axis=1) == -1).all()
    np.testing.assert_array_equal(normalised(np.ones((10, 40), bool)) > 0, bar.T > 0)


@pytest.mark.parametrize("side", [*range(1, 40), 101])
def test_a_full_square_is_ink_throughout(side: int) -> None:
    assert (normalised(np.ones((side, side), bool)) == 1).all()


@pytest.mark.parametrize("columns", range(2, 17, 2))
def test_a_digit_that_fills_the_square_is_left_as_it_is(columns: int) -> None:
    grey = np.random.default_rng(columns).integers(1, 256, (16, columns))
    grey[0, 0], grey[1, 1] = 1, 255
    placed = np.pad(grey, ((0, 0), ((16 - columns) // 2,) * 2))
    low = placed.min()
    np.testing.assert_allclose(normalised(grey), 2 * (placed - low) / (255 - low) - 1, atol=2e-7)


def test_what_pixels_cover_adds_up() -> None:
    covered = coverage(37, 16, 11.5)
    np.testing.assert_allclose(covered.sum(axis=0), 1)
    np.testing.assert_allclose(covered.sum(axis=1)[4:12], 37 / 11.5)
    assert covered.shape == (16, 37)


def test_paper_alone_is_refused() -> None:
    with pytest.raises(InputError, match=r"has no ink; at least one pixel must not be zero\. Give a picture"):
        normalised(np.zeros((4, 5), bool))
    assert box_of(np.eye(3)) == (slice(0, 3), slice(0, 3))
