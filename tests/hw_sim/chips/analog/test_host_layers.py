"""The layers beside a chip against the whole network in floating point."""

import numpy as np
from support.analog_network import draw

from hw_sim.chips.analog.host_layers import HostLayers, HostRetraining


def test_the_layers_beside_the_chip_are_those_of_the_network() -> None:
    trained, digits = draw()
    exact = trained.states(digits.test.images)
    for first, below in ((2, "b"), (4, "d")):
        host = HostLayers(trained, first)
        states = exact[below].reshape(len(digits.test.images), -1)
        np.testing.assert_array_equal(host.outputs(states), exact["output"][:, :, 0, 0])


def test_retraining_lowers_the_loss_on_the_digits_it_learns() -> None:
    trained, digits = draw(images=60)
    host = HostLayers(trained, 4)
    states = trained.states(digits.train.images)["d"].reshape(60, -1)
    labels, wanted = digits.train.labels, 2 * np.eye(10)[digits.train.labels] - 1
    learnt = host.retrained(states, labels, HostRetraining(10, 0.01))
    assert set(learnt) == {"output.weight", "output.bias"}
    before, after = (np.square(host.outputs(states, p) - wanted).mean() for p in (None, learnt))
    assert after < 0.5 * before
