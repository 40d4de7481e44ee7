"""Run a network on integers, count its work and set it beside the network in floating point."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from hw_sim.fixed_point.overflow_warnings import overflow_warnings
from hw_sim.fixed_point.quantize import IntegerNetwork, integer_network
from hw_sim.fixed_point.runner import LaneRunner
from hw_sim.fixed_point.trace import LayerTrace, Trace, flattened, outputs_of, trace
from hw_sim.kernels.layer import COUNTS
from hw_sim.kernels.sums import LANES
from hw_sim.plan.plan import CHUNK, PrecisionPlan
from retronet.datasets.dataset import Dataset
from retronet.engines.forward import layer_states
from retronet.evaluate import Score, score
from retronet.network import NetworkSpec, SizedLayer, sized_layers
from retronet.recipe import Loss, Targets

__all__ = [
    "LayerCounts",
    "LayerReport",
    "LayerTrace",
    "Simulated",
    "SimulationReport",
    "Trace",
    "report",
    "simulate",
    "trace",
]


class LayerCounts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Work of one layer, counted while it was done, over all images.

    A MAC reads a weight, and a state unless it reads the border; a unit reads its bias as one more weight
    and writes a state. ``saturations`` are states that did not fit their format, ``overflows`` casts to the
    accumulator that did not fit it, ``preactivation_overflows`` casts to pre-activations.
    """

    macs: int
    border_macs: int
    zero_macs: int
    weight_reads: int
    state_reads: int
    state_writes: int
    saturations: int
    overflows: int
    preactivation_overflows: int = 0


class Simulated(msgspec.Struct, frozen=True):
    """Outputs as real numbers (n, classes), the counts, and the pixels that their format clipped."""

    outputs: NDArray[np.float64]
    counts: tuple[LayerCounts, ...]
    clipped_pixels: int


def simulate(network: IntegerNetwork, images: NDArray[np.float32], threads: int = 1) -> Simulated:
    """Run `network` on `images`.

    Parameters
    ----------
    network
        Integers and formats.
    images : ndarray of float32, shape (n, rows, columns)
    threads
        Threads that share the images; they never change a result.

    Returns
    -------
    Simulated
        Of an RBF output layer the outputs are minus the squared distances: its products and squares are
        integers and exact, and join in double precision.

    Raises
    ------
    InputError
        If the images have another size than the network reads, or are not finite.
    """
    flat = flattened(network, images)
    classes = network.layers[-1].sized.units if network.codes is None else len(network.codes)
    outputs = np.empty((len(flat), classes), np.float64)

    def work(firsts: range) -> LaneRunner:
        worker = LaneRunner(network)
        for first in firsts:
            used = worker.run(flat, first)
            outputs[first : first + used] = outputs_of(network, worker.rows[-1][:-1, :used].T)
        return worker

    shares = [range(start * LANES, len(flat), threads * LANES) for start in range(threads)]
    if threads == 1:
        workers = [work(shares[0])]
    else:
        with ThreadPoolExecutor(threads) as pool:
            workers = list(pool.map(work, shares))
    counts = sum((worker.counts for worker in workers), np.zeros_like(workers[0].counts))
    return Simulated(outputs, _counts(counts), sum(worker.clipped_pixels for worker in workers))


def _counts(counts: NDArray[np.int64]) -> tuple[LayerCounts, ...]:
    return tuple(LayerCounts(**dict(zip(COUNTS, map(int, row), strict=True))) for row in counts)


class LayerReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One layer of a report.

    ``sqnr_db`` compares the float states with the simulated ones: signal over quantisation noise in decibels,
    absent where there is no noise or no signal. ``sum_bound`` is proved, not observed. ``connections`` are
    those of one image, biases included.
    """

    layer: str
    connections: int
    counts: LayerCounts
    sqnr_db: float | None
    sum_bound: int
    sum_word_bits: int


class SimulationReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A network on integers next to the same network in floating point, on one data set.

    ``agreements`` counts the images to which both give the same answer, right or wrong.
    """

    network: str
    plan: PrecisionPlan
    images: int
    simulated: Score
    reference: Score
    agreements: int
    clipped_pixels: int
    layers: tuple[LayerReport, ...]
    warnings: tuple[str, ...]


def report(
    network: NetworkSpec,
    parameters: Mapping[str, NDArray[Any]],
    plan: PrecisionPlan,
    data: Dataset,
    threads: int = 1,
    targets: Targets | None = None,
    loss: Loss | None = None,
) -> SimulationReport:
    """Simulate `network` on `data` and compare it with floating point.

    Parameters
    ----------
    network, parameters
        The trained network.
    plan
        Its formats: see `hw_sim.plan.plan.calibrate`.
    data
        Images and labels, usually the test set.
    threads
        Threads of the simulation; they never change a result.
    targets, loss
        What the squared error is measured from, ±1 if absent, and what the network was trained for: see
        `retronet.evaluate.score`.

    Raises
    ------
    InputError
        If the parts do not fit each other: see `integer_network` and `simulate`.
    """
    integers = integer_network(network, parameters, plan)
    result = simulate(integers, data.images, threads)
    found = sized_layers(network)
    signal, noise = np.zeros(len(found)), np.zeros(len(found))
    reference = np.empty_like(result.outputs)
    for start in range(0, len(data.images), CHUNK):
        images = data.images[start : start + CHUNK]
        exact = layer_states(network, dict(parameters), images)
        traced = trace(integers, images)
        values = [layer.values for layer in traced.layers]
        if integers.codes is not None:
            values.append(traced.outputs)
        for index, (sized, simulated) in enumerate(zip(found, values, strict=True)):
            states = exact[sized.name].astype(np.float64)
            signal[index] += np.square(states).sum()
            noise[index] += np.square(states - simulated.reshape(states.shape)).sum()
        reference[start : start + len(images)] = exact[found[-1].name].reshape(len(images), -1)
    counts = [*result.counts]
    proofs: list[tuple[int, int]] = [(layer.sum_bound, layer.word_bits) for layer in integers.layers]
    if integers.codes is not None:
        counts.append(_distance_counts(found[-1], len(data.images)))
        last = integers.layers[-1].plan.state
        proofs.append((integers.codes.shape[1] * last.magnitude**2, 64))
    ratio = np.divide(signal, noise, out=np.zeros_like(signal), where=(signal > 0) & (noise > 0))
    layers = tuple(
        LayerReport(
            sized.name,
            sized.connections,
            count,
            10 * float(np.log10(ratio[index])) if ratio[index] > 0 else None,
            *proofs[index],
        )
        for index, (sized, count) in enumerate(zip(found, counts, strict=True))
    )
    largest = float(np.abs(data.images).max(initial=0))
    overflowed = overflow_warnings(integers, result.counts, len(data.images), result.clipped_pixels, largest)
    return SimulationReport(
        network=network.name,
        plan=plan,
        images=len(data.images),
        simulated=score(result.outputs, data.labels, targets, loss),
        reference=score(reference, data.labels, targets, loss),
        agreements=int(np.count_nonzero(result.outputs.argmax(1) == reference.argmax(1))),
        clipped_pixels=result.clipped_pixels,
        layers=layers,
        warnings=integers.warnings + overflowed,
    )


def _distance_counts(sized: SizedLayer, images: int) -> LayerCounts:
    """Return the work of an RBF layer: a code's ±1 for every unit below, and no bias."""
    macs = sized.macs * images
    return LayerCounts(macs, 0, 0, macs, macs, sized.units * images, 0, 0)
