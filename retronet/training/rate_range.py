"""Finds rates that learn: the loss of small lots of digits while the rate grows from lot to lot."""

from collections.abc import Iterator

import msgspec
import numpy as np

from retronet.datasets import DigitSets
from retronet.elementary import powers
from retronet.engines.batches import Batches, batch_size
from retronet.engines.engine import make_engine
from retronet.errors import ChoiceError
from retronet.initial import initial_parameters
from retronet.network import NetworkSpec
from retronet.recipe import Recipe, SdlmBatch


class RatePoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The mean loss of one lot, each digit's taken before its step, in the recipe's unit."""

    rate: float
    loss: float


def rate_range(
    recipe: Recipe,
    network: NetworkSpec,
    digits: DigitSets,
    lowest: float,
    highest: float,
    lots: int = 100,
    lot: int = 64,
) -> Iterator[RatePoint]:
    """Train from the recipe's beginning with a rate that grows by one factor from lot to lot.

    Parameters
    ----------
    recipe, network, digits
        What to train; the recipe's schedule, rolls and dropout are not used.
    lowest, highest
        First and last rate.
    lots
        Number of rates.
    lot
        Digits of one rate, at least; whole batches are taken, in the order of the file, round and round.

    Yields
    ------
    RatePoint
        One for each rate, the last one where the loss leaves the range of finite numbers.

    Raises
    ------
    InputError
        If the rates do not grow or there are fewer than two.
    """
    if not 0 < lowest < highest or lots < 2:
        raise ChoiceError(
            f"The rates {lowest:g} to {highest:g} in {lots} lots can not be tried: the first must be above "
            "0, the last above the first, and two lots at least. Change them."
        )
    engine = make_engine(recipe, network)
    engine.load(initial_parameters(network, recipe.initial, recipe.seed), {}, steps=0)
    images = np.ascontiguousarray(digits.train.images, recipe.precision)
    labels = digits.train.labels
    if isinstance(recipe.rule, SdlmBatch):
        engine.measure_curvature(images[: recipe.rule.patterns], labels[: recipe.rule.patterns])
    batch = batch_size(recipe)
    steps = -(-lot // batch)
    rates = lowest * powers(highest / lowest, np.arange(lots) / (lots - 1))
    for number in range(lots):
        rate = float(rates[number])
        chosen = np.arange(number * steps * batch, (number + 1) * steps * batch) % len(labels)
        batches = Batches(images[chosen], labels[chosen], np.full(steps, rate), batch, None)
        loss = engine.learn(batches) / len(chosen)
        yield RatePoint(rate, loss)
        if not np.isfinite(loss):
            return
