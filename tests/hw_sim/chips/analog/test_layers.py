"""Layers of analog sums and comparators: their noise."""

import dataclasses
from typing import Any

import numpy as np
from scipy.stats import norm
from support.analog_network import compiled, draw

from hw_sim.chips.analog.layers import run_analog
from hw_sim.chips.anna.network import anna_network, layers_on_chip
from hw_sim.chips.anna.options import AnnaOptions
from hw_sim.chips.load import load_chip

ANNA = load_chip("anna")


QUIET: dict[str, Any] = {"noise": 0.0, "offset": 0.0, "mismatch": 0.0, "droop": 0.0}


@compiled
def test_noise_turns_a_comparator_as_often_as_a_normal_number_does() -> None:
    trained, digits = draw()
    network = anna_network(ANNA, trained, digits.train.images, AnnaOptions(**QUIET))
    (layer, *_) = layers_on_chip(network, None)
    start, sigma = 3.0, 2.0
    # With weights of 0 a sum is its bias and its noise.
    layer = dataclasses.replace(
        layer,
        weights=np.zeros_like(layer.weights),
        starts=np.full_like(layer.starts, start),
        references=np.full((len(layer.starts), 1), 4.0, np.float32),
        levels=np.array([0, 1], np.float32),
        sigma=np.full_like(layer.sigma, sigma),
    )
    pixels = np.zeros((150, 81), np.float32)
    states = run_analog((layer,), pixels, (5,))[0]
    share, count = norm.sf((4.0 - start) / sigma), states.size
    assert abs(states.mean() - share) < 4 * np.sqrt(share * (1 - share) / count)
    np.testing.assert_array_equal(states, run_analog((layer,), pixels, (5,))[0])
    for other in (run_analog((layer,), pixels, (6,))[0], np.roll(states, 1, axis=0), np.roll(states, 128, 0)):
        assert np.mean(states != other) > 0.3
