"""A network run in the DSP-32C's floating point.

The arithmetic is that of the successor chip DSP3210, as a public emulator states it from the manual (papers'
§6.3); that the DSP-32C computes the same is an assumption. See kernels/dsp32c.py for the arithmetic itself.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, assert_never

import numpy as np
from numpy.typing import NDArray

from hw_sim.chips.dsp32c.words import Doubles, from_ieee
from retronet.connections import connection_table, weight_rows
from retronet.engines.forward import check_images
from retronet.errors import InputError
from retronet.network import (
    AveragePool,
    HardTanh,
    Identity,
    MaxPool,
    NetworkSpec,
    Rbf,
    Relu,
    Sigmoid,
    SizedLayer,
    Tanh,
    sized_layers,
)
from retronet.trained import Trained

TanhRoutine = Literal["exact", "sn"]


@dataclass(frozen=True)
class DspLayer:
    """A layer in the format: what `hw_sim.kernels.dsp32c.run_dsp_layer` takes, and its place."""

    sized: SizedLayer
    weights: Doubles
    weight_scales: Doubles
    fan_in: NDArray[np.int32]
    sources: NDArray[np.int32]
    biases: Doubles
    kind: int
    amplitude: float
    slope: float


def dsp_layers(trained: Trained, tanh: TanhRoutine = "exact") -> tuple[DspLayer, ...]:
    """Convert a trained network to the format.

    Parameters
    ----------
    trained
        The trained network.
    tanh
        ``exact``: tanh rounded to the nearest word. ``sn``: the SN simulator's formula, which stands for
        1.7159 tanh(2a/3) alone.

    Raises
    ------
    InputError
        If a layer can not be run.
    """
    activations = [_activation(sized, tanh) for sized in sized_layers(trained.network)]
    return tuple(
        _layer(sized, trained, activation)
        for sized, activation in zip(sized_layers(trained.network), activations, strict=True)
    )


def _layer(sized: SizedLayer, trained: Trained, activation: tuple[int, float, float]) -> DspLayer:
    from hw_sim.kernels.dsp32c import fill_scales

    table = connection_table(sized)
    weights = from_ieee(weight_rows(sized, trained.parameters[f"{sized.name}.weight"].astype(np.float32)))
    sources = table.sources[table.tables]
    biases = from_ieee(trained.parameters[f"{sized.name}.bias"]).reshape(-1)
    biases = biases if biases.size == sized.units else np.repeat(biases, sized.positions)
    scales = np.empty_like(weights)
    fill_scales(weights, scales)
    return DspLayer(sized, weights, scales, table.fan_in, sources, biases, *activation)


def _activation(sized: SizedLayer, tanh: TanhRoutine) -> tuple[int, float, float]:
    from hw_sim.kernels.dsp32c import IDENTITY, RELU, SN_AMPLITUDE, SN_SLOPE, SN_TANH, TANH

    if isinstance(sized.layer, Rbf | MaxPool | AveragePool):
        kind = sized.layer.__struct_config__.tag
        raise InputError(
            f"Layer '{sized.name}' can not be run in the DSP-32C's arithmetic: it is of the kind {kind}; "
            "conv, subsample and dense are known. Choose a network of those."
        )
    match sized.layer.activation:
        case Identity():
            return IDENTITY, 1.0, 1.0
        case Relu():
            return RELU, 1.0, 1.0
        case Tanh(amplitude=amplitude, slope=slope):
            if tanh == "exact":
                return TANH, amplitude, slope
            if abs(amplitude - SN_AMPLITUDE) > 1e-3 or abs(slope - SN_SLOPE) > 1e-3:
                raise InputError(
                    f"SN's fast tanh can not stand for layer '{sized.name}': the layer has "
                    f"{amplitude:g} tanh({slope:g} a); SN's is 1.7159 tanh(2a/3). Use the exact tanh."
                )
            return SN_TANH, amplitude, slope
        case Sigmoid() | HardTanh():
            kind = sized.layer.activation.__struct_config__.tag
            raise InputError(
                f"Layer '{sized.name}' can not be run in the DSP-32C's arithmetic: its activation is of the "
                f"kind {kind}; tanh, relu and identity are known. Choose a network with those."
            )
        case _ as unreachable:
            assert_never(unreachable)


class _LaneRunner:
    """The buffers of one thread: rows of lanes for the images and every layer, the border's row last."""

    def __init__(self, network: NetworkSpec, layers: tuple[DspLayer, ...]) -> None:
        from hw_sim.kernels.dsp32c import DSP_LANES

        self.layers = layers
        units = [int(np.prod(network.input)), *(layer.sized.units for layer in layers)]
        self.rows = [np.zeros((count + 1, DSP_LANES)) for count in units]
        self.scales = [np.zeros((count + 1, DSP_LANES)) for count in units]
        for below, layer in zip(self.rows, layers, strict=False):
            below[-1] = from_ieee(np.array(getattr(layer.sized.layer, "border", 0.0)))

    def run(self, images: Doubles, states: Doubles) -> None:
        """Fill `states` (n, units of all layers) for `images` (n, pixels), no more of them than lanes."""
        from hw_sim.kernels.dsp32c import fill_scales, run_dsp_layer

        count, start = len(images), 0
        self.rows[0][:-1, :count] = images.T
        fill_scales(self.rows[0], self.scales[0])
        for index, layer in enumerate(self.layers):
            fill_scales(self.rows[index][-1:], self.scales[index][-1:])
            run_dsp_layer(
                layer.weights, layer.weight_scales, layer.fan_in, layer.sources, layer.biases,
                layer.kind, layer.amplitude, layer.slope,
                self.rows[index], self.scales[index], self.rows[index + 1], self.scales[index + 1],
            )  # fmt: skip
            units = layer.sized.units
            states[:, start : start + units] = self.rows[index + 1][:units, :count].T
            start += units


