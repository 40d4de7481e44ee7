"""The quantiser in the loop: its forward pass beside the integers, its steps, what it recovers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.trained_run import train_briefly

from hw_sim.fixed_point.quantize import quantize
from hw_sim.fixed_point.simulate import run_integers, simulate
from hw_sim.plan.calibrate import calibrate
from hw_sim.studies.retrain import Retraining, Settings, retrain
from retronet.curvature import goal_of, mean_loss
from retronet.datasets import DigitSets, load
from retronet.engines.workspace import Workspace
from retronet.errors import InputError
from retronet.kernels.passes import measure_curvature, train_sdlm
from retronet.runs.checkpoint import Checkpoint

TERNARY = {"weights": "{-1,0,1}, threshold:0.7", "states": "8 bits"}
THREE_BITS = {"weights": "3 bits, mse", "states": "3 bits, mse"}


@pytest.fixture(scope="module")
def brief(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return train_briefly(tmp_path_factory.mktemp("runs") / "brief", 2).checkpoint()


@pytest.fixture(scope="module")
def digits() -> DigitSets:
    return load("digits5k")


def retraining(
    checkpoint: Checkpoint, digits: DigitSets, formats: dict[str, Any], **settings: Any
) -> Retraining:
    trained = checkpoint.trained
    return Retraining(trained, digits, calibrate(trained, digits.train, **formats), Settings(**settings))


@pytest.mark.parametrize(
    "formats",
    [THREE_BITS, {"bits": 4, "weights": "max-abs/map"}, TERNARY, {"bits": 6}],
)
def test_the_loss_in_the_loop_is_that_of_the_integers(
    brief: Checkpoint, digits: DigitSets, formats: dict[str, Any]
) -> None:
    """At a rate of almost 0 a pass sees what the simulation of the same network gives."""
    header, parameters = brief.header, brief.state.parameters
    training = retraining(brief, digits, formats, passes=1, rate=1e-30)
    integers = quantize(brief.trained, training.plan)
    expected = mean_loss(
        run_integers(integers, digits.train.images).outputs, digits.train.labels, header.recipe
    )

    _, record = training.run()

    # Single precision may round another way where a sum lies within 1e-6 of an edge.
    assert record.running_loss == pytest.approx(expected, rel=2e-3)
    for name, array in training.trained.parameters.items():
        np.testing.assert_array_equal(array, parameters[name], err_msg=name)


def test_with_fine_formats_the_steps_are_those_of_floating_point(
    brief: Checkpoint, digits: DigitSets
) -> None:
    header = brief.header
    settings = Settings(passes=1, rate=0.0005)
    training = Retraining(brief.trained, digits, calibrate(brief.trained, digits.train, 16), settings)
    for _ in training.run():
        pass

    workspace = Workspace(header.network)
    workspace.load(brief.state.parameters)
    order = np.random.default_rng([0, 1]).permutation(len(digits.train.images))
    goal = goal_of(header.recipe, 10, np.float32)
    arguments = (workspace.machine, digits.train.images, digits.train.labels)
    measure_curvature(*arguments, order[: settings.patterns], goal)
    train_sdlm(*arguments, order, goal, settings.rate, settings.mu, 0.0)

    expected = workspace.read()
    for name, array in training.trained.parameters.items():
        moved = np.abs(expected[name] - brief.state.parameters[name]).max()
        assert moved > 0
        assert np.abs(array - expected[name]).max() < 0.02 * moved, name


def test_the_last_layer_alone(brief: Checkpoint, digits: DigitSets) -> None:
    training = retraining(brief, digits, {"bits": 3}, passes=1, layers="last")
    for _ in training.run():
        pass

    for name, array in training.trained.parameters.items():
        same = np.array_equal(array, brief.state.parameters[name])
        assert same != name.startswith("output."), name


def test_the_same_seed_gives_the_same_bytes(brief: Checkpoint, digits: DigitSets) -> None:
    found = []
    for seed in (1, 1, 2):
        training = retraining(brief, digits, TERNARY, passes=2, seed=seed)
        records = list(training.run())
        found.append((records, b"".join(array.tobytes() for array in training.trained.parameters.values())))

    assert found[0] == found[1]
    assert found[0][1] != found[2][1]


def test_stochastic_weights_are_refused(brief: Checkpoint, digits: DigitSets) -> None:
    with pytest.raises(InputError, match="Layer 'h1' can not be retrained with weights of"):
        retraining(brief, digits, {"bits": 6, "weights": "STOCHASTIC"})


@pytest.fixture(scope="module")
def usps(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> tuple[Checkpoint, DigitSets]:
    run = train_briefly(tmp_path_factory.mktemp("runs") / "usps", 23, "usps", data_dir)
    return run.checkpoint(), load("usps", None, data_dir)


@pytest.mark.parametrize(("formats", "points"), [(THREE_BITS, 1.0), (TERNARY, 2.0)])
def test_real_digits_recover(
    usps: tuple[Checkpoint, DigitSets], formats: dict[str, Any], points: float
) -> None:
    """Three bits come back to within a point of floating point, three levels to within two."""
    training = retraining(*usps, formats)
    floating = training.float_scores()[1].error_percent

    before, *_, after = (record.test.error_percent for record in training.run())

    assert before > floating + points
    assert after <= floating + points


def test_the_verb_gives_the_trained_network_of_the_last_pass(brief: Checkpoint, digits: DigitSets) -> None:
    plan, settings = calibrate(brief.trained, digits.train, **THREE_BITS), Settings(passes=1, layers="last")
    training = Retraining(brief.trained, digits, plan, settings)
    *_, last = training.run()

    trained = retrain(brief.trained, digits, plan, settings)

    for name, array in training.trained.parameters.items():
        np.testing.assert_array_equal(array, trained.parameters[name], err_msg=name)
    assert trained.recipe.name == "lecun1989-retrained"
    assert simulate(trained, digits.test, plan).score.misses == last.test.misses
