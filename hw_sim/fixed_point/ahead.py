"""What a simulation on integers is going to compile, for a process that does it ahead of the simulation."""

import numpy as np

from hw_sim.fixed_point.quantize import quantize
from hw_sim.fixed_point.simulate import run_integers
from hw_sim.formats.fixed import Fixed
from hw_sim.plan.plan import LayerPlan, PrecisionPlan
from retronet.engines.ahead import Job, to_answer
from retronet.engines.workspace import Workspace
from retronet.network import Dense, NetworkSpec, Tanh
from retronet.recipe import Recipe
from retronet.trained import Trained


def to_simulate(trained: Trained) -> list[Job]:
    """Return what calibrating and simulating a network compiles where sums are exact in single precision."""
    return [*to_answer(Workspace(trained.network)), lambda: run_one_layer(trained.recipe)]


def run_one_layer(recipe: Recipe) -> None:
    """Simulate a network of one layer, whose sums are exact in single precision, as most are."""
    network = NetworkSpec("ahead", "", (1, 1, 2), (Dense("out", 2, Tanh()),))
    parameters = {"out.weight": np.ones((2, 2), np.float32), "out.bias": np.zeros(2, np.float32)}
    form = Fixed(8, 6)
    plan = PrecisionPlan(form, (LayerPlan("out", form, Fixed(32, 12), form, Tanh()),))
    image = np.zeros((1, 1, 2), np.float32)
    run_integers(quantize(Trained(network, parameters, recipe), plan), image)
