"""From a trained network and a plan to a network of integers, with the proofs that its sums fit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hw_sim.formats import CAST_LIMIT, Fixed, Overflow, cast_counted, quantize, quantize_counted
from hw_sim.plan import LayerPlan, PrecisionPlan
from hw_sim.staircase import Staircase, tanh_staircase
from retronet.errors import InputError
from retronet.geometry import tap_sources
from retronet.network import Conv, Dense, NetworkSpec, Place, Tanh, parameter_shapes, places

WORD = 1 << 31
SumMethod = Literal["exact", "fit", "product", "fused"]


@dataclass(frozen=True)
class IntegerLayer:
    """A layer on integers.

    Attributes
    ----------
    place, plan, input
        The layer in its network, its formats and the format it reads.
    weights : ndarray of int32, shape (maps, most taps)
        In the order of accumulation, times ``2^prescale``; a map with fewer taps leaves the rest 0.
    prescale : int
        Bits that weights are shifted to the left because sums have more fraction bits than products.
    fan_in, tables : ndarray of int32, shape (maps,)
        Taps of each map; the table of `sources` that it uses.
    sources : ndarray of int32, shape (tables, positions, most taps)
        Unit of the layer below that each tap reads; the number of units stands for the border.
    biases : ndarray of int64, shape (units,)
        In the format of the sums.
    border : int
        The border's value in the format of the layer below.
    sum_frac_bits : int
        Fraction bits of the sums.
    sum_bound : int
        No sum, partial or whole, can exceed this before it is cast.
    method, word_bits
        How sums are made, and the machine word they are proved to fit.
    staircase : Staircase or None
        The squashing function, where it is a tanh.
    clipped_weights, clipped_biases : int
        Parameters that were outside their format.
    """

    place: Place
    plan: LayerPlan
    input: Fixed
    weights: NDArray[np.int32]
    prescale: int
    fan_in: NDArray[np.int32]
    tables: NDArray[np.int32]
    sources: NDArray[np.int32]
    biases: NDArray[np.int64]
    border: int
    sum_frac_bits: int
    sum_bound: int
    method: SumMethod
    word_bits: Literal[32, 64]
    staircase: Staircase | None
    clipped_weights: int
    clipped_biases: int


@dataclass(frozen=True)
class IntegerNetwork:
    """A network on integers, and what a reader should be warned of."""

    network: NetworkSpec
    plan: PrecisionPlan
    layers: tuple[IntegerLayer, ...]
    warnings: tuple[str, ...]


def integer_network(
    network: NetworkSpec, parameters: Mapping[str, NDArray[Any]], plan: PrecisionPlan
) -> IntegerNetwork:
    """Cast `parameters` to the formats of `plan`.

    Raises
    ------
    InputError
        If plan or parameters are not of this network, a format is too wide for its place, or sums could
        leave 64 bits.
    """
    found = places(network)
    names = [place.name for place in found]
    if [layer.layer for layer in plan.layers] != names:
        raise InputError(
            f"The plan does not fit network '{network.name}': it has the layers "
            f"{', '.join(layer.layer for layer in plan.layers)}; {', '.join(names)} are needed. "
            "Calibrate a new one."
        )
    for name, shape in parameter_shapes(network).items():
        if name not in parameters or parameters[name].shape != shape:
            given = parameters[name].shape if name in parameters else "nothing"
            raise InputError(
                f"The parameters do not fit network '{network.name}': '{name}' is {given}; {shape} is "
                "needed. "
                "Use a checkpoint of this network."
            )
    layers: list[IntegerLayer] = []
    warnings: list[str] = []
    for index, place in enumerate(found):
        layer, text = _layer(place, plan, index, parameters)
        layers.append(layer)
        warnings += text
    return IntegerNetwork(network, plan, tuple(layers), tuple(warnings))


def _layer(
    place: Place, plan: PrecisionPlan, index: int, parameters: Mapping[str, NDArray[Any]]
) -> tuple[IntegerLayer, list[str]]:
    formats, below = plan.layers[index], plan.input_of(index)
    for form in (formats.weight, below, formats.state):
        if form.magnitude > WORD:
            raise InputError(
                f"Layer '{place.name}' can not use the format {form.text}: weights, inputs and states "
                "must lie within "
                "the 32-bit integers with a sign. Give it a bit less."
            )
    exact, clipped_weights = quantize_counted(parameters[f"{place.name}.weight"], formats.weight)
    weights, fan_in, tables, sources = _taps(place, exact, plan.tap_order)
    product_bits = formats.weight.frac_bits + below.frac_bits
    sum_bits = product_bits if formats.accumulator is None else formats.accumulator.form.frac_bits
    prescale = max(sum_bits - product_bits, 0)
    if int(np.abs(weights).max(initial=0)) << prescale > WORD - (prescale > 0):
        raise InputError(
            f"The accumulator of layer '{place.name}' has {prescale} fraction bits more than a "
            "product, too many for "
            f"32-bit weights. Give it fewer than {sum_bits}."
        )
    scaled = weights << prescale
    biases, clipped_biases = _biases(place, formats, parameters[f"{place.name}.bias"], sum_bits)
    border, warnings = _border(place, below)
    method, word, bound = _prove(place, formats, scaled, biases, below.magnitude, product_bits + prescale)
    for count, what in ((clipped_weights, "weights"), (clipped_biases, "biases")):
        if count:
            warnings.append(
                f"{count} {what} of layer '{place.name}' lie outside their format and were clipped."
            )
    staircase = None
    if isinstance(formats.activation, Tanh):
        staircase = tanh_staircase(formats.activation, sum_bits, formats.state)
    layer = IntegerLayer(
        place, formats, below, scaled.astype(np.int32), prescale, fan_in, tables, sources, biases, border,
        sum_bits, bound, method, word, staircase, clipped_weights, clipped_biases,
    )  # fmt: skip
    return layer, warnings


def _taps(
    place: Place, weights: NDArray[np.int64], order: str
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Return weights, fan-in, tables and sources in the order of accumulation."""
    planes, rows, columns = place.input
    area, per_plane = rows * columns, place.taps_per_plane
    within = tap_sources(place)
    distinct = sorted(set(place.sees))
    most = max(place.fan_in)
    sources = np.full((len(distinct), within.shape[0], most), planes * area, np.int32)
    for table, seen in enumerate(distinct):
        offsets = np.array(seen)[:, np.newaxis, np.newaxis] * area
        full = np.where(within == area, planes * area, within + offsets)
        axes = (1, 2, 0) if order == "plane_fastest" else (1, 0, 2)
        sources[table, :, : len(seen) * per_plane] = full.transpose(axes).reshape(within.shape[0], -1)
    arranged = np.zeros((len(place.sees), most), np.int64)
    flat, start = weights.ravel(), 0
    for row, taps in enumerate(place.fan_in):
        mine = flat[start : start + taps].reshape(-1, per_plane)
        arranged[row, :taps] = mine.T.ravel() if order == "plane_fastest" else mine.ravel()
        start += taps
    tables = np.array([distinct.index(seen) for seen in place.sees], np.int32)
    return arranged, np.array(place.fan_in, np.int32), tables, sources


