"""How many bits each layer needs, from the second derivatives of the loss: the argument of INNC90.

Rounding to a step adds noise of variance ``step²/12`` to every value of a tensor, and noise of variance s² on
values with second derivatives h raises the loss by about ``½ Σ h s²`` (rebuilt from OBD; papers.md §4.1: the
text of INNC90 itself was not found). The estimate leaves out that rounding errors of neighbours move together
and that the loss is no parabola, so it is measured how far it holds.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from hw_sim.fixed_point.quantize import integer_network
from hw_sim.fixed_point.simulate import simulate
from hw_sim.formats.fixed import Rounding
from hw_sim.plan.mixed_precision import mixed_plan
from hw_sim.plan.plan import PrecisionPlan
from hw_sim.studies.testbench import Testbench
from retronet.curvature import INPUT, Curvature, diagonal_curvature, mean_loss
from retronet.engines.forward import outputs
from retronet.engines.workspace import Workspace
from retronet.errors import InputError
from retronet.evaluate import Score, score
from retronet.network import sized_layers
from retronet.recipe import Recipe
from retronet.trained import Trained

HOLDS = 2.0
"""A prediction holds while it is within this factor of what is measured."""
SLIGHT = 0.01
"""Rises below this part of the loss are too small to judge a prediction by."""
TRIES = 24

Objective = Literal["weight-bits", "mac-bits"]


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


class Budget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bits by layer, what they cost and what they do.

    ``weight_storage_bits`` counts each shared weight once; ``mac_bits`` are the MACs of one image times the
    bits of weight and state that each multiplies. Rises are of the loss on the training digits, over floating
    point; the score is on the test digits.
    """

    name: str
    weights: dict[str, int]
    states: dict[str, int]
    weight_storage_bits: int
    mac_bits: int
    predicted: float
    measured: float
    score: Score


class Allocator:
    """A network on its bench, with its second derivatives.

    Parameters
    ----------
    testbench
        Network and digits; ``testbench.other_bits`` are those of the tensors that an estimate leaves alone.
    recipe
        What the network was trained by, for its loss.
    """

    def __init__(self, testbench: Testbench, recipe: Recipe) -> None:
        self.testbench = testbench
        self.recipe = recipe
        self.sized_layers = sized_layers(testbench.network)
        self.curvature: Curvature = diagonal_curvature(
            Trained(testbench.network, testbench.parameters, recipe), testbench.digits.train
        )
        workspace = Workspace(testbench.network)
        workspace.load(testbench.parameters)
        self.float_loss = self._loss(outputs(workspace, testbench.digits.train.images))
        names = [sized.name for sized in self.sized_layers]
        kinds: tuple[Literal["weights", "states"], ...] = ("weights", "states")
        self.tensors = (Tensor(INPUT, "states"), *(Tensor(name, kind) for name in names for kind in kinds))

    def _loss(self, answers: NDArray[np.floating]) -> float:
        return mean_loss(answers, self.testbench.digits.train.labels, self.recipe)

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
        return 0.5 * total * self.step(tensor, bits) ** 2 / 12

    def plan(self, weights: Mapping[str, int], states: Mapping[str, int]) -> PrecisionPlan:
        """Return the plan with these bits."""
        return mixed_plan(lambda bits: self.testbench.plan_of_bits(bits, Rounding.RND), weights, states)

    def measured(self, plan: PrecisionPlan) -> float:
        """Return the loss of a plan on the training digits."""
        integers = integer_network(self.testbench.network, self.testbench.parameters, plan)
        return self._loss(simulate(integers, self.testbench.digits.train.images).outputs)

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

    def budget(self, name: str, weights: dict[str, int], states: dict[str, int]) -> Budget:
        """Return cost, predicted and measured rise, and the score on the test digits, of these bits."""
        plan, testbench = self.plan(weights, states), self.testbench
        integers = integer_network(testbench.network, testbench.parameters, plan)
        answers = simulate(integers, testbench.digits.test.images).outputs
        chosen = [(Tensor(layer, "weights"), bits) for layer, bits in weights.items()]
        chosen += [(Tensor(layer, "states"), bits) for layer, bits in states.items()]
        below = [INPUT, *(sized.name for sized in self.sized_layers)]
        return Budget(
            name=name,
            weights=weights,
            states=states,
            weight_storage_bits=sum(
                int(np.prod(sized.weight_shape)) * weights[sized.name] for sized in self.sized_layers
            ),
            mac_bits=sum(
                sized.macs * weights[sized.name] * states[read]
                for sized, read in zip(self.sized_layers, below, strict=False)
            ),
            predicted=sum(self.predicted(tensor, bits) for tensor, bits in chosen),
            measured=self.measured(plan) - self.float_loss,
            score=score(answers, testbench.digits.test.labels, testbench.targets),
        )


