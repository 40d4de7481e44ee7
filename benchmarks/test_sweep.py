"""What a sweep spends where: seconds of the processor in one process, compiled code at hand."""

from collections.abc import Callable
from time import process_time
from typing import Any

import numpy as np
import pytest

from hw_sim.fixed_point import runner, simulate
from hw_sim.formats.modes import Rounding
from hw_sim.studies import testbench
from hw_sim.studies.sweep import checked, grid
from hw_sim.studies.testbench import Testbench
from retronet.datasets import load
from retronet.initial import initial_parameters
from retronet.network import load_network
from retronet.recipe import load_recipe
from retronet.trained import Trained

Report = Callable[[str], None]
Figures = dict[str, float]
NETWORK, RECIPE = load_network("lecun1989"), load_recipe("lecun1989")
TENSORS = ("all", "weights", "states", "sums", "layers")


def bench() -> Testbench:
    """Return the network as it begins, on the embedded digits: its work does not depend on its weights."""
    drawn = initial_parameters(NETWORK, RECIPE.initial, RECIPE.seed)
    singles = {name: values.astype(np.float32) for name, values in drawn.items()}
    return Testbench(Trained(NETWORK, singles, RECIPE), load("digits5k"))


def timed(spent: dict[str, float], name: str, work: Callable[..., Any]) -> Callable[..., Any]:
    """Return `work`, adding its processor seconds to `spent`."""

    def run(*arguments: object, **named: object) -> Any:  # noqa: ANN401
        start = process_time()
        try:
            return work(*arguments, **named)
        finally:
            spent[name] = spent.get(name, 0.0) + process_time() - start

    return run


def test_where_a_sweep_spends_its_time(
    report: Report, figures: Figures, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The 1,080 points of eight rounding modes, stochastic rounding with two seeds, on 1,000 digits."""
    points = grid(NETWORK, range(2, 17), TENSORS, list(Rounding), seeds=(0, 1))
    for point in points[:120]:
        if point.bits in (2, 8, 16):
            bench().row(point)  # compiles
    spent: dict[str, float] = {}
    monkeypatch.setattr(runner, "RUN", timed(spent, "layers", runner.RUN))
    monkeypatch.setattr(simulate, "LaneRunner", timed(spent, "packing for the loops", simulate.LaneRunner))
    monkeypatch.setattr(
        testbench, "quantize", timed(spent, "casts of parameters, tables of activations", testbench.quantize)
    )
    monkeypatch.setattr(Testbench, "plan", timed(spent, "calibration", Testbench.plan))
    one, start = bench(), process_time()
    for point in points:
        one.row(point)
    whole = process_time() - start
    spent["pixels, scores and the rest"] = whole - sum(spent.values())
    shares = "; ".join(f"{name} {seconds / whole:.0%}" for name, seconds in spent.items())
    figures.update({f"sweep, {name}, s": seconds for name, seconds in spent.items()})
    start = process_time()
    for _ in checked(bench(), points):
        pass
    figures["sweep, checks, s"] = process_time() - start
    report(
        f"sweep of {len(points):,} points: {whole:.1f} s of the processor, {1000 * whole / len(points):.1f} "
        f"ms a point ({shares}); checks beforehand {figures['sweep, checks, s']:.1f} s"
    )
