"""A trained network on its bench: what every point of a sweep shares is found once."""

import hashlib
from collections.abc import Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from hw_sim.formats import Fixed, Overflow, Rounding
from hw_sim.mixed import mixed_plan
from hw_sim.plan import CHUNK, Accumulator, PrecisionPlan, calibrate, fitting
from hw_sim.quantize import integer_network
from hw_sim.simulate import simulate, trace
from retronet.curvature import INPUT
from retronet.datasets import DigitSets, load
from retronet.evaluate import Score, score
from retronet.forward import outputs
from retronet.machine import Workspace
from retronet.network import NetworkSpec, places
from retronet.recipe import Targets
from retronet.runs import open_run


class Point(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A point of a sweep: what has `bits` bits (see `hw_sim.sweep.grid`), and how values are rounded."""

    bits: int
    tensors: str
    rounding: Rounding


class SweepRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was found at a point.

    ``subject`` is a digest of network, digits and the bits of the rest. ``agreements`` counts the digits to
    which the network in floating point gives the same answer. ``sqnr_db`` compares the outputs: signal over
    noise, absent where there is no noise. ``saturations`` (states) and ``overflows`` (sums) are counts over
    all digits, by layer.
    """

    subject: str
    point: Point
    score: Score
    agreements: int
    sqnr_db: float | None
    saturations: dict[str, int]
    overflows: dict[str, int]
    clipped_pixels: int
    warnings: tuple[str, ...]


class Source(msgspec.Struct, frozen=True):
    """Where a worker finds network and digits; small, as it goes with every point.

    ``other_bits`` are those of the tensors that a point leaves alone.
    """

    run: str
    data: str
    data_dir: str | None
    other_bits: int


class Bench:
    """A trained network and its digits.

    Parameters
    ----------
    network, parameters
        The trained network.
    digits
        Formats are calibrated on the training digits, points measured on the test digits.
    targets
        The wanted outputs.
    other_bits
        Bits of the tensors that a point leaves alone.
    """

    def __init__(
        self,
        network: NetworkSpec,
        parameters: Mapping[str, NDArray[Any]],
        digits: DigitSets,
        targets: Targets,
        other_bits: int,
    ) -> None:
        self.network = network
        self.parameters = parameters
        self.digits = digits
        self.targets = targets
        self.other_bits = other_bits
        self._plans: dict[tuple[int, Rounding], PrecisionPlan] = {}

    @cached_property
    def subject(self) -> str:
        """A digest of all that rows depend on besides their points."""
        digest = hashlib.sha256()
        halves = (self.digits.train.provenance, self.digits.test.provenance)
        digest.update(msgspec.json.encode((self.network, halves, self.targets, self.other_bits)))
        for name in sorted(self.parameters):
            digest.update(np.ascontiguousarray(self.parameters[name]).tobytes())
        return digest.hexdigest()[:12]

    @cached_property
    def reference(self) -> NDArray[np.floating]:
        """The outputs in floating point for the test digits."""
        workspace = Workspace(self.network)
        workspace.load(self.parameters)
        return outputs(workspace, self.digits.test.images)

    @cached_property
    def reference_score(self) -> Score:
        """The score in floating point on the test digits."""
        return score(self.reference, self.digits.test.labels, self.targets)

    @cached_property
    def largest_sums(self) -> dict[str, float]:
        """The largest magnitude of each layer's sums on the training digits, at the bits of the rest."""
        integers = integer_network(
            self.network, self.parameters, self.plan_of_bits(self.other_bits, Rounding.RND)
        )
        largest: dict[str, float] = {}
        images = self.digits.train.images
        for start in range(0, len(images), CHUNK):
            for layer in trace(integers, images[start : start + CHUNK]).layers:
                found = float(np.abs(layer.sums).max()) * 2.0**-layer.sum_frac_bits
                largest[layer.layer] = max(largest.get(layer.layer, 0.0), found)
        return largest

    def plan_of_bits(self, bits: int, rounding: Rounding) -> PrecisionPlan:
        """Return the plan with `bits` bits for all tensors and exact sums."""
        if (bits, rounding) not in self._plans:
            plan = calibrate(self.network, self.parameters, self.digits.train.images, bits, rounding=rounding)
            self._plans[bits, rounding] = plan
        return self._plans[bits, rounding]

    def plan(self, point: Point) -> PrecisionPlan:
        """Return the plan of a point.

        Sums of a limited number of bits hold the largest sum seen in training, drop the fraction bits that
        do not fit, and saturate.
        """
        names = [place.name for place in places(self.network)]
        narrow = dict.fromkeys((INPUT, *names), point.bits)
        wide = dict.fromkeys((INPUT, *names), self.other_bits)

        def mixed(weights: dict[str, int], states: dict[str, int]) -> PrecisionPlan:
            return mixed_plan(lambda bits: self.plan_of_bits(bits, point.rounding), weights, states)

        match point.tensors:
            case "all":
                return mixed(narrow, narrow)
            case "weights":
                return mixed(narrow, wide)
            case "states":
                return mixed(wide, narrow)
            case "sums":
                return self._with_sums(mixed(wide, wide), point)
            case layer:
                return mixed(wide | {layer: point.bits}, wide | {layer: point.bits})

    def _with_sums(self, plan: PrecisionPlan, point: Point) -> PrecisionPlan:
        layers = []
        for layer in plan.layers:
            form = fitting(self.largest_sums[layer.layer], point.bits, point.rounding, Overflow.SAT)
            bias = Fixed(form.bits, form.frac_bits, True, point.rounding, Overflow.SAT)
            layers.append(replace(layer, accumulator=Accumulator(form), bias=bias))
        return replace(plan, layers=tuple(layers))

    def row(self, point: Point) -> SweepRow:
        """Simulate the plan of a point on the test digits."""
        integers = integer_network(self.network, self.parameters, self.plan(point))
        test = self.digits.test
        result = simulate(integers, test.images)
        names = [layer.place.name for layer in integers.layers]
        signal = float(np.square(self.reference, dtype=np.float64).sum())
        noise = float(np.square(self.reference - result.outputs).sum())
        return SweepRow(
            subject=self.subject,
            point=point,
            score=score(result.outputs, test.labels, self.targets),
            agreements=int(np.count_nonzero(result.outputs.argmax(1) == self.reference.argmax(1))),
            sqnr_db=10 * float(np.log10(signal / noise)) if signal > 0 and noise > 0 else None,
            saturations={name: counts.saturations for name, counts in zip(names, result.counts, strict=True)},
            overflows={name: counts.overflows for name, counts in zip(names, result.counts, strict=True)},
            clipped_pixels=result.clipped_pixels,
            warnings=integers.warnings,
        )


@lru_cache(maxsize=2)
def bench_of(source: Source) -> Bench:
    """Return the bench that `source` describes, loaded once in each process.

    Raises
    ------
    InputError, DataError
        If run or digits are not there.
    """
    checkpoint = open_run(Path(source.run)).checkpoint()
    recipe = checkpoint.header.recipe
    digits = load(source.data, recipe.preparation, Path(source.data_dir) if source.data_dir else None)
    parameters = checkpoint.state.parameters
    return Bench(checkpoint.header.network, parameters, digits, recipe.targets, source.other_bits)
