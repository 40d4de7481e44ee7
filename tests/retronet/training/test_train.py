"""Training against plain loops and against the paper's figures."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numba
import numpy as np
import pytest
from support import reference
from support.small_runs import NETWORK, RULES, small_digits, small_recipe

from retronet.datasets import DigitSets, load
from retronet.errors import DivergedError, InputError
from retronet.evaluate import target_matrix
from retronet.initial import initial_parameters
from retronet.network import Identity, NetworkSpec, load_network
from retronet.recipe import (
    CrossEntropy,
    Recipe,
    SdlmBatch,
    SdlmRunning,
    SquaredError,
    Targets,
    load_recipe,
    override,
)
from retronet.training.train import PassRecord, Progress, Training

compiled = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="thousands of digits need compiled code")


def passes_of(training: Training) -> Iterator[PassRecord]:
    return (step for step in training.run() if isinstance(step, PassRecord))


# --- every rule, loss and order, against plain loops


def plain_passes(
    recipe: Recipe, network: NetworkSpec, digits: DigitSets, rates: list[float]
) -> Iterator[tuple[float, reference.Parameters, reference.Parameters]]:
    """Train one connection at a time; yield mean loss, parameters and curvature after each pass."""
    parameters: reference.Parameters = dict(initial_parameters(network, recipe.initial, recipe.seed))
    curvature: reference.Parameters = {name: np.zeros_like(array) for name, array in parameters.items()}
    targets = target_matrix(recipe.targets)
    images, labels = digits.train.images, digits.train.labels
    scale = 1.0 if recipe.loss == SquaredError("half-sum") else 2 / 10
    kind: reference.Loss = "softmax" if isinstance(recipe.loss, CrossEntropy) else "squared"

    def derivatives(digit: int) -> tuple[float, reference.Parameters, reference.Parameters]:
        target = targets[labels[digit]]
        return reference.derivatives(network, parameters, images[digit], target, kind, scale)

    for number, rate in enumerate(rates, 1):
        order = list(range(len(images)))
        if recipe.order == "shuffled":
            order = np.random.default_rng([recipe.seed, number]).permutation(len(images)).tolist()
        if isinstance(recipe.rule, SdlmBatch):
            diagonals = [derivatives(digit)[2] for digit in order[: recipe.rule.patterns]]
            curvature = {name: sum(each[name] for each in diagonals) / len(diagonals) for name in parameters}
        losses = []
        for digit in order:
            loss, gradient, diagonal = derivatives(digit)
            losses.append(loss)
            if isinstance(recipe.rule, SdlmRunning):
                gamma = recipe.rule.gamma
                curvature = {
                    name: (1 - gamma) * curvature[name] + gamma * diagonal[name] for name in parameters
                }
            for name in parameters:
                steps: float | np.ndarray = rate
                if isinstance(recipe.rule, SdlmRunning | SdlmBatch):
                    steps = rate / (recipe.rule.mu + curvature[name])
                parameters[name] = parameters[name] - steps * gradient[name]
        yield sum(losses) / len(losses), parameters, curvature


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("sgd", {"order": "shuffled"}),
        ("sgd", {"loss": {"kind": "squared-error", "form": "mean"}, "targets": {"on": 0.9, "off": -0.8}}),
        ("sgd", {"loss": {"kind": "cross-entropy"}, "targets": {"on": 1.0, "off": 0.0}}),
        ("sdlm-running", {}),
        ("sdlm-running", {"order": "shuffled", "loss": {"kind": "squared-error", "form": "mean"}}),
        ("sdlm-batch", {"order": "shuffled", "initial.bias": "zero"}),
    ],
)
def test_passes_against_plain_loops(rule: str, changes: dict[str, object]) -> None:
    rates = [0.02, 0.005, 0.005]
    schedule = {"kind": "steps", "rates": [[1, rates[0]], [1, rates[1]]]}
    recipe = small_recipe(rule, passes=3, seed=5, precision="float64", schedule=schedule)
    recipe = override(recipe, changes)
    if isinstance(recipe.rule, SdlmBatch):
        recipe = override(recipe, {"rule.patterns": 7})
    digits = small_digits(count=12)
    training = Training(recipe, NETWORK, digits)

    expected = plain_passes(recipe, NETWORK, digits, rates)
    for number, (record, (loss, parameters, curvature)) in enumerate(
        zip(passes_of(training), expected, strict=True), 1
    ):
        state = training.state()
        assert (record.number, state.passes, record.presentations) == (number, number, 12 * number)
        assert record.rate == rates[number - 1]
        assert record.running_loss == pytest.approx(loss, rel=1e-9)
        for name, array in parameters.items():
            np.testing.assert_allclose(state.parameters[name], array, rtol=1e-8, atol=1e-11, err_msg=name)
            if rule != "sgd":
                found = state.optimiser["curvature"][name]
                np.testing.assert_allclose(found, curvature[name], rtol=1e-8, atol=1e-11, err_msg=name)


# --- the paper's curve


@pytest.fixture(scope="module")
def usps(data_dir: Path) -> DigitSets:
    return load("usps", data_dir=data_dir)


PLOT = {
    # pass: half MSE train and test, error % train and test; NC89 as digitised in papers.md §1.5
    1: (0.028, 0.039, 5.2, 8.8),
    2: (0.018, 0.0295, 3.1, 7.3),
    3: (0.0144, 0.0268, 2.3, 6.7),
    5: (0.0100, 0.0235, 1.4, 6.1),
    10: (0.0056, 0.0205, 0.6, 5.2),
    23: (0.0025, 0.0194, 0.14, 5.4),
}


@compiled
def test_the_papers_curve(usps: DigitSets) -> None:
    """The preset on the real digits, one seed: the plotted curve, and the text's figures at pass 23."""
    recipe = load_recipe("lecun1989")
    training = Training(recipe, load_network(recipe.network), usps)

    records = {record.number: record for record in passes_of(training)}

    assert list(records) == list(range(1, 24))
    for number, (half_mse_train, half_mse_test, _, error_test) in PLOT.items():
        record = records[number]
        assert record.train.half_mse == pytest.approx(half_mse_train, rel=0.2), number
        assert record.test.half_mse == pytest.approx(half_mse_test, rel=0.2), number
        assert record.test.error_percent == pytest.approx(error_test, rel=0.2), number
    assert records[1].train.error_percent == pytest.approx(PLOT[1][2], rel=0.2)
    last = records[23]
    assert last.presentations == 167_693
    assert (last.train.n, last.test.n) == (7291, 2007)
    assert 8 <= last.train.misses <= 18
    assert 4.7 <= last.test.error_percent <= 5.7
    assert 2.1e-3 <= last.train.half_mse <= 2.8e-3
    assert 1.70e-2 <= last.test.half_mse <= 1.95e-2
    assert 10 <= last.test.reject_percent_at_1_percent_error <= 16
    # Training misses less than 1 % already, so nothing need be rejected.
    assert last.train.reject_percent_at_1_percent_error == 0


