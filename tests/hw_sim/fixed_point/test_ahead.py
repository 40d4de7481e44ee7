"""What is compiled ahead of a simulation is what it needs where sums are exact in single precision."""

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
from hw_sim.fixed_point.ahead import to_simulate
do(to_simulate(trained))
"""
THEN = """
from hw_sim.fixed_point.simulate import simulate
from hw_sim.plan.calibrate import calibrate
simulate(trained, digits.test, calibrate(trained, digits.train, 8))
"""


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")
def test_a_simulation_compiles_nothing_else() -> None:
    assert late(JOBS, THEN) == []
