"""The two engines learn alike: all layers, losses, rules and draws, and either goes on from the other.

One is written in loops over flat memory, the other from the descriptions with autograd and torch.optim.
"""

from typing import Any

import numpy as np
import pytest
import torch
from support.small_runs import small_digits

from retronet.datasets import DigitSets
from retronet.engines.engine import make_engine
from retronet.errors import InputError
from retronet.initial import initial_parameters
from retronet.network import (
    AveragePool,
    Conv,
    Dense,
    HardTanh,
    Identity,
    Layer,
    MaxPool,
    NetworkSpec,
    Padding,
    Rbf,
    Relu,
    Sigmoid,
    Subsample,
    Tanh,
    code_matrix,
)
from retronet.recipe import Recipe, load_recipe, override
from retronet.training.train import PassRecord, Training, TrainingState

TANH = Tanh(1.7159, 2 / 3)
BELOW: tuple[Layer, ...] = (
    Conv("a", 4, 3, TANH, pad=1, border=-1.0, bias="unit"),
    Subsample("b", 2, TANH),
    Conv("c", 3, 2, Relu(), sees=((0, 2), (1,), (0, 1, 3))),
    Dense("d", 6, TANH),
)
POOLED = NetworkSpec(
    "pooled",
    "",
    (1, 6, 6),
    (
        Conv("a", 5, 3, Sigmoid(), pad=Padding(1, 0, 2, 1), border=-1.0, bias="unit"),
        MaxPool("b", 3, 1, Padding(2, 0, 1, 1)),
        Conv("c", 3, 2, HardTanh(-0.6, 0.9)),
        AveragePool("e", 2, 1, 1, TANH),
        Dense("d", 6, TANH),
        Dense("output", 10, Identity()),
    ),
)
CODES = tuple((f"{3 * number % 64:06b}".replace("0", ".").replace("1", "#"),) for number in range(10))
LINEAR = NetworkSpec("linear", "", (1, 6, 6), (*BELOW, Dense("output", 10, Identity())))
CODED = NetworkSpec("coded", "", (1, 6, 6), (*BELOW, Rbf("output", CODES)))
DIGITS = small_digits(count=22)

RULES: dict[str, dict[str, Any]] = {
    "sgd": {"kind": "sgd"},
    "sgd by fours": {"kind": "sgd", "batch": 4},
    "sdlm-running": {"kind": "sdlm-running", "mu": 0.05, "gamma": 0.1},
    "sdlm-batch": {"kind": "sdlm-batch", "mu": 0.2, "patterns": 9},
    "adam": {"kind": "adam", "beta1": 0.8, "epsilon": 1e-4},
    "adamw by fives": {"kind": "adamw", "batch": 5, "decay": 0.1},
}
LOSSES: dict[str, tuple[NetworkSpec, dict[str, Any]]] = {
    "half-sum": (LINEAR, {"kind": "squared-error", "form": "half-sum"}),
    "mean": (LINEAR, {"kind": "squared-error", "form": "mean"}),
    "cross-entropy": (LINEAR, {"kind": "cross-entropy"}),
    "binary": (LINEAR, {"kind": "binary-cross-entropy"}),
    "pools": (POOLED, {"kind": "cross-entropy"}),
    "maximum-posterior": (CODED, {"kind": "maximum-posterior", "j": 2.0}),
}
EXTRAS: dict[str, dict[str, Any]] = {
    "plain": {},
    "drawn": {"order": "shuffled", "roll": 1, "dropout": {"layer": "c", "share": 0.3}},
    "one cycle": {"schedule": {"kind": "one-cycle", "peak": 4e-3}, "dropout": {"layer": "a", "share": 0.2}},
}


def recipe_of(rule: str, loss: str, extra: str = "plain", **changes: object) -> Recipe:
    base = override(load_recipe("lecun1989"), {"schedule.rate": 2e-3, "initial.divisor": "root-fan-in"})
    settings = {"passes": 2, "precision": "float64", "rule": RULES[rule], "loss": LOSSES[loss][1]}
    return override(base, settings | EXTRAS[extra] | changes)


def trained(recipe: Recipe, network: NetworkSpec, start: TrainingState | None = None) -> Training:
    training = Training(recipe, network, DIGITS)
    if start is not None:
        training.restore(start)
    for _ in training.run():
        pass
    return training