@compiled
def test_the_form_of_1998_learns_with_a_curvature_kept_during_the_pass(usps: DigitSets) -> None:
    recipe = override(load_recipe("lecun1989-batch"), {"passes": 3})
    training = Training(recipe, load_network(recipe.network), usps)

    records, curvatures, within = [], [], []
    for step in training.run():
        curvature = b"".join(array.tobytes() for array in training.state().optimiser["curvature"].values())
        if isinstance(step, Progress):
            within.append(curvature)
        else:
            records.append(step)
            assert len(within) > 1
            assert set(within) == {curvature}
            curvatures.append(curvature)
            within.clear()

    assert len(set(curvatures)) == 3
    errors = [record.test.error_percent for record in records]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 10
    losses = [record.train.half_mse for record in records]
    assert losses == sorted(losses, reverse=True)


# --- what can go wrong


LINEAR = msgspec.structs.replace(
    NETWORK,
    layers=(*NETWORK.layers[:-1], msgspec.structs.replace(NETWORK.layers[-1], activation=Identity())),
)


# Interpreted kernels warn on the way to what is not a number; compiled ones do not.
@pytest.mark.filterwarnings("ignore:overflow encountered", "ignore:invalid value encountered")
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    "network",
    [LINEAR, NETWORK],
    ids=["linear", "squashed"],
)
def test_divergence_is_told_with_its_pass(rule: str, network: NetworkSpec) -> None:
    schedule = {"kind": "steps", "rates": [[2, 1e-3], [1, 1e38]]}
    recipe = small_recipe(rule, passes=9, schedule=schedule)
    training = Training(recipe, network, small_digits())

    seen = []
    with pytest.raises(DivergedError, match=r"diverged in pass (3|4): .* at rate 1e\+38\. Lower the rate"):
        seen += [record.number for record in passes_of(training)]
    assert training.passes in (2, 3)


def test_digits_of_another_size_are_refused_before_training() -> None:
    with pytest.raises(InputError, match="The digits are 6×6; network 'lecun1989' reads 16×16"):
        Training(small_recipe(), load_network("lecun1989"), small_digits())


def test_progress_counts_every_presentation() -> None:
    digits = small_digits(count=1500)
    steps = list(Training(small_recipe("sgd", passes=2), NETWORK, digits).run())

    told = [(step.number, step.presented, step.of) for step in steps if isinstance(step, Progress)]
    assert [presented for _, presented, _ in told[: len(told) // 2]][-1] == 1500
    assert {of for _, _, of in told} == {1500}
    assert [number for number, _, _ in told] == sorted(number for number, _, _ in told)
    assert [type(step) for step in steps].count(PassRecord) == 2


def test_the_last_pass_alone_is_scored_if_that_is_enough() -> None:
    digits = small_digits(count=150)
    every = [step for step in Training(small_recipe(passes=3), NETWORK, digits).run() if _is_record(step)]
    last = [
        step
        for step in Training(small_recipe(passes=3), NETWORK, digits).run(only_last=True)
        if _is_record(step)
    ]
    assert last == every[-1:]
    watched = override(small_recipe(passes=3), {"holdout": {"digits": 30, "seed": 0}, "patience": 2})
    held_out = Training(watched, NETWORK, digits).run(only_last=True)
    assert sum(_is_record(step) for step in held_out) == 3


def _is_record(step: object) -> bool:
    return isinstance(step, PassRecord)


def test_scores_are_taken_against_the_recipes_targets() -> None:
    """At rate 1e-30 nothing moves, and outputs near 0 are ½ · 0.5² from targets ±0.5."""
    recipe = override(
        small_recipe("sgd", passes=1),
        {"schedule.rate": 1e-30, "targets": {"on": 0.5, "off": -0.5}, "initial.bound": 1e-6},
    )
    (record,) = passes_of(Training(recipe, NETWORK, small_digits()))

    assert record.train.half_mse == pytest.approx(0.125, rel=1e-4)
    assert Targets(0.5, -0.5) == recipe.targets
