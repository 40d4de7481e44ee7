"""A network run in the DSP-32C's floating point, beside the same network in IEEE precision.

The arithmetic is that of the successor chip DSP3210, as a public emulator states it from the manual (papers'
§6.3); that the DSP-32C computes the same is an assumption. See kernels/dsp32c.py for how it is computed.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal, assert_never

import msgspec
import numpy as np
from numpy.typing import NDArray

from hw_sim.dsp32c_words import Doubles, from_ieee
from retronet.datasets.dataset import Dataset
from retronet.errors import InputError
from retronet.evaluate import Score, score
from retronet.forward import check_images, layer_states, run
from retronet.geometry import tap_sources
from retronet.machine import Workspace
from retronet.network import (
    Identity,
    NetworkSpec,
    Place,
    Rbf,
    Relu,
    Subsample,
    Tanh,
    places,
)

TanhRoutine = Literal["exact", "sn"]

CHUNK = 1024
"""Images whose states are held at a time."""

ASSUMPTIONS = (
    "Arithmetic: that of the DSP3210, the successor chip; that the DSP-32C's is the same is not proven.",
    "Alignment: an addend is shifted down at 46 fraction bits, towards minus infinity, however far.",
    "Order: the bias first, then plane by plane, row by row; the 1989 program's order is not known.",
    "Tanh: the 1989 program's routine is not known; here the exact function rounded to the nearest word, "
    "or on request the formula of the SN simulator, in double precision and rounded to the nearest word.",
)


@dataclass(frozen=True)
class DspLayer:
    """A layer in the format: what `hw_sim.kernels.dsp32c.run_layer` takes, and its place."""

    place: Place
    weights: Doubles
    weight_scales: Doubles
    fan_in: NDArray[np.int32]
    sources: NDArray[np.int32]
    biases: Doubles
    kind: int
    amplitude: float
    slope: float


def dsp_layers(
    network: NetworkSpec, parameters: Mapping[str, NDArray[Any]], tanh: TanhRoutine = "exact"
) -> tuple[DspLayer, ...]:
    """Convert a trained network to the format.

    Parameters
    ----------
    network, parameters
        The trained network.
    tanh
        ``exact``: tanh rounded to the nearest word. ``sn``: the SN simulator's formula, which stands for
        1.7159 tanh(2a/3) alone.

    Raises
    ------
    InputError
        If the parameters are not of this network, or a layer can not be run.
    """
    activations = [_activation(place, tanh) for place in places(network)]
    Workspace(network).load(parameters)  # refuses what is not of this network
    return tuple(
        _layer(place, parameters, activation)
        for place, activation in zip(places(network), activations, strict=True)
    )


def _layer(
    place: Place, parameters: Mapping[str, NDArray[Any]], activation: tuple[int, float, float]
) -> DspLayer:
    from hw_sim.kernels.dsp32c import fill_scales

    fan_in = np.array(place.fan_in, np.int32)
    flat = parameters[f"{place.name}.weight"].reshape(-1).astype(np.float32)
    if isinstance(place.layer, Subsample):
        flat = np.repeat(flat / np.float32(place.taps_per_plane), place.taps_per_plane)
    weights = np.zeros((len(fan_in), int(fan_in.max())))
    sources = np.zeros((len(fan_in), place.positions, int(fan_in.max())), np.int32)
    within, pixels, start = tap_sources(place), place.input[1] * place.input[2], 0
    for row, seen in enumerate(place.sees):
        taps = int(fan_in[row])
        weights[row, :taps] = from_ieee(flat[start : start + taps])
        planes = [
            np.where(within < pixels, within + plane * pixels, place.input[0] * pixels) for plane in seen
        ]
        sources[row, :, :taps] = np.concatenate(planes, axis=1)
        start += taps
    biases = from_ieee(parameters[f"{place.name}.bias"]).reshape(-1)
    biases = biases if biases.size == place.units else np.repeat(biases, place.positions)
    scales = np.empty_like(weights)
    fill_scales(weights, scales)
    return DspLayer(place, weights, scales, fan_in, sources, biases, *activation)


def _activation(place: Place, tanh: TanhRoutine) -> tuple[int, float, float]:
    from hw_sim.kernels.dsp32c import IDENTITY, RELU, SN_AMPLITUDE, SN_SLOPE, SN_TANH, TANH

    if isinstance(place.layer, Rbf):
        raise InputError(
            f"Layer '{place.name}' can not be run in the DSP-32C's arithmetic: it is of the kind rbf; conv, "
            "subsample and dense are known. Choose a network of those."
        )
    match place.layer.activation:
        case Identity():
            return IDENTITY, 1.0, 1.0
        case Relu():
            return RELU, 1.0, 1.0
        case Tanh(amplitude=amplitude, slope=slope):
            if tanh == "exact":
                return TANH, amplitude, slope
            if abs(amplitude - SN_AMPLITUDE) > 1e-3 or abs(slope - SN_SLOPE) > 1e-3:
                raise InputError(
                    f"SN's fast tanh can not stand for layer '{place.name}': the layer has "
                    f"{amplitude:g} tanh({slope:g} a); SN's is 1.7159 tanh(2a/3). Use the exact tanh."
                )
            return SN_TANH, amplitude, slope
        case _ as unreachable:
            assert_never(unreachable)


class _LaneRunner:
    """The buffers of one thread: rows of lanes for the images and every layer, the border's row last."""

    def __init__(self, network: NetworkSpec, layers: tuple[DspLayer, ...]) -> None:
        from hw_sim.kernels.dsp32c import LANES

        self.layers = layers
        units = [int(np.prod(network.input)), *(layer.place.units for layer in layers)]
        self.rows = [np.zeros((count + 1, LANES)) for count in units]
        self.scales = [np.zeros((count + 1, LANES)) for count in units]
        for below, layer in zip(self.rows, layers, strict=False):
            below[-1] = from_ieee(np.array(getattr(layer.place.layer, "border", 0.0)))

    def run(self, images: Doubles, states: Doubles) -> None:
        """Fill `states` (n, units of all layers) for `images` (n, pixels), no more of them than lanes."""
        from hw_sim.kernels.dsp32c import fill_scales, run_layer

        count, start = len(images), 0
        self.rows[0][:-1, :count] = images.T
        fill_scales(self.rows[0], self.scales[0])
        for index, layer in enumerate(self.layers):
            fill_scales(self.rows[index][-1:], self.scales[index][-1:])
            run_layer(
                layer.weights, layer.weight_scales, layer.fan_in, layer.sources, layer.biases,
                layer.kind, layer.amplitude, layer.slope,
                self.rows[index], self.scales[index], self.rows[index + 1], self.scales[index + 1],
            )  # fmt: skip
            units = layer.place.units
            states[:, start : start + units] = self.rows[index + 1][:units, :count].T
            start += units


