"""What is compiled ahead of retraining is what it needs; of a choice of bits, all but some words of sums."""

import numba
import pytest
from support.ahead import late

pytestmark = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")

TRAINED = """
from hw_sim.studies.ahead import to_allocate, to_retrain
from retronet.initial import initial_parameters
from retronet.network import load_network
from retronet.recipe import load_recipe
from retronet.trained import Trained
from retronet.datasets import load
recipe, network, digits = load_recipe("lecun1989"), load_network("lecun1989"), load("digits5k")
trained = Trained(network, initial_parameters(network, recipe.initial, 0), recipe)
"""
RETRAIN = """
from hw_sim.plan.calibrate import calibrate
from hw_sim.studies.retrain import Settings, retrain
retrain(trained, digits, calibrate(trained, digits.train, 4), Settings("all", 1, 5e-4, patterns=20))
"""
ALLOCATE = """
from hw_sim.studies.allocator import Allocator
from hw_sim.studies.testbench import Testbench
list(Allocator(Testbench(trained, digits, 8)).estimates((4,)))
"""


def test_retraining_compiles_nothing_else() -> None:
    assert (
        late(f"{TRAINED}\nfrom hw_sim.studies.ahead import to_retrain\ndo(to_retrain(trained))", RETRAIN)
        == []
    )


def test_choosing_bits_compiles_only_loops_over_integers_besides() -> None:
    late_ones = late(
        f"{TRAINED}\nfrom hw_sim.studies.ahead import to_allocate\ndo(to_allocate(trained))", ALLOCATE
    )
    assert "measure_unit_curvature" not in late_ones
    assert "backward" not in late_ones
