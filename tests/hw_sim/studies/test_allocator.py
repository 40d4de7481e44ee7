"""What fewer bits do to the loss: the prediction on its own ground and on real digits, costs."""

from pathlib import Path

import numpy as np
import pytest
from support.trained_run import train_briefly

from hw_sim.studies.allocator import Allocator, Tensor
from hw_sim.studies.testbench import Testbench
from retronet.curvature import mean_loss
from retronet.datasets import load
from retronet.errors import InputError
from retronet.network import Dense, Identity, NetworkSpec
from retronet.trained import Trained


def allocator_of(folder: Path, data: str, data_dir: Path | None, passes: int) -> Allocator:
    run = train_briefly(folder, passes, data, data_dir)
    return Allocator(Testbench(run.checkpoint().trained, load(data, None, data_dir)))


@pytest.fixture(scope="module")
def brief(tmp_path_factory: pytest.TempPathFactory) -> Allocator:
    return allocator_of(tmp_path_factory.mktemp("runs") / "brief", "digits5k", None, 2)


def test_a_linear_layer_loses_what_is_predicted(brief: Allocator) -> None:
    """Uniform noise on the weights of a linear layer raises the squared error as predicted, on average."""
    network = NetworkSpec("linear", "", (1, 16, 16), (Dense("a", 10, Identity()),))
    generator = np.random.default_rng(1)
    parameters = {"a.weight": generator.uniform(-0.1, 0.1, (10, 256)), "a.bias": np.zeros(10)}
    recipe = brief.trained.recipe
    allocator = Allocator(Testbench(Trained(network, parameters, recipe), brief.testbench.digits))
    step, digits = 0.05, brief.testbench.digits.train

    def loss(weights: np.ndarray) -> float:
        answers = digits.images.reshape(len(digits.images), -1) @ weights.T
        return mean_loss(answers, digits.labels, recipe)

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


def test_bits_too_near_those_of_the_others_are_refused(brief: Allocator) -> None:
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
