"""Distorted copies: what is drawn, the maps, the pictures, and which copy is presented when."""

import math
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray
from support.small_runs import NETWORK, small_digits, small_recipe

from retronet.engines.batches import (
    batches_of_pass,
    paper_of,
    pictures,
    presentation_order,
    presentations,
)
from retronet.engines.distortion import distorted, drawn, moves_of
from retronet.recipe import Distortion, Recipe
from retronet.training.train import PassRecord, Training

ONE = 1 << 16
RANGES = {"shift": 1.5, "scale": 0.2, "squeeze": 0.1, "shear": 0.3}
WILD = Distortion(3, shift=4.0, scale=0.5, squeeze=0.5, shear=2.0)
STEP, LOWEST_64 = 0x9E3779B97F4A7C15, (1 << 64) - 1
STILL = [0, 0, ONE, ONE, 0]


def scrambled(number: int) -> int:
    """Return splitmix64's output for the state before it."""
    z = (number + STEP) & LOWEST_64
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & LOWEST_64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & LOWEST_64
    return z ^ (z >> 31)


def seen(image: NDArray[np.floating], move: NDArray[np.int64], paper: float) -> NDArray[np.floating]:
    """Return an image through its map, pixel by pixel, its places exact fractions."""
    rows, columns = image.shape
    shift_down, shift_across, down, across, shear = (Fraction(int(part), ONE) for part in move)
    number = image.dtype.type

    def at(row: int, column: int) -> np.floating:
        inside = 0 <= row < rows and 0 <= column < columns
        value: np.floating = image[row, column] if inside else number(paper)
        return value

    def blend(first: np.floating, second: np.floating, share: Fraction) -> np.floating:
        return number(first + number(number(second - first) * number(share)))

    out = np.empty_like(image)
    for row in range(rows):
        for column in range(columns):
            y, x = row - Fraction(rows - 1, 2), column - Fraction(columns - 1, 2)
            below = Fraction(rows - 1, 2) + down * y - shift_down
            aside = Fraction(columns - 1, 2) + across * x + shear * y - shift_across
            r, c = math.floor(below), math.floor(aside)
            pairs = [blend(at(each, c), at(each, c + 1), aside - c) for each in (r, r + 1)]
            out[row, column] = blend(*pairs, below - r)
    return out


def test_draws_are_counted_from_seed_digit_and_copy() -> None:
    assert [scrambled(0), scrambled(STEP)] == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4]  # splitmix64 from 0
    seed, digits, copies = (1 << 63) - 1, np.array([0, 59_999, 7]), np.array([1, 9, 9998])

    draws = drawn(seed, digits, copies)

    for digit, copy, row in zip(digits.tolist(), copies.tolist(), draws.tolist(), strict=True):
        state = scrambled((scrambled((scrambled(seed) + digit) & LOWEST_64) + copy) & LOWEST_64)
        each = [scrambled((state + k * STEP) & LOWEST_64) for k in range(5)]
        assert row == [2 * (number >> 40) + 1 - (1 << 24) for number in each]


def test_draws_are_spread_evenly_and_alike_for_no_two_copies() -> None:
    digits, copies = np.repeat(np.arange(4000), 2), np.tile([1, 2], 4000)

    draws = drawn(0, digits, copies)

    assert len(np.unique(draws)) > 39_900
    counts = [np.histogram(column, 8, (-(1 << 24), 1 << 24))[0] for column in draws.T]
    assert np.abs(np.array(counts) - 1000).max() < 5 * math.sqrt(1000)
    assert np.abs(np.corrcoef(np.hstack([draws[::2], draws[1::2]]).T) - np.eye(10)).max() < 0.08
    assert not (draws == drawn(1, digits, copies)).any(axis=1).all()


def test_maps_stay_within_their_ranges_and_come_near_them() -> None:
    digits = np.arange(3000)

    moves = moves_of(Distortion(1, **RANGES), 3, digits, np.ones(3000, np.int64)) / ONE

    for column, range_ in ((0, 1.5), (1, 1.5), (4, 0.3)):
        assert 0.99 * range_ < np.abs(moves[:, column]).max() <= range_
    down, across = moves[:, 2], moves[:, 3]
    assert 1.1 * 1.2 * 0.98 < max(down.max(), across.max()) <= 1.1 * 1.2
    assert 0.9 * 0.8 * 1.02 > min(down.min(), across.min()) >= 0.9 * 0.8 - 1e-4
    assert np.abs(down / across - 1).max() > 0.2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(6, 6), (5, 8), (1, 3)])
