"""Losses against their formulas written out, and their derivatives against torch's autograd."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch

from retronet.kernels.losses import BINARY, LOSSES, POSTERIOR, SOFTMAX, SQUARED


def chances(outputs: Sequence[float]) -> list[float]:
    total = sum(map(math.exp, outputs))
    return [math.exp(output) / total for output in outputs]


def half_sum(outputs: Sequence[float], right: int) -> float:
    return sum((output - (i == right)) ** 2 / 2 for i, output in enumerate(outputs))


def cross_entropy(outputs: Sequence[float], right: int) -> float:
    return -math.log(chances(outputs)[right])


def binary(outputs: Sequence[float], right: int) -> float:
    each = [-math.log(p if i == right else 1 - p) for i, p in enumerate(chances(outputs))]
    return sum(each) / len(outputs)


def equation_9(outputs: Sequence[float], right: int) -> float:
    """PIEEE98 eq. 9 for one pattern, with j = 1.5; the penalties are the outputs with their sign turned."""
    penalties = [-output for output in outputs]
    return penalties[right] + math.log(math.exp(-1.5) + sum(math.exp(-penalty) for penalty in penalties))


CASES: dict[str, tuple[int, float, Callable[[Sequence[float], int], float]]] = {
    "half-sum": (SQUARED, 1.0, half_sum),
    "cross-entropy": (SOFTMAX, 1.0, cross_entropy),
    "binary": (BINARY, 1.0, binary),
    "equation 9": (POSTERIOR, 1.5, equation_9),
}
NAMES = pytest.mark.parametrize("name", CASES)
PATTERNS = [
    (np.random.default_rng(seed).normal(0, spread, 6), seed % 6)
    for seed, spread in enumerate([0.1, 1, 1, 3, 3, 8])
]


def evaluate(name: str, outputs: np.ndarray, right: int) -> tuple[float, np.ndarray, np.ndarray]:
    kind, scale, _ = CASES[name]
    delta, curvature = np.full(8, 7.0), np.full(8, 7.0)
    value = LOSSES[kind](scale, np.append(outputs, [0.0, 0.0]), np.eye(6)[right], delta, curvature)
    return value, delta, curvature


@NAMES
@pytest.mark.parametrize(("outputs", "right"), PATTERNS)
def test_value_and_slope(name: str, outputs: np.ndarray, right: int) -> None:
    value, delta, _ = evaluate(name, outputs, right)
    formula = CASES[name][2]

    assert value == pytest.approx(formula(outputs.tolist(), right), rel=1e-9)
    for i, step in enumerate(np.eye(6) * 1e-5):
        slope = (formula((outputs + step).tolist(), right) - formula((outputs - step).tolist(), right)) / 2e-5
        assert delta[i] == pytest.approx(slope, rel=1e-5, abs=1e-8)


@pytest.mark.parametrize(("outputs", "right"), PATTERNS)
def test_second_derivatives_of_softmax_losses(outputs: np.ndarray, right: int) -> None:
    """Cross-entropy and equation 9 keep the diagonal of the whole Hessian."""

    def cross_entropy_of(leaf: torch.Tensor) -> torch.Tensor:
        return torch.logsumexp(leaf, 0) - leaf[right]

    def equation_9_of(leaf: torch.Tensor) -> torch.Tensor:
        return torch.log(math.exp(-1.5) + torch.exp(leaf).sum()) - leaf[right]

    for name, function in (("cross-entropy", cross_entropy_of), ("equation 9", equation_9_of)):
        hessian = torch.autograd.functional.hessian(function, torch.tensor(outputs))
        _, _, curvature = evaluate(name, outputs, right)
        np.testing.assert_allclose(curvature[:6], torch.diagonal(hessian).numpy(), rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize(("outputs", "right"), PATTERNS)
def test_second_derivatives_of_the_binary_loss_are_gauss_and_newtons(outputs: np.ndarray, right: int) -> None:
    """Its own curvature by the chances, between the Jacobians of the softmax."""

    def by_chances(p: torch.Tensor) -> torch.Tensor:
        own = torch.eye(6, dtype=torch.float64)[right]
        return -(own * torch.log(p) + (1 - own) * torch.log(1 - p)).mean()

    leaf = torch.tensor(outputs)
    jacobian = torch.autograd.functional.jacobian(lambda x: torch.softmax(x, 0), leaf)
    hessian = torch.autograd.functional.hessian(by_chances, torch.softmax(leaf, 0))
    expected = torch.diagonal(jacobian.T @ hessian @ jacobian)

    _, _, curvature = evaluate("binary", outputs, right)

    np.testing.assert_allclose(curvature[:6], expected.numpy(), rtol=1e-6, atol=1e-12)


def test_the_rubbish_class_of_equation_9() -> None:
    """All first derivatives and the chance of the rubbish class make zero; nothing else is left behind."""
    for outputs, right in PATTERNS:
        _, delta, curvature = evaluate("equation 9", outputs, right)
        rubbish = math.exp(-1.5) / (math.exp(-1.5) + sum(map(math.exp, outputs)))
        assert curvature[6] == pytest.approx(rubbish, rel=1e-9)
        assert delta[:6].sum() == pytest.approx(-rubbish, rel=1e-9, abs=1e-15)
        assert (delta[6], delta[7], curvature[7]) == (0, 0, 0)


@NAMES
@pytest.mark.parametrize("far", [80.0, 500.0])
def test_far_outputs_stay_finite(name: str, far: float) -> None:
    """A network that is quite wrong has a steep loss, not an infinite one."""
    outputs = np.array([far, -far, 0.0, 0.0, far / 2, 0.0])

    value, delta, curvature = evaluate(name, outputs, 1)

    assert np.isfinite(value)
    assert np.isfinite(delta).all()
    assert np.isfinite(curvature).all()
