"""Training with the quantiser in the loop: weights and states are cast, derivatives pass straight through.

Forward and backward passes are those of floating point, on numbers that the formats hold. The steps go into
master weights that are not cast, so that steps smaller than a format's add up.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hw_sim.kernels.cast import RND, SAT, SAT_SYM, cast_real
from retronet.kernels.jit import entry, njit, part
from retronet.kernels.layers import Wiring
from retronet.kernels.passes import Floats, Goal, Machine, present
from retronet.kernels.separate import address_of, call, call_for_float

FIXED, LEVELS = 0, 1
Doubles = NDArray[np.float64]


class Casters(NamedTuple):
    """One format a row.

    ``table`` (rows, 7): kind, rounding, overflow, low, high; of a set of levels the sets before it, first
    edge and number of edges. ``powers`` are ``2^frac_bits``; ``edges`` and ``levels``, in steps, those of all
    sets, a set's levels being one more than its edges. ``others`` is the address of `cast_otherwise`, 0 where
    no row has a mode that needs it.
    """

    table: NDArray[np.int64]
    powers: Doubles
    edges: Doubles
    levels: Doubles
    others: int


class Scales(NamedTuple):
    """Where the arrays of each format lie in the flat vector of parameters, and their scales.

    ``ranges`` (rows, 2): first place and the one after the last. ``divisors`` and ``scales`` are laid out
    like the parameters: a number is cast after division, and its integer multiplied with the scale, the step
    included.
    """

    ranges: NDArray[np.int64]
    divisors: Doubles
    scales: Doubles


class CastTables(NamedTuple):
    """How parameters and states are cast.

    Attributes
    ----------
    cast
        The address of `cast_all`.
    casters, where
        Formats and scales of the parameters.
    state_casters, state_divisors, state_scales
        Formats of the states, one row a layer; their scales, laid out like the activity.
    """

    cast: int
    casters: Casters
    where: Scales
    state_casters: Casters
    state_divisors: Doubles
    state_scales: Doubles


@njit(error_model="numpy")
def cast_all(
    casters: Casters, row: int, values: Floats, divisors: Doubles, scales: Doubles, results: Floats
) -> None:
    """Put into `results` what format `row` makes of ``values / divisors``, times `scales`.

    The commonest modes, nearest and saturating, have a loop that vectorises: ``⌊(⌊2x⌋ + 1) / 2⌋`` is exact.
    """
    table, power = casters.table, casters.powers[row]
    rounding, overflow = table[row, 1], table[row, 2]
    low, high = table[row, 3], table[row, 4]
    if table[row, 0] == LEVELS:
        edges = casters.edges[table[row, 5] : table[row, 5] + table[row, 6]]
        # Every set before this one has one level more than edges.
        start = table[row, 5] + table[row, 3]
        levels = casters.levels[start : start + edges.size + 1]
        for k in range(values.size):
            scaled = np.float64(values[k]) / divisors[k] * power
            above = 0
            for edge in range(edges.size):
                above += scaled >= edges[edge]
            results[k] = levels[above] * scales[k]
    elif rounding == RND and overflow in (SAT, SAT_SYM):
        least, most, twice = np.float64(low), np.float64(high), 2.0 * power
        for k in range(values.size):
            whole = math.floor((math.floor(np.float64(values[k]) / divisors[k] * twice) + 1.0) * 0.5)
            whole = whole if whole > least else least
            whole = whole if whole < most else most
            results[k] = whole * scales[k]
    else:
        call(casters.others, (table, row, power, values, divisors, scales, results))


@njit(error_model="numpy", no_cpython_wrapper=True)
def cast_otherwise(
    table: NDArray[np.int64],
    row: int,
    power: float,
    values: Floats,
    divisors: Doubles,
    scales: Doubles,
    results: Floats,
) -> None:
    """Do what `cast_all` does in any mode of rounding and overflow."""
    rounding, overflow, low, high = table[row, 1], table[row, 2], table[row, 3], table[row, 4]
    for k in range(values.size):
        value = np.float64(values[k]) / divisors[k]
        whole_number, _ = cast_real(value, power, rounding, overflow, low, high)
        results[k] = whole_number * scales[k]


def address_of_others(table: NDArray[np.int64], flat: Floats, doubles: Doubles) -> int:
    """Return the address of `cast_otherwise` for arrays of these types, 0 if no row of `table` needs it."""
    usual = (table[:, 1] == RND) & np.isin(table[:, 2], (SAT, SAT_SYM))
    if (usual | (table[:, 0] == LEVELS)).all():
        return 0
    address: int = address_of(cast_otherwise, table, 1, 1.0, flat, doubles, doubles, flat)
    return address


def address_of_cast(table: Casters, flat: Floats, doubles: Doubles) -> int:
    """Return the address of `cast_all` for arrays of these types."""
    address: int = address_of(cast_all, table, 1, flat, doubles, doubles, flat)
    return address


@part(later=True)
def layer_alone(wiring: Wiring, row: int) -> Wiring:
    """Return the wiring of one layer by itself."""
    return Wiring(
        wiring.table[row : row + 1],
        wiring.places,
        wiring.strips,
        wiring.runs,
        wiring.sent,
        wiring.holes,
        wiring.loops,
    )


@part(later=True)
def cast_parameters(casts: CastTables, first: int, master: Floats, parameters: Floats) -> None:
    """Put into the parameters from place `first` on what the formats make of the master's."""
    casters, where = casts.casters, casts.where
    for row in range(len(where.ranges)):
        start, stop = where.ranges[row, 0], where.ranges[row, 1]
        if start >= first:
            divisors, scales = where.divisors[start:stop], where.scales[start:stop]
            call(casts.cast, (casters, row, master[start:stop], divisors, scales, parameters[start:stop]))


