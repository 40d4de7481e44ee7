"""What is presented in a pass: order, rolls, silenced units, batches, held-out digits."""

import msgspec
import numpy as np
import pytest
from support.small_runs import NETWORK, small_digits, small_recipe

from retronet.engines.batches import CHUNK, batches_of_pass, dropped_units, rolled, split
from retronet.errors import InputError
from retronet.recipe import Dropout, Holdout, Recipe, override

DIGITS = small_digits(count=1500).train


def taught(recipe: Recipe, number: int = 1) -> dict[str, np.ndarray]:
    """Return the lessons of a pass, joined."""
    parts = list(batches_of_pass(recipe, DIGITS.images, DIGITS.labels, number, 8, np.float64))
    found = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("images", "labels", "rates")
    }
    if recipe.dropout:
        found["factors"] = np.concatenate([part.factors for part in parts if part.factors is not None])
    return found


def test_rolls_are_numpys_own() -> None:
    images = np.random.default_rng(0).random((4, 5, 7))
    shifts = np.array([[0, 0], [1, 0], [0, -2], [-1, 3]])

    found = rolled(images, shifts)

    for image, shift, roll in zip(images, shifts, found, strict=True):
        np.testing.assert_array_equal(roll, np.roll(image, tuple(shift), (0, 1)))


def test_rolls_are_spread_evenly_and_change_from_pass_to_pass() -> None:
    recipe = small_recipe(roll=1)
    wanted = {
        (down, across): np.roll(DIGITS.images, (down, across), (1, 2))
        for down in (-1, 0, 1)
        for across in (-1, 0, 1)
    }

    first, again, second = (taught(recipe, number)["images"] for number in (1, 1, 2))

    np.testing.assert_array_equal(first, again)
    assert (first != second).any()
    counts = [(first == images).all(axis=(1, 2)).sum() for images in wanted.values()]
    assert sum(counts) == 1500
    assert min(counts) > 110
    assert max(counts) < 230


def test_silenced_units() -> None:
    recipe = msgspec.structs.replace(small_recipe(), dropout=Dropout("b", 0.25))

    factors = taught(recipe)["factors"]

    assert factors.shape == (1500, 8)
    assert set(np.unique(factors)) == {0, 1 / 0.75}
    assert (factors == 0).mean(axis=0) == pytest.approx(0.25, abs=0.05)
    assert (factors != taught(recipe, 2)["factors"]).any()


@pytest.mark.parametrize(("layer", "units"), [("a", 27), ("b", 8), ("c", 6)])
def test_units_of_the_dropout_layer(layer: str, units: int) -> None:
    assert dropped_units(NETWORK, Dropout(layer, 0.5)) == units
    assert dropped_units(NETWORK, None) == 0


@pytest.mark.parametrize("layer", ["output", "h2"])
def test_only_hidden_units_are_silenced(layer: str) -> None:
    with pytest.raises(InputError, match=rf"'small' has no hidden layer '{layer}' .* it has a, b, c"):
        dropped_units(NETWORK, Dropout(layer, 0.5))


@pytest.mark.parametrize("batch", [1, 7, 128, 1500, 4000])
def test_batches_are_cut_the_same_wherever_lessons_end(batch: int) -> None:
    schedule = {"kind": "one-cycle", "peak": 0.1}
    recipe = override(small_recipe(schedule={"kind": "constant", "rate": 1.0}), {"schedule": schedule})
    recipe = override(recipe, {"rule": {"kind": "sgd", "batch": batch}, "order": "shuffled"})

    parts = list(batches_of_pass(recipe, DIGITS.images, DIGITS.labels, 2, 0, np.float64))

    assert all(len(part.labels) % batch == 0 for part in parts[:-1])
    assert all(len(part.rates) == -(-len(part.labels) // batch) for part in parts)
    assert max(len(part.labels) for part in parts) <= max(CHUNK, batch)
    assert sum(len(part.rates) for part in parts) == -(-1500 // batch)
    order = np.random.default_rng([recipe.seed, 2]).permutation(1500)
    np.testing.assert_array_equal(np.concatenate([part.images for part in parts]), DIGITS.images[order])


def test_the_split_is_scikit_learns() -> None:
    """train_test_split(range(10), test_size=0.2, random_state=42) is [5, 0, 7, 2, 9, 4, 3, 6], [8, 1]."""
    learnt, held_out = split(DIGITS, 10, Holdout(2, 42))

    assert held_out is not None
    np.testing.assert_array_equal(held_out.images, DIGITS.images[[8, 1]])
    np.testing.assert_array_equal(learnt.images, DIGITS.images[[5, 0, 7, 2, 9, 4, 3, 6]])
    np.testing.assert_array_equal(learnt.labels, DIGITS.labels[[5, 0, 7, 2, 9, 4, 3, 6]])


def test_all_digits_are_learnt_unless_some_are_left_out() -> None:
    assert split(DIGITS, None, None) == (DIGITS, None)
    np.testing.assert_array_equal(split(DIGITS, 100, None)[0].images, DIGITS.images[:100])
    with pytest.raises(InputError, match=r"Of 10 training digits 10 can not be held out"):
        split(DIGITS, 10, Holdout(10, 42))
