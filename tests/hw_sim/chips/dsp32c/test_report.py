"""A network in both arithmetics: how far they drift."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from support.analog_network import RECIPE
from support.small_network import draw

import hw_sim.chips.dsp32c.report
from hw_sim.chips.dsp32c.network import dsp_layers, run_dsp
from hw_sim.chips.dsp32c.report import dsp_report
from retronet.network import Dense, Identity, NetworkSpec
from retronet.trained import Trained


def test_truncation_drifts_downwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hw_sim.chips.dsp32c.report, "CHUNK", 64)
    network = NetworkSpec("line", "", (1, 10, 10), (Dense("a", 8, Identity()),))
    parameters, images = draw(network, 25, 150)
    sums = run_dsp(network, dsp_layers(Trained(network, parameters, RECIPE)), images)
    exact = images.reshape(150, -1).astype(np.float64) @ parameters["a.weight"].astype(np.float64).T
    away = sums - exact - parameters["a.bias"]
    data: Any = SimpleNamespace(images=images, labels=sums.argmax(1).astype(np.uint8))
    found = dsp_report(Trained(network, parameters, RECIPE), data)
    drift = found.layers[0].dsp32c
    assert drift.mean == pytest.approx(away.mean(), rel=1e-6)
    assert drift.rms == pytest.approx(np.sqrt(np.square(away).mean()), rel=1e-6)
    assert drift.max_abs == pytest.approx(np.abs(away).max(), rel=1e-6)
    # A floor loses half a unit of the last place on average; a symmetric rounding would have no mean.
    assert drift.mean < -0.5 * drift.rms
    assert abs(found.layers[0].ieee_single.mean) < 0.5 * found.layers[0].ieee_single.rms
    assert found.dsp32c.misses == 0
    assert found.ieee_single.misses == found.differing_answers
