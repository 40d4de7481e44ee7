"""What the kernel of a layer is handed, in records."""

from typing import Any, NamedTuple

from numpy.typing import NDArray

from hw_sim.kernels.sums import Casts, Ranged, Split

Ints = NDArray[Any]
Numbers = NDArray[Any]


class LayerArrays(NamedTuple):
    """Weights, biases and connections of a layer.

    Attributes
    ----------
    weights : ndarray of the sums' word, shape (blocks, UNITS, taps)
        Maps that read the same inputs, in blocks; blocks are filled up with zeros.
    rows : ndarray of int32, shape (blocks, UNITS)
        The map of each row of weights, or −1.
    tables : ndarray of int32, shape (blocks, 2)
        Table of `sources` that each block uses, and how many of its taps.
    sources : ndarray of int32, shape (tables, positions, taps)
        Row of the inputs that each tap reads, in the order of accumulation; the last row is the border.
    starts : ndarray of int64, shape (units,)
        Where each sum starts.
    offset
        What sums stand below their value while they are made, so that a range they wrap in begins at 0.
    """

    weights: Numbers
    rows: Ints
    tables: Ints
    sources: Ints
    starts: Ints
    offset: int


class Adding(NamedTuple):
    """How to add: one of the five, the others None.

    Attributes
    ----------
    exact
        Without casts; where it is not true the largest input is taken in place of the sum.
    ranged
        Without casts wherever no sum can leave its range, in any word.
    narrow, wide
        With casts, in 32 or 64 bits.
    split
        With products in a format of their own.
    """

    exact: bool | None
    ranged: Ranged | None
    narrow: Casts | None
    wide: Casts | None
    split: Split | None


KEEP, CAST, SINGLE, DOUBLE = range(4)
"""What happens to a sum with its bias before the activation: nothing, a cast, requantising with one rounding
or with two (see hw_sim/fixed_point/requantise.py)."""


class Stage(NamedTuple):
    """What comes between sums and an activation in 64 bits; modes are numbers, so that all is compiled once.

    Attributes
    ----------
    ends : ndarray of int64, shape (units,)
        What is added to each sum last.
    lift
        The shift that makes room for it.
    mode
        KEEP, CAST, SINGLE or DOUBLE.
    cast : ndarray of int64, shape (5,)
        The cast: shift, rounding, overflow, low, high. Requantising clamps to the last two.
    scalings : ndarray of int64, shape (maps or 1, 2)
        Multiplier and shift where sums are requantised.
    """

    ends: Ints
    lift: int
    mode: int
    cast: Ints
    scalings: Ints


class StepTables(NamedTuple):
    """Staircases: see hw_sim/fixed_point/step_function.py and `look_up`.

    Attributes
    ----------
    table : ndarray of int64, shape (maps or 1, 6)
        First and last sum of the cells, their shift, the place of their thresholds and of their levels, and
        whether any level was clipped.
    thresholds, levels, clips
        A cell's threshold leads to the next level.
    """

    table: Ints
    thresholds: Ints
    levels: Ints
    clips: Ints


class StateCast(NamedTuple):
    """An activation that is a cast, where it is `alone` and there are no staircases.

    Shift, rounding, overflow, low and high; negative sums made zero or not.
    """

    alone: bool
    form: Ints
    rectify: bool


class Staged(NamedTuple):
    """What sums go through in 64 bits: a stage, then staircases or a cast."""

    stage: Stage
    steps: StepTables
    form: StateCast


class Packed(NamedTuple):
    """Staircases that ascend by one, in a machine word that sums fit.

    Attributes
    ----------
    table : ndarray of the word, shape (maps or 1, 6)
        First and last sum of the cells, their shift, the place of their entries, and the first and the last
        sum whose state fits its format.
    entries : ndarray of the word
        A cell's first level, shifted up as far as the sum is shifted down, and as much more as makes it carry
        into the next level once the sum has reached the cell's threshold.
    """

    table: Ints
    entries: Ints


class Kept(NamedTuple):
    """Sums, sums with all biases, and pre-activations: ndarrays of int64, shape (units or 1, INTEGER_LANES).

    With one row they are not kept.
    """

    sums: Ints
    biased: Ints
    preactivations: Ints


class Lanes(NamedTuple):
    """The images of one pass.

    Attributes
    ----------
    inputs : ndarray of the sums' word, shape (rows + 1, INTEGER_LANES)
    states : ndarray of the next layer's word, shape (units or more, INTEGER_LANES)
        Filled.
    above : ndarray of the activation's word, shape (2, INTEGER_LANES)
    missed : ndarray of int32, shape (2, INTEGER_LANES)
        Scratch.
    sums, whole : ndarrays of the sums' word and of int64, shape (POSITIONS_TOGETHER, UNITS, INTEGER_LANES)
        Scratch.
    counts : ndarray of int64, shape (len(COUNTS),)
        Added to.
    kept
        Filled by what goes through a stage.
    """

    inputs: Numbers
    states: Numbers
    above: Ints
    missed: Ints
    sums: Numbers
    whole: Ints
    counts: Ints
    kept: Kept


class Block(NamedTuple):
    """Which units sums belong to: row ``r`` of place ``p`` to unit ``rows[r] · positions + first + p``."""

    rows: Ints
    positions: int
    first: int
    places: int
