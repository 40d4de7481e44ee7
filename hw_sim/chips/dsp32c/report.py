"""A network in the DSP-32C's arithmetic beside the same network in IEEE single and double precision."""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from hw_sim.chips.dsp32c.network import DspLayer, TanhRoutine, dsp_layers, run_double, run_dsp
from hw_sim.chips.dsp32c.words import Doubles
from retronet.datasets.dataset import Dataset
from retronet.evaluate import Score, score
from retronet.trained import Trained

CHUNK = 1024
"""Images whose states are held at a time."""

ASSUMPTIONS = (
    "Arithmetic: that of the DSP3210, the successor chip; that the DSP-32C's is the same is not proven.",
    "Alignment: an addend is shifted down at 46 fraction bits, towards minus infinity, however far.",
    "Order: the bias first, then plane by plane, row by row; the 1989 program's order is not known.",
    "Tanh: the 1989 program's routine is not known; here the exact function rounded to the nearest word, "
    "or on request the formula of the SN simulator, in double precision and rounded to the nearest word.",
)


class Drift(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far states lie from those in double precision: the farthest, the mean (a bias) and the rms."""

    max_abs: float
    mean: float
    rms: float


class LayerDrift(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The drift of one layer in the DSP-32C's arithmetic and in IEEE single precision.

    That of IEEE holds the error of the compiled tanh, up to 4e-7, besides rounding.
    """

    layer: str
    dsp32c: Drift
    ieee_single: Drift


class DspReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A network in the DSP-32C's arithmetic beside the same in IEEE single precision, on one data set.

    ``differing_answers`` counts the images to which the two give different answers, right or wrong;
    ``max_abs_output_difference`` is the farthest that two of their outputs lie apart.
    """

    network: str
    tanh: TanhRoutine
    images: int
    dsp32c: Score
    ieee_single: Score
    differing_answers: int
    max_abs_output_difference: float
    layers: tuple[LayerDrift, ...]
    assumptions: tuple[str, ...] = ASSUMPTIONS


class DspOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What no text that was reached says of the chip's programs.

    ``tanh`` is the squashing routine: see `hw_sim.chips.dsp32c.network.dsp_layers`.
    """

    tanh: TanhRoutine = "exact"


def dsp_report(
    trained: Trained, data: Dataset, options: DspOptions | None = None, threads: int = 1
) -> DspReport:
    """Run a network on `data` in the DSP-32C's arithmetic and compare it with IEEE single and double.

    Raises
    ------
    InputError
        If the parts do not fit each other: see `dsp_layers` and `run_dsp`.
    """
    network, tanh = trained.network, (options or DspOptions()).tanh
    layers = dsp_layers(trained, tanh)
    moments = np.zeros((2, len(layers), 3))
    outputs: list[tuple[Doubles, Doubles]] = []
    for start in range(0, len(data.images), CHUNK):
        images = data.images[start : start + CHUNK]
        exact = run_double(trained, layers, images)
        single = trained.states(images).values()
        both = (
            run_dsp(network, layers, images, threads),
            np.concatenate([states.reshape(len(images), -1) for states in single], axis=1).astype(np.float64),
        )
        for row, states in zip(moments, both, strict=True):
            _add_moments(row, states - exact, layers)
        last = layers[-1].sized.units
        outputs.append((both[0][:, -last:], both[1][:, -last:]))
    dsp, ieee = (np.concatenate(parts) for parts in zip(*outputs, strict=True))
    counts = [len(data.images) * layer.sized.units for layer in layers]
    return DspReport(
        network=network.name,
        tanh=tanh,
        images=len(data.images),
        dsp32c=score(dsp, data.labels),
        ieee_single=score(ieee, data.labels),
        differing_answers=int(np.count_nonzero(dsp.argmax(1) != ieee.argmax(1))),
        max_abs_output_difference=float(np.abs(dsp - ieee).max()),
        layers=tuple(
            LayerDrift(layer.sized.name, _drift(dsp_row, count), _drift(ieee_row, count))
            for layer, dsp_row, ieee_row, count in zip(layers, *moments, counts, strict=True)
        ),
    )


def _add_moments(moments: Doubles, away: NDArray[Any], layers: tuple[DspLayer, ...]) -> None:
    """Add the largest magnitude, the sum and the sum of squares of each layer's columns."""
    start = 0
    for row, layer in zip(moments, layers, strict=True):
        part = away[:, start : start + layer.sized.units]
        start += layer.sized.units
        row[:] = max(row[0], np.abs(part).max()), row[1] + part.sum(), row[2] + np.square(part).sum()


def _drift(moments: Doubles, count: int) -> Drift:
    return Drift(float(moments[0]), float(moments[1] / count), float(np.sqrt(moments[2] / count)))
