"""Bits from second derivatives: the prediction, the choice against all choices, and both on real digits."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from support.trained_run import train_briefly

from hw_sim.fixed_point.quantize import integer_network
from hw_sim.fixed_point.simulate import simulate
from hw_sim.studies.allocate import Allocator, Choice, Tensor, allocate, frontier, uniform_budgets
from hw_sim.studies.testbench import Testbench
from retronet.curvature import mean_loss
from retronet.datasets import load
from retronet.errors import InputError
from retronet.network import Dense, Identity, NetworkSpec


def allocator_of(folder: Path, data: str, data_dir: Path | None, passes: int) -> Allocator:
    run = train_briefly(folder, passes, data, data_dir)
    checkpoint = run.checkpoint()
    recipe = checkpoint.header.recipe
    digits = load(data, None, data_dir)
    testbench = Testbench(checkpoint.header.network, checkpoint.state.parameters, digits, recipe.targets, 12)
    return Allocator(testbench, recipe)


@pytest.fixture(scope="module")
def brief(tmp_path_factory: pytest.TempPathFactory) -> Allocator:
    return allocator_of(tmp_path_factory.mktemp("runs") / "brief", "digits5k", None, 2)


def test_a_linear_layer_loses_what_is_predicted(brief: Allocator) -> None:
    """Uniform noise on the weights of a linear layer raises the squared error as predicted, on average."""
    network = NetworkSpec("linear", "", (1, 16, 16), (Dense("a", 10, Identity()),))
    generator = np.random.default_rng(1)
    parameters = {"a.weight": generator.uniform(-0.1, 0.1, (10, 256)), "a.bias": np.zeros(10)}
    allocator = Allocator(
        Testbench(network, parameters, brief.testbench.digits, brief.recipe.targets, 12), brief.recipe
    )
    step, digits = 0.05, brief.testbench.digits.train

    def loss(weights: np.ndarray) -> float:
        answers = digits.images.reshape(len(digits.images), -1) @ weights.T
        return mean_loss(answers, digits.labels, brief.recipe)

    rises = []
    for _ in range(200):
        noise = generator.uniform(-step / 2, step / 2, (10, 256))
        middle, mirrored = parameters["a.weight"] + noise, parameters["a.weight"] - noise
        rises.append((loss(middle) + loss(mirrored)) / 2 - loss(parameters["a.weight"]))

    bits = 4
    scale = (step / allocator.step(Tensor("a", "weights"), bits)) ** 2
    assert allocator.predicted(Tensor("a", "weights"), bits) * scale == pytest.approx(
        np.mean(rises), rel=0.02
    )


def test_the_frontier_holds_the_best_of_all_choices() -> None:
    generator = np.random.default_rng(3)
    options = [
        [Choice(int(cost), float(rise), ((index, index),)) for index, (cost, rise) in enumerate(pairs)]
        for pairs in zip(generator.integers(1, 30, (3, 7)), generator.random((3, 7)), strict=True)
        for pairs in [list(zip(*pairs, strict=True))]
    ]

    found = frontier(options)

    every = [(sum(c.cost for c in row), sum(c.rise for c in row)) for row in itertools.product(*options)]
    for bound in np.linspace(min(rise for _, rise in every), 3, 50):
        cheapest = min(cost for cost, rise in every if rise <= bound + 1e-12)
        assert next(choice.cost for choice in found if choice.rise <= bound + 1e-12) == cheapest
    assert all(a.cost < b.cost and a.rise > b.rise for a, b in itertools.pairwise(found))


def test_costs_are_the_geometrys(brief: Allocator) -> None:
    names = ("h1", "h2", "h3", "output")
    budget = brief.budget("", dict.fromkeys(names, 5), dict.fromkeys(("input", *names), 7))

    assert budget.weight_storage_bits == 5 * (300 + 2400 + 5760 + 300)
    assert budget.mac_bits == 5 * 7 * 63_660
    states = {"input": 2, "h1": 3, "h2": 4, "h3": 5, "output": 9}
    weights = dict(zip(names, (6, 7, 8, 9), strict=True))
    macs = (19_200, 38_400, 5_760, 300)
    expected = sum(mac * w * s for mac, w, s in zip(macs, (6, 7, 8, 9), (2, 3, 4, 5), strict=True))
    assert brief.budget("", weights, states).mac_bits == expected


@pytest.mark.parametrize("objective", ["weight-bits", "mac-bits"])
def test_the_chosen_bits_keep_the_rise_and_cost_less_than_uniform_ones(
    brief: Allocator, objective: str
) -> None:
    allowed = 0.05 * brief.float_loss

    attempts = list(allocate(brief, allowed, objective, range(3, 13), 10))  # type: ignore[arg-type]
    uniform = uniform_budgets(brief, attempts[-1], objective, range(2, 13), 10)  # type: ignore[arg-type]

    chosen, cost = attempts[-1], "weight_storage_bits" if objective == "weight-bits" else "mac_bits"
    assert chosen.measured <= allowed
    assert all(attempt.measured > allowed for attempt in attempts[:-1])
    # The record's rise is that of a network put together anew from its bits.
    testbench = brief.testbench
    plan = brief.plan(chosen.weights, chosen.states)
    integers = integer_network(testbench.network, testbench.parameters, plan)
    answers = simulate(integers, testbench.digits.train.images).outputs
    loss = mean_loss(answers, testbench.digits.train.labels, brief.recipe)
    assert loss - brief.float_loss == pytest.approx(chosen.measured)
    within = [budget for budget in uniform if getattr(budget, cost) <= getattr(chosen, cost)]
    assert all(budget.measured > allowed for budget in within)


def test_what_can_not_be_kept_is_refused(brief: Allocator) -> None:
    with pytest.raises(InputError, match="can not be kept with 3 to 4 bits a weight"):
        list(allocate(brief, 1e-9, "weight-bits", range(3, 5), 8))
    with pytest.raises(InputError, match="up to 10 are allowed"):
        next(brief.estimates([11]))


def test_on_usps_the_prediction_holds_down_to_four_bits(
    tmp_path_factory: pytest.TempPathFactory, data_dir: Path
) -> None:
    """Weights of the inner layers, which are many: within a factor of two at 4 and 5 bits, useless at 2."""
    allocator = allocator_of(tmp_path_factory.mktemp("runs") / "usps", "usps", data_dir, 8)
    found = {(estimate.tensor, estimate.bits): estimate for estimate in allocator.estimates([2, 4, 5])}

    for layer in ("h2", "h3"):
        tensor = Tensor(layer, "weights")
        assert found[tensor, 4].verdict == "holds", found[tensor, 4]
        assert found[tensor, 5].verdict == "holds", found[tensor, 5]
        assert found[tensor, 2].verdict == "fails", found[tensor, 2]
