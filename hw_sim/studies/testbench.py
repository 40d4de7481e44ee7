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

from hw_sim.fixed_point.quantize import integer_network
from hw_sim.fixed_point.simulate import simulate
from hw_sim.fixed_point.trace import trace
from hw_sim.formats.fixed import Fixed, Overflow, Rounding
from hw_sim.formats.levels import Format
from hw_sim.formats.scales import ScaleRule, parse_rule
from hw_sim.plan.mixed_precision import mixed_plan
from hw_sim.plan.plan import CHUNK, Accumulator, PrecisionPlan, calibrate, fitting
from retronet.curvature import INPUT
from retronet.datasets import DigitSets, load
from retronet.engines.forward import outputs
from retronet.engines.workspace import Workspace
from retronet.evaluate import Score, score
from retronet.network import NetworkSpec, sized_layers
from retronet.recipe import Targets
from retronet.runs.run import open_run


class Point(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A point of a sweep: what has `bits` bits (see `hw_sim.studies.sweep.grid`).

    `rounding` and `scale`, the text of a `ScaleRule`, hold for all weights and states; `seed` decides
    stochastic rounding and is 0 with any other.
    """

    bits: int
    tensors: str
    rounding: Rounding = Rounding.RND
    scale: str = "power-of-two"
    seed: int = 0


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


class Testbench:
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
        self._plans: dict[tuple[int, Rounding, str], PrecisionPlan] = {}
        self._largest_sums: dict[str, dict[str, float]] = {}

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

    def largest_sums(self, scale: str = "power-of-two") -> dict[str, float]:
        """Return the largest magnitude of each layer's sums on the training digits, scales divided out.

        Weights and states have the bits of the rest, and scales chosen by the rule `scale`.
        """
        if scale not in self._largest_sums:
            plan = self.plan_of_bits(self.other_bits, Rounding.RND, scale)
            integers = integer_network(self.network, self.parameters, plan)
            largest: dict[str, float] = {}
            images = self.digits.train.images
            for start in range(0, len(images), CHUNK):
                for layer in trace(integers, images[start : start + CHUNK]).layers:
                    found = float(np.abs(layer.sums).max()) * 2.0**-layer.sum_frac_bits
                    largest[layer.layer] = max(largest.get(layer.layer, 0.0), found)
            self._largest_sums[scale] = largest
        return self._largest_sums[scale]

    def plan_of_bits(
        self, bits: int, rounding: Rounding = Rounding.RND, scale: str = "power-of-two"
    ) -> PrecisionPlan:
        """Return the plan with `bits` bits for all tensors and exact sums."""
        rule = parse_rule(scale)
        # Only a rule that tries scales out sees how numbers are rounded: the others are calibrated once.
        tried = rounding if rule.kind == "mse" else Rounding.RND
        key = (bits, tried, scale)
        if key not in self._plans:
            self._plans[key] = calibrate(
                self.network,
                self.parameters,
                self.digits.train.images,
                bits,
                rounding=tried,
                weight_scale=rule,
                state_scale=ScaleRule(rule.kind, rule.value),
            )
        return _rounded(self._plans[key], rounding)

    def plan(self, point: Point) -> PrecisionPlan:
        """Return the plan of a point.

        Sums of a limited number of bits hold the largest sum seen in training, drop the fraction bits that
        do not fit, and saturate.
        """
        names = [sized.name for sized in sized_layers(self.network)]
        narrow = dict.fromkeys((INPUT, *names), point.bits)
        wide = dict.fromkeys((INPUT, *names), self.other_bits)

        def mixed(weights: dict[str, int], states: dict[str, int]) -> PrecisionPlan:
            plan = mixed_plan(
                lambda bits: self.plan_of_bits(bits, point.rounding, point.scale), weights, states
            )
            return replace(plan, seed=point.seed)

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
            largest = self.largest_sums(point.scale)[layer.layer]
            form = fitting(largest, point.bits, _computed(point.rounding), Overflow.SAT)
            bias = Fixed(form.bits, form.frac_bits, True, point.rounding, Overflow.SAT)
            layers.append(replace(layer, accumulator=Accumulator(form), bias=bias))
        return replace(plan, layers=tuple(layers))

    def row(self, point: Point) -> SweepRow:
        """Simulate the plan of a point on the test digits."""
        integers = integer_network(self.network, self.parameters, self.plan(point))
        test = self.digits.test
        result = simulate(integers, test.images)
        names = [layer.sized.name for layer in integers.layers]
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


def _computed(rounding: Rounding) -> Rounding:
    """Return the mode of what is computed for each image, where `rounding` is that of parameters."""
    return Rounding.RND if rounding is Rounding.STOCHASTIC else rounding


def _rounded(plan: PrecisionPlan, rounding: Rounding) -> PrecisionPlan:
    """Return `plan` with other rounding of weights, biases, pixels and states."""

    def form(old: Format, mode: Rounding) -> Format:
        return replace(old, rounding=mode) if isinstance(old, Fixed) else old

    computed = _computed(rounding)
    layers = tuple(
        replace(
            layer,
            weight=form(layer.weight, rounding),
            bias=replace(layer.bias, rounding=rounding),
            state=form(layer.state, computed),
        )
        for layer in plan.layers
    )
    return replace(plan, input=form(plan.input, computed), layers=layers)


@lru_cache(maxsize=2)
def testbench_of(source: Source) -> Testbench:
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
    return Testbench(checkpoint.header.network, parameters, digits, recipe.targets, source.other_bits)
