"""Forward pass, gradient and Gauss–Newton diagonal against torch in double precision."""

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from support.random_networks import random_network, random_parameters, random_patterns, random_pools
from support.torch_layers import activation, border, pool, squash, sums

from retronet.engines.workspace import Workspace
from retronet.kernels.compiling import goal_for
from retronet.kernels.losses import SOFTMAX, SQUARED
from retronet.kernels.passes import measure_curvature, run_forward, train_sgd
from retronet.network import (
    AveragePool,
    Conv,
    Dense,
    Identity,
    MaxPool,
    NetworkSpec,
    Tanh,
    load_network,
    sized_layers,
)

Tensors = dict[str, torch.Tensor]
Floats = NDArray[np.floating]

NETWORKS = [random_network(seed) for seed in range(40)] + [load_network("lecun1989")]
NETWORKS += [random_pools(seed) for seed in range(8)]
IDENTICAL = pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
LOSSES = pytest.mark.parametrize(("kind", "scale"), [(SQUARED, 1.0), (SQUARED, 0.2), (SOFTMAX, 1.0)])


def wide(bias: torch.Tensor) -> torch.Tensor:
    return bias if bias.ndim == 3 else bias[:, None, None]


def run(network: NetworkSpec, parameters: Tensors, image: torch.Tensor) -> list[torch.Tensor]:
    """Return all states from the input up."""
    states = [image.reshape(network.input)]
    for sized in sized_layers(network):
        if isinstance(sized.layer, MaxPool | AveragePool):
            total = pool(sized.layer, sized, states[-1])
        else:
            weight, bias = parameters[f"{sized.name}.weight"], parameters[f"{sized.name}.bias"]
            total = sums(sized, states[-1], weight, border(sized)) + wide(bias)
        states.append(squash(activation(sized), total))
    return states


def objective(output: torch.Tensor, target: torch.Tensor, kind: int, scale: float) -> torch.Tensor:
    if kind == SQUARED:
        return scale / 2 * ((output - target) ** 2).sum()
    return -(target * torch.log_softmax(output, 0)).sum()


def curvature_of_outputs(output: torch.Tensor, target: torch.Tensor, kind: int, scale: float) -> torch.Tensor:
    hessian = torch.autograd.functional.hessian(lambda y: objective(y, target, kind, scale), output)
    return torch.diagonal(hessian).clone()


def diagonal(network: NetworkSpec, parameters: Tensors, image: torch.Tensor, top: torch.Tensor) -> Tensors:
    """Return PIEEE98 App. C's diagonal: a layer's own sums, on squared inputs and weights, differentiated."""
    states = run(network, parameters, image)
    found: Tensors = {}
    arriving = top
    for level, sized in reversed(list(enumerate(sized_layers(network)))):
        if isinstance(sized.layer, MaxPool | AveragePool):
            # Its own derivatives squared: 0 or 1 for the largest, all alike for the mean.
            below = states[level].detach().requires_grad_()
            total = pool(sized.layer, sized, below)
            leaf = total.detach().requires_grad_()
            (slope,) = torch.autograd.grad(squash(activation(sized), leaf).sum(), leaf)
            share = 1 if isinstance(sized.layer, MaxPool) else sized.layer.size**-2
            delta = share * arriving.reshape(total.shape) * slope**2
            (arriving,) = torch.autograd.grad(total, below, delta)
            continue
        weight, bias = parameters[f"{sized.name}.weight"], parameters[f"{sized.name}.bias"]
        total = sums(sized, states[level], weight, border(sized)) + wide(bias)
        total.requires_grad_()
        (slope,) = torch.autograd.grad(squash(activation(sized), total).sum(), total)
        delta = arriving.reshape(total.shape) * slope**2
        weight2, state2 = (weight**2).requires_grad_(), (states[level] ** 2).requires_grad_()
        bias2 = torch.zeros_like(bias).requires_grad_()
        linear = sums(sized, state2, weight2, border(sized) ** 2) + wide(bias2)
        found[f"{sized.name}.weight"], found[f"{sized.name}.bias"], arriving = torch.autograd.grad(
            (delta * linear).sum(), (weight2, bias2, state2)
        )
    return found


def tensors(parameters: dict[str, Any], requires_grad: bool = False) -> Tensors:
    return {name: torch.tensor(array, requires_grad=requires_grad) for name, array in parameters.items()}


def assert_close(found: dict[str, Any], expected: Tensors) -> None:
    assert found.keys() == expected.keys()
    for name, array in found.items():
        reference = expected[name].detach().numpy()
        largest = np.abs(reference).max()
        np.testing.assert_allclose(array, reference, rtol=1e-9, atol=1e-10 * largest + 1e-15, err_msg=name)


@IDENTICAL
def test_states_are_those_of_torch(network: NetworkSpec) -> None:
    parameters = random_parameters(network, 1)
    images, _, _ = random_patterns(network, 2, 3)
    workspace = Workspace(network, np.float64)
    workspace.load(parameters)
    units = np.array([sized.units for sized in sized_layers(network)])
    found = np.zeros((3, units.sum()))
    run_forward(workspace.machine, images, 0, units, found)
    for image, row in zip(images, found, strict=True):
        expected = run(network, tensors(parameters), torch.tensor(image))[1:]
        np.testing.assert_allclose(
            row, torch.cat([state.reshape(-1) for state in expected]), rtol=1e-9, atol=1e-14
        )


