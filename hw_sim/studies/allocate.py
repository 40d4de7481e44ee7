"""How many bits each layer needs: the cheapest whose predicted rise of the loss is allowed, measured."""

import math
from collections.abc import Generator, Iterator, Sequence
from typing import Literal

import msgspec
import numpy as np

from hw_sim.studies.allocator import Allocator, Budget, Tensor
from hw_sim.studies.testbench import Testbench
from retronet.curvature import INPUT
from retronet.datasets import DigitSets
from retronet.errors import InputError
from retronet.trained import Trained
from retronet.training.pruning import weights_left

TRIES = 24
PRUNED_TRIES = 8
TENTHS = tuple(range(10))
"""Of a layer's weights, those that may be deleted."""

Objective = Literal["weight-bits", "mac-bits"]


def allocate(
    trained: Trained,
    digits: DigitSets,
    rise_percent: float = 25.0,
    objective: Objective = "weight-bits",
    *,
    bits: range = range(3, 13),
    state_bits: int = 8,
    prune: bool = False,
) -> Iterator[Budget]:
    """Yield attempts to keep the loss within `rise_percent` of floating point at the least cost.

    The last one does: see `choose_bits`, which this gives a testbench.

    Parameters
    ----------
    trained
        The trained network.
    digits
        Losses are measured on the training digits, the scores of budgets on the test digits.
    rise_percent
        The allowed rise of the loss, in percent of the loss in floating point.
    objective, bits, state_bits
        What to make small, what to choose from, and the bits of states that are not chosen.
    prune
        Whether weights may be deleted too, tenths of a layer's, those of least saliency first.

    Raises
    ------
    InputError
        If no choice is predicted, or measured, to keep the rise.
    """
    allocator = Allocator(Testbench(trained, digits))
    allowed = rise_percent / 100 * allocator.float_loss
    yield from choose_bits(allocator, allowed, objective, bits, state_bits, prune=prune)


class Choice(msgspec.Struct, frozen=True):
    """Bits of some layers' weights and of the states they read, with their cost and predicted rise.

    Third of a layer's numbers is how many of its weights are deleted.
    """

    cost: int
    rise: float
    bits: tuple[tuple[int, int, int], ...]


def frontier(options: Sequence[Sequence[Choice]]) -> list[Choice]:
    """Return the choices, one option a layer, that no other beats in both cost and rise; cheapest first."""
    choices = [Choice(0, 0.0, ())]
    for layer in options:
        joined = sorted(
            (Choice(a.cost + b.cost, a.rise + b.rise, a.bits + b.bits) for a in choices for b in layer),
            key=lambda choice: (choice.cost, choice.rise),
        )
        choices = []
        for choice in joined:
            if not choices or choice.rise < choices[-1].rise:
                choices.append(choice)
    return choices


def choose_bits(
    allocator: Allocator,
    allowed: float,
    objective: Objective,
    bits: range,
    state_bits: int,
    *,
    prune: bool = False,
) -> Iterator[Budget]:
    """Yield attempts to keep the measured rise within `allowed` at the least cost; the last one does.

    The cheapest bits whose *predicted* rise is allowed are measured; while they rise more than that, the
    prediction is held to a tighter bound. With deletions, whose rise is harder to predict, bits alone come
    first, and are given up only for something cheaper.

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
    prune
        Whether weights may be deleted too, tenths of a layer's, those of least saliency first.

    Raises
    ------
    InputError
        If no choice is predicted, or measured, to stay within `allowed`.
    """
    best = yield from _within(allocator, allowed, objective, bits, state_bits, (0,))
    if prune:
        # Predictions of deletions fail where many of a layer go: then fewer of each layer are allowed.
        for most in reversed(TENTHS[1:]):
            tenths = TENTHS[: most + 1]
            fewer = yield from _within(allocator, allowed, objective, bits, state_bits, tenths, best)
            if fewer is not None:
                best = fewer
                break
        else:
            if best is not None:
                yield best
    if best is not None:
        return
    raise InputError(
        f"A rise of the loss by {allowed:.3g} can not be kept with {bits[0]} to {bits[-1]} bits a weight and "
        f"{state_bits} bits a state. Allow a larger rise or more bits."
    )


