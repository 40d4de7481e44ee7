"""Steps of Adam and AdamW against torch.optim, one after the other."""

import numpy as np
import pytest
import torch

from retronet.kernels.optimisers import Moments, step_adam, step_plain

KINDS = {"adam": (torch.optim.Adam, 0.0), "adamw": (torch.optim.AdamW, 0.05)}


@pytest.mark.parametrize(("dtype", "precision"), [(np.float64, 1e-12), (np.float32, 2e-6)])
@pytest.mark.parametrize("kind", KINDS)
def test_steps_are_torchs(kind: str, dtype: type[np.floating], precision: float) -> None:
    optimiser_class, decay = KINDS[kind]
    rng = np.random.default_rng(1)
    parameters = rng.normal(size=200).astype(dtype)
    leaf = torch.tensor(parameters, requires_grad=True)
    optimiser = optimiser_class([leaf], betas=(0.8, 0.99), eps=1e-6, weight_decay=decay)
    moments = Moments(np.zeros(200, dtype), np.zeros(200, dtype), 0.8, 0.99, 1e-6, decay)

    for step in range(1, 60):
        gradient = (rng.normal(size=200) * 10.0 ** rng.uniform(-8, 2, 200)).astype(dtype)
        gradient[step::7] = 0
        rate = float(rng.uniform(1e-4, 0.2))
        optimiser.param_groups[0]["lr"] = rate
        leaf.grad = torch.tensor(gradient)
        optimiser.step()
        step_adam(parameters, gradient, moments, rate, step)

        expected = leaf.detach().numpy()
        np.testing.assert_allclose(parameters, expected, rtol=precision, atol=precision)
    state = optimiser.state[leaf]
    np.testing.assert_allclose(moments.mean, state["exp_avg"].numpy(), rtol=10 * precision, atol=precision)
    np.testing.assert_allclose(moments.square, state["exp_avg_sq"].numpy(), rtol=10 * precision)


def test_parameters_that_no_gradient_reaches_stay() -> None:
    """Vectors are padded with zeros, and unused weights are zeros: no step may move them."""
    zeros = np.zeros(16, np.float32)
    moments = Moments(np.zeros(16, np.float32), np.zeros(16, np.float32), 0.9, 0.999, 1e-8, 0.01)

    for step in (1, 2, 1000):
        step_adam(zeros, np.zeros(16, np.float32), moments, 0.1, step)
        step_plain(zeros, np.zeros(16, np.float32), 0.1)

    assert not zeros.any()