def assert_same(found: TrainingState, expected: TrainingState) -> None:
    assert found.passes == expected.passes
    groups = [(found.parameters, expected.parameters)]
    assert found.optimiser.keys() == expected.optimiser.keys()
    groups += [(found.optimiser[group], expected.optimiser[group]) for group in expected.optimiser]
    for ours, theirs in groups:
        assert ours.keys() == theirs.keys()
        for name, array in theirs.items():
            np.testing.assert_allclose(ours[name], array, rtol=1e-9, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("extra", EXTRAS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("rule", RULES)
def test_both_engines_learn_alike(rule: str, loss: str, extra: str) -> None:
    network = LOSSES[loss][0]
    records: dict[str, list[PassRecord]] = {}
    states: dict[str, TrainingState] = {}
    for engine in ("numba", "torch"):
        training = Training(recipe_of(rule, loss, extra, engine=engine), network, DIGITS)
        records[engine] = [step for step in training.run() if isinstance(step, PassRecord)]
        states[engine] = training.state()

    assert_same(states["numba"], states["torch"])
    for ours, theirs in zip(records["numba"], records["torch"], strict=True):
        assert (ours.number, ours.presentations, ours.rate) == (
            theirs.number,
            theirs.presentations,
            theirs.rate,
        )
        assert ours.running_loss == pytest.approx(theirs.running_loss, rel=1e-9)
        for half in ("train", "test"):
            score, other = getattr(ours, half), getattr(theirs, half)
            assert score.misses == other.misses
            assert score.loss == pytest.approx(other.loss, rel=1e-9)
    before = initial_parameters(network, recipe_of(rule, loss).initial, 0)
    assert all((states["numba"].parameters[name] != array).any() for name, array in before.items())


@pytest.mark.parametrize("rule", RULES)
def test_each_engine_goes_on_from_the_other(rule: str) -> None:
    first = recipe_of(rule, "cross-entropy", passes=1)
    states = {
        engine: trained(override(first, {"engine": engine}), LINEAR).state() for engine in ("numba", "torch")
    }
    whole = trained(recipe_of(rule, "cross-entropy"), LINEAR).state()

    for engine, other in (("numba", "torch"), ("torch", "numba")):
        recipe = recipe_of(rule, "cross-entropy", engine=engine)
        assert_same(trained(recipe, LINEAR, states[other]).state(), whole)


@pytest.mark.parametrize("engine", ["numba", "torch"])
def test_one_code_bends_the_loss_as_calculus_says(engine: str) -> None:
    """With a single code nothing is dropped: the curvature of the biases below is the Hessian's diagonal."""
    network = NetworkSpec("one", "", (1, 2, 2), (Dense("low", 4, Identity()), Rbf("output", (("##", ".#"),))))
    recipe = recipe_of("sdlm-batch", "maximum-posterior", engine=engine)
    rng = np.random.default_rng(3)
    parameters = {"low.weight": rng.normal(0, 0.5, (4, 4)), "low.bias": rng.normal(0, 0.5, 4)}
    image = rng.normal(0, 0.5, (1, 2, 2))
    judged = make_engine(recipe, network)
    judged.load(parameters, {}, 0)
    judged.measure_curvature(image, np.zeros(1, np.uint8))

    rbf = network.layers[-1]
    assert isinstance(rbf, Rbf)
    code, weight = torch.tensor(code_matrix(rbf)[0]), torch.tensor(parameters["low.weight"])

    def equation_9(bias: torch.Tensor) -> torch.Tensor:
        penalty = (weight @ torch.tensor(image).flatten() + bias - code).square().sum()
        return penalty + torch.log(torch.exp(torch.tensor(-2.0)) + torch.exp(-penalty))

    hessian = torch.autograd.functional.hessian(equation_9, torch.tensor(parameters["low.bias"]))
    found = judged.optimiser()["curvature"]["low.bias"]
    np.testing.assert_allclose(found, torch.diagonal(hessian).numpy(), rtol=1e-9)


def test_arrays_that_do_not_fit_are_refused() -> None:
    engine = make_engine(recipe_of("sgd", "mean", engine="torch"), LINEAR)
    with pytest.raises(InputError, match=r"The array 'a\.weight' is missing or has another shape"):
        engine.load({}, {}, 0)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a graphics card")
def test_a_missing_graphics_card_is_told() -> None:
    with pytest.raises(
        InputError, match=r"'torch-cuda' needs a graphics card .* Set engine to numba or torch"
    ):
        Training(recipe_of("sgd", "mean", engine="torch-cuda"), LINEAR, DIGITS)


@pytest.mark.parametrize(
    ("loss", "network"), [("mean", CODED), ("cross-entropy", CODED), ("maximum-posterior", LINEAR)]
)
def test_codes_go_with_their_own_loss(loss: str, network: NetworkSpec) -> None:
    with pytest.raises(InputError, match=r"does not go with network .* Change the loss or the network"):
        Training(recipe_of("sgd", loss), network, DIGITS)


def test_early_stopping_waits_for_its_patience_and_survives_a_cut() -> None:
    """Validation digits with shuffled labels: their loss rises sooner or later."""
    digits = small_digits(count=60)
    labels = digits.train.labels.copy()
    labels[40:] = np.random.default_rng(0).permutation(labels[40:])
    train = type(digits.train)(digits.train.images, labels, digits.train.provenance)
    holdout = {"digits": 20, "seed": 1}
    settings = {
        "passes": 60,
        "patience": 3,
        "holdout": holdout,
        "schedule": {"kind": "constant", "rate": 0.01},
    }
    recipe = recipe_of("adam", "cross-entropy", **settings)

    def training() -> Training:
        return Training(recipe, LINEAR, DigitSets(train, digits.test, None))

    records = [step for step in training().run() if isinstance(step, PassRecord)]
    losses = [record.validation.loss for record in records if record.validation and record.validation.loss]

    assert len(losses) == len(records) < 60
    since = [number - int(np.argmin(losses[: number + 1])) for number in range(len(losses))]
    assert since.index(3) == len(losses) - 1
    least = int(np.argmin(losses))

    resumed = training()
    for step in resumed.run():
        if isinstance(step, PassRecord) and step.number == least + 2:
            break
    again = training()
    again.restore(resumed.state())
    rest = [step for step in again.run() if isinstance(step, PassRecord)]
    assert rest == records[least + 2 :]
    finished = training()
    finished.restore(again.state())
    assert finished.finished
    assert list(finished.run()) == []
