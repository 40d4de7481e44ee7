"""A retrained network as a run on disk."""

from pathlib import Path
from typing import Any

import pytest
from support.trained_run import train_briefly

from hw_sim.fixed_point.simulate import simulate
from hw_sim.plan.calibrate import calibrate
from hw_sim.plan.plan_file import load_plan
from hw_sim.studies.retrain import Retraining, Settings
from hw_sim.studies.retrained_run import create_retrained_run, keep_pass
from retronet.datasets import DigitSets, load
from retronet.runs.checkpoint import Checkpoint
from retronet.runs.run import open_run


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


def test_the_new_run_simulates_to_the_scores_of_its_last_pass(
    brief: Checkpoint, digits: DigitSets, tmp_path: Path
) -> None:
    training = retraining(brief, digits, {"bits": 4, "weights": "mse"}, passes=2)
    run = create_retrained_run(training, Path("brief"), tmp_path / "new", tmp_path, force=False)
    for record in training.run():
        keep_pass(run, training, record, 0.0)

    opened = open_run(tmp_path / "new")
    checkpoint = opened.checkpoint()
    plan = load_plan(tmp_path / "new" / "plan.toml", checkpoint.header.network)
    found = simulate(checkpoint.trained, digits.test, plan)

    assert plan == training.plan
    assert [kept.number for kept in opened.records()] == [1, 2]
    assert found.score.misses == opened.records()[-1].test.misses
    assert opened.configuration.origin is not None
    assert "brief" in opened.configuration.origin