def run_dsp(
    network: NetworkSpec, layers: tuple[DspLayer, ...], images: NDArray[np.floating], threads: int = 1
) -> Doubles:
    """Return the states of all layers in the DSP-32C's arithmetic.

    Parameters
    ----------
    network, layers
        The network, and its layers as `dsp_layers` makes them.
    images : ndarray, shape (n, rows, columns)
    threads
        Threads that share the images; they never change a result.

    Returns
    -------
    ndarray of float64, shape (n, units)
        The layers side by side, the outputs last; numbers of the format.

    Raises
    ------
    InputError
        If the images have another size than the network reads.
    """
    from hw_sim.kernels.dsp32c import LANES

    check_images(network, images)
    pixels = from_ieee(images).reshape(len(images), -1)
    states = np.empty((len(images), sum(layer.place.units for layer in layers)))

    def work(firsts: range) -> None:
        runner = _LaneRunner(network, layers)
        for first in firsts:
            runner.run(pixels[first : first + LANES], states[first : first + LANES])

    shares = [range(start * LANES, len(pixels), threads * LANES) for start in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, shares))
    return states


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


def dsp_report(
    network: NetworkSpec,
    parameters: Mapping[str, NDArray[Any]],
    data: Dataset,
    tanh: TanhRoutine = "exact",
    threads: int = 1,
) -> DspReport:
    """Run `network` on `data` in the DSP-32C's arithmetic and compare it with IEEE single and double.

    Raises
    ------
    InputError
        If the parts do not fit each other: see `dsp_layers` and `run_dsp`.
    """
    layers = dsp_layers(network, parameters, tanh)
    double = Workspace(network, np.float64)
    double.load(parameters)
    moments = np.zeros((2, len(layers), 3))
    outputs: list[tuple[Doubles, Doubles]] = []
    for start in range(0, len(data.images), CHUNK):
        images = data.images[start : start + CHUNK]
        exact = run(double, images, first=0)
        single = layer_states(network, parameters, images).values()
        found = (
            run_dsp(network, layers, images, threads),
            np.concatenate([states.reshape(len(images), -1) for states in single], axis=1).astype(np.float64),
        )
        for row, states in zip(moments, found, strict=True):
            _add_moments(row, states - exact, layers)
        last = layers[-1].place.units
        outputs.append((found[0][:, -last:], found[1][:, -last:]))
    dsp, ieee = (np.concatenate(parts) for parts in zip(*outputs, strict=True))
    counts = [len(data.images) * layer.place.units for layer in layers]
    return DspReport(
        network=network.name,
        tanh=tanh,
        images=len(data.images),
        dsp32c=score(dsp, data.labels),
        ieee_single=score(ieee, data.labels),
        differing_answers=int(np.count_nonzero(dsp.argmax(1) != ieee.argmax(1))),
        max_abs_output_difference=float(np.abs(dsp - ieee).max()),
        layers=tuple(
            LayerDrift(layer.place.name, _drift(dsp_row, count), _drift(ieee_row, count))
            for layer, dsp_row, ieee_row, count in zip(layers, *moments, counts, strict=True)
        ),
    )


def _add_moments(moments: Doubles, away: NDArray[Any], layers: tuple[DspLayer, ...]) -> None:
    """Add the largest magnitude, the sum and the sum of squares of each layer's columns."""
    start = 0
    for row, layer in zip(moments, layers, strict=True):
        part = away[:, start : start + layer.place.units]
        start += layer.place.units
        row[:] = max(row[0], np.abs(part).max()), row[1] + part.sum(), row[2] + np.square(part).sum()


def _drift(moments: Doubles, count: int) -> Drift:
    return Drift(float(moments[0]), float(moments[1] / count), float(np.sqrt(moments[2] / count)))
