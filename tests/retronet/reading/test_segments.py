"""Components against a flood, and what is dropped, joined and parted."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from support.slow_segments import flooded, slow_digits

from retronet.datasets import load
from retronet.errors import InputError
from retronet.reading import segments
from retronet.reading.compose import compose
from retronet.reading.segments import Segment, apart, components, counted, cut, digit_height, digits_in, union
from retronet.reading.threshold import binarised


def drawn(picture: str) -> NDArray[np.bool_]:
    return np.array([[mark == "#" for mark in line] for line in picture.split()])


def pixels(part: Segment) -> frozenset[tuple[int, int]]:
    return frozenset((part.row + row, part.column + column) for row, column in np.argwhere(part.ink).tolist())


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_components_are_what_a_flood_reaches(share: float) -> None:
    ink = np.random.default_rng(1).random((30, 41)) < share
    parts = components(ink)
    assert {pixels(part) for part in parts} == set(flooded(ink))
    assert [part.column for part in parts] == sorted(part.column for part in parts)


def page(*boxes: tuple[int, int, int, int]) -> NDArray[np.bool_]:
    ink = np.zeros((400, 800), bool)
    for row, column, rows, columns in boxes:
        ink[row : row + rows, column : column + columns] = True
    return ink


def boxes(lines: list[list[Segment]]) -> list[list[tuple[int, int, int, int]]]:
    return [[(part.row, part.column, *part.ink.shape) for part in line] for line in lines]


def test_lines_are_read_from_the_top_each_from_the_left() -> None:
    ink = page((210, 50, 40, 20), (10, 300, 40, 20), (14, 100, 36, 20), (200, 10, 44, 20))
    assert boxes(digits_in(ink)) == [
        [(14, 100, 36, 20), (10, 300, 40, 20)],
        [(200, 10, 44, 20), (210, 50, 40, 20)],
    ]


def test_dirt_and_drawn_lines_and_frames_are_dropped() -> None:
    digits = [(100, column, 40, 20) for column in (100, 140, 180, 220)]
    dirt = [(20, 30, 4, 4), (120, 500, 12, 3), (160, 100, 3, 200), (0, 600, 200, 6)]
    assert boxes(digits_in(page(*digits, *dirt))) == [digits]


def test_broken_strokes_are_joined_in_every_line() -> None:
    def five(row: int, column: int) -> list[tuple[int, int, int, int]]:
        return [(row, column + 4, 6, 20), (row + 9, column, 31, 20)]

    ink = page(*five(10, 100), (10, 140, 40, 20), *five(100, 108), (100, 180, 40, 20))
    assert boxes(digits_in(ink)) == [
        [(10, 100, 40, 24), (10, 140, 40, 20)],
        [(100, 108, 40, 24), (100, 180, 40, 20)],
    ]


def test_touching_digits_are_parted_where_there_is_least_ink() -> None:
    ink = page((100, 100, 40, 25), (120, 125, 3, 10), (100, 135, 40, 25), (100, 200, 40, 30))
    (line,) = digits_in(ink)
    assert [part.ink.shape[0] for part in line] == [40, 40, 40]
    assert 125 < line[0].right <= 135
    assert boxes([counted(line, 3)]) == boxes([line])


def test_halves_of_a_broken_digit_are_put_together_where_the_count_is_known() -> None:
    """A zero broken above and below beside two ones: its halves, though the ones are narrower together."""
    zero = "..##.##.. .#.....#. #.......# #.......# #.......# .#.....#. ..##.##.."
    ones = [(20, 160, 28, 4), (20, 172, 28, 4)]
    ink = page(*ones)
    ink[20:48, 100:136] = np.kron(drawn(zero), np.ones((4, 4), bool))
    parted = [(20, 100, 28, 16), (20, 120, 28, 16), *ones]
    assert boxes(digits_in(ink)) == [parted], "without the count, nobody knows"
    assert boxes(digits_in(ink, 4)) == [parted]
    assert boxes(digits_in(ink, 3)) == [[(20, 100, 28, 36), *ones]]
    assert boxes(digits_in(ink, 2)) == [[(20, 100, 28, 36), *ones]], "the ones stand too far apart"


@pytest.mark.parametrize(
    ("gap", "columns", "left"),
    [(7, 20, 1), (8, 20, 1), (9, 20, 2), (3, 27, 2)],
    ids=["near", "as far as may be", "farther than a fifth of the height", "wider than a digit"],
)
def test_only_pieces_of_one_digit_are_put_together(gap: int, columns: int, left: int) -> None:
    """From middle to middle of pixels it is one more than the paper between."""
    ink = page((10, 100, 40, columns), (10, 100 + columns + gap - 1, 40, columns))
    assert len(digits_in(ink)[0]) == 2
    assert len(digits_in(ink, 1)[0]) == left


@pytest.mark.parametrize("seed", range(8))
def test_ink_lies_apart_as_far_as_its_nearest_pixels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one, other = (
        Segment(rng.random((6, 5)) < 0.4, *(int(each) for each in rng.integers(0, 9, 2))) for _ in range(2)
    )
    pairs = [(a, b) for a in pixels(one) for b in pixels(other)]
    least = min((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 for a, b in pairs)
    assert apart(one, other) == apart(other, one) == math.sqrt(least)


def test_scratched_codes_have_their_digits_again() -> None:
    """Real digits, a thin line of paper down the middle of each second one that is no stroke itself."""
    test = load("digits5k").test
    broken = joined_again = 0
    for number in range(30):
        ink = binarised(compose(test, 5, 9, number, "easy").darkness)
        for part in digits_in(ink, 5)[0][::2]:
            middle = part.column + part.ink.shape[1] // 2
            ink[:, middle : middle + 2] &= part.ink.shape[1] < 16
        broken += len(digits_in(ink)[0]) > 5
        joined_again += len(digits_in(ink)[0]) > 5 and len(digits_in(ink, 5)[0]) == 5
    assert broken > 15
    assert joined_again >= 0.9 * broken


def test_five_digits_that_all_touch_are_no_line() -> None:
    code = [(100, 100 + 32 * place, 40, 28) for place in range(5)]
    ink = page(*code, (118, 100, 3, 156), (30, 30, 3, 3), (300, 500, 2, 2))
    assert [len(line) for line in digits_in(ink, 5)] == [5]
    assert [len(line) for line in digits_in(ink)] == [5]


def test_each_line_is_parted_until_it_has_its_digits() -> None:
    ink = page((10, 10, 40, 50), (10, 80, 40, 20), (100, 10, 40, 20), (100, 50, 40, 20), (100, 90, 40, 20))
    assert [len(line) for line in digits_in(ink, 3)] == [3, 3]
    assert [len(line) for line in digits_in(page((10, 10, 40, 1)), 3)] == [1], "a stroke has nothing to part"


def slow_cut(profile: list[int], count: int) -> list[int]:
    """Return the cuts: in each window the least profile, of equals the one nearest to even spacing."""
    pitch, cuts = len(profile) / count, [0]
    for number in range(1, count):
        first = max(cuts[-1] + 1, round((number - 0.3) * pitch))
        last = max(first + 1, min(len(profile) - 1, round((number + 0.3) * pitch)))
        cuts.append(min(range(first, last), key=lambda at: (profile[at], abs(at - number * pitch), at)))
    return cuts


@pytest.mark.parametrize("count", [2, 3, 5])
def test_cuts_are_at_the_columns_of_least_ink(count: int) -> None:
    ink = np.random.default_rng(count).random((9, 60)) < 0.5
    ink[0] = True
    pieces = cut(Segment(ink, 5, 7), count)
    assert [part.column - 7 for part in pieces] == slow_cut(ink.sum(axis=0).tolist(), count)
    assert sum(int(part.ink.sum()) for part in pieces) == ink.sum()


def test_the_height_of_digits_is_not_that_of_dirt_or_lines() -> None:
    ink = page(
        *((row, 100, 3, 3) for row in range(0, 300, 10)),
        (100, 200, 40, 20),
        (10, 200, 40, 20),
        (300, 0, 5, 700),
    )
    assert digit_height(components(ink)) == 40
    assert digit_height([]) == 0


def test_two_pieces_become_one() -> None:
    one, other = Segment(drawn("##\n#."), 4, 7), Segment(drawn(".#\n##"), 5, 8)
    both = union(one, other)
    assert pixels(both) == pixels(one) | pixels(other)


def test_no_ink_has_no_digits() -> None:
    assert digits_in(np.zeros((30, 30), bool)) == []
    assert digits_in(np.zeros((30, 30), bool), 5) == []


def test_noise_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "MOST_COMPONENTS", 10)
    ink = np.zeros((20, 20), bool)
    ink[::3, ::3] = True
    with pytest.raises(
        InputError, match=r"falls into 49 pieces of ink; at most 10 are allowed\. Scan it again"
    ):
        components(ink)


def test_specks_alone_are_no_digits() -> None:
    specks = [(row, column, 5, 4) for row in (10, 100) for column in range(20, 300, 30)]
    assert digits_in(page(*specks)) == []
    assert [
        len(line) for line in digits_in(page(*((row, column, 6, 4) for row, column, _, _ in specks)))
    ] == [10, 10]


def scrawled(seed: int) -> NDArray[np.bool_]:
    """Return strokes, specks and lines, drawn at random."""
    rng = np.random.default_rng(seed)
    ink = np.zeros((int(rng.integers(40, 140)), int(rng.integers(60, 260))), bool)
    for _ in range(int(rng.integers(1, 30))):
        row, column = (int(rng.integers(0, size)) for size in ink.shape)
        rows, columns = (int(2 ** rng.uniform(0, 5.5)) for _ in range(2))
        if rng.random() < 0.1:
            columns = 200
        ink[row : row + rows, column : column + columns] = rng.random() < 0.85
    return ink


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("digits", [None, 4])
def test_digits_are_what_the_rules_say(seed: int, digits: int | None) -> None:
    if seed % 2:
        code = compose(load("digits5k").test, 4, seed, 0, "hard")
        ink = binarised(code.darkness)
    else:
        ink = scrawled(seed)
    found = [[pixels(part) for part in line] for line in digits_in(ink, digits)]
    assert found == slow_digits(ink, digits)
