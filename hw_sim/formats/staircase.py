"""What a cast does to every number of a range: the steps of its staircase, exactly, for whoever draws it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hw_sim.formats.fixed import Fixed
from hw_sim.formats.levels import Format, encode, twice_edges
from hw_sim.formats.modes import Rounding
from retronet.errors import InputError

Reals = NDArray[np.float64]
Cast = Callable[[Reals], Reals]
MOST_STEPS = 2048
"""A staircase of more is a line to the eye."""
CHANCES = 16
"""Numbers in each step that a cast by chance is tried on."""


@dataclass(frozen=True)
class Staircase:
    """A cast over a range of inputs.

    Attributes
    ----------
    edges : ndarray of float64
        First input, every input at which the output jumps, last input; ascending, ``(n + 1,)``.
    outputs : ndarray of float64
        The output between two edges, ``(n,)``.
    at_edges : ndarray of float64
        The output at each edge itself, where roundings differ that are alike between, ``(n + 1,)``.
    minimum, maximum
        The smallest and the largest output that there is.
    step
        Distance of neighbouring outputs, the least where it varies.
    chance
        Whether outputs are drawn: the edges are then inputs that were tried, and `at_edges` their outputs.
    """

    edges: Reals
    outputs: Reals
    at_edges: Reals
    minimum: float
    maximum: float
    step: float
    chance: bool = False

    @property
    def largest_error(self) -> float:
        """The largest magnitude of output − input between the smallest and the largest output."""
        middle = 0.5 * (self.edges[:-1] + self.edges[1:])
        inside = (middle > self.minimum) & (middle < self.maximum)
        left, right = (np.abs(self.outputs - ends)[inside] for ends in (self.edges[:-1], self.edges[1:]))
        return float(max(left.max(initial=0.0), right.max(initial=0.0)))


def stairs(cast: Cast, edges: Reals) -> tuple[Reals, Reals, Reals]:
    """Return edges, outputs between and at them of a cast that jumps at some of `edges` alone.

    Parameters
    ----------
    cast
        Returns the outputs of an array of inputs.
    edges
        Ascending, ``(n + 1,)``; those between at which nothing jumps are left out.
    """
    between, at = cast(0.5 * (edges[:-1] + edges[1:])), cast(edges)
    inner = (between[1:] != between[:-1]) | (at[1:-1] != between[1:])
    kept = np.concatenate(([True], inner, [True]))
    return edges[kept], between[kept[:-1]], at[kept]


def staircase(form: Format, low: float | None = None, high: float | None = None) -> Staircase:
    """Return the staircase of a format.

    Parameters
    ----------
    form
        The format, with its rounding and its overflow mode.
    low, high
        First and last input; a quarter of the format's range beyond its ends if absent.

    Raises
    ------
    InputError
        If `low` is not below `high`, or there are more than `MOST_STEPS` steps between them.
    """
    beyond = max(0.25 * (form.maximum - form.minimum), 1.5 * form.step)
    first = form.minimum - beyond if low is None else low
    last = form.maximum + beyond if high is None else high
    if not first < last:
        raise InputError(
            f"The staircase of {form.text} can not be drawn from {first:g} to {last:g}: the first number "
            "must be below the last. Name other ones."
        )
    steps = (last - first) / form.step
    if isinstance(form, Fixed) and steps > MOST_STEPS:
        raise InputError(
            f"The staircase of {form.text} has {steps:,.0f} steps from {first:g} to {last:g}; at most "
            f"{MOST_STEPS:,} are drawn. Name a shorter range."
        )

    def cast(values: Reals) -> Reals:
        return np.asarray(encode(values, form)[0] * form.step, np.float64)

    ends = form.minimum, form.maximum, form.step
    if isinstance(form, Fixed) and form.rounding is Rounding.STOCHASTIC:
        tried = np.linspace(first, last, CHANCES * int(np.ceil(steps)) + 1)
        return Staircase(tried, cast(0.5 * (tried[:-1] + tried[1:])), cast(tried), *ends, chance=True)
    if isinstance(form, Fixed):
        twice = np.arange(np.floor(2 * first / form.step), np.ceil(2 * last / form.step) + 1)
    else:
        twice = twice_edges(form).astype(np.float64)
    halves = np.asarray(0.5 * form.step * twice, np.float64)
    inside = halves[(halves > first) & (halves < last)]
    return Staircase(*stairs(cast, np.concatenate(([first], inside, [last]))), *ends)
