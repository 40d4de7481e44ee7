"""A layer's integers as the records that kernels take: blocks of maps, casts, activations."""

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hw_sim.fixed_point.quantize import IntegerLayer
from hw_sim.fixed_point.stair_records import packed_of, steps_of
from hw_sim.fixed_point.step_function import StepFunction
from hw_sim.formats.fixed import Fixed
from hw_sim.formats.levels import Format
from hw_sim.formats.modes import Overflow, Rounding
from hw_sim.kernels.cast import Range, RoundingShift, rounding_parts
from hw_sim.kernels.layer_records import (
    CAST,
    DOUBLE,
    KEEP,
    SINGLE,
    Adding,
    LayerArrays,
    Packed,
    Stage,
    Staged,
    StateCast,
)
from hw_sim.kernels.pixels import PixelCast
from hw_sim.kernels.sums import (
    CAST_TAPS,
    DOUBLE_LIMIT,
    EXACT_TAPS,
    FLOAT_LIMIT,
    UNITS,
    Casts,
    Ranged,
    Split,
)
from retronet.connections import TapOrder, sources_of, taps_among
from retronet.network import MaxPool, Relu, SizedLayer

Ints = NDArray[np.int64]
SMALL = 2.0**28
"""Pixels below so many steps are cast in 32 bits, with two bits behind the point."""


REQUANTISING = {"single": SINGLE, "double": DOUBLE}
NOTHING = StepFunction(0, 0, 0, np.zeros(1, np.int64), np.zeros(2, np.int32), np.zeros(2, np.bool_))


class ActivationArrays(NamedTuple):
    """How sums become states: one of the three, the others None; see `run_integer_layer`."""

    packed: Packed | None
    packed_wide: Packed | None
    staged: Staged | None


def word_of(layer: IntegerLayer) -> type[np.generic]:
    """Return the machine word in which a layer is summed.

    Sums that are not rounded are made in floating point as long as that holds them: whole numbers up to 2^24,
    in double precision 2^53, are exact there, in any order, and processors multiply and add them in one step.
    """
    if in_range(layer) or (layer.method == "exact" and largest_number(layer) <= FLOAT_LIMIT):
        return np.float32
    if layer.word_bits == 32:
        return np.int32
    double = layer.method == "exact" and largest_number(layer) <= DOUBLE_LIMIT
    return np.float64 if double else np.int64


def in_range(layer: IntegerLayer) -> bool:
    """Return whether sums that wrap or saturate are made in single precision, see `Ranged`.

    They have to be exact there, and a sum may leave its range once at most for each product. Ranges that the
    products of a few taps leave hold no sum for long: those that wrap are faster in 32 bits then.
    """
    if layer.method != "fit" or layer.plan.accumulator is None or largest_number(layer) > FLOAT_LIMIT:
        return False
    form = layer.plan.accumulator.form
    return form.overflow is not Overflow.WRAP or EXACT_TAPS * largest_product(layer) <= form.high


def largest_number(layer: IntegerLayer) -> int:
    """Return the largest magnitude of what a layer adds up, and of its sums."""
    return max(layer.sum_bound, layer.input.magnitude)


def largest_product(layer: IntegerLayer) -> int:
    """Return the largest magnitude of a weight times that of an input."""
    return int(np.abs(layer.weights.astype(np.int64)).max(initial=0)) * layer.input.magnitude


def arrays_of(layer: IntegerLayer, order: TapOrder) -> LayerArrays:
    """Return weights, biases and connections of a layer.

    The maps of a block read the same inputs. A map that sees fewer planes than the others of its block has
    weights of 0 for the rest; taps are filled up to what one pass takes.
    """
    whole = layer.method == "exact" or in_range(layer)
    sized, together = layer.sized, EXACT_TAPS if whole else CAST_TAPS
    blocks, planes, rows, tables, sources = _connections(sized, order, together)
    weights = np.zeros((len(blocks), UNITS, sources.shape[2]), word_of(layer))
    for index, (maps, among) in enumerate(zip(blocks, planes, strict=True)):
        for slot, row in enumerate(maps):
            seen = sized.sees[row]
            own = layer.weights[row, : len(seen) * sized.taps_per_plane]
            at = slice(own.size) if seen == among else taps_among(sized, seen, among, order)
            weights[index, slot, at] = own
    return LayerArrays(weights, rows, tables, sources, layer.starts, 0)


