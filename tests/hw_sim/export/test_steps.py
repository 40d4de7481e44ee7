"""Steps give the states that the simulator looks up, with and without pre-activations."""

import numpy as np
import pytest
from msgspec.structs import replace
from support.export_networks import NETWORKS, changed, plans
from support.small_network import NETWORK, draw, plan_of
from support.trained_networks import trained_of

from hw_sim.export.steps import biased_bound, threshold_table_of_sums
from hw_sim.fixed_point.quantize import quantize
from hw_sim.fixed_point.trace import trace_integers
from hw_sim.formats.fixed import Fixed
from retronet.errors import InputError


@pytest.mark.parametrize("name", NETWORKS)
def test_states_of_all_sums_that_occur(name: str) -> None:
    network = NETWORKS[name]
    parameters, images = draw(network, 3, 20)
    tried = 0
    for plan in plans(network):
        integers = quantize(trained_of(network, parameters), plan)
        for layer, traced in zip(integers.layers, trace_integers(integers, images).layers, strict=True):
            if 2 * biased_bound(layer) > 1 << 20:
                continue
            tried += 1
            for number in range(layer.sized.output[0]):
                steps, sums = threshold_table_of_sums(layer, number), traced.after_bias[:, number]
                assert (np.diff(steps.thresholds) > 0).all()
                assert (np.diff(steps.levels) != 0).all()
                states = steps.levels[np.searchsorted(steps.thresholds, sums, side="right")]
                assert np.array_equal(states, traced.states[:, number])
    assert tried > 80


def test_too_many_sums_for_a_table_are_refused() -> None:
    plan = changed(plan_of(NETWORK, "s8.6", bias="s32.24"), preactivation=Fixed(8, 4))
    layer = quantize(trained_of(NETWORK, draw(NETWORK, 3, 1)[0]), replace(plan)).layers[0]
    with pytest.raises(InputError, match="The activation of layer 'a' can not be written as one table"):
        threshold_table_of_sums(layer, 0)
