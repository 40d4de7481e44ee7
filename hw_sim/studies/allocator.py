"""What fewer bits in one tensor do to the loss, predicted and measured: the argument of INNC90.

Rounding to a step adds noise of variance ``step²/12`` to every value of a tensor, and noise of variance s² on
values with second derivatives h raises the loss by about ``½ Σ h s²`` (rebuilt from OBD; papers.md §4.1: the
text of INNC90 itself was not found). The estimate leaves out that rounding errors of neighbours move together
and that the loss is no parabola, so it is measured how far it holds.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from hw_sim.fixed_point.quantize import quantize
from hw_sim.fixed_point.simulate import run_integers
from hw_sim.formats.modes import Rounding
from hw_sim.plan.calibrate import mixed_plan
from hw_sim.plan.plan import PrecisionPlan
from hw_sim.studies.testbench import Testbench
from retronet.curvature import INPUT, Curvature, diagonal_curvature, mean_loss
from retronet.errors import InputError
from retronet.evaluate import Score, score
from retronet.network import sized_layers
from retronet.trained import Trained
from retronet.training.pruning import delete, macs_left, saliencies, weights_left

HOLDS = 2.0
"""A prediction holds while it is within this factor of what is measured."""
SLIGHT = 0.01
"""Rises below this part of the loss are too small to judge a prediction by."""


class Tensor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The weights of a layer, or the states it makes (of the pixels: ``input``)."""

    layer: str
    kind: Literal["weights", "states"]


class Estimate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rise of the loss on the training digits when one tensor alone has few bits.

    ``ratio`` is predicted over measured, absent where the loss did not rise. The prediction ``holds`` within
    a factor of two and else ``fails``; where both rises are below a hundredth of the loss they are
    ``slight``: there the first derivatives, which are never quite 0, count for as much.
    """

    tensor: Tensor
    bits: int
    step: float
    predicted: float
    measured: float
    ratio: float | None
    verdict: Literal["holds", "fails", "slight"]


class Budget(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Bits by layer, what they cost and what they do.

    ``weight_storage_bits`` counts each shared weight once; ``mac_bits`` are the MACs of one image times the
    bits of weight and state that each multiplies; ``deleted`` weights of a layer, if any, count in neither,
    nor does what says which they are. Rises are of the loss on the training digits, over floating point; the
    score is on the test digits.
    """

    name: str
    weights: dict[str, int]
    states: dict[str, int]
    weight_storage_bits: int
    mac_bits: int
    predicted: float
    measured: float
    score: Score
    deleted: dict[str, int] = {}


