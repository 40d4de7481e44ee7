"""Digits a second through the 1989 network on integers and on simulated chips, one thread.

The network's weights are drawn, not trained: the work is the same. On integers a round is one pass of the
lanes, 128 digits with their pixel casts: short enough to fall between the turns of other work. On chips it
is 2,007 digits. The least of many rounds, see ``test_training.py``.
"""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from hw_sim.chips.analog.layers import run_analog
from hw_sim.chips.anna.network import anna_network, layers_on_chip
from hw_sim.chips.dsp32c.network import dsp_layers, run_dsp
from hw_sim.chips.graf54.features import features_of, frames_of, thinned
from hw_sim.chips.graf54.templates import currents, graf_sizes, load_templates
from hw_sim.chips.load import load_chip
from hw_sim.chips.net32k.errors import parts_on_chip
from hw_sim.chips.net32k.network import net32k_network
from hw_sim.chips.net32k.report import run_chip
from hw_sim.fixed_point.quantize import quantize
from hw_sim.fixed_point.runner import LaneRunner
from hw_sim.kernels.sums import INTEGER_LANES
from hw_sim.plan.calibrate import calibrate
from retronet.datasets import load
from retronet.network import NetworkSpec, load_network, parameter_shapes, sized_layers
from retronet.recipe import load_recipe
from retronet.trained import Trained

Report = Callable[[str], None]
Figures = dict[str, float]
NETWORK = load_network("lecun1989")
DIGITS = 2007

SUMS = {
    "exact": "exact",
    "wrapped to 20 bits after every MAC": "20 bits",
    "saturated to 20 bits after every MAC": "20 bits, SAT",
    "wrapped to 16 bits after every MAC, which many sums leave": "16 bits",
    "saturated to 16 bits after every MAC, which many sums leave": "16 bits, SAT",
    "products truncated, wrapped to 20 bits": "s20.10:TRN:WRAP",
    "products rounded half to even, saturated to 16 bits": "s16.8:RND_CONV:SAT",
}


MACS = sum(sized.macs for sized in sized_layers(NETWORK))
LENET5 = load_network("lenet5")


def parameters(network: NetworkSpec = NETWORK) -> dict[str, NDArray[np.float64]]:
    rng = np.random.default_rng(0)
    return {name: rng.uniform(-0.2, 0.2, shape) for name, shape in parameter_shapes(network).items()}


def trained(network: NetworkSpec = NETWORK) -> Trained:
    return Trained(network, parameters(network), load_recipe(network.name))


def images(size: int = 16, count: int = DIGITS) -> NDArray[np.float32]:
    return np.random.default_rng(1).uniform(-1, 1, (count, size, size)).astype(np.float32)


def digits_per_s(
    benchmark: BenchmarkFixture, run: Callable[[], object], count: int = DIGITS, rounds: int = 60
) -> float:
    """Time `run`; return the most digits a second."""
    benchmark.pedantic(run, rounds=rounds, warmup_rounds=2)  # type: ignore[no-untyped-call]
    assert benchmark.stats is not None
    found = count / float(benchmark.stats.stats.min)
    benchmark.extra_info["digits_per_s"] = round(found)
    return found


@pytest.mark.parametrize("name", SUMS)
def test_integers(
    benchmark: BenchmarkFixture, report: Report, figures: Figures, multiply_adds_per_s: float, name: str
) -> None:
    digits = images()
    network = quantize(trained(), calibrate(trained(), digits, 8, sums=SUMS[name]))
    lanes = LaneRunner(network, digits.reshape(len(digits), -1))
    found = digits_per_s(benchmark, lambda: lanes.run(0), INTEGER_LANES, rounds=2000)
    figures[f"8 bits, {name}, digits_per_s"] = found
    report(
        f"8 bits, sums {name}: {found:,.0f} digits/s, {found * MACS / 1e9:.1f} GMAC/s, "
        f"{found * MACS / multiply_adds_per_s:.0%} of the core's {multiply_adds_per_s / 1e9:.1f} G "
        "float32 multiply-adds/s"
    )


def test_lenet5(
    benchmark: BenchmarkFixture, report: Report, figures: Figures, multiply_adds_per_s: float
) -> None:
    digits = images(32, 256)
    network = quantize(trained(LENET5), calibrate(trained(LENET5), digits, 8))
    lanes = LaneRunner(network, digits.reshape(len(digits), -1))
    found = digits_per_s(benchmark, lambda: lanes.run(0), INTEGER_LANES, rounds=500)
    macs = sum(sized.macs for sized in sized_layers(LENET5))
    figures["LeNet-5, 8 bits, exact, digits_per_s"] = found
    share = found * macs / multiply_adds_per_s
    report(f"LeNet-5, 8 bits, sums exact: {found:,.0f} digits/s, {share:.0%} of the limit")


def test_dsp32c(benchmark: BenchmarkFixture, report: Report, figures: Figures) -> None:
    layers, digits = dsp_layers(trained()), images()
    found = digits_per_s(benchmark, lambda: run_dsp(NETWORK, layers, digits))
    figures["DSP-32C, digits_per_s"] = found
    report(f"DSP-32C floating point: {found:,.0f} digits/s")


def test_anna(benchmark: BenchmarkFixture, report: Report, figures: Figures) -> None:
    digits = images()
    mapped = anna_network(load_chip("anna"), trained(), digits)
    chip = layers_on_chip(mapped, (0, 0))
    found = digits_per_s(benchmark, lambda: run_analog(chip, mapped.pixels(digits), (0, 0, 0)))
    figures["ANNA, digits_per_s"] = found
    report(f"ANNA, the layers on the chip: {found:,.0f} digits/s")


def test_net32k(benchmark: BenchmarkFixture, report: Report, figures: Figures) -> None:
    digits = images()
    mapped = net32k_network(load_chip("net32k"), trained(), digits)
    chip = parts_on_chip(mapped, (0, 0))
    found = digits_per_s(benchmark, lambda: run_chip(mapped, chip, mapped.pixels(digits)))
    figures["NET32K, digits_per_s"] = found
    report(f"NET32K, the layers on the chip: {found:,.0f} digits/s")


def test_graf(benchmark: BenchmarkFixture, report: Report, figures: Figures) -> None:
    """On the embedded digits: noise would not thin as writing does."""
    digits = load("digits5k").train.images[:DIGITS]
    sizes = graf_sizes(load_chip("graf54"))
    thinning, features = (load_templates(f"graf-{name}", sizes) for name in ("thinning", "features"))

    def run() -> object:
        thin = thinned(frames_of(digits, 0.0), currents(thinning, 5.0))
        return features_of(thin.frames, features, currents(features, 5.0))

    found = digits_per_s(benchmark, run)
    figures["Graf's chip, digits_per_s"] = found
    report(f"Graf's chip, placing, thinning and features: {found:,.0f} digits/s")
