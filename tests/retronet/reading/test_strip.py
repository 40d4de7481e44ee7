"""Strips against exact areas."""

from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from retronet.reading.forms import FORMS
from retronet.reading.segments import components
from retronet.reading.strip import Strip, fields_of, strip_of, strips_of

FORM = FORMS[16, 16]["bipolar28"]


def slow_field(ink: NDArray[np.bool_], scale: Fraction, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return the share of each pixel that ink covers, the ink in the middle, by the areas of its cells."""
    above, before = (
        (Fraction(size) - count * scale) / 2 for size, count in zip(shape, ink.shape, strict=True)
    )
    field = np.zeros(shape)
    for row, column in np.argwhere(ink).tolist():
        y, x = above + row * scale, before + column * scale
        for down in range(max(int(y), 0), min(int(y + scale) + 1, shape[0])):
            high = max(Fraction(0), min(y + scale, Fraction(down + 1)) - max(y, Fraction(down)))
            for right in range(max(int(x), 0), min(int(x + scale) + 1, shape[1])):
                field[down, right] += float(
                    high * max(Fraction(0), min(x + scale, Fraction(right + 1)) - max(x, Fraction(right)))
                )
    return field


@pytest.mark.parametrize(("rows", "columns"), [(32, 100), (48, 61), (16, 31), (11, 90)])
def test_pixels_are_the_means_of_what_they_cover(rows: int, columns: int) -> None:
    ink = np.random.default_rng(rows).random((rows, columns)) < 0.7
    ink[[0, -1], [0, -1]] = True
    (part,) = [each for each in components(ink) if each.ink.shape == (rows, columns)]
    strip = strip_of([part], FORM, 4)
    assert strip.field.shape[0] == 28
    assert (strip.field.shape[1] - 28) % 4 == 0
    assert strip.scale == 16 / rows
    share = slow_field(part.ink, Fraction(16, rows), strip.field.shape)
    np.testing.assert_allclose(strip.field, 2 * share / share.max() - 1, atol=1e-6)
    ink_columns = np.flatnonzero((strip.field > -1).any(axis=0))
    assert int(strip.first) == ink_columns[0]
    assert strip.last == pytest.approx(strip.first + columns * 16 / rows)
    assert ink_columns[-1] < strip.last


def test_lines_come_from_the_top_and_dirt_is_dropped() -> None:
    ink = np.zeros((300, 400), bool)
    for row in (20, 200):
        for column in (50, 100, 150):
            ink[row : row + 40, column : column + 25] = True
    ink[120, 300] = True
    ink[270:273] = True
    first, second = strips_of(ink, FORM, 4)
    assert (first.line.row, first.line.column) == (20, 50)
    assert (second.line.row, second.line.column) == (200, 50)
    np.testing.assert_array_equal(first.field, second.field)


def test_a_line_of_uneven_digits_is_pressed_into_the_field() -> None:
    ink = np.zeros((200, 300), bool)
    ink[10:50, 10:40] = True
    ink[48:88, 60:90] = True
    ink[48:88, 110:140] = True
    ink[48:88, 160:190] = True
    ink[70:140, 220:250] = True
    for strip in strips_of(ink, FORM, 4):
        assert strip.scale * strip.line.ink.shape[0] <= 28


def test_fields_of_one_width_have_paper_at_the_right() -> None:
    line = components(np.ones((4, 4), bool))[0]
    strips = [Strip(np.full((28, width), 0.5, np.float32), 0, 1, line, 1) for width in (28, 36)]
    fields = fields_of(strips)
    assert fields.shape == (2, 28, 36)
    assert (fields[0, :, 28:] == -1).all()
    assert (fields[:, :, :28] == 0.5).all()


@pytest.mark.parametrize("size", FORMS)
def test_paper_and_ink_are_what_the_network_knows(size: tuple[int, int]) -> None:
    """As the preparation has them: those of an empty picture, and of one that is ink throughout."""
    levels = {
        "unit28": (0, 1), "unit32": (0, 1), "standard28": (-0.1307 / 0.3081, (1 - 0.1307) / 0.3081),
        "lenet5_32": (-0.1, (1 - 0.078) / 0.78),
    }  # fmt: skip
    plain = strip_of(components(np.ones((20, 50), bool)), FORM, 4).field
    for name, form in FORMS[size].items():
        paper, ink = levels.get(name, (-1, 1))
        assert form.levels == pytest.approx((paper, ink))
        (strip,) = strips_of(np.pad(np.ones((20, 50), bool), 9), form, 4)
        assert strip.field.shape[0] == form.rows
        assert (strip.field.min(), strip.field.max()) == pytest.approx((paper, ink))
        assert fields_of([strip, Strip(strip.field[:, :9], 0, 1, strip.line, 1, strip.paper)])[1, :, 9:] == (
            pytest.approx(paper)
        )
        if form is FORM:
            np.testing.assert_array_equal(strip.field, plain)
