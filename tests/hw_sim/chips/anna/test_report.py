"""A trained network on simulated ANNA chips: what is refused, and what is lost on digits."""

import dataclasses
from pathlib import Path

import pytest
from msgspec.structs import replace
from support.analog_network import NETWORK, compiled, draw
from support.trained_run import train_briefly

from hw_sim.chips.anna.options import AnnaOptions
from hw_sim.chips.anna.report import run_anna
from hw_sim.chips.load import load_chip
from retronet.datasets import load
from retronet.errors import InputError
from retronet.network import (
    Relu,
)

ANNA = load_chip("anna")


def test_what_can_not_run_is_refused() -> None:
    trained, digits = draw()
    layers = (replace(NETWORK.layers[0], activation=Relu()), *NETWORK.layers[1:])
    with pytest.raises(InputError, match="'a' can not run on ANNA: its converter stands for a tanh"):
        run_anna(ANNA, dataclasses.replace(trained, network=replace(NETWORK, layers=layers)), digits, chips=1)
    with pytest.raises(InputError, match="can not be parted before layer 1: it has 5"):
        run_anna(ANNA, trained, digits, AnnaOptions(float_layers=5), chips=1)
    with pytest.raises(InputError, match="0 chips can not be simulated"):
        run_anna(ANNA, trained, digits, chips=0)


@compiled
def test_little_is_lost_on_digits(tmp_path: Path) -> None:
    checkpoint = train_briefly(tmp_path / "run", passes=3).checkpoint()
    digits = load("digits5k", checkpoint.header.recipe.preparation, None)
    found = run_anna(ANNA, checkpoint.trained, digits, chips=2)
    assert found.reference.error_percent < 12
    assert (
        found.reference.error_percent - 1
        < found.ideal.mapped.error_percent
        < found.reference.error_percent + 4
    )
    assert found.mapped.error_percent < found.reference.error_percent + 5
    assert found.retrained is not None
    assert found.retrained.error_percent < found.mapped.error_percent + 0.5
    most = run_anna(ANNA, checkpoint.trained, digits, AnnaOptions(noise=0.2), chips=2, retraining=None)
    assert most.mapped.error_percent > found.mapped.error_percent + 3
