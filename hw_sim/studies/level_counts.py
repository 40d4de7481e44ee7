"""How often each level of a number format is taken, by the weights of a layer and the states it makes."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from hw_sim.fixed_point.quantize import quantize
from hw_sim.fixed_point.trace import trace_integers
from hw_sim.formats.fixed import Fixed
from hw_sim.formats.levels import Format, Levels
from hw_sim.plan.calibrate import CHUNK
from hw_sim.plan.plan import PrecisionPlan
from retronet.datasets import Dataset
from retronet.trained import Trained


class LevelCounts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many numbers of one tensor are at each level of its format.

    ``values`` are real numbers in units of the scale, that is, without the tensor's own scale; ``counts``
    belong to them one by one, levels that nothing takes are left out. ``step``, ``minimum`` and ``maximum``
    are the format's. Numbers without a format, such as the outputs at fixed codes, are exact: their levels
    are not counted (``levels_available`` is none), ``step`` is 0, and the ends are those of the numbers.
    """

    tensor: str
    text: str
    step: float
    minimum: float
    maximum: float
    levels_available: int | None
    values: tuple[float, ...]
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        """All numbers of the tensor."""
        return sum(self.counts)

    @property
    def used(self) -> int:
        """Levels that some number takes."""
        return len(self.counts)


def level_counts(trained: Trained, digits: Dataset, plan: PrecisionPlan) -> tuple[LevelCounts, ...]:
    """Return the levels that weights take, and the states they make of `digits`, layer by layer.

    Pools have states alone. Of an RBF layer there are the codes, as the weights they stand for, and the
    outputs, minus squared distances: exact.

    Parameters
    ----------
    trained
        The trained network.
    digits
        Whose states are counted.
    plan
        The formats.

    Raises
    ------
    InputError
        If the parts do not fit each other: see `hw_sim.fixed_point.quantize.quantize`.
    """
    integers = quantize(trained, plan)
    states: list[dict[int, int]] = [{} for _ in integers.layers]
    outputs: list[NDArray[np.float64]] = []
    for start in range(0, len(digits.images), CHUNK):
        traced = trace_integers(integers, digits.images[start : start + CHUNK])
        for of_layer, made in zip(states, traced.layers, strict=True):
            _add(of_layer, made.states)
        outputs.append(traced.outputs)
    tensors: list[LevelCounts] = []
    for layer, counted in zip(integers.layers, states, strict=True):
        name = layer.sized.name
        if layer.sized.trained:
            weights: dict[int, int] = {}
            for row, taps in zip(layer.weights, layer.sized.fan_in, strict=True):
                _add(weights, row[:taps] >> layer.prescale)
            tensors.append(_counts(f"{name} weights", layer.plan.weight, weights))
        tensors.append(_counts(f"{name} states", layer.plan.state, counted))
    if integers.codes is not None:
        codes: dict[int, int] = {}
        _add(codes, integers.codes)
        name = trained.network.layers[-1].name
        tensors.append(_counts(f"{name} codes", Levels((-1, 1)), codes))
        tensors.append(_exact(f"{name} states", np.concatenate(outputs)))
    return tuple(tensors)


def _add(total: dict[int, int], integers: NDArray[np.integer]) -> None:
    levels, counts = np.unique(integers, return_counts=True)
    for level, count in zip(levels.tolist(), counts.tolist(), strict=True):
        total[level] = total.get(level, 0) + count


def _exact(tensor: str, numbers: NDArray[np.float64]) -> LevelCounts:
    values, counts = np.unique(numbers, return_counts=True)
    ends = (float(values[0]), float(values[-1])) if len(values) else (0.0, 0.0)
    text = "minus squared distances, exact"
    return LevelCounts(tensor, text, 0.0, *ends, None, tuple(values.tolist()), tuple(counts.tolist()))


def _counts(tensor: str, form: Format, counts: dict[int, int]) -> LevelCounts:
    available = form.high - form.low + 1 if isinstance(form, Fixed) else len(form.levels)
    levels = sorted(counts)
    return LevelCounts(
        tensor=tensor,
        text=form.text,
        step=form.step,
        minimum=form.minimum,
        maximum=form.maximum,
        levels_available=available,
        values=tuple(level * form.step for level in levels),
        counts=tuple(counts[level] for level in levels),
    )
