"""Counted work against loops that count."""

from fractions import Fraction

import numpy as np
import pytest

from retronet.datasets import load
from retronet.reading.compose import compose
from retronet.reading.forms import FORMS
from retronet.reading.read import stages
from retronet.reading.strip import strips_of
from retronet.reading.work import StageWork, normalisation_work, summed, work_of_stages


@pytest.mark.parametrize("shape", [(40, 60), (60, 40), (7, 16), (16, 16), (3, 50), (1, 1)], ids=str)
@pytest.mark.parametrize("size", [16, 20])
def test_normalising_is_counted_product_by_product(shape: tuple[int, int], size: int) -> None:
    rows, columns = shape
    cell = Fraction(size, max(rows, columns))

    def overlaps(count: int) -> int:
        """Return the pairs of a pixel and a cell that share some length."""
        start = (size - count * cell) / 2
        return sum(
            min(pixel + 1, start + cell * (each + 1)) > max(pixel, start + cell * each)
            for pixel in range(size)
            for each in range(count)
        )

    macs = (
        sum(overlaps(rows) for _ in range(columns))
        + sum(overlaps(columns) for _ in range(size))
        + size * size
    )
    touched = rows * columns + 2 * size * columns + size * size + 2 * size * size
    assert normalisation_work(np.ones(shape, bool), size) == (touched, macs)


def test_a_picture_is_counted_stage_by_stage() -> None:
    made = stages(compose(load("digits5k").test, 3, difficulty="easy").darkness, 3)
    threshold, components, normalisation = work_of_stages(made)
    rows, columns = made.ink.shape
    assert threshold == StageWork("threshold", 16 * rows * columns, 0)
    labelled = sum(2 + 6 * bool(pixel) for pixel in made.ink.ravel())
    assert components == StageWork("components", labelled, 0)
    each = [normalisation_work(part.ink) for line in made.lines for part in line]
    assert normalisation == StageWork(
        "normalisation", sum(one for one, _ in each), sum(two for _, two in each)
    )
    twice = summed([work_of_stages(made)] * 2)
    assert [one.pixels for one in twice] == [2 * one.pixels for one in (threshold, components, normalisation)]
    assert twice[2].macs == 2 * normalisation.macs


def test_a_strip_is_counted_in_place_of_its_digits() -> None:
    made = stages(compose(load("digits5k").test, 4, difficulty="easy").darkness, 4)
    strips = strips_of(made.ink, FORMS[16, 16]["bipolar28"], 4)
    ((rows, columns), (high, wide)) = (strips[0].line.ink.shape, strips[0].field.shape)
    cell = Fraction(strips[0].scale)

    def overlaps(count: int, size: int) -> int:
        start = (size - count * cell) / 2
        return sum(
            min(pixel + 1, start + cell * (each + 1)) > max(pixel, start + cell * each)
            for pixel in range(size)
            for each in range(count)
        )

    macs = overlaps(rows, high) * columns + overlaps(columns, wide) * high + high * wide
    touched = rows * columns + 2 * high * columns + 3 * high * wide
    *before, normalisation = work_of_stages(made, strips=strips)
    assert normalisation == StageWork("normalisation", touched, macs)
    assert before == list(work_of_stages(made)[:2])