class _Connections(NamedTuple):
    """Maps and planes of each block, and what `LayerArrays` has of them."""

    blocks: list[list[int]]
    planes: list[tuple[int, ...]]
    rows: NDArray[np.int32]
    tables: NDArray[np.int32]
    sources: NDArray[np.int32]


@lru_cache(maxsize=64)
def _connections(sized: SizedLayer, order: TapOrder, together: int) -> _Connections:
    """Return which maps lie in a block, and which inputs a block reads."""
    blocks, per_plane = _blocks(sized.sees), sized.taps_per_plane
    planes = [
        sized.sees[maps[0]]
        if all(sized.sees[row] == sized.sees[maps[0]] for row in maps)
        else tuple(sorted(set().union(*(sized.sees[row] for row in maps))))
        for maps in blocks
    ]
    distinct = sorted(set(planes))
    taps = [-(-len(seen) * per_plane // together) * together for seen in distinct]
    border = int(np.prod(sized.input))
    sources = np.full((len(distinct), sized.positions, max(taps)), border, np.int32)
    for table, seen in enumerate(distinct):
        sources[table, :, : len(seen) * per_plane] = sources_of(sized, seen, order)
    rows = np.full((len(blocks), UNITS), -1, np.int32)
    for index, maps in enumerate(blocks):
        rows[index, : len(maps)] = maps
    indices = [distinct.index(among) for among in planes]
    tables = np.array([(table, taps[table]) for table in indices], np.int32)
    return _Connections(blocks, planes, rows, tables, sources)


def _blocks(sees: tuple[tuple[int, ...], ...]) -> list[list[int]]:
    """Return the maps in blocks of `UNITS` or fewer.

    Of maps that read the same planes, or of neighbours that read more and leave some out: what is less work.
    """
    same: dict[tuple[int, ...], list[int]] = {}
    for row, seen in enumerate(sees):
        same.setdefault(seen, []).append(row)
    apart = [maps[start : start + UNITS] for maps in same.values() for start in range(0, len(maps), UNITS)]
    if any(seen != tuple(sorted(set(seen))) for seen in sees):
        return apart
    ascending = sorted(range(len(sees)), key=lambda row: (sees[row], row))
    joined = [ascending[start : start + UNITS] for start in range(0, len(sees), UNITS)]

    def work(blocks: list[list[int]]) -> int:
        return sum(len(set().union(*(sees[row] for row in maps))) for maps in blocks)

    return joined if (work(joined), len(joined)) < (work(apart), len(apart)) else apart


def cast_of(first: int, form: Format) -> Ints:
    """Return `first`, rounding, overflow, low and high of a format; zeros of levels, which take no cast."""
    if not isinstance(form, Fixed):
        return np.zeros(5, np.int64)
    return np.array([first, form.rounding.code, form.overflow.code, form.low, form.high], np.int64)


def range_of(form: Fixed) -> Range:
    """Return the range of a format."""
    wraps, zeroes = form.overflow is Overflow.WRAP, form.overflow is Overflow.SAT_ZERO
    return Range(form.low, form.high, wraps or None, zeroes or None)


def rounding_of(form: Fixed, shift: int, *, whole: bool = False) -> RoundingShift | None:
    """Return the shift by which a format rounds, None where nothing is shifted out.

    Terms of sign and parity are there for modes that have them, and where the `whole` is asked for: so loops
    are compiled for few cases.
    """
    if shift <= 0 and not whole:
        return None
    base, negative, odd = rounding_parts(form.rounding.code, shift)
    if whole or form.rounding in (Rounding.TRN_ZERO, Rounding.RND_ZERO, Rounding.RND_INF, Rounding.RND_CONV):
        return RoundingShift(max(shift, 0), base, negative, odd)
    return RoundingShift(shift, base, None, None)


def pixel_cast(form: Fixed, scale: float, largest: float) -> PixelCast:
    """Return how pixels up to `largest` are divided by `scale` and cast."""
    power = 2.0**form.frac_bits
    if form.bits > 30 or form.frac_bits < 0 or largest / scale * power >= SMALL:
        return PixelCast(scale, power, None, None, cast_of(0, form)[1:])
    # By a power of two division and multiplication are the same.
    exact = math.frexp(scale)[0] == 0.5
    divisor, factor = (None, power / scale) if exact else (scale, power)
    return PixelCast(divisor, factor, rounding_of(form, 2), range_of(form), None)


def adding_of(layer: IntegerLayer, weights: NDArray[Any]) -> tuple[Adding, int]:
    """Return how the sums of a layer are made, and the offset from which they are counted.

    `weights` are those of its `LayerArrays`.
    """
    accumulator = layer.plan.accumulator
    if accumulator is None:
        return Adding(not isinstance(layer.sized.layer, MaxPool), None, None, None, None), 0
    if in_range(layer):
        return Adding(None, ranged_of(layer, accumulator.form, weights), None, None, None), 0
    form, product = accumulator.form, accumulator.product
    product_bits = layer.input.frac_bits + layer.plan.weight.frac_bits + layer.prescale
    if product is not None:
        common = max(form.frac_bits, product.frac_bits)
        first = np.append(cast_of(product_bits - product.frac_bits, product), common - product.frac_bits)
        second = np.append(cast_of(common - form.frac_bits, form), common - form.frac_bits)
        return Adding(None, None, None, None, Split(first, second)), 0
    shift = product_bits - form.frac_bits
    span, fused = range_of(form), layer.method == "fused" or None
    rounded = (largest_product(layer) >> shift) + (shift > 0)
    fits = layer.method == "fit" or (form.low <= -rounded and rounded <= form.high)
    rounding = rounding_of(form, shift, whole=not (fused or fits))
    # Where rounding does not ask for sign or parity, sums may be counted from the low end of their range.
    signed = fused and rounding is not None and (rounding.negative is not None or rounding.odd is not None)
    offset = form.low if span.wraps and not signed else 0
    total = Range(None, form.high - form.low, True, None) if span.wraps and not signed else span
    lift = 1 << shift if fused else None
    casts = Casts(rounding, lift, None if fused or fits else span, total)
    if layer.word_bits == 64:
        return Adding(None, None, None, casts, None), offset
    return Adding(None, None, casts, None, None), offset


def ranged_of(layer: IntegerLayer, form: Fixed, weights: NDArray[Any]) -> Ranged:
    """Return sums in the range of a format, and how far every few taps can move them."""
    by_taps = np.abs(weights.astype(np.int64)).reshape(len(weights), UNITS, -1, EXACT_TAPS).sum(axis=3)
    reaches = by_taps.max(axis=1) * layer.input.magnitude
    low, high, single = form.low, form.high, np.float32
    turn = single(1 / (high - low + 1)) if form.overflow is Overflow.WRAP else None
    return Ranged(reaches, min(-low, high), single(low), single(high), turn)


def activation_of(layer: IntegerLayer, *, keep_sums: bool) -> ActivationArrays:
    """Return how the sums of a layer become states; `keep_sums`: in 64 bits, whatever they are."""
    formats, pre = layer.plan, layer.plan.preactivation
    lift = layer.biased_frac_bits - layer.sum_frac_bits
    plain = pre is None and lift == 0 and not layer.ends.any()
    if plain and layer.step_functions and not keep_sums:
        packed = packed_of(layer.step_functions, layer.word_bits)
        if packed is not None:
            if layer.word_bits == 32:
                return ActivationArrays(packed, None, None)
            return ActivationArrays(None, packed, None)
    cast, scalings = np.zeros(5, np.int64), np.array(layer.multipliers or [(0, 0)], np.int64)
    mode = KEEP
    if pre is not None:
        cast = cast_of(layer.biased_frac_bits - pre.frac_bits, pre)
        mode = CAST if formats.requantise is None else REQUANTISING[formats.requantise]
    stage = Stage(layer.ends, lift, mode, cast, scalings)
    given = layer.biased_frac_bits if pre is None else pre.frac_bits
    form = cast_of(given - formats.state.frac_bits, formats.state)
    alone = StateCast(not layer.step_functions, form, isinstance(formats.activation, Relu))
    return ActivationArrays(None, None, Staged(stage, steps_of(layer.step_functions or (NOTHING,)), alone))
