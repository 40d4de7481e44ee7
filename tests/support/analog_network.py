"""A small network of tanh layers with every geometry the chips run, its parameters and made-up digits."""

import hashlib
import sys
from typing import Any

import numba
import numpy as np
import pytest

from retronet.datasets import Dataset, DigitSets, Provenance
from retronet.network import Conv, Dense, NetworkSpec, Subsample, Tanh, parameter_shapes
from retronet.recipe import load_recipe
from retronet.trained import Trained

RECIPE = load_recipe("lecun1989")
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


def draw(seed: int = 0, images: int = 40) -> tuple[Trained, DigitSets]:
    """Return the network with random parameters, as large as initial ones, and digits that are noise."""
    generator = np.random.default_rng(seed)
    parameters = {
        name: generator.normal(0, 0.4, shape).astype(np.float32)
        for name, shape in parameter_shapes(NETWORK).items()
    }

    def half(name: str, count: int) -> Dataset:
        pixels = generator.uniform(-1, 1, (count, 9, 9)).astype(np.float32)
        labels = generator.integers(0, 10, count).astype(np.uint8)
        return Dataset(pixels, labels, Provenance("made-up", name, "none", "", "", "none", "drawn"))

    return Trained(NETWORK, parameters, RECIPE), DigitSets(half("train", images), half("test", 150), None)


WIDE = NetworkSpec(
    "wide", "", (1, 9, 40), (Dense("a", 3, TANH), Dense("b", 4, TANH), Dense("output", 10, TANH))
)


def wide() -> tuple[Trained, Any, Any]:
    """Return a network with 360 inputs, training and test images."""
    generator = np.random.default_rng(3)
    shapes = {"a": (3, 360), "b": (4, 3), "output": (10, 4)}
    parameters: dict[str, Any] = {}
    for name, (units, inputs) in shapes.items():
        parameters[f"{name}.weight"] = generator.normal(0, inputs**-0.5, (units, inputs)).astype(np.float32)
        parameters[f"{name}.bias"] = generator.normal(0, 0.1, units).astype(np.float32)
    images = generator.uniform(-1, 1, (2, 140, 9, 40)).astype(np.float32)
    return Trained(WIDE, parameters, RECIPE), images[0], images[1]


if __name__ == "__main__":
    import argparse

    from hw_sim.chips.analog.converter_fit import spaced
    from hw_sim.chips.analog.layers import run_analog
    from hw_sim.chips.anna.network import anna_network, layers_on_chip
    from hw_sim.chips.anna.options import AnnaOptions
    from hw_sim.chips.load import load_chip

    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    network, sets = draw(3, images=4)
    options = AnnaOptions(noise=0.05, mismatch=0.1)
    mapped = anna_network(load_chip("anna"), network, sets.train.images, options)
    pixels = mapped.pixels(spaced(sets.test.images, 2))
    states = run_analog(layers_on_chip(mapped, (1, 2)), pixels, (1, 2, 0))[0]
    sys.stdout.write(hashlib.sha256(states.tobytes()).hexdigest())