@part(error_model="numpy")
def step(master: Floats, gradient: Floats, curvature: Floats, rate: float, mu: float) -> None:
    """Step each number at its own rate ``rate / (mu + curvature)`` and clear the gradient."""
    factor, floor = master.dtype.type(rate), master.dtype.type(mu)
    for k in range(master.size):
        master[k] -= factor * gradient[k] / (floor + curvature[k])
        gradient[k] = 0


@entry()
def train_quantised(
    machine: Machine,
    casts: CastTables,
    master: Floats,
    images: Floats,
    labels: NDArray[np.uint8],
    order: NDArray[np.int64],
    goal: Goal,
    first: int,
    rate: float,
    mu: float,
) -> float:
    """Present the patterns of `order` one by one, with a step after each; return the losses' sum.

    Parameters
    ----------
    machine
        The network; its parameters are overwritten with the cast ones. Its curvature is read and kept.
    casts
        How parameters and states are cast.
    master
        Flat vector of what is trained.
    images, labels
        Arrays (n, rows, columns), cast already, and (n,).
    order
        Indices of the patterns.
    goal
        Targets and loss.
    first
        Place in the flat vector from which on parameters are trained.
    rate, mu
        Constants of the step (PIEEE98 eq. 21).
    """
    wiring, flat = machine.wiring, machine.flat
    top = wiring.table[len(wiring.table) - 1]
    above = top.output + top.maps
    flat.gradient[:] = 0
    # Not 0, for which numba would compile the function once more.
    cast_parameters(casts, first * 0, master, flat.parameters)
    total = 0.0
    for pattern in order:
        present(images[pattern], flat.activity)
        for row in range(len(wiring.table)):
            call(machine.forward, (layer_alone(wiring, row), flat.parameters, flat.activity))
            layer = wiring.table[row]
            start, stop = layer.output, layer.output + layer.maps * layer.positions
            states = flat.activity[start:stop]
            divisors, scales = casts.state_divisors[start:stop], casts.state_scales[start:stop]
            call(casts.cast, (casts.state_casters, row, states, divisors, scales, states))
        outputs, deltas = flat.activity[top.output : above], flat.received[top.output : above]
        squares, target = flat.received_squared[top.output : above], goal.targets[labels[pattern]]
        total += call_for_float(goal.loss, (goal.scale, outputs, target, deltas, squares))
        call(machine.backward, (wiring, flat.parameters, flat.activity, flat.received, flat.gradient))
        step(master[first:], flat.gradient[first:], flat.curvature[first:], rate, mu)
        flat.gradient[:first] = 0
        cast_parameters(casts, first, master, flat.parameters)
    return total
