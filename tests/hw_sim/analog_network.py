"""A small network of tanh layers with every geometry the chips run, its parameters and made-up digits."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from retronet.datasets import Dataset, DigitSets, Provenance
from retronet.network import Conv, Dense, NetworkSpec, Subsample, Tanh, parameter_shapes

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
