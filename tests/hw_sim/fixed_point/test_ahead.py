"""What is compiled ahead of a simulation is what it needs."""

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
from hw_sim.fixed_point.ahead import to_simulate, to_simulate_under
from hw_sim.fixed_point.quantize import quantize
from hw_sim.fixed_point.trace import trace_integers
from hw_sim.plan.calibrate import calibrate
"""
THEN = """
from hw_sim.fixed_point.simulate import simulate
simulate(trained, digits.test, calibrate(trained, digits.train, OPTIONS))
"""


pytestmark = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")


def test_a_simulation_with_exact_sums_compiles_nothing_else() -> None:
    assert late(f"{JOBS}\ndo(to_simulate(trained))", THEN.replace("OPTIONS", "8")) == []


@pytest.mark.parametrize(
    "options",
    [
        "8, sums='20 bits, wrap'",
        "5, sums='20 bits, rnd_conv, sat'",
        "6, weights='{-1,0,1}, threshold:0.7'",
    ],
)
def test_a_simulation_with_cast_sums_compiles_nothing_else(options: str) -> None:
    """Made-up states lead to the loops that the network's own need."""
    jobs = f"do(to_simulate_under([lambda *known: calibrate(*known, {options})], trained))"
    assert late(f"{JOBS}\n{jobs}", THEN.replace("OPTIONS", options)) == []


def test_a_trace_compiles_nothing_else() -> None:
    jobs = "do(to_simulate_under([lambda *known: calibrate(*known, 8)], trained, trace_integers))"
    traced = "trace_integers(quantize(trained, calibrate(trained, digits.train, 8)), digits.test.images[:3])"
    assert late(f"{JOBS}\n{jobs}", traced) == []
