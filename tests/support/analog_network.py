"""A small network of tanh layers with every geometry the chips run, its parameters and made-up digits."""

import hashlib
import sys
from typing import Any

import numba
import numpy as np
import pytest
from numpy.typing import NDArray

from retronet.datasets import Dataset, DigitSets, Provenance
from retronet.network import Conv, Dense, NetworkSpec, Subsample, Tanh, parameter_shapes

compiled = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="many units need compiled code")
TANH = Tanh(1.7159, 2 / 3)
NETWORK = NetworkSpec(
    name="small-analog",
    title="",
    input=(1, 9, 9),
    layers=(
        Conv("a", 9, 3, TANH, stride=1, pad=1, border=-1.0, bias="unit"),
        Subsample("b", 3, TANH),
        Conv("c", 3, 2, TANH, pad=1, border=1.0, sees=((0, 2, 8), (1,), tuple(range(9)))),
        Dense("d", 6, TANH),
        Dense("output", 10, TANH),
    ),
)


def draw(seed: int = 0, images: int = 40) -> tuple[dict[str, NDArray[Any]], DigitSets]:
    """Return random parameters, as large as initial ones, and digits that are noise."""
    generator = np.random.default_rng(seed)
    parameters = {
        name: generator.normal(0, 0.4, shape).astype(np.float32)
        for name, shape in parameter_shapes(NETWORK).items()
    }

    def half(name: str, count: int) -> Dataset:
        pixels = generator.uniform(-1, 1, (count, 9, 9)).astype(np.float32)
        labels = generator.integers(0, 10, count).astype(np.uint8)
        return Dataset(pixels, labels, Provenance("made-up", name, "none", "", "", "none", "drawn"))

    return parameters, DigitSets(half("train", images), half("test", 150), None)


if __name__ == "__main__":
    from hw_sim.chips.analog.converter_fit import spaced
    from hw_sim.chips.analog.layers import run_analog
    from hw_sim.chips.anna.network import AnnaOptions, anna_network, on_chip

    arrays, sets = draw(3, images=4)
    chip_network = anna_network(NETWORK, arrays, sets.train.images, AnnaOptions(noise=0.05, mismatch=0.1))
    found = run_analog(
        on_chip(chip_network, (1, 2)), chip_network.pixels(spaced(sets.test.images, 2)), (1, 2, 0)
    )[0]
    sys.stdout.write(hashlib.sha256(found.tobytes()).hexdigest())