class Allocator:
    """A network on its bench, with its second derivatives.

    Parameters
    ----------
    testbench
        Network and digits; ``testbench.other_bits`` are those of the tensors that an estimate leaves alone.
    """

    def __init__(self, testbench: Testbench) -> None:
        self.testbench = testbench
        self.trained = testbench.trained
        self.sized_layers = sized_layers(self.trained.network)
        self.curvature: Curvature = diagonal_curvature(self.trained, testbench.digits.train)
        self._saliency = saliencies(self.trained, testbench.digits.train, self.curvature)
        self.float_loss = self._loss(self.trained.outputs(testbench.digits.train.images))
        names = [sized.name for sized in self.sized_layers]
        kinds: tuple[Literal["weights", "states"], ...] = ("weights", "states")
        bare = [sized.name for sized in self.sized_layers if not sized.trained]
        self.tensors = (
            Tensor(INPUT, "states"),
            *(
                Tensor(name, kind)
                for name in names
                for kind in kinds
                if kind == "states" or name not in bare  # pools have no weights
            ),
        )

    def _loss(self, answers: NDArray[np.floating]) -> float:
        return mean_loss(answers, self.testbench.digits.train.labels, self.trained.recipe)

    def step(self, tensor: Tensor, bits: int) -> float:
        """Return the step that a tensor has with `bits` bits."""
        plan = self.testbench.plan_of_bits(bits, Rounding.RND)
        if tensor.layer == INPUT:
            return plan.input.step
        layer = next(layer for layer in plan.layers if layer.layer == tensor.layer)
        return layer.weight.step if tensor.kind == "weights" else layer.state.step

    def predicted(self, tensor: Tensor, bits: int) -> float:
        """Return the rise of the loss that the second derivatives predict."""
        if tensor.kind == "weights":
            total = float(self.curvature.parameters[f"{tensor.layer}.weight"].sum(dtype=np.float64))
        else:
            total = float(self.curvature.states[tensor.layer].sum())
        step = self.step(tensor, bits)
        return 0.5 * total * (step * step) / 12

    def predicted_pruned(self, layer: str, bits: int, count: int) -> float:
        """Return the predicted rise by `bits` bits in a layer's weights, the `count` least salient gone."""
        name = f"{layer}.weight"
        if name not in self.curvature.parameters:
            return 0.0  # a pool has no weights
        kept = np.sort(self._least_salient(name)[count:])
        step = self.step(Tensor(layer, "weights"), bits)
        noisy = float(self.curvature.parameters[name].ravel()[kept].sum(dtype=np.float64))
        saliency = self._saliency[name].ravel()
        gone = math.fsum(saliency.tolist()) - math.fsum(saliency[kept].tolist())
        return gone + 0.5 * noisy * (step * step) / 12

    def _least_salient(self, name: str) -> NDArray[np.int64]:
        return np.argsort(self._saliency[name].ravel(), kind="stable")

    def pruned(self, deleted: Mapping[str, int]) -> Trained:
        """Return the network without so many of the least salient weights of each layer."""
        parts = {}
        for name, array in self._saliency.items():
            layer, _, part = name.rpartition(".")
            gone = np.zeros(array.size, bool)
            gone[self._least_salient(name)[: deleted.get(layer, 0) if part == "weight" else 0]] = True
            parts[name] = gone
        return delete(self.trained, np.flatnonzero(np.concatenate(list(parts.values()))))

    def plan(self, weights: Mapping[str, int], states: Mapping[str, int]) -> PrecisionPlan:
        """Return the plan with these bits."""
        return mixed_plan(
            self.trained, lambda bits: self.testbench.plan_of_bits(bits, Rounding.RND), weights, states
        )

    def measured(self, plan: PrecisionPlan, trained: Trained | None = None) -> float:
        """Return the loss of a plan on the training digits, for another network if one is given."""
        integers = quantize(trained or self.trained, plan)
        return self._loss(run_integers(integers, self.testbench.digits.train.images).outputs)

    def estimates(self, bits: Sequence[int]) -> Iterator[Estimate]:
        """Yield prediction and measurement for each tensor alone, the others at the bench's other bits.

        Raises
        ------
        InputError
            If `bits` come too near to those of the others.
        """
        other = self.testbench.other_bits
        if max(bits) > other - 2:
            raise InputError(
                f"The rise by {max(bits)} bits in one tensor can not be told from that by {other} bits in "
                f"all others; up to {other - 2} are allowed. Give fewer bits, or the others more."
            )
        names = [sized.name for sized in self.sized_layers]
        base = self.measured(self.plan(dict.fromkeys(names, other), dict.fromkeys((INPUT, *names), other)))
        for tensor in self.tensors:
            for width in bits:
                weights, states = dict.fromkeys(names, other), dict.fromkeys((INPUT, *names), other)
                (weights if tensor.kind == "weights" else states)[tensor.layer] = width
                rise = self.measured(self.plan(weights, states)) - base
                yield self._estimate(tensor, width, self.predicted(tensor, width), rise)

    def _estimate(self, tensor: Tensor, bits: int, predicted: float, measured: float) -> Estimate:
        ratio = predicted / measured if measured > 0 else None
        verdict: Literal["holds", "fails", "slight"] = "fails"
        if max(predicted, abs(measured)) < SLIGHT * self.float_loss:
            verdict = "slight"
        elif ratio is not None and 1 / HOLDS <= ratio <= HOLDS:
            verdict = "holds"
        return Estimate(tensor, bits, self.step(tensor, bits), predicted, measured, ratio, verdict)

    def budget(
        self,
        name: str,
        weights: dict[str, int],
        states: dict[str, int],
        deleted: Mapping[str, int] | None = None,
    ) -> Budget:
        """Return cost, predicted and measured rise, and the score on the test digits, of these bits.

        Of a layer's weights those of least saliency are `deleted`, none if absent.
        """
        plan, test, gone = self.plan(weights, states), self.testbench.digits.test, dict(deleted or {})
        trained = self.pruned(gone) if any(gone.values()) else self.trained
        answers = run_integers(quantize(trained, plan), test.images).outputs
        predicted = [
            self.predicted_pruned(layer, bits, gone.get(layer, 0)) for layer, bits in weights.items()
        ]
        predicted += [self.predicted(Tensor(layer, "states"), bits) for layer, bits in states.items()]
        macs = macs_left(trained)
        below = [INPUT, *(sized.name for sized in self.sized_layers)]
        return Budget(
            name=name,
            weights=weights,
            states=states,
            weight_storage_bits=sum(
                left * weights[layer] for layer, left in weights_left(trained).items() if layer in weights
            ),
            mac_bits=sum(
                macs[sized.name] * weights[sized.name] * states[read]
                for sized, read in zip(self.sized_layers, below, strict=False)
            ),
            predicted=math.fsum(predicted),
            measured=self.measured(plan, trained) - self.float_loss,
            score=score(answers, test.labels, self.trained.recipe.targets),
            deleted=gone,
        )
