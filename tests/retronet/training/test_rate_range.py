"""The rate range test: rates grow by one factor, losses are the engine's own, nonsense is refused."""

import numpy as np
import pytest

from retronet.datasets import load
from retronet.errors import InputError
from retronet.network import load_network
from retronet.recipe import load_recipe, override
from retronet.training.rate_range import rate_range


def test_losses_fall_and_then_rise() -> None:
    recipe = override(load_recipe("karpathy2022"), {"data": "digits5k"})
    points = list(rate_range(recipe, load_network(recipe.network), load("digits5k"), 1e-3, 10.0, 13, 64))
    rates = np.array([point.rate for point in points])
    np.testing.assert_allclose(rates[1:] / rates[:-1], 10 ** (4 / 12), rtol=1e-12)
    losses = [point.loss for point in points]
    # Before any step the outputs are near the targets of no class: the loss is that of the recipe's unit.
    assert 0.3 < losses[0] < 1.5
    assert min(losses) < 0.6 * losses[0]
    assert losses.index(min(losses)) not in (0, len(losses) - 1)


def test_it_stops_where_the_loss_is_no_longer_finite() -> None:
    recipe = override(load_recipe("karpathy2022-modern-1"), {"data": "digits5k"})
    points = list(rate_range(recipe, load_network(recipe.network), load("digits5k"), 1.0, 1e45, 20, 64))
    assert len(points) < 20
    assert not np.isfinite(points[-1].loss)
    assert all(np.isfinite(point.loss) for point in points[:-1])


def test_rates_that_do_not_grow_are_refused() -> None:
    recipe = load_recipe("karpathy2022")
    with pytest.raises(InputError, match="can not be tried: the first must be above 0"):
        next(rate_range(recipe, load_network(recipe.network), load("digits5k"), 1.0, 1.0))
