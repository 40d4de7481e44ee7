"""Levels in use, counted beside numbers cast one by one."""

from collections import Counter

import numpy as np
import pytest
from support.small_runs import DIGITS, NETWORK, small_recipe

from hw_sim import calibrate, trace
from hw_sim.formats.levels import encode, parse_format
from hw_sim.plan.rules import TensorRule
from hw_sim.studies.level_counts import level_counts
from retronet.initial import initial_parameters
from retronet.network import Conv, Dense, MaxPool, NetworkSpec, Rbf, Tanh
from retronet.trained import Trained

RECIPE = small_recipe()
TRAINED = Trained(NETWORK, initial_parameters(NETWORK, RECIPE.initial, 1), RECIPE)


@pytest.mark.parametrize("weights", [TensorRule(), TensorRule(form=parse_format("{-1,0,1}.2"))])
def test_counts_are_those_of_numbers_cast_one_by_one(weights: TensorRule) -> None:
    plan = calibrate(TRAINED, DIGITS.train, 4, weights=weights)
    found = {each.tensor: each for each in level_counts(TRAINED, DIGITS.test, plan)}
    traced = {layer.layer: layer for layer in trace(TRAINED, DIGITS.test, plan).layers}

    assert list(found) == [f"{name} {kind}" for name in "abc" for kind in ("weights", "states")] + [
        "output weights",
        "output states",
    ]
    for layer in plan.layers:
        each = found[f"{layer.layer} weights"]
        real = np.asarray(TRAINED.parameters[f"{layer.layer}.weight"], np.float64)
        divisors = np.array(layer.weight_divisor or layer.weight_scale).reshape(-1, *[1] * (real.ndim - 1))
        integers = encode(real / divisors, layer.weight)[0]
        wanted = Counter((integers * layer.weight.step).ravel().tolist())
        counted = dict(zip(each.values, each.counts, strict=True))
        if layer.layer == "b":  # its array has zeros where a map does not see a plane; they are no weights
            wanted[0.0] -= real.size - sum(each.counts)
        assert counted == +wanted
        assert each.text == layer.weight.text
        states = found[f"{layer.layer} states"]
        made = traced[layer.layer].states * layer.state.step
        assert dict(zip(states.values, states.counts, strict=True)) == Counter(made.ravel().tolist())
        assert states.total == traced[layer.layer].states.size
        assert states.levels_available == 16
        assert states.used == len(states.values) <= 16


def test_a_pool_has_states_alone_and_fixed_codes_stand_for_weights() -> None:
    network = NetworkSpec(
        "coded",
        "",
        (1, 6, 6),
        (
            Conv("a", 2, 3, Tanh(1.7159, 2 / 3)),
            MaxPool("p", 2),
            Dense("f", 4, Tanh(1.7159, 2 / 3)),
            Rbf("output", (("##..",), ("#.#.",), (".##.",))),
        ),
    )
    trained = Trained(network, initial_parameters(network, RECIPE.initial, 1), RECIPE)
    plan = calibrate(trained, DIGITS.train, 4)
    found = {each.tensor: each for each in level_counts(trained, DIGITS.test, plan)}

    assert list(found) == [
        "a weights", "a states", "p states", "f weights", "f states", "output codes", "output states",
    ]  # fmt: skip
    codes, distances = found["output codes"], found["output states"]
    assert (codes.values, codes.counts, codes.levels_available) == ((-1.0, 1.0), (6, 6), 2)
    states = trace(trained, DIGITS.test, plan).layers[-1].values.reshape(-1, 4)
    wanted = Counter(
        -sum((state - (1 if mark == "#" else -1)) ** 2 for state, mark in zip(row, code, strict=True))
        for row in states.tolist()
        for code in ("##..", "#.#.", ".##.")
    )
    assert distances.levels_available is None
    assert dict(zip(distances.values, distances.counts, strict=True)) == pytest.approx(wanted)
    assert (distances.minimum, distances.maximum) == (min(wanted), max(wanted))
