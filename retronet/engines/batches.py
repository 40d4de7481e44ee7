"""What is presented in a pass, and in which order: everything that is drawn at random while training.

Draws depend on seed and pass alone, so that a run that is taken up again, in whichever engine, sees the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike, NDArray

from retronet.datasets import Dataset
from retronet.engines.distortion import distorted, moves_of
from retronet.errors import ChoiceError
from retronet.network import NetworkSpec, sized_layers
from retronet.recipe import Adam, AdamW, Dropout, Holdout, Recipe, SdlmBatch, SdlmRunning, Sgd
from retronet.schedule import step_rates

CHUNK = 1024
"""About how many presentations an engine gets at once. It sets how often progress is told, no result."""

ROLLS, DROPPED = 1, 2
"""The streams of random numbers of a pass besides that of the order."""


@dataclass(frozen=True)
class Batches:
    """Patterns to learn one after the other.

    Attributes
    ----------
    images, labels
        Arrays (n, rows, columns) and (n,).
    rates
        The rate of each step, shape (steps,).
    batch
        Patterns of a step; the last step may have fewer.
    factors
        What the states of the dropout layer are multiplied by, shape (n, units); None without dropout.
    """

    images: NDArray[np.floating]
    labels: NDArray[np.uint8]
    rates: NDArray[np.floating]
    batch: int
    factors: NDArray[np.floating] | None


def batch_size(recipe: Recipe) -> int:
    """Return the patterns of a step."""
    match recipe.rule:
        case Sgd(batch=batch) | Adam(batch=batch) | AdamW(batch=batch):
            return batch
        case SdlmRunning() | SdlmBatch():
            return 1


def split(digits: Dataset, take: int | None, holdout: Holdout | None) -> tuple[Dataset, Dataset | None]:
    """Return the digits to learn and those held out for validation.

    Raises
    ------
    InputError
        If nothing is left to learn.
    """

    def pick(indices: NDArray[np.int64]) -> Dataset:
        return Dataset(digits.images[indices], digits.labels[indices], digits.provenance)

    kept = np.arange(len(digits.labels))[:take]
    if holdout is None:
        return (digits if take is None else pick(kept)), None
    if holdout.digits >= len(kept):
        raise ChoiceError(
            f"Of {len(kept)} training digits {holdout.digits} can not be held out: none would be left to "
            "learn. Lower holdout.digits."
        )
    # The recipe is scikit-learn's split, which draws from the legacy generator.
    shuffled = kept[np.random.RandomState(holdout.seed).permutation(len(kept))]
    return pick(shuffled[holdout.digits :]), pick(shuffled[: holdout.digits])


def dropped_units(network: NetworkSpec, dropout: Dropout | None) -> int:
    """Return the units of the dropout layer, 0 without dropout.

    Raises
    ------
    InputError
        If the layer is not one of the network's hidden ones.
    """
    if dropout is None:
        return 0
    hidden = {sized.name: sized.units for sized in sized_layers(network)[:-1]}
    if dropout.layer not in hidden:
        raise ChoiceError(
            f"Network '{network.name}' has no hidden layer '{dropout.layer}' to drop units of; "
            f"it has {', '.join(hidden) or 'none'}. Set dropout.layer to one of them."
        )
    return hidden[dropout.layer]


def presentations(recipe: Recipe, count: int) -> int:
    """Return the presentations of a pass over `count` digits."""
    distortion = recipe.distortion
    return count if distortion is None or distortion.each_pass == "one" else count * (distortion.copies + 1)


def presentation_order(recipe: Recipe, count: int, number: int) -> NDArray[np.int64]:
    """Return what is presented in pass `number`, in order.

    `count` are the digits; ``copy · count + digit`` stands for a distorted copy of one, copy 0 is itself.
    """
    of = presentations(recipe, count)
    shuffled = recipe.order == "shuffled"
    order = np.random.default_rng([recipe.seed, number]).permutation(of) if shuffled else np.arange(of)
    if recipe.distortion is not None and recipe.distortion.each_pass == "one":
        order += (order + number - 1) % (recipe.distortion.copies + 1) * count
    return order


def pictures(
    recipe: Recipe, images: NDArray[np.floating], chosen: NDArray[np.int64], paper: float
) -> NDArray[np.floating]:
    """Return the pictures of what `presentation_order` chose among the digits `images`, without rolls.

    `paper` is what lies beyond an image; not used without distortion.
    """
    if recipe.distortion is None:
        return images[chosen]
    copies, digits = np.divmod(chosen, len(images))
    return distorted(images[digits], moves_of(recipe.distortion, recipe.seed, digits, copies), paper)


def paper_of(recipe: Recipe, images: NDArray[np.floating]) -> float:
    """Return what lies beyond the pictures, for `pictures`."""
    return 0.0 if recipe.distortion is None else float(images.min())


def batches_of_pass(
    recipe: Recipe,
    images: NDArray[np.floating],
    labels: NDArray[np.uint8],
    number: int,
    units: int,
    dtype: DTypeLike,
) -> Iterator[Batches]:
    """Yield the lessons of pass `number`.

    Parameters
    ----------
    recipe
        Order, batch, rates, distortion, rolls and dropout.
    images, labels
        The digits to learn.
    number
        The pass, counted from 1.
    units
        The units of the dropout layer; not used without dropout.
    dtype
        The type of the factors.
    """
    order, paper = presentation_order(recipe, len(labels), number), paper_of(recipe, images)
    batch = batch_size(recipe)
    chunk = max(1, CHUNK // batch) * batch
    rates = step_rates(recipe.schedule, number, recipe.passes, -(-len(order) // batch))
    shifts = np.zeros((len(order), 2), np.int64)
    if recipe.roll:
        rolls = np.random.default_rng([recipe.seed, number, ROLLS])
        shifts = rolls.integers(-recipe.roll, recipe.roll, shifts.shape, endpoint=True)
    draws = None if recipe.dropout is None else np.random.default_rng([recipe.seed, number, DROPPED])
    for start in range(0, len(order), chunk):
        chosen = order[start : start + chunk]
        factors = None
        if recipe.dropout is not None and draws is not None:
            share = recipe.dropout.share
            factors = ((draws.random((len(chosen), units)) >= share) / (1 - share)).astype(dtype)
        shown = pictures(recipe, images, chosen, paper)
        yield Batches(
            images=rolled(shown, shifts[start : start + chunk]) if recipe.roll else shown,
            labels=labels[chosen % len(labels)],
            rates=rates[start // batch : -(-(start + len(chosen)) // batch)],
            batch=batch,
            factors=factors,
        )


def pieces(batches: Batches, steps: int, done: int) -> Iterator[Batches]:
    """Cut `batches` wherever the count of steps, `done` before it, is a multiple of `steps`."""
    total = len(batches.rates)
    ends = [end for end in range(1, total) if (done + end) % steps == 0]
    for first, last in zip([0, *ends], [*ends, total], strict=True):
        chosen = slice(first * batches.batch, last * batches.batch)
        yield Batches(
            batches.images[chosen],
            batches.labels[chosen],
            batches.rates[first:last],
            batches.batch,
            None if batches.factors is None else batches.factors[chosen],
        )


def rolled(images: NDArray[np.floating], shifts: NDArray[np.int64]) -> NDArray[np.floating]:
    """Return `images` (n, rows, columns), each rolled by its own shift (n, 2), down and across."""
    count, rows, columns = images.shape
    row = (np.arange(rows) - shifts[:, :1]) % rows
    column = (np.arange(columns) - shifts[:, 1:]) % columns
    each = np.arange(count)[:, np.newaxis, np.newaxis]
    moved: NDArray[np.floating] = images[each, row[:, :, np.newaxis], column[:, np.newaxis, :]]
    return moved
