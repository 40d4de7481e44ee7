"""Rates from step to step."""

import numpy as np
import pytest
import torch

from retronet.schedule import Exponential, Linear, OneCycle, Schedule, step_rates


def all_rates(schedule: Schedule, passes: int, steps: int) -> list[float]:
    return np.concatenate(
        [step_rates(schedule, number, passes, steps) for number in range(1, passes + 1)]
    ).tolist()


def test_the_rate_of_change_2_falls_by_equal_parts() -> None:
    """karpathy2022's own words for it: (1 − n/45) · 3e-4 + n/45 · 1e-4 in pass n, counted from 0."""
    found = all_rates(Linear(3e-4, 1e-4), passes=46, steps=2)

    assert found[::2] == found[1::2] == pytest.approx([3e-4 - 2e-4 * n / 45 for n in range(46)], rel=1e-12)
    assert all_rates(Linear(3e-4, 1e-4), passes=1, steps=1) == [3e-4]


def test_an_exponential_rate_loses_its_share_each_pass() -> None:
    assert all_rates(Exponential(1e-3, 0.9), 4, 1) == pytest.approx([1e-3, 9e-4, 8.1e-4, 7.29e-4], rel=1e-12)


@pytest.mark.parametrize(("passes", "steps"), [(3, 7), (20, 100), (2, 5)])
def test_one_cycle_is_torchs(passes: int, steps: int) -> None:
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=0.1, epochs=passes, steps_per_epoch=steps, pct_start=0.4, div_factor=10
    )
    expected = []
    for step in range(passes * steps):
        expected.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        if step + 1 < passes * steps:
            scheduler.step()

    found = all_rates(OneCycle(0.1, warm=0.4, start_divisor=10.0), passes, steps)

    assert found == pytest.approx(expected, rel=1e-9)
