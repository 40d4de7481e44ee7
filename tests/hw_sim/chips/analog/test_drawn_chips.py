"""Chips drawn from a seed: the same ones in any number and on any threads."""

import msgspec
import numpy as np
import pytest
from support.analog_network import compiled, draw

from hw_sim.chips.analog.host_layers import HostRetraining
from hw_sim.chips.anna.report import run_anna
from hw_sim.chips.load import load_chip

ANNA = load_chip("anna")


@compiled
def test_a_chip_is_its_seed_and_number_whatever_the_threads_and_the_other_chips() -> None:
    trained, digits = draw()
    how = HostRetraining(passes=1, rate=0.01)
    two = run_anna(ANNA, trained, digits, chips=2, seed=7, retraining=how)
    four = run_anna(ANNA, trained, digits, chips=4, seed=7, retraining=how, threads=3)
    assert msgspec.json.encode(two.chips) == msgspec.json.encode(four.chips[:2])
    losses = [chip.mapped.half_mse for chip in four.chips]
    losses += [chip.mapped.half_mse for chip in run_anna(ANNA, trained, digits, chips=4, seed=8).chips]
    assert len(set(losses)) == 8
    assert four.mapped.error_percent == pytest.approx(
        np.mean([chip.mapped.error_percent for chip in four.chips])
    )
    assert msgspec.json.decode(msgspec.json.encode(four), type=type(four)) == four
