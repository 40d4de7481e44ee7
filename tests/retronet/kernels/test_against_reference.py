"""Training in double precision against plain loops, step by step; parts of a pass against the pass."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from support import reference
from support.random_networks import random_network, random_parameters, random_patterns, random_pools

from retronet.engines.workspace import Parameters, Workspace
from retronet.kernels.compiling import goal_for
from retronet.kernels.losses import SOFTMAX, SQUARED
from retronet.kernels.passes import Goal, Machine, measure_curvature, train_sdlm, train_sgd
from retronet.network import NetworkSpec, load_network

SEEDS = pytest.mark.parametrize("seed", range(12))
"""Those from 6 on have pools."""
STEPS = 4
KINDS: tuple[tuple[int, reference.Loss], ...] = ((SQUARED, "squared"), (SOFTMAX, "softmax"))


def assert_close(found: Parameters, expected: Parameters) -> None:
    assert found.keys() == expected.keys()
    for name, array in found.items():
        np.testing.assert_allclose(array, expected[name], rtol=1e-10, atol=1e-12, err_msg=name)


def prepared(seed: int) -> tuple[NetworkSpec, Workspace, Parameters, tuple[NDArray[np.floating], ...]]:
    network = random_network(seed) if seed < 6 else random_pools(seed)
    workspace = Workspace(network, np.float64)
    parameters = random_parameters(network, seed, spread=0.4)
    workspace.load(parameters)
    return network, workspace, parameters, random_patterns(network, seed, STEPS)


@SEEDS
@pytest.mark.parametrize(("kind", "name"), KINDS)
def test_sgd_steps(seed: int, kind: int, name: reference.Loss) -> None:
    network, workspace, parameters, (images, labels, targets) = prepared(seed)
    targets = targets if kind == SQUARED else (targets + 1) / 2
    for pattern in (2, 0, 3, 1):
        found = train_sgd(
            workspace.machine, images, labels, np.array([pattern]), goal_for(targets, kind, 0.5), 0.02
        )
        target = targets[labels[pattern]]
        value, gradient, _ = reference.derivatives(network, parameters, images[pattern], target, name, 0.5)
        parameters = {key: parameters[key] - 0.02 * gradient[key] for key in parameters}
        assert found == pytest.approx(value, rel=1e-12)
        assert_close(workspace.read(), parameters)


@SEEDS
@pytest.mark.parametrize("gamma", [0.0, 0.05, 1.0])
def test_sdlm_steps(seed: int, gamma: float) -> None:
    """A running average takes the pattern in before the step; with gamma 0 the measured diagonal stays."""
    network, workspace, parameters, (images, labels, targets) = prepared(seed)
    goal, rate, mu = goal_for(targets, SQUARED, 1.0), 0.01, 0.05
    order = np.array([2, 0, 3, 1])

    def derivatives(pattern: int) -> tuple[float, Parameters, Parameters]:
        target = targets[labels[pattern]]
        return reference.derivatives(network, parameters, images[pattern], target, "squared", 1.0)

    measure_curvature(workspace.machine, images, labels, order[:3], goal)
    diagonals = [derivatives(pattern)[2] for pattern in order[:3]]
    curvature = {key: sum(one[key] for one in diagonals) / 3 for key in parameters}
    assert_close(workspace.read(workspace.machine.flat.curvature), curvature)
    for pattern in order:
        found = train_sdlm(workspace.machine, images, labels, np.array([pattern]), goal, rate, mu, gamma)
        value, gradient, diagonal = derivatives(pattern)
        curvature = {key: (1 - gamma) * curvature[key] + gamma * diagonal[key] for key in parameters}
        parameters = {
            key: parameters[key] - rate * gradient[key] / (mu + curvature[key]) for key in parameters
        }
        assert found == pytest.approx(value, rel=1e-12)
        assert_close(workspace.read(), parameters)
        assert_close(workspace.read(workspace.machine.flat.curvature), curvature)


Training = Callable[[Machine, NDArray[np.floating], NDArray[np.uint8], NDArray[np.int64], Goal], float]
RULES: dict[str, Training] = {
    "sgd": lambda machine, images, labels, order, goal: train_sgd(machine, images, labels, order, goal, 0.02),
    "sdlm running": lambda machine, images, labels, order, goal: train_sdlm(
        machine, images, labels, order, goal, 0.0005, 0.05, 0.05
    ),
    "sdlm fixed": lambda machine, images, labels, order, goal: train_sdlm(
        machine, images, labels, order, goal, 0.0005, 0.05, 0.0
    ),
}


def trained(train: Training, parts: tuple[int, ...]) -> tuple[bytes, bytes]:
    """Return the bytes of parameters and curvature after one pass in calls that end at `parts`."""
    network = load_network("lecun1989")
    workspace = Workspace(network)
    workspace.load(random_parameters(network, 1, np.float32, spread=0.05))
    images, labels, targets = random_patterns(network, 2, 60, np.float32)
    goal = goal_for(targets, SQUARED, 1.0)
    measure_curvature(workspace.machine, images, labels, np.arange(20), goal)
    order = np.random.default_rng(3).permutation(60)
    for part in np.split(order, parts):
        train(workspace.machine, images, labels, part, goal)
    flat = workspace.machine.flat
    return flat.parameters.tobytes(), flat.curvature.tobytes()


@pytest.mark.parametrize("rule", RULES)
def test_parts_of_a_pass_give_the_bytes_of_the_pass(rule: str) -> None:
    whole = trained(RULES[rule], ())
    assert whole == trained(RULES[rule], ())
    assert whole == trained(RULES[rule], (1, 17, 17, 44))


PROGRAM = """
import numpy as np
from retronet.kernels.compiling import goal_for
from retronet.kernels.passes import measure_curvature, train_sdlm, train_sgd
from retronet.engines.workspace import Workspace
from support.random_networks import random_network, random_parameters, random_patterns, random_pools
for network in (random_network(0), random_network(3), random_pools(14)):
    seed = 0
    images, labels, targets = random_patterns(network, seed, 3, np.float32)
    workspace = Workspace(network)
    workspace.load(random_parameters(network, seed, np.float32))
    goal, order = goal_for(targets, 0, 1.0), np.arange(3)
    train_sgd(workspace.machine, images, labels, order, goal, 0.01)
    measure_curvature(workspace.machine, images, labels, order, goal)
    train_sdlm(workspace.machine, images, labels, order, goal, 0.001, 0.05, 0.05)
    for array in workspace.read().values():
        print(*array.reshape(-1).tolist())
"""


def test_interpreted_kernels_give_the_same_numbers() -> None:
    tests = Path(reference.__file__).parents[1]
    path = os.pathsep.join(filter(None, (str(tests), os.environ.get("PYTHONPATH"))))
    outputs = []
    for disabled in ("0", "1"):
        environment = {**os.environ, "NUMBA_DISABLE_JIT": disabled, "PYTHONPATH": path}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
        )
        outputs.append(np.array(done.stdout.split(), dtype=np.float64))
    assert outputs[0].size > 100
    np.testing.assert_allclose(outputs[0], outputs[1], rtol=2e-5, atol=2e-6)
