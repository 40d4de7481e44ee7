"""Pools, sigmoid, hard tanh and unequal borders on integers: every integer and count of the reference."""

import pytest
from support.random_networks import random_pools
from support.small_network import check, draw, plans_of_all_kinds
from support.trained_networks import trained_of

from hw_sim.plan.calibrate import calibrate

SEEDS = range(12)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_integer_is_that_of_the_reference(seed: int) -> None:
    network = random_pools(seed)
    parameters, images = draw(network, seed, 2)
    plans = plans_of_all_kinds(network)
    for plan in (plans[seed % len(plans)], plans[(seed + 5) % len(plans)]):
        check(network, parameters, images, plan)
    check(network, parameters, images, calibrate(trained_of(network, parameters), images, 6 + seed % 3))
