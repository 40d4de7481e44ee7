"""Diagonal second derivatives of a trained network, averaged over digits.

They are the Gauss–Newton diagonal: terms with second derivatives of the squashing function and cross terms
are dropped (PIEEE98 App. C, eqs 22–27), so none is negative. Noise of variance s² on each value of a tensor
raises the loss by about ½ s² times the sum of its second derivatives (OBD; papers.md §4.1).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike, NDArray

from retronet.connections import connection_table, rows_and_biases
from retronet.datasets.dataset import Dataset
from retronet.elementary import exp, log
from retronet.engines.forward import check_images, outputs
from retronet.engines.workspace import Workspace
from retronet.errors import InputError
from retronet.evaluate import target_matrix
from retronet.kernels.compiling import goal_for
from retronet.kernels.losses import SOFTMAX, SQUARED
from retronet.kernels.passes import Goal
from retronet.kernels.unit_curvature import measure_unit_curvature
from retronet.network import MaxPool, SizedLayer
from retronet.recipe import CrossEntropy, Recipe, SquaredError
from retronet.trained import Trained

INPUT = "input"
"""The name that the pixels have among the states."""


@dataclass(frozen=True)
class Curvature:
    """Mean second derivatives of the loss (see `loss_name`) on `digits` digits.

    Attributes
    ----------
    parameters : dict of ndarray
        By each parameter, summed over the places that share it; shapes of the parameters.
    sums : dict of ndarray
        By the sum of each unit, shaped like the layer's output; by layer.
    states : dict of ndarray
        By the state of each unit, likewise, and by each pixel under the name ``input``.
    """

    digits: int
    parameters: dict[str, NDArray[np.floating]]
    sums: dict[str, NDArray[np.float64]]
    states: dict[str, NDArray[np.float64]]


def loss_name(recipe: Recipe) -> str:
    """Return what the loss of `recipe` is called here, with its unit."""
    match recipe.loss:
        case SquaredError():
            return "half MSE"
        case CrossEntropy():
            return "cross-entropy in nats"
        case _:
            raise _unknown_loss(recipe)


def mean_loss(answers: NDArray[np.floating], labels: NDArray[np.uint8], recipe: Recipe) -> float:
    """Return the loss of `answers` (n, classes): half MSE as NC89 counts it, or cross-entropy.

    Half MSE is ½ (d − y)² averaged over outputs and digits, whichever form of the squared error the recipe
    names: the forms differ by a factor. The recipe's targets are for squared errors alone: a cross-entropy is
    that of the right answers.
    """
    wanted = _wanted(recipe, answers.shape[1])[labels]
    values = answers.astype(np.float64)
    match recipe.loss:
        case SquaredError():
            return float(0.5 * np.square(values - wanted).mean())
        case CrossEntropy():
            above = values - values.max(axis=1, keepdims=True)
            log_likelihood = above - log(exp(above).sum(axis=1, keepdims=True))
            return float(-(wanted * log_likelihood).sum(axis=1).mean())
        case _:
            raise _unknown_loss(recipe)


def diagonal_curvature(trained: Trained, digits: Dataset, dtype: DTypeLike = np.float32) -> Curvature:
    """Return the diagonal second derivatives of `mean_loss`, averaged over all of `digits`.

    Parameters
    ----------
    trained
        The trained network; loss and targets are those of its recipe.
    digits
        Those it was trained on, as a rule: there the first derivatives are small.
    dtype
        Precision of the passes; means over digits by unit are taken in double precision.

    Raises
    ------
    InputError
        If the digits do not fit the network, there are no digits, or the loss is of another kind.
    """
    network, parameters, recipe = trained.network, trained.parameters, trained.recipe
    check_images(network, digits.images)
    if len(digits.images) == 0:
        raise InputError("Second derivatives can not be averaged over no digits. Give at least one.")
    workspace = Workspace(network, dtype)
    workspace.load(parameters)
    machine, sized_layers = workspace.machine, workspace.sized_layers
    received, largest = (np.empty(machine.flat.activity.size, np.float64) for _ in range(2))
    goal = goal_of(recipe, sized_layers[-1].output[0], workspace.dtype)
    images = np.ascontiguousarray(digits.images, workspace.dtype)
    order = np.arange(len(images))
    measure_unit_curvature(machine, images, digits.labels, order, goal, received, largest)
    sums: dict[str, NDArray[np.float64]] = {}
    states: dict[str, NDArray[np.float64]] = {}
    below = INPUT
    for sized, layer in zip(sized_layers, machine.wiring.table, strict=True):
        sums[sized.name] = received[layer.output : layer.output + sized.units].reshape(sized.output).copy()
        if isinstance(sized.layer, MaxPool):
            count = int(np.prod(sized.input))
            states[below] = largest[layer.state : layer.state + count].reshape(sized.input).copy()
        else:
            states[below] = _sent_down(sized, parameters, sums[sized.name])
        below = sized.name
    states[sized_layers[-1].name] = _top_curvature(recipe, outputs(workspace, images)).reshape(
        sized_layers[-1].output
    )
    return Curvature(len(images), workspace.read(machine.flat.curvature), sums, states)


def goal_of(recipe: Recipe, classes: int, dtype: DTypeLike) -> Goal:
    """Return what the kernels need to know of `mean_loss`."""
    matrix = _wanted(recipe, classes).astype(dtype)
    match recipe.loss:
        case SquaredError():
            return goal_for(matrix, SQUARED, 1.0 / classes)
        case CrossEntropy():
            return goal_for(matrix, SOFTMAX, 1.0)
        case _:
            raise _unknown_loss(recipe)


def _wanted(recipe: Recipe, classes: int) -> NDArray[np.float64]:
    """Return what `mean_loss` measures outputs from, a row a class: targets, or 1 at the right answer."""
    if isinstance(recipe.loss, SquaredError):
        return target_matrix(recipe.targets, classes)
    return np.eye(classes)


def _top_curvature(recipe: Recipe, top: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the mean second derivatives by the outputs `top` (n, classes)."""
    match recipe.loss:
        case SquaredError():
            return np.full(top.shape[1], 1.0 / top.shape[1])
        case CrossEntropy():
            values = exp(top - top.max(axis=1, keepdims=True))
            share = values / values.sum(axis=1, keepdims=True)
            return np.asarray((share * (1 - share)).mean(axis=0))
        case _:
            raise _unknown_loss(recipe)


def _unknown_loss(recipe: Recipe) -> InputError:
    kind, *known = (each.__struct_config__.tag for each in (recipe.loss, SquaredError, CrossEntropy))
    return InputError(
        f"Second derivatives of the loss of recipe '{recipe.name}', '{kind}', are not known here; "
        f"{' and '.join(map(repr, known))} are allowed. Take a run of another recipe."
    )


def _sent_down(
    sized: SizedLayer, parameters: Mapping[str, NDArray[np.floating]], sums: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the second derivatives by the states below: those by the sums, times squared weights."""
    table = connection_table(sized)
    squared = np.square(rows_and_biases(sized, parameters)[0])
    below = np.zeros(int(np.prod(sized.input)) + 1)  # the last place is the border
    for row, received in enumerate(sums.reshape(sized.output[0], -1)):
        taps = table.fan_in[row]
        sources = table.sources[table.tables[row], :, :taps]
        np.add.at(below, sources, received[:, np.newaxis] * squared[row, :taps])
    return below[:-1].reshape(sized.input)