@IDENTICAL
@LOSSES
def test_gradient_is_that_of_torch(network: NetworkSpec, kind: int, scale: float) -> None:
    parameters = random_parameters(network, 1)
    images, labels, targets = random_patterns(network, 2, 1)
    targets = targets if kind == SQUARED else (targets + 1) / 2
    workspace = Workspace(network, np.float64)
    workspace.load(parameters)
    # A step at rate 1 is the gradient.
    found_loss = train_sgd(
        workspace.machine, images, labels, np.array([0]), goal_for(targets, kind, scale), 1.0
    )
    after = workspace.read()

    leaves = tensors(parameters, requires_grad=True)
    output = run(network, leaves, torch.tensor(images[0]))[-1].reshape(-1)
    value = objective(output, torch.tensor(targets[labels[0]]), kind, scale)
    value.backward()
    assert found_loss == pytest.approx(value.item(), rel=1e-12)
    gradients = {
        name: torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for name, leaf in leaves.items()
    }
    assert_close({name: parameters[name] - after[name] for name in parameters}, gradients)


@IDENTICAL
@LOSSES
def test_diagonal_is_that_of_squared_layers_in_torch(network: NetworkSpec, kind: int, scale: float) -> None:
    parameters = random_parameters(network, 1)
    images, labels, targets = random_patterns(network, 2, 3)
    targets = targets if kind == SQUARED else (targets + 1) / 2
    workspace = Workspace(network, np.float64)
    workspace.load(parameters)
    goal = goal_for(targets, kind, scale)
    measure_curvature(workspace.machine, images, labels, np.array([0, 2]), goal)
    expected = {name: torch.zeros_like(tensor) for name, tensor in tensors(parameters).items()}
    for pattern in (0, 2):
        image = torch.tensor(images[pattern])
        output = run(network, tensors(parameters), image)[-1].reshape(-1)
        top = curvature_of_outputs(output, torch.tensor(targets[labels[pattern]]), kind, scale)
        for name, part in diagonal(network, tensors(parameters), image, top).items():
            expected[name] += part / 2
    assert_close(workspace.read(workspace.machine.flat.curvature), expected)


TANH = Tanh(1.7159, 2 / 3)
WITHOUT_SHARING = [
    NetworkSpec("dense", "", (2, 3, 4), (Dense("top", 5, TANH),)),
    NetworkSpec("two", "", (2, 3, 4), (Dense("low", 7, TANH), Dense("top", 1, Identity()))),
    NetworkSpec(
        "conv",
        "",
        (3, 4, 4),
        (Conv("low", 3, 4, TANH, sees=((0, 2), (1,), (0, 1, 2)), bias="unit"), Dense("top", 1, TANH)),
    ),
]


@pytest.mark.parametrize("network", WITHOUT_SHARING, ids=lambda network: network.name)
def test_diagonal_is_exact_where_nothing_is_shared(network: NetworkSpec) -> None:
    """With no shared weight and one path to each output, App. C drops nothing: JᵀJ's own diagonal."""
    parameters = random_parameters(network, 3)
    images, labels, _ = random_patterns(network, 4, 1)
    outputs = sized_layers(network)[-1].units
    workspace = Workspace(network, np.float64)
    workspace.load(parameters)
    goal = goal_for(np.zeros((outputs, outputs)), SQUARED, 1.0)
    measure_curvature(workspace.machine, images, labels, np.array([0]), goal)

    leaves = tensors(parameters, requires_grad=True)
    output = run(network, leaves, torch.tensor(images[0]))[-1].reshape(-1)
    expected = {name: torch.zeros_like(leaf) for name, leaf in leaves.items()}
    for number in range(outputs):
        rows = torch.autograd.grad(output[number], list(leaves.values()), retain_graph=True)
        for name, row in zip(leaves, rows, strict=True):
            expected[name] += row**2
    assert_close(workspace.read(workspace.machine.flat.curvature), expected)


def test_diagonal_is_what_hutchinson_estimates_where_paths_do_not_meet() -> None:
    """On the 1989 network App. C is exact for the two upper layers: E[z · (Gz)] over random signs z finds it.

    Every unit of h3 has one path to each output; from h2 down several paths meet and the diagonal is less.
    """
    network, probes = load_network("lecun1989"), 600
    parameters = random_parameters(network, 5)
    images, labels, _ = random_patterns(network, 6, 1)
    workspace = Workspace(network, np.float64)
    workspace.load(parameters)
    goal = goal_for(2 * np.eye(10) - 1, SQUARED, 1.0)
    measure_curvature(workspace.machine, images, labels, np.array([0]), goal)
    found = workspace.read(workspace.machine.flat.curvature)

    leaves = tensors(parameters, requires_grad=True)
    upper = {name: leaf for name, leaf in leaves.items() if name.startswith(("h3", "output"))}
    output = run(network, leaves, torch.tensor(images[0]))[-1].reshape(-1)
    pulled = torch.ones_like(output, requires_grad=True)
    back = torch.autograd.grad(output, list(upper.values()), pulled, create_graph=True)
    generator = torch.Generator().manual_seed(7)
    products: dict[str, list[torch.Tensor]] = {name: [] for name in upper}
    for _ in range(probes):
        signs = [
            torch.randint(0, 2, leaf.shape, generator=generator, dtype=torch.float64) * 2 - 1
            for leaf in upper.values()
        ]
        along = sum((part * sign).sum() for part, sign in zip(back, signs, strict=True))
        assert isinstance(along, torch.Tensor)
        (pushed,) = torch.autograd.grad(along, pulled, retain_graph=True)
        gauss_newton = torch.autograd.grad(output, list(upper.values()), pushed.detach(), retain_graph=True)
        for name, sign, product in zip(upper, signs, gauss_newton, strict=True):
            products[name].append(sign * product)
    for name, each in products.items():
        drawn = torch.stack(each)
        error = drawn.std(0) / probes**0.5
        assert (error > 0).all(), name
        away = (drawn.mean(0).numpy() - found[name]) / error.numpy()
        assert 0.7 < np.mean(np.square(away)) < 1.4, name
        assert np.abs(away).max() < 6, name
