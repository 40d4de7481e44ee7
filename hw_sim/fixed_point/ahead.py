"""What a simulation on integers is going to compile, for a process that does it ahead of the simulation."""

from collections.abc import Callable, Sequence
from functools import partial
from math import prod

import numpy as np
from numpy.typing import NDArray

from hw_sim.fixed_point.quantize import IntegerNetwork, quantize
from hw_sim.fixed_point.simulate import run_integers
from hw_sim.formats.fixed import Fixed
from hw_sim.plan.plan import LayerPlan, PrecisionPlan
from retronet.engines.ahead import Job, to_answer
from retronet.engines.workspace import Workspace
from retronet.network import Dense, NetworkSpec, Tanh, sized_layers
from retronet.recipe import Recipe
from retronet.trained import Trained


class Guessed(Trained):
    """A network whose states are made up, so that formats are chosen before its loops are compiled."""

    def states(self, images: NDArray[np.floating]) -> dict[str, NDArray[np.float32]]:
        """Return numbers between -1 and 1, shaped as the states for `images` are."""
        return {
            sized.name: np.linspace(-1, 1, len(images) * sized.units, dtype=np.float32).reshape(
                len(images), *sized.output
            )
            for sized in sized_layers(self.network)
        }


def to_simulate(trained: Trained) -> list[Job]:
    """Return what calibrating and simulating a network compiles where sums are exact in single precision."""
    return [*to_answer(Workspace(trained.network)), lambda: run_one_layer(trained.recipe)]


PlanMaker = Callable[[Trained, NDArray[np.float32]], PrecisionPlan]


def to_simulate_under(
    plans: Sequence[PlanMaker],
    trained: Trained,
    run: Callable[[IntegerNetwork, NDArray[np.float32]], object] = run_integers,
) -> list[Job]:
    """Return what a network compiles that runs on integers under plans that are made from it and from images.

    Whatever the states, they decide steps and not, but for few plans, how sums are cast.
    """

    def run_once(plan: PlanMaker) -> None:
        guessed = Guessed(trained.network, trained.parameters, trained.recipe, trained.mask)
        image = np.linspace(-1, 1, prod(trained.network.input), dtype=np.float32)
        images = image.reshape(1, *trained.network.input[1:])
        run(quantize(trained, plan(guessed, images)), images)

    return [*to_answer(Workspace(trained.network)), *(partial(run_once, plan) for plan in plans)]


def run_one_layer(recipe: Recipe) -> None:
    """Simulate a network of one layer, whose sums are exact in single precision, as most are."""
    network = NetworkSpec("ahead", "", (1, 1, 2), (Dense("out", 2, Tanh()),))
    parameters = {"out.weight": np.ones((2, 2), np.float32), "out.bias": np.zeros(2, np.float32)}
    form = Fixed(8, 6)
    plan = PrecisionPlan(form, (LayerPlan("out", form, Fixed(32, 12), form, Tanh()),))
    image = np.zeros((1, 1, 2), np.float32)
    run_integers(quantize(Trained(network, parameters, recipe), plan), image)
