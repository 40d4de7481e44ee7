"""A trained network on its bench: what every point of a sweep shares is found once."""

import hashlib
from functools import cached_property

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from hw_sim.fixed_point.decibels import decibels
from hw_sim.fixed_point.quantize import quantize
from hw_sim.fixed_point.simulate import run_integers
from hw_sim.fixed_point.trace import trace_integers
from hw_sim.formats.fixed import Fixed
from hw_sim.formats.levels import Format
from hw_sim.formats.modes import Overflow, Rounding
from hw_sim.formats.scales import ScaleRule, parse_rule
from hw_sim.plan.calibrate import CHUNK, calibrate, fitting, mixed_plan
from hw_sim.plan.plan import Accumulator, PrecisionPlan
from hw_sim.plan.rules import TensorRule
from hw_sim.studies.points import Point, SweepRow
from retronet.curvature import INPUT
from retronet.datasets import DigitSets
from retronet.evaluate import Score, score
from retronet.network import MaxPool, sized_layers
from retronet.trained import Trained


class Testbench:
    """A trained network and its digits.

    Parameters
    ----------
    trained
        The trained network.
    digits
        Formats are calibrated on the training digits, points measured on the test digits.
    other_bits
        Bits of the tensors that a point leaves alone.
    """

    def __init__(self, trained: Trained, digits: DigitSets, other_bits: int = 12) -> None:
        self.trained = trained
        self.digits = digits
        self.other_bits = other_bits
        self._plans: dict[tuple[int, Rounding, str], PrecisionPlan] = {}
        self._largest_sums: dict[str, dict[str, float]] = {}

    @cached_property
    def subject(self) -> str:
        """A digest of all that rows depend on besides their points."""
        digest = hashlib.sha256()
        halves = (self.digits.train.provenance, self.digits.test.provenance)
        network, targets = self.trained.network, self.trained.recipe.targets
        digest.update(msgspec.json.encode((network, halves, targets, self.other_bits)))
        for name in sorted(self.trained.parameters):
            digest.update(np.ascontiguousarray(self.trained.parameters[name]).tobytes())
        return digest.hexdigest()[:12]

    @cached_property
    def reference(self) -> NDArray[np.floating]:
        """The outputs in floating point for the test digits."""
        return self.trained.outputs(self.digits.test.images)

    @cached_property
    def reference_score(self) -> Score:
        """The score in floating point on the test digits."""
        return score(self.reference, self.digits.test.labels, self.trained.recipe.targets)

    def largest_sums(self, scale: str = "power-of-two") -> dict[str, float]:
        """Return the largest magnitude of each layer's sums on the training digits, scales divided out.

        Sums start with the biases, so those count too. Weights and states have the bits of the rest, and
        scales chosen by the rule `scale`.
        """
        if scale not in self._largest_sums:
            plan = self.plan_of_bits(self.other_bits, Rounding.RND, scale)
            integers = quantize(self.trained, plan)
            largest = {
                layer.sized.name: float(np.abs(layer.starts).max()) * 2.0**-layer.sum_frac_bits
                for layer in integers.layers
            }
            images = self.digits.train.images
            for start in range(0, len(images), CHUNK):
                for layer in trace_integers(integers, images[start : start + CHUNK]).layers:
                    reached = float(np.abs(layer.sums).max()) * 2.0**-layer.sum_frac_bits
                    largest[layer.layer] = max(largest[layer.layer], reached)
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
                self.trained,
                self.digits.train,
                bits,
                weights=TensorRule(scale=rule, rounding=tried),
                states=TensorRule(scale=ScaleRule(rule.kind, rule.value), rounding=tried.computed),
            )
        return _rounded(self._plans[key], rounding)

    def plan(self, point: Point) -> PrecisionPlan:
        """Return the plan of a point.

        Sums of a limited number of bits hold the largest sum seen in training, drop the fraction bits that
        do not fit, and saturate.
        """
        names = [sized.name for sized in sized_layers(self.trained.network)]
        narrow = dict.fromkeys((INPUT, *names), point.bits)
        wide = dict.fromkeys((INPUT, *names), self.other_bits)

        def mixed(weights: dict[str, int], states: dict[str, int]) -> PrecisionPlan:
            plan = mixed_plan(
                self.trained,
                lambda bits: self.plan_of_bits(bits, point.rounding, point.scale),
                weights,
                states,
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
        own = {sized.name: sized.layer for sized in sized_layers(self.trained.network)}
        for layer in plan.layers:
            if isinstance(own[layer.layer], MaxPool):  # adds nothing up
                layers.append(layer)
                continue
            largest = self.largest_sums(point.scale)[layer.layer]
            form = fitting(largest, point.bits, point.rounding.computed, Overflow.SAT)
            bias = Fixed(form.bits, form.frac_bits, True, point.rounding, Overflow.SAT)
            layers.append(replace(layer, accumulator=Accumulator(form), bias=bias))
        return replace(plan, layers=tuple(layers))

    def check(self, point: Point) -> None:
        """Make the integers of a point without simulating them.

        Raises
        ------
        InputError
            If they can not be made: a table would be too large, a word too narrow, a rule does not suit.
        """
        quantize(self.trained, self.plan(point))

    def row(self, point: Point) -> SweepRow:
        """Simulate the plan of a point on the test digits."""
        integers = quantize(self.trained, self.plan(point))
        test = self.digits.test
        result = run_integers(integers, test.images)
        names = [layer.sized.name for layer in integers.layers]
        signal = float(np.square(self.reference, dtype=np.float64).sum())
        noise = float(np.square(self.reference - result.outputs).sum())
        return SweepRow(
            subject=self.subject,
            point=point,
            score=score(result.outputs, test.labels, self.trained.recipe.targets),
            agreements=int(np.count_nonzero(result.outputs.argmax(1) == self.reference.argmax(1))),
            sqnr_db=decibels(signal, noise),
            saturations={name: counts.saturations for name, counts in zip(names, result.counts, strict=True)},
            overflows={name: counts.overflows for name, counts in zip(names, result.counts, strict=True)},
            clipped_pixels=result.clipped_pixels,
            warnings=integers.warnings,
        )


def _rounded(plan: PrecisionPlan, rounding: Rounding) -> PrecisionPlan:
    """Return `plan` with other rounding of weights, biases, pixels and states."""

    def form(old: Format, mode: Rounding) -> Format:
        return replace(old, rounding=mode) if isinstance(old, Fixed) else old

    computed = rounding.computed
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
