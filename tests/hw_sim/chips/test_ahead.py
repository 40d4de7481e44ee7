"""What is compiled ahead of a chip's simulation is what it needs."""

import numba
import pytest
from support.ahead import late

JOBS = """
from retronet.initial import initial_parameters
from retronet.network import load_network
from retronet.recipe import load_recipe
from retronet.trained import Trained
from retronet.datasets import load
recipe, network, digits = load_recipe("lecun1989"), load_network("lecun1989"), load("digits5k")
trained = Trained(network, initial_parameters(network, recipe.initial, 0), recipe)
from hw_sim.chips.ahead import to_simulate_on
from hw_sim.chips.load import load_chip
chip = load_chip("CHIP")
do(to_simulate_on(chip, trained)[1]())
"""
THEN = """
from hw_sim.chips.simulate import simulate_on
simulate_on(chip, trained, digits, **OPTIONS)
"""


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")
@pytest.mark.parametrize(
    ("chip", "options"),
    [("dsp32c-80ns", {}), ("anna", {"chips": 1}), ("net32k", {"chips": 1}), ("graf54", {"passes": 1})],
)
def test_a_chip_compiles_nothing_else(chip: str, options: dict[str, int]) -> None:
    assert late(JOBS.replace("CHIP", chip), THEN.replace("OPTIONS", str(options))) == []
