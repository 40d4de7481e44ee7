"""Second derivatives against the definition written out, finite differences and real digits."""

import numpy as np
import pytest
from msgspec.structs import replace
from support import reference
from support.random_networks import random_network, random_parameters, random_patterns, random_pools

from retronet.curvature import diagonal_curvature, goal_of, mean_loss
from retronet.datasets.dataset import Dataset, Provenance
from retronet.errors import InputError
from retronet.evaluate import score, target_matrix
from retronet.network import Conv, Dense, Identity, NetworkSpec, Relu, Tanh, sized_layers
from retronet.recipe import CrossEntropy, Recipe, SquaredError, Targets, load_recipe
from retronet.trained import Trained

NETWORK = NetworkSpec(
    name="small",
    title="",
    input=(1, 6, 7),
    layers=(
        Conv("a", 3, 3, Tanh(1.7159, 2 / 3), stride=2, pad=1, border=-1.0, bias="unit"),
        Conv("b", 2, 2, Relu(), pad=1, border=0.5, sees=((0, 2), (1,))),
        Dense("c", 4, Identity()),
    ),
)
WHERE = Provenance("drawn", "train", "none", "", "", "", "")


def draw(network: NetworkSpec, count: int) -> tuple[dict[str, np.ndarray], Dataset]:
    parameters = random_parameters(network, 4)
    images, labels, _ = random_patterns(network, 5, count)
    return parameters, Dataset(images, labels, WHERE)


@pytest.fixture
def squared() -> Recipe:
    return replace(load_recipe("lecun1989"), loss=SquaredError("half-sum"))


def expected(
    network: NetworkSpec,
    parameters: dict[str, np.ndarray],
    digits: Dataset,
    kind: reference.Loss,
    recipe: Recipe,
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return the mean second derivatives by sums and by states, connection by connection."""
    found = sized_layers(network)
    sums = {sized.name: np.zeros(sized.output) for sized in found}
    states = {"input": np.zeros(network.input)} | {sized.name: np.zeros(sized.output) for sized in found}
    classes = found[-1].output[0]
    for image, label in zip(digits.images, digits.labels, strict=True):
        values, slopes = reference.forward(network, parameters, image)
        target = target_matrix(recipe.targets, classes)[label]
        _, _, second = reference.loss(kind, 1 / classes, values[-1].reshape(-1), target)
        arriving = second.reshape(found[-1].output)
        for level, sized in reversed(list(enumerate(found))):
            states[sized.name] += arriving / len(digits.images)
            delta = arriving * slopes[level] ** 2
            sums[sized.name] += delta / len(digits.images)
            arriving = np.zeros(sized.input)
            for unit in np.ndindex(*sized.output):
                if not sized.trained:
                    for below, share in reference.pooled(sized, values[level], unit)[1].items():
                        arriving[below] += delta[unit] * share**2
                    continue
                for index, below in reference.connections(sized, unit):
                    if below is not None:
                        arriving[below] += delta[unit] * parameters[f"{sized.name}.weight"][index] ** 2
        states["input"] += arriving / len(digits.images)
    return sums, states


@pytest.mark.parametrize("kind", ["squared", "softmax"])
def test_sums_and_states_follow_the_definition(kind: reference.Loss, squared: Recipe) -> None:
    recipe = (
        squared
        if kind == "squared"
        else replace(squared, loss=CrossEntropy(), targets=replace(squared.targets, off=0.0))
    )
    parameters, digits = draw(NETWORK, 3)

    found = diagonal_curvature(Trained(NETWORK, parameters, recipe), digits, np.float64)

    sums, states = expected(NETWORK, parameters, digits, kind, recipe)
    for name, array in sums.items():
        np.testing.assert_allclose(found.sums[name], array, rtol=1e-12, err_msg=name)
    for name, array in states.items():
        np.testing.assert_allclose(found.states[name], array, rtol=1e-12, atol=1e-15, err_msg=name)


@pytest.mark.parametrize("seed", range(14))
def test_a_network_of_any_geometry(seed: int, squared: Recipe) -> None:
    network = random_network(seed) if seed < 6 else random_pools(seed)
    if network.input[0] > 1:
        network = replace(network, input=(1, *network.input[1:]), layers=network.layers[-1:])
    parameters, digits = draw(network, 2)

    found = diagonal_curvature(Trained(network, parameters, squared), digits, np.float64)

    _, states = expected(network, parameters, digits, "squared", squared)
    for name, array in states.items():
        np.testing.assert_allclose(found.states[name], array, rtol=1e-12, atol=1e-15, err_msg=name)


def test_one_linear_layer_has_the_second_differences_of_its_loss(squared: Recipe) -> None:
    network = NetworkSpec("linear", "", (1, 3, 4), (Dense("a", 3, Identity()),))
    parameters, digits = draw(network, 5)
    found = diagonal_curvature(Trained(network, parameters, squared), digits, np.float64)

    def loss(weights: np.ndarray, images: np.ndarray) -> float:
        answers = images.reshape(len(images), -1) @ weights.T + parameters["a.bias"]
        return mean_loss(answers, digits.labels, squared)

    def second(weights: np.ndarray, images: np.ndarray) -> float:
        middle = loss(parameters["a.weight"], digits.images)
        mirrored = loss(2 * parameters["a.weight"] - weights, 2 * digits.images - images)
        return loss(weights, images) - 2 * middle + mirrored

    for index in np.ndindex(3, 12):
        step = np.zeros((3, 12))
        step[index] = 1.0
        moved = second(parameters["a.weight"] + step, digits.images)
        assert found.parameters["a.weight"][index] == pytest.approx(moved)
    for index in np.ndindex(3, 4):
        step = np.zeros((3, 4))
        step[index] = 1.0
        assert found.states["input"][0][index] == pytest.approx(
            second(parameters["a.weight"], digits.images + step)
        )


@pytest.mark.parametrize("targets", [Targets(), Targets(1.0, 0.0), Targets(0.8, -0.8)])
def test_a_cross_entropy_is_that_of_the_right_answers_whatever_the_targets(targets: Targets) -> None:
    recipe = replace(load_recipe("karpathy2022-modern-1"), targets=targets)
    answers = np.random.default_rng(3).normal(scale=3, size=(40, 10))
    labels = np.arange(40, dtype=np.uint8) % 10

    found = mean_loss(answers, labels, recipe)

    assert found == pytest.approx(score(answers, labels, targets, recipe.loss).loss, rel=1e-12)
    assert found > 0
    np.testing.assert_array_equal(goal_of(recipe, 10, np.float32).targets, np.eye(10, dtype=np.float32))


def test_no_digits_are_refused(squared: Recipe) -> None:
    parameters, digits = draw(NETWORK, 1)
    with pytest.raises(InputError, match="no digits"):
        diagonal_curvature(
            Trained(NETWORK, parameters, squared), Dataset(digits.images[:0], digits.labels[:0], WHERE)
        )