def _within(
    allocator: Allocator,
    allowed: float,
    objective: Objective,
    bits: range,
    state_bits: int,
    tenths: Sequence[int],
    best: Budget | None = None,
) -> Generator[Budget, None, Budget | None]:
    """Yield attempts to be cheaper than `best`; return the last one if it keeps the rise."""
    below = [INPUT, *(sized.name for sized in allocator.sized_layers)]
    choices = frontier([
        _options(allocator, index, read, objective, bits, state_bits, tenths)
        for index, read in enumerate(below[:-1])
    ])  # fmt: skip
    if best is not None:
        choices = [choice for choice in choices if choice.cost < _cost(best, objective)]
    fixed = below[-1:] if objective == "mac-bits" else below
    spent = math.fsum(allocator.predicted(Tensor(name, "states"), state_bits) for name in fixed)
    bound = allowed - spent
    for _ in range(TRIES if best is None else PRUNED_TRIES):
        chosen = next((choice for choice in choices if choice.rise <= bound), None)
        if chosen is None:
            return None
        weights = {name: own[0] for name, own in zip(below[1:], chosen.bits, strict=True)}
        states = {name: own[1] for name, own in zip(below, chosen.bits, strict=False)}
        deleted = {name: own[2] for name, own in zip(below[1:], chosen.bits, strict=True) if own[2]}
        budget = allocator.budget("chosen", weights, {**states, below[-1]: state_bits}, deleted)
        yield budget
        if budget.measured <= allowed:
            return budget
        # Half of the way, in logarithms: the whole one would often save less than is allowed.
        tighter = (bound + spent) * min(0.95, math.sqrt(allowed / budget.measured)) - spent
        bound = min(tighter, float(np.nextafter(chosen.rise, -1)))
    return None


def _options(
    allocator: Allocator,
    index: int,
    read: str,
    objective: Objective,
    bits: range,
    state_bits: int,
    tenths: Sequence[int],
) -> list[Choice]:
    """Return what is worth choosing for layer `index`, which reads the states `read`."""
    sized = allocator.sized_layers[index]
    count = int(np.prod(sized.weight_shape))
    widths = (state_bits,) if objective == "weight-bits" else bits
    rises = {state: allocator.predicted(Tensor(read, "states"), state) for state in widths}
    options = []
    for tenth in tenths:
        gone = max(count * tenth // 10, count - weights_left(allocator.trained)[sized.name])
        for width in bits:
            rise = allocator.predicted_pruned(sized.name, width, gone)
            for state in widths:
                if objective == "weight-bits":
                    cost, own = (count - gone) * width, rise
                else:
                    macs = sized.macs // count * (count - gone) if count else 0
                    cost, own = macs * width * state, rise + rises[state]
                options.append(Choice(cost, own, ((width, state, gone),)))
    return frontier([options])


def uniform_budgets(
    allocator: Allocator, like: Budget, objective: Objective, bits: range, state_bits: int
) -> list[Budget]:
    """Return the uniform bits with the most that cost no more than `like`, and the next, if there are any."""
    names = [sized.name for sized in allocator.sized_layers]
    budgets: list[Budget] = []
    for width in bits:
        states = dict.fromkeys((INPUT, *names), state_bits if objective == "weight-bits" else width)
        if objective == "mac-bits":
            states[names[-1]] = state_bits
        budget = allocator.budget(f"all {width}", dict.fromkeys(names, width), states)
        budgets.append(budget)
        if _cost(budget, objective) > _cost(like, objective):
            break
    return budgets[-2:]


def _cost(budget: Budget, objective: Objective) -> int:
    return budget.weight_storage_bits if objective == "weight-bits" else budget.mac_bits
