"""Activations of hardware that can not be."""

import math
from typing import Any

import pytest

from hw_sim.formats.fixed import Fixed
from hw_sim.formats.modes import Rounding
from hw_sim.plan.activations import PiecewiseLinear, Table
from retronet.errors import InputError


def test_activations_that_descend_are_refused() -> None:
    with pytest.raises(InputError, match="never descend"):
        PiecewiseLinear(((0.0, 1.0), (1.0, 0.5)))


@pytest.mark.parametrize(
    "points", [(), ((0.0, 0.0),), ((0.0, 0.0), (0.0, 1.0)), ((0.0, 0.0), (math.inf, 1.0))]
)
def test_points_that_are_no_lines_are_refused(points: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(InputError, match="two or more with ascending sums"):
        PiecewiseLinear(points)


@pytest.mark.parametrize(
    "fields", [{"index": Rounding.STOCHASTIC}, {"entry": Fixed(8, 6, rounding=Rounding.STOCHASTIC)}]
)
def test_a_table_is_not_rounded_by_chance(fields: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="A table can not be rounded stochastically"):
        Table(**fields)
