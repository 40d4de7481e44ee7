"""Digits a second through the 1989 network on integers and on simulated chips, one thread.

The network's weights are drawn, not trained: the work is the same. Batches of 2,007 digits, pixel casts
included; the least of many rounds, see ``test_training.py``.
"""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from hw_sim.chips.analog.layers import run_analog
from hw_sim.chips.anna.network import anna_network
from hw_sim.chips.anna.network import on_chip as on_anna
from hw_sim.chips.dsp32c.network import dsp_layers, run_dsp
from hw_sim.chips.graf54.features import features_of, frames_of, thinned
from hw_sim.chips.graf54.templates import currents, graf_sizes, load_templates
from hw_sim.chips.load import load_chip
from hw_sim.chips.net32k.errors import on_chip as on_net32k
from hw_sim.chips.net32k.network import net32k_network
from hw_sim.chips.net32k.report import run_chip
from hw_sim.fixed_point.quantize import quantize
from hw_sim.fixed_point.simulate import run_integers
from hw_sim.plan.calibrate import calibrate
from retronet.datasets import load
from retronet.network import load_network, parameter_shapes
from retronet.recipe import load_recipe
from retronet.trained import Trained

Report = Callable[[str], None]
NETWORK = load_network("lecun1989")
DIGITS = 2007

SUMS = {
    "exact": "exact",
    "wrapped to 20 bits after every MAC": "20 bits",
    "saturated to 20 bits after every MAC": "20 bits, SAT",
    "products truncated, wrapped to 20 bits": "s20.10:TRN:WRAP",
    "products rounded half to even, saturated to 16 bits": "s16.8:RND_CONV:SAT",
}


def parameters() -> dict[str, NDArray[np.float64]]:
    rng = np.random.default_rng(0)
    return {name: rng.uniform(-0.2, 0.2, shape) for name, shape in parameter_shapes(NETWORK).items()}


def trained() -> Trained:
    return Trained(NETWORK, parameters(), load_recipe("lecun1989"))


def images() -> NDArray[np.float32]:
    return np.random.default_rng(1).uniform(-1, 1, (DIGITS, 16, 16)).astype(np.float32)


def digits_per_s(benchmark: BenchmarkFixture, run: Callable[[], object]) -> float:
    """Time `run`; return the most digits a second."""
    benchmark.pedantic(run, rounds=60, warmup_rounds=2)  # type: ignore[no-untyped-call]
    assert benchmark.stats is not None
    found = DIGITS / float(benchmark.stats.stats.min)
    benchmark.extra_info["digits_per_s"] = round(found)
    return found


@pytest.mark.parametrize("name", SUMS)
def test_integers(benchmark: BenchmarkFixture, report: Report, name: str) -> None:
    trained, digits = Trained(NETWORK, parameters(), load_recipe("lecun1989")), images()
    network = quantize(trained, calibrate(trained, digits, 8, sums=SUMS[name]))
    found = digits_per_s(benchmark, lambda: run_integers(network, digits))
    report(f"8 bits, sums {name}: {found:,.0f} digits/s")


def test_dsp32c(benchmark: BenchmarkFixture, report: Report) -> None:
    layers, digits = dsp_layers(trained()), images()
    found = digits_per_s(benchmark, lambda: run_dsp(NETWORK, layers, digits))
    report(f"DSP-32C floating point: {found:,.0f} digits/s")


def test_anna(benchmark: BenchmarkFixture, report: Report) -> None:
    digits = images()
    mapped = anna_network(load_chip("anna"), trained(), digits)
    chip = on_anna(mapped, (0, 0))
    found = digits_per_s(benchmark, lambda: run_analog(chip, mapped.pixels(digits), (0, 0, 0)))
    report(f"ANNA, the layers on the chip: {found:,.0f} digits/s")


def test_net32k(benchmark: BenchmarkFixture, report: Report) -> None:
    digits = images()
    mapped = net32k_network(load_chip("net32k"), trained(), digits)
    chip = on_net32k(mapped, (0, 0))
    found = digits_per_s(benchmark, lambda: run_chip(mapped, chip, mapped.pixels(digits)))
    report(f"NET32K, the layers on the chip: {found:,.0f} digits/s")


def test_graf(benchmark: BenchmarkFixture, report: Report) -> None:
    """On the embedded digits: noise would not thin as writing does."""
    digits = load("digits5k").train.images[:DIGITS]
    sizes = graf_sizes(load_chip("graf54"))
    thinning, features = (load_templates(f"graf-{name}", sizes) for name in ("thinning", "features"))

    def run() -> object:
        thin = thinned(frames_of(digits, 0.0), currents(thinning, 5.0))
        return features_of(thin.frames, features, currents(features, 5.0))

    found = digits_per_s(benchmark, run)
    report(f"Graf's chip, placing, thinning and features: {found:,.0f} digits/s")
