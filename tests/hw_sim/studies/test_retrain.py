"""The quantiser in the loop: its casts, its forward pass beside the integers, its steps, what it recovers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.trained_run import train_briefly

from hw_sim.fixed_point.quantize import integer_network
from hw_sim.fixed_point.simulate import report, simulate
from hw_sim.formats.fixed import Fixed
from hw_sim.formats.levels import Format, Levels, PowerOfTwo, encode
from hw_sim.formats.modes import Overflow, Rounding
from hw_sim.formats.scales import ScaleRule
from hw_sim.kernels.quantised_training import cast_all
from hw_sim.plan.plan import calibrate
from hw_sim.plan.plan_file import load_plan
from hw_sim.studies.retrain import Retraining, Settings, casters
from hw_sim.studies.retrained_run import create_retrained_run, keep_pass
from retronet.curvature import goal_of, mean_loss
from retronet.datasets import DigitSets, load
from retronet.engines.workspace import Workspace
from retronet.errors import InputError
from retronet.kernels.passes import measure_curvature, train_sdlm
from retronet.runs.checkpoint import Checkpoint
from retronet.runs.run import open_run

MSE = ScaleRule("mse")
TERNARY = {"weight_format": Levels((-1, 0, 1)), "weight_scale": ScaleRule("threshold", 0.7), "state_bits": 8}
THREE_BITS = {"bits": 3, "weight_scale": MSE, "state_scale": MSE}


@pytest.fixture(scope="module")
def brief(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return train_briefly(tmp_path_factory.mktemp("runs") / "brief", 2).checkpoint()


@pytest.fixture(scope="module")
def digits() -> DigitSets:
    return load("digits5k")


def retraining(
    checkpoint: Checkpoint, digits: DigitSets, formats: dict[str, Any], **settings: Any
) -> Retraining:
    header = checkpoint.header
    plan = calibrate(header.network, checkpoint.state.parameters, digits.train.images, **formats)
    return Retraining(
        header.network, checkpoint.state.parameters, plan, header.recipe, digits, Settings(**settings)
    )


FORMATS: Sequence[Format] = (
    *(Fixed(4, 2, True, mode, over) for mode in list(Rounding)[:7] for over in Overflow),
    Fixed(3, 0, False),
    Levels((-5, 0, 1)),
    Levels((-1, 1)),
    PowerOfTwo(2, 0, zero=True),
    Levels(tuple(range(-15, 16, 2)), 3),
)


def test_casts_are_those_of_the_formats() -> None:
    generator = np.random.default_rng(2)
    values = np.concatenate([np.arange(-40, 41) / 16, generator.normal(0, 2, 500)]).astype(np.float32)
    rows = casters(FORMATS)
    divisors, scales = generator.uniform(0.5, 2, (2, values.size))
    found = np.empty_like(values)

    for row, form in enumerate(FORMATS):
        cast_all(rows, row, values, divisors, scales, found)
        expected = encode(values / divisors, form)[0] * scales
        np.testing.assert_array_equal(found, expected.astype(np.float32), err_msg=form.text)
        cast_all(rows, row, values, np.ones_like(divisors), np.ones_like(scales), found)
        np.testing.assert_array_equal(found, encode(values, form)[0], err_msg=f"ties: {form.text}")


@pytest.mark.parametrize(
    "formats",
    [THREE_BITS, {"bits": 4, "weight_scale": ScaleRule("max-abs", per_map=True)}, TERNARY, {"bits": 6}],
)
def test_the_loss_in_the_loop_is_that_of_the_integers(
    brief: Checkpoint, digits: DigitSets, formats: dict[str, Any]
) -> None:
    """At a rate of almost 0 a pass sees what the simulation of the same network gives."""
    header, parameters = brief.header, brief.state.parameters
    training = retraining(brief, digits, formats, passes=1, rate=1e-30)
    integers = integer_network(header.network, parameters, training.plan)
    expected = mean_loss(simulate(integers, digits.train.images).outputs, digits.train.labels, header.recipe)

    _, record = training.run()

    # Single precision may round another way where a sum lies within 1e-6 of an edge.
    assert record.running_loss == pytest.approx(expected, rel=2e-3)
    for name, array in training.parameters().items():
        np.testing.assert_array_equal(array, parameters[name], err_msg=name)


def test_with_fine_formats_the_steps_are_those_of_floating_point(
    brief: Checkpoint, digits: DigitSets
) -> None:
    header = brief.header
    plan = calibrate(header.network, brief.state.parameters, digits.train.images, 16)
    settings = Settings(passes=1, rate=0.0005)
    training = Retraining(header.network, brief.state.parameters, plan, header.recipe, digits, settings)
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
    for name, array in training.parameters().items():
        moved = np.abs(expected[name] - brief.state.parameters[name]).max()
        assert moved > 0
        assert np.abs(array - expected[name]).max() < 0.02 * moved, name


def test_the_last_layer_alone(brief: Checkpoint, digits: DigitSets) -> None:
    training = retraining(brief, digits, {"bits": 3}, passes=1, layers="last")
    for _ in training.run():
        pass

    for name, array in training.parameters().items():
        same = np.array_equal(array, brief.state.parameters[name])
        assert same != name.startswith("output."), name


def test_the_same_seed_gives_the_same_bytes(brief: Checkpoint, digits: DigitSets) -> None:
    found = []
    for seed in (1, 1, 2):
        training = retraining(brief, digits, TERNARY, passes=2, seed=seed)
        records = list(training.run())
        found.append((records, b"".join(array.tobytes() for array in training.parameters().values())))

    assert found[0] == found[1]
    assert found[0][1] != found[2][1]


def test_stochastic_weights_are_refused(brief: Checkpoint, digits: DigitSets) -> None:
    with pytest.raises(InputError, match="Layer 'h1' can not be retrained with weights of"):
        retraining(brief, digits, {"bits": 6, "rounding": Rounding.STOCHASTIC})


def test_the_new_run_simulates_to_the_scores_of_its_last_pass(
    brief: Checkpoint, digits: DigitSets, tmp_path: Path
) -> None:
    training = retraining(brief, digits, {"bits": 4, "weight_scale": MSE}, passes=2)
    run = create_retrained_run(
        brief.header,
        training.plan,
        digits,
        training.settings,
        Path("brief"),
        tmp_path / "new",
        tmp_path,
        False,
    )
    for record in training.run():
        keep_pass(run, record, len(digits.train.images), 0.0, training.parameters())

    opened = open_run(tmp_path / "new")
    checkpoint = opened.checkpoint()
    plan = load_plan(tmp_path / "new" / "plan.toml", checkpoint.header.network)
    found = report(checkpoint.header.network, checkpoint.state.parameters, plan, digits.test)

    assert plan == training.plan
    assert [kept.number for kept in opened.records()] == [1, 2]
    assert found.simulated.misses == opened.records()[-1].test.misses
    assert opened.configuration.origin is not None
    assert "brief" in opened.configuration.origin


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