def test_pictures_against_exact_places(shape: tuple[int, int], dtype: type[np.floating]) -> None:
    images = np.random.default_rng(0).uniform(-1, 1, (40, *shape)).astype(dtype)
    moves = moves_of(WILD, 0, np.arange(40), np.arange(40) % 4)

    found = distorted(images, moves, -1.25)

    assert found.dtype == dtype
    for image, move, picture in zip(images, moves, found, strict=True):
        np.testing.assert_array_equal(picture, seen(image, move, -1.25))
    np.testing.assert_array_equal(found[::4], images[::4])  # copy 0 is the digit


def test_whole_shifts_move_the_picture() -> None:
    image = np.random.default_rng(0).uniform(-1, 1, (1, 6, 7)).astype(np.float32)

    found = distorted(image, np.array([[2 * ONE, -ONE, ONE, ONE, 0]]), 9.0)

    np.testing.assert_array_equal(found[0, 2:, :-1], image[0, :-2, 1:])
    assert (found[0, :2] == 9).all()
    assert (found[0, :, -1] == 9).all()


DIGITS = small_digits(count=1500).train


def of(each_pass: str, **changes: object) -> Recipe:
    return small_recipe(distortion=RANGES | {"copies": 2, "each_pass": each_pass}, **changes)


@pytest.mark.parametrize("order", ["file", "shuffled"])
def test_every_copy_has_its_turn(order: str) -> None:
    one, every = of("one", order=order), of("all", order=order)

    turns = [presentation_order(one, 1500, number) for number in (1, 2, 3)]

    assert (presentations(one, 1500), presentations(every, 1500)) == (1500, 4500)
    assert all(sorted(turn % 1500) == list(range(1500)) for turn in turns)
    assert sorted(np.concatenate(turns)) == list(range(4500))
    assert np.bincount(turns[0] // 1500).tolist() == [500, 500, 500]
    assert sorted(presentation_order(every, 1500, 1)) == list(range(4500))
    if order == "file":
        assert turns[0][:4].tolist() == [0, 1501, 3002, 3]
        assert presentation_order(every, 1500, 2).tolist() == list(range(4500))


@pytest.mark.parametrize("each_pass", ["one", "all"])
def test_engines_get_the_copies_with_their_labels(each_pass: str) -> None:
    recipe = of(each_pass, order="shuffled", seed=5)
    order = presentation_order(recipe, 1500, 2)
    copies, digits = np.divmod(order, 1500)
    moves = moves_of(recipe.distortion, 5, digits, copies) if recipe.distortion else None

    parts = list(batches_of_pass(recipe, DIGITS.images, DIGITS.labels, 2, 0, np.float32))

    images = np.concatenate([part.images for part in parts])
    paper = float(DIGITS.images.min())
    np.testing.assert_array_equal(images, distorted(DIGITS.images[digits], moves, paper))
    np.testing.assert_array_equal(np.concatenate([part.labels for part in parts]), DIGITS.labels[digits])
    assert sum(len(part.rates) for part in parts) == len(order)
    shown = pictures(recipe, DIGITS.images, order[:20], paper_of(recipe, DIGITS.images))
    np.testing.assert_array_equal(shown, images[:20])
    assert (copies[:20] > 0).any()


@pytest.mark.parametrize("each_pass", ["one", "all"])
def test_a_run_that_is_taken_up_again_sees_the_same(each_pass: str) -> None:
    recipe, digits = of(each_pass, passes=2, rule="sdlm-batch"), small_digits()
    straight, first, second = (Training(recipe, NETWORK, digits) for _ in range(3))
    records = [step for step in straight.run() if isinstance(step, PassRecord)]

    next(step for step in first.run() if isinstance(step, PassRecord))
    second.restore(first.state())
    last = [step for step in second.run() if isinstance(step, PassRecord)]

    assert last == records[1:]
    assert [each.presentations for each in records] == [n * presentations(recipe, 60) for n in (1, 2)]
    for name, array in straight.state().parameters.items():
        np.testing.assert_array_equal(second.state().parameters[name], array)


def test_both_engines_learn_the_same_copies() -> None:
    pytest.importorskip("torch")
    ours, torchs = (
        list(Training(of("one", passes=2, engine=engine, precision="float64"), NETWORK, small_digits()).run())
        for engine in ("numba", "torch")
    )

    for own, others in zip(ours, torchs, strict=True):
        if isinstance(own, PassRecord) and isinstance(others, PassRecord):
            assert own.running_loss == pytest.approx(others.running_loss, rel=1e-9)
