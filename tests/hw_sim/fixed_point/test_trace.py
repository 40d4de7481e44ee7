"""A trace holds every integer, also of layers that a kernel has a shorter way for."""

import numpy as np
from msgspec.structs import replace
from support.small_network import check, draw, plan_of

from hw_sim.fixed_point.quantize import integer_network
from hw_sim.fixed_point.trace import trace
from retronet.network import Dense, NetworkSpec, Tanh


def test_sums_of_a_layer_with_one_unit_are_kept() -> None:
    network = NetworkSpec("narrow", "", (1, 4, 4), (Dense("a", 1, Tanh()), Dense("b", 3, Tanh())))
    parameters, images = draw(network, 0, 3)
    plan = plan_of(network, "s8.6")
    narrow = trace(integer_network(network, parameters, plan), images).layers[0]
    assert narrow.sums.shape == (3, 1, 1, 1)
    assert (narrow.sums != 0).all()
    assert np.array_equal(narrow.sums, narrow.preactivations)
    check(network, parameters, images, replace(plan, tap_order="plane_slowest"))