class Choice(msgspec.Struct, frozen=True):
    """Bits of some layers' weights and of the states they read, with their cost and predicted rise."""

    cost: int
    rise: float
    bits: tuple[tuple[int, int], ...]


def frontier(options: Sequence[Sequence[Choice]]) -> list[Choice]:
    """Return the choices, one option a layer, that no other beats in both cost and rise; cheapest first."""
    found = [Choice(0, 0.0, ())]
    for layer in options:
        joined = sorted(
            (Choice(a.cost + b.cost, a.rise + b.rise, a.bits + b.bits) for a in found for b in layer),
            key=lambda choice: (choice.cost, choice.rise),
        )
        found = []
        for choice in joined:
            if not found or choice.rise < found[-1].rise:
                found.append(choice)
    return found


def allocate(
    allocator: Allocator, allowed: float, objective: Objective, bits: range, state_bits: int
) -> Iterator[Budget]:
    """Yield attempts to keep the measured rise within `allowed` at the least cost; the last one does.

    The cheapest bits whose *predicted* rise is allowed are measured; while they rise more than that, the
    prediction is held to a tighter bound.

    Parameters
    ----------
    allocator
        The network.
    allowed
        The allowed rise of the loss on the training digits.
    objective
        What to make small. For ``weight-bits`` all states have `state_bits`; for ``mac-bits`` they are chosen
        too, but for the outputs, which nothing multiplies.
    bits
        The numbers of bits to choose from.
    state_bits
        Bits of the states that are not chosen.

    Raises
    ------
    InputError
        If no choice is predicted, or measured, to stay within `allowed`.
    """
    below = [INPUT, *(sized.name for sized in allocator.sized_layers)]
    choices = frontier([
        _options(allocator, index, read, objective, bits, state_bits)
        for index, read in enumerate(below[:-1])
    ])  # fmt: skip
    fixed = below[-1:] if objective == "mac-bits" else below
    spent = sum(allocator.predicted(Tensor(name, "states"), state_bits) for name in fixed)
    bound = allowed - spent
    for _ in range(TRIES):
        chosen = next((choice for choice in choices if choice.rise <= bound), None)
        if chosen is None:
            break
        weights = {name: pair[0] for name, pair in zip(below[1:], chosen.bits, strict=True)}
        states = {name: pair[1] for name, pair in zip(below, chosen.bits, strict=False)}
        found = allocator.budget("chosen", weights, {**states, below[-1]: state_bits})
        yield found
        if found.measured <= allowed:
            return
        # Half of the way, in logarithms: the whole one would often save less than is allowed.
        tighter = (bound + spent) * min(0.95, (allowed / found.measured) ** 0.5) - spent
        bound = min(tighter, float(np.nextafter(chosen.rise, -1)))
    raise InputError(
        f"A rise of the loss by {allowed:.3g} can not be kept with {bits[0]} to {bits[-1]} bits a weight and "
        f"{state_bits} bits a state. Allow a larger rise or more bits."
    )


def _options(
    allocator: Allocator, index: int, read: str, objective: Objective, bits: range, state_bits: int
) -> list[Choice]:
    """Return what can be chosen for layer `index`, which reads the states `read`."""
    sized = allocator.sized_layers[index]
    if objective == "weight-bits":
        count = int(np.prod(sized.weight_shape))
        return [
            Choice(
                count * width,
                allocator.predicted(Tensor(sized.name, "weights"), width),
                ((width, state_bits),),
            )
            for width in bits
        ]
    return [
        Choice(
            sized.macs * width * state,
            allocator.predicted(Tensor(sized.name, "weights"), width)
            + allocator.predicted(Tensor(read, "states"), state),
            ((width, state),),
        )
        for width in bits
        for state in bits
    ]


def uniform_budgets(
    allocator: Allocator, like: Budget, objective: Objective, bits: range, state_bits: int
) -> list[Budget]:
    """Return the uniform bits with the most that cost no more than `like`, and the next, if there are any."""
    names = [sized.name for sized in allocator.sized_layers]
    found: list[Budget] = []
    for width in bits:
        states = dict.fromkeys((INPUT, *names), state_bits if objective == "weight-bits" else width)
        if objective == "mac-bits":
            states[names[-1]] = state_bits
        budget = allocator.budget(f"all {width}", dict.fromkeys(names, width), states)
        found.append(budget)
        if _cost(budget, objective) > _cost(like, objective):
            break
    return found[-2:]


def _cost(budget: Budget, objective: Objective) -> int:
    return budget.weight_storage_bits if objective == "weight-bits" else budget.mac_bits
