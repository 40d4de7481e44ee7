"""Run a network on integers, count its work and set it beside the network in floating point."""

from concurrent.futures import ThreadPoolExecutor

import msgspec
import numpy as np
from numpy.typing import NDArray

from hw_sim.fixed_point.counts import LayerCounts
from hw_sim.fixed_point.decibels import decibels
from hw_sim.fixed_point.overflow_warnings import overflow_warnings
from hw_sim.fixed_point.quantize import IntegerNetwork, quantize
from hw_sim.fixed_point.runner import LaneRunner
from hw_sim.fixed_point.trace import flattened, layer_values, outputs_of, trace_integers
from hw_sim.kernels.layer import COUNTS
from hw_sim.kernels.sums import INTEGER_LANES
from hw_sim.plan.calibrate import CHUNK
from hw_sim.plan.plan import PrecisionPlan
from retronet.datasets import Dataset
from retronet.evaluate import Score, score
from retronet.network import SizedLayer, sized_layers
from retronet.trained import Trained


class Simulated(msgspec.Struct, frozen=True):
    """Outputs as real numbers (n, classes), the counts, and the pixels that their format clipped."""

    outputs: NDArray[np.float64]
    counts: tuple[LayerCounts, ...]
    clipped_pixels: int


def run_integers(network: IntegerNetwork, images: NDArray[np.float32], threads: int = 1) -> Simulated:
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
        worker = LaneRunner(network, flat)
        for first in firsts:
            used = worker.run(first)
            outputs[first : first + used] = outputs_of(network, worker.rows[-1][:-1, :used].T)
        return worker

    shares = [range(start * INTEGER_LANES, len(flat), threads * INTEGER_LANES) for start in range(threads)]
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

    Attributes
    ----------
    network, plan, images
        What was simulated, in which formats, on how many digits.
    score, reference
        The scores on integers and in floating point.
    agreements
        Digits to which both give the same answer, right or wrong.
    clipped_pixels
        Pixels that did not fit their format.
    layers
        Work and noise of each layer.
    warnings
        What a reader should know, such as sums that overflowed.
    """

    network: str
    plan: PrecisionPlan
    images: int
    score: Score
    reference: Score
    agreements: int
    clipped_pixels: int
    layers: tuple[LayerReport, ...]
    warnings: tuple[str, ...]

    @property
    def agreement(self) -> float:
        """The share of digits to which both give the same answer, right or wrong."""
        return self.agreements / self.images

    def __repr__(self) -> str:
        warned = f", {len(self.warnings)} warnings" if self.warnings else ""
        return (
            f"SimulationReport({self.network} on {self.images:,} digits: "
            f"{self.score.error_percent:.2f} % error, {self.reference.error_percent:.2f} % in floating "
            f"point; {100 * self.agreement:.2f} % of answers agree{warned})"
        )


def simulate(trained: Trained, digits: Dataset, plan: PrecisionPlan, threads: int = 1) -> SimulationReport:
    """Run a trained network on integers and compare it with floating point.

    Parameters
    ----------
    trained
        The trained network.
    digits
        Images and labels, usually the test set.
    plan
        The formats: see `hw_sim.plan.calibrate.calibrate`.
    threads
        Threads of the simulation; they never change a result.

    Raises
    ------
    InputError
        If the parts do not fit each other: see `quantize` and `run_integers`.
    """
    integers = quantize(trained, plan)
    result = run_integers(integers, digits.images, threads)
    sized_all = sized_layers(trained.network)
    signal, noise = np.zeros(len(sized_all)), np.zeros(len(sized_all))
    reference = np.empty_like(result.outputs)
    reached = np.zeros((len(integers.layers), 2))
    for start in range(0, len(digits.images), CHUNK):
        images = digits.images[start : start + CHUNK]
        exact = trained.states(images)
        values, outputs = layer_values(integers, images)
        if any(count.saturations for count in result.counts):  # only then is their reach of interest
            for ends, layer in zip(reached, trace_integers(integers, images).layers, strict=True):
                ends[:] = layer.widened(*ends)
        if integers.codes is not None:
            values.append(outputs)
        for index, (sized, simulated) in enumerate(zip(sized_all, values, strict=True)):
            states = exact[sized.name].astype(np.float64)
            signal[index] += np.square(states).sum()
            noise[index] += np.square(states - simulated.reshape(states.shape)).sum()
        reference[start : start + len(images)] = exact[sized_all[-1].name].reshape(len(images), -1)
    counts = [*result.counts]
    proofs: list[tuple[int, int]] = [(layer.sum_bound, layer.word_bits) for layer in integers.layers]
    if integers.codes is not None:
        counts.append(_distance_counts(sized_all[-1], len(digits.images)))
        last = integers.layers[-1].plan.state
        proofs.append((integers.codes.shape[1] * last.magnitude**2, 64))
    layers = tuple(
        LayerReport(
            sized.name,
            sized.connections,
            count,
            decibels(float(signal[index]), float(noise[index])),
            *proofs[index],
        )
        for index, (sized, count) in enumerate(zip(sized_all, counts, strict=True))
    )
    pixels = (float(digits.images.min(initial=0)), float(digits.images.max(initial=0)))
    overflowed = overflow_warnings(
        integers, result.counts, len(digits.images), result.clipped_pixels, pixels, reached
    )
    targets, loss = trained.recipe.targets, trained.recipe.loss
    return SimulationReport(
        network=trained.network.name,
        plan=plan,
        images=len(digits.images),
        score=score(result.outputs, digits.labels, targets, loss),
        reference=score(reference, digits.labels, targets, loss),
        agreements=int(np.count_nonzero(result.outputs.argmax(1) == reference.argmax(1))),
        clipped_pixels=result.clipped_pixels,
        layers=layers,
        warnings=integers.warnings + overflowed,
    )


def _distance_counts(sized: SizedLayer, images: int) -> LayerCounts:
    """Return the work of an RBF layer: a code's ±1 for every unit below, and no bias."""
    macs = sized.macs * images
    return LayerCounts(macs, 0, 0, macs, macs, sized.units * images, 0, 0)