def _biases(
    place: Place, formats: LayerPlan, biases: NDArray[Any], sum_bits: int
) -> tuple[NDArray[np.int64], int]:
    """Return the biases as the sums start with them, one a unit, and how many were clipped."""
    integers, clipped = quantize_counted(biases, formats.bias)
    if formats.accumulator is not None:
        integers, more = cast_counted(integers, formats.bias.frac_bits, formats.accumulator.form)
        clipped += more
    else:
        shift = sum_bits - formats.bias.frac_bits
        if shift < 0 or int(np.abs(integers).max(initial=0)) << min(shift, 62) >= CAST_LIMIT:
            raise InputError(
                f"The biases of layer '{place.name}' have {formats.bias.frac_bits} fraction bits, "
                "which exact sums with "
                f"{sum_bits} can not take; at most that many are allowed. Change the format of the biases."
            )
        integers = integers << shift
    per_unit = integers if integers.size == place.units else np.repeat(integers, place.positions)
    return np.ascontiguousarray(per_unit.ravel()), clipped


def _border(place: Place, below: Fixed) -> tuple[int, list[str]]:
    match place.layer:
        case Conv(border=value, pad=pad) if pad > 0:
            border = int(quantize(np.array([value]), below)[0])
            if border * below.step == value:
                return border, []
            return border, [
                f"The border {value} of layer '{place.name}' is no value of {below.text}: "
                f"{border * below.step} stands "
                "for it."
            ]
        case Conv() | Dense():
            return 0, []
        case _:
            raise InputError(
                f"Layer '{place.name}' can not be put on integers: it is of the kind "
                f"{type(place.layer).__name__}; "
                "Conv and Dense are allowed. Choose another network."
            )


def _prove(
    place: Place,
    formats: LayerPlan,
    weights: NDArray[np.int64],
    biases: NDArray[np.int64],
    largest: int,
    product_bits: int,
) -> tuple[SumMethod, Literal[32, 64], int]:
    """Return how to add, the machine word that holds whatever happens, and the bound that proves it."""
    most = int(np.abs(weights).max(initial=0)) * largest
    if formats.accumulator is None:
        fan = max((sum(abs(int(weight)) for weight in row) for row in weights), default=0)
        bound = fan * largest + int(np.abs(biases).max(initial=0))
        method: SumMethod = "exact"
        widest = bound
    else:
        form = formats.accumulator.form
        shift = product_bits - form.frac_bits
        held = form.magnitude + 1
        fits = shift == 0 and form.overflow is not Overflow.SAT_ZERO
        plain = formats.accumulator.fused or (form.low <= -most and most <= form.high)
        if fits and plain and most + 2 * held < WORD:
            method = "fit"
        else:
            method = "fused" if formats.accumulator.fused else "product"
        # A sum before its cast, what rounding may add, and the range that WRAP subtracts.
        bound = (held << shift) + most if method == "fused" else held + (most >> shift) + 1
        widest = max(bound, most) + (1 << shift) + held
    if widest < WORD:
        return method, 32, bound
    if widest < CAST_LIMIT:
        return method, 64, bound
    raise InputError(
        f"Sums of layer '{place.name}' could reach {bound}, beyond what 64 bits hold safely (2^61). "
        "Give weights, "
        "inputs or the accumulator fewer bits."
    )
