"""Bits from second derivatives: the choice against all choices, and what it keeps."""

import itertools

import numpy as np
import pytest
from support.trained_run import train_briefly

from hw_sim.fixed_point.quantize import quantize
from hw_sim.fixed_point.simulate import run_integers
from hw_sim.studies.allocate import Choice, allocate, choose_bits, frontier, uniform_budgets
from hw_sim.studies.allocator import Allocator
from hw_sim.studies.testbench import Testbench
from retronet.curvature import mean_loss
from retronet.datasets import load
from retronet.errors import InputError
from retronet.network import sized_layers


@pytest.fixture(scope="module")
def brief(tmp_path_factory: pytest.TempPathFactory) -> Allocator:
    run = train_briefly(tmp_path_factory.mktemp("runs") / "brief", 2)
    return Allocator(Testbench(run.checkpoint().trained, load("digits5k")))


def test_the_frontier_holds_the_best_of_all_choices() -> None:
    generator = np.random.default_rng(3)
    options = [
        [Choice(int(cost), float(rise), ((index, index, 0),)) for index, (cost, rise) in enumerate(pairs)]
        for pairs in zip(generator.integers(1, 30, (3, 7)), generator.random((3, 7)), strict=True)
        for pairs in [list(zip(*pairs, strict=True))]
    ]

    found = frontier(options)

    every = [(sum(c.cost for c in row), sum(c.rise for c in row)) for row in itertools.product(*options)]
    for bound in np.linspace(min(rise for _, rise in every), 3, 50):
        cheapest = min(cost for cost, rise in every if rise <= bound + 1e-12)
        assert next(choice.cost for choice in found if choice.rise <= bound + 1e-12) == cheapest
    assert all(a.cost < b.cost and a.rise > b.rise for a, b in itertools.pairwise(found))


@pytest.mark.parametrize("objective", ["weight-bits", "mac-bits"])
def test_the_chosen_bits_keep_the_rise_and_cost_less_than_uniform_ones(
    brief: Allocator, objective: str
) -> None:
    allowed = 0.05 * brief.float_loss

    attempts = list(choose_bits(brief, allowed, objective, range(3, 13), 10))  # type: ignore[arg-type]
    uniform = uniform_budgets(brief, attempts[-1], objective, range(2, 13), 10)  # type: ignore[arg-type]

    chosen, cost = attempts[-1], "weight_storage_bits" if objective == "weight-bits" else "mac_bits"
    assert chosen.measured <= allowed
    assert all(attempt.measured > allowed for attempt in attempts[:-1])
    # The record's rise is that of a network put together anew from its bits.
    testbench = brief.testbench
    plan = brief.plan(chosen.weights, chosen.states)
    answers = run_integers(quantize(brief.trained, plan), testbench.digits.train.images).outputs
    loss = mean_loss(answers, testbench.digits.train.labels, brief.trained.recipe)
    assert loss - brief.float_loss == pytest.approx(chosen.measured)
    within = [budget for budget in uniform if getattr(budget, cost) <= getattr(chosen, cost)]
    assert all(budget.measured > allowed for budget in within)


def test_with_deletions_the_budget_is_never_dearer(brief: Allocator) -> None:
    """What is chosen keeps the rise, and its cost and rise are those of the network put together anew."""
    allowed = 0.3 * brief.float_loss
    plain = list(choose_bits(brief, allowed, "weight-bits", range(4, 9), 8))
    attempts = list(choose_bits(brief, allowed, "weight-bits", range(4, 9), 8, prune=True))

    assert attempts[: len(plain)] == plain
    assert attempts[-1].measured <= allowed
    assert attempts[-1].weight_storage_bits <= plain[-1].weight_storage_bits
    pruned = [attempt for attempt in attempts if attempt.deleted]
    assert pruned
    for attempt in (pruned[0], pruned[-1]):
        trained = brief.pruned(attempt.deleted)
        left = {
            sized.name: int(trained.mask[f"{sized.name}.weight"].sum())
            for sized in sized_layers(trained.network)
        }
        sizes = {sized.name: int(np.prod(sized.weight_shape)) for sized in sized_layers(trained.network)}
        assert left == {name: size - attempt.deleted.get(name, 0) for name, size in sizes.items()}
        assert attempt.weight_storage_bits == sum(left[name] * attempt.weights[name] for name in left)
        integers = quantize(trained, brief.plan(attempt.weights, attempt.states))
        answers = run_integers(integers, brief.testbench.digits.train.images).outputs
        loss = mean_loss(answers, brief.testbench.digits.train.labels, brief.trained.recipe)
        assert loss - brief.float_loss == pytest.approx(attempt.measured)


def test_what_can_not_be_kept_is_refused(brief: Allocator) -> None:
    with pytest.raises(InputError, match="can not be kept with 3 to 4 bits a weight"):
        list(choose_bits(brief, 1e-9, "weight-bits", range(3, 5), 8))


def test_the_verb_allows_a_share_of_the_loss(brief: Allocator) -> None:
    expected = list(choose_bits(brief, 0.2 * brief.float_loss, "weight-bits", range(4, 9), 8))

    attempts = allocate(brief.trained, brief.testbench.digits, 20.0, bits=range(4, 9))

    assert list(attempts) == expected
