"""Two plans for one network, side by side: where they part first, and which digits they answer otherwise."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from hw_sim.fixed_point.counts import LayerCounts
from hw_sim.fixed_point.quantize import IntegerNetwork, quantize
from hw_sim.fixed_point.simulate import run_integers
from hw_sim.fixed_point.trace import trace_integers
from hw_sim.plan.calibrate import CHUNK
from hw_sim.plan.plan import PrecisionPlan
from retronet.curvature import INPUT
from retronet.datasets import Dataset
from retronet.evaluate import Score, score
from retronet.network import sized_layers
from retronet.trained import Trained


class UnitDifference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A unit (plane, row, column): on how many digits its states differ, and by how much at the most."""

    unit: tuple[int, int, int]
    digits: int
    largest: float


class LayerDifference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The states of a layer (of the pixels: ``input``) under both plans, as real numbers.

    ``units_apart`` counts the units that differ on any digit, ``states_apart`` the states of all digits that
    do; ``first_digit`` is the first digit with such a state. ``worst`` are the units that differ most, in
    root mean square.
    """

    layer: str
    units: int
    units_apart: int
    states_apart: int
    first_digit: int | None
    rms: float
    largest: float
    worst: tuple[UnitDifference, ...]


class ChangedAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A digit to which the plans give other answers."""

    digit: int
    label: int
    first: int
    second: int


class Side(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one plan does; ``counts`` are by layer."""

    plan: PrecisionPlan
    score: Score
    counts: dict[str, LayerCounts]
    warnings: tuple[str, ...]


class Comparison(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two plans on the same digits, the layers in the order of the data.

    ``parts_at`` names the first layer whose states differ at all.
    """

    first: Side
    second: Side
    layers: tuple[LayerDifference, ...]
    parts_at: str | None
    changed: tuple[ChangedAnswer, ...]


class _Sums:
    """What is added up of a layer's differences over chunks of digits."""

    def __init__(self, name: str, shape: tuple[int, int, int]) -> None:
        self.name = name
        self.shape = shape
        units = int(np.prod(shape))
        self.apart = np.zeros(units, np.int64)
        self.squares = np.zeros(units)
        self.largest = np.zeros(units)
        self.first_digit: int | None = None
        self.digits = 0

    def add(self, first: NDArray[np.floating], second: NDArray[np.floating]) -> None:
        """Take in the states (n, units) of some digits."""
        difference = np.abs(first - second)
        hit = np.flatnonzero(difference.any(axis=1))
        if hit.size and self.first_digit is None:
            self.first_digit = self.digits + int(hit[0])
        self.digits += len(difference)
        self.apart += np.count_nonzero(difference, axis=0)
        self.squares += np.square(difference).sum(axis=0)
        self.largest = np.maximum(self.largest, difference.max(axis=0, initial=0.0))

    def result(self, worst: int) -> LayerDifference:
        """Return the record, with at most `worst` units."""
        order = np.argsort(-self.squares, kind="stable")[:worst]
        units = tuple(
            UnitDifference(self._unit(index), int(self.apart[index]), float(self.largest[index]))
            for index in order
            if self.apart[index]
        )
        return LayerDifference(
            layer=self.name,
            units=self.apart.size,
            units_apart=int(np.count_nonzero(self.apart)),
            states_apart=int(self.apart.sum()),
            first_digit=self.first_digit,
            rms=float(np.sqrt(self.squares.sum() / max(self.digits * self.apart.size, 1))),
            largest=float(self.largest.max()),
            worst=units,
        )

    def _unit(self, index: int) -> tuple[int, int, int]:
        plane, row, column = np.unravel_index(index, self.shape)
        return int(plane), int(row), int(column)


def compare(
    trained: Trained, digits: Dataset, plan: PrecisionPlan, other: PrecisionPlan, worst: int = 5
) -> Comparison:
    """Return where two plans for one network part on `digits`.

    Parameters
    ----------
    trained
        The trained network.
    digits
        Usually the test digits.
    plan, other
        The two plans.
    worst
        How many units to name in each layer.

    Raises
    ------
    InputError
        If the parts do not fit each other.
    """
    network, targets = trained.network, trained.recipe.targets
    pair = quantize(trained, plan), quantize(trained, other)
    sums = [_Sums(INPUT, network.input)]
    sums += [_Sums(sized.name, sized.output) for sized in sized_layers(network)][: len(pair[0].layers)]
    for start in range(0, len(digits.images), CHUNK):
        images = digits.images[start : start + CHUNK]
        for difference, first, second in zip(sums, *(_states(one, images) for one in pair), strict=True):
            difference.add(first, second)
    results = [run_integers(one, digits.images) for one in pair]
    answers = [result.outputs.argmax(axis=1) for result in results]
    sides = [
        Side(
            one.plan,
            score(result.outputs, digits.labels, targets),
            {layer.sized.name: counts for layer, counts in zip(one.layers, result.counts, strict=True)},
            one.warnings,
        )
        for one, result in zip(pair, results, strict=True)
    ]
    layers = tuple(difference.result(worst) for difference in sums)
    return Comparison(
        first=sides[0],
        second=sides[1],
        layers=layers,
        parts_at=next((layer.layer for layer in layers if layer.states_apart), None),
        changed=tuple(
            ChangedAnswer(
                int(digit), int(digits.labels[digit]), int(answers[0][digit]), int(answers[1][digit])
            )
            for digit in np.flatnonzero(answers[0] != answers[1])
        ),
    )


def _states(integers: IntegerNetwork, images: NDArray[np.float32]) -> list[NDArray[np.floating]]:
    """Return pixels and states as real numbers, (n, units) each."""
    traced = trace_integers(integers, images)
    pixels = traced.inputs * (2.0**-traced.input_frac_bits * integers.plan.input_scale)
    return [pixels, *(layer.values.reshape(len(images), -1) for layer in traced.layers)]
