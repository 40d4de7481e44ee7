"""What a notebook's first cells do, from digits to a curve and a chip, in the words of the two packages."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numba
import pytest

import hw_sim as hw
import retronet as rn


@pytest.fixture(scope="module")
def digits() -> Any:
    if numba.config.DISABLE_JIT:
        pytest.skip("thousands of digits need compiled code")
    return rn.load_digits("digits5k")


@pytest.fixture(scope="module")
def trained(digits: Any) -> Any:
    return rn.train("lecun1989", digits, seed=0, passes=2)


@pytest.fixture(scope="module")
def plan(trained: Any, digits: Any) -> Any:
    return hw.calibrate(
        trained, digits.train, weights="6 bits, mse/map", states="s4.2", sums="s18.10:TRN:WRAP"
    )


def test_a_trained_network_is_told_in_one_line(trained: Any) -> None:
    assert isinstance(trained, rn.Trained)
    assert repr(trained).startswith("Trained(lecun1989: 9,760 parameters")
    assert "\n" not in repr(trained)


def test_a_plan_is_simulated_beside_floating_point(trained: Any, digits: Any, plan: Any) -> None:
    result = hw.simulate(trained, digits.test, plan)

    assert (plan.input.text, plan.layers[0].weight.bits, len(plan.layers[0].weight_scale)) == ("s4.2", 6, 12)
    assert plan.layers[0].accumulator.form.text == "s18.10:TRN:WRAP"
    assert result.reference == trained.score(digits.test)
    assert result.score.n == 1000
    assert 0 < result.agreement <= 1
    assert [layer.layer for layer in result.layers] == ["h1", "h2", "h3", "output"]
    assert all(isinstance(warning, str) for warning in result.warnings)
    assert str(result).startswith("SimulationReport(lecun1989 on 1,000 digits: ")
    assert "\n" not in str(result)


def test_more_bits_make_a_curve(trained: Any, digits: Any) -> None:
    curve = [
        hw.simulate(trained, digits.test, hw.calibrate(trained, digits.train, bits=bits)).score.error_percent
        for bits in (2, 4, 8)
    ]
    rows = list(hw.sweep(trained, digits, (2, 4, 8)))

    assert curve[0] > curve[-1]
    assert [row.score.error_percent for row in rows] == curve


def test_a_chip_costs_and_runs(trained: Any, digits: Any) -> None:
    anna = hw.load_chip("anna")
    costs = hw.cost(anna, trained.network)

    assert costs.network == "lecun1989"
    if find_spec("hw_sim.chips.simulate") is None:
        pytest.skip("chips are not simulated by one verb here")
    chips = hw.simulate_on(anna, trained, digits, chips=2, noise=0.05)
    assert chips.mapped.error_percent >= 0


def test_the_other_verbs_take_and_give_trained_networks(trained: Any, digits: Any, plan: Any) -> None:
    narrow = hw.calibrate(trained, digits.train, weights="{-1,0,1}, threshold:0.7")
    integers = hw.quantize(trained, plan)
    traced = hw.trace(trained, digits.test.images[:3], plan)
    again = hw.retrain(trained, digits, narrow)
    parted = hw.compare(trained, digits.test, plan, narrow)
    budgets = hw.allocate(trained, digits, 20.0, bits=range(4, 9))

    assert repr(integers).startswith("IntegerNetwork(lecun1989")
    assert traced.layers[-1].layer == "output"
    assert isinstance(again, rn.Trained)
    assert (
        hw.simulate(again, digits.test, narrow).score.misses
        < hw.simulate(trained, digits.test, narrow).score.misses
    )
    assert parted.parts_at == "input"
    assert isinstance(budgets, Iterator)
    assert [*budgets][-1].name == "chosen"