def run_dsp(
    network: NetworkSpec,
    layers: tuple[DspLayer, ...],
    images: NDArray[np.floating],
    threads: int = 1,
    *,
    last_only: bool = False,
) -> Doubles:
    """Return the states of all layers, or of the last one, in the DSP-32C's arithmetic.

    Parameters
    ----------
    network, layers
        The network, and its layers as `dsp_layers` makes them.
    images : ndarray, shape (n, rows, columns)
    threads
        Threads that share the images; they never change a result.
    last_only
        Whether the other layers' states are not wanted, which take the most memory.

    Returns
    -------
    ndarray of float64, shape (n, units)
        The layers side by side, the outputs last; numbers of the format.

    Raises
    ------
    InputError
        If the images have another size than the network reads.
    """
    from hw_sim.kernels.dsp32c import DSP_LANES

    check_images(network, images)
    pixels = from_ieee(images).reshape(len(images), -1)
    units = [layer.sized.units for layer in layers]
    kept = units[-1] if last_only else sum(units)
    states = np.empty((len(images), kept))

    def work(firsts: range) -> None:
        runner = _LaneRunner(network, layers)
        every = np.empty((DSP_LANES, sum(units)))
        for first in firsts:
            some = pixels[first : first + DSP_LANES]
            runner.run(some, every[: len(some)])
            states[first : first + DSP_LANES] = every[: len(some), -kept:]

    shares = [range(start * DSP_LANES, len(pixels), threads * DSP_LANES) for start in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, shares))
    return states


def run_double(trained: Trained, layers: tuple[DspLayer, ...], images: NDArray[np.floating]) -> Doubles:
    """Return the states of all layers in IEEE double precision, sums in the DSP-32C's order.

    Parameters
    ----------
    trained, layers
        The network, and its layers as `dsp_layers` makes them.
    images : ndarray, shape (n, rows, columns)

    Returns
    -------
    ndarray of float64, shape (n, units)
        As `run_dsp` returns them; every tanh is the exact one.
    """
    from hw_sim.kernels.dsp32c import DSP_LANES, run_double_layer

    pixels = images.reshape(len(images), -1).astype(np.float64)
    units = [pixels.shape[1], *(layer.sized.units for layer in layers)]
    rows = [np.zeros((count + 1, DSP_LANES)) for count in units]
    states = np.empty((len(images), sum(units[1:])))
    arrays = [_double_arrays(layer.sized, trained) for layer in layers]
    for below, layer in zip(rows, layers, strict=False):
        below[-1] = getattr(layer.sized.layer, "border", 0.0)
    for first in range(0, len(images), DSP_LANES):
        count, start = min(DSP_LANES, len(images) - first), 0
        rows[0][:-1, :count] = pixels[first : first + count].T
        for index, (layer, (weights, biases)) in enumerate(zip(layers, arrays, strict=True)):
            run_double_layer(
                weights, layer.fan_in, layer.sources, biases,
                layer.kind, layer.amplitude, layer.slope, rows[index], rows[index + 1],
            )  # fmt: skip
            stop = start + layer.sized.units
            states[first : first + count, start:stop] = rows[index + 1][: stop - start, :count].T
            start = stop
    return states


def _double_arrays(sized: SizedLayer, trained: Trained) -> tuple[Doubles, Doubles]:
    """Return a layer's weights, shape (maps, most taps), and one bias a unit, in double precision."""
    weights = weight_rows(sized, trained.parameters[f"{sized.name}.weight"].astype(np.float64))
    biases = trained.parameters[f"{sized.name}.bias"].astype(np.float64).reshape(-1)
    return weights, biases if biases.size == sized.units else np.repeat(biases, sized.positions)
