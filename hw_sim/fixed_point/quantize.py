"""From a trained network and a plan to a network of integers, with the proofs that its sums fit."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from hw_sim.fixed_point.deleted import check_deleted
from hw_sim.fixed_point.requantise import multiplier_of
from hw_sim.fixed_point.step_function import StepFunction, step_function
from hw_sim.fixed_point.word_bounds import (
    WORD,
    SumMethod,
    WordBits,
    beyond,
    check_formats,
    prove,
    prove_requantised,
)
from hw_sim.formats.fixed import CAST_LIMIT, Fixed, cast_counted
from hw_sim.formats.levels import Format, encode
from hw_sim.plan.activations import computes, written
from hw_sim.plan.plan import LayerPlan, PrecisionPlan
from retronet.connections import ConnectionTable, connection_table, in_order, weight_rows
from retronet.errors import InputError
from retronet.network import (
    Conv,
    Identity,
    NetworkSpec,
    Rbf,
    Relu,
    SizedLayer,
    code_matrix,
    sized_layers,
)
from retronet.trained import Trained


@dataclass(frozen=True)
class IntegerLayer:
    """A layer on integers.

    Attributes
    ----------
    sized, plan, input
        The layer in its network, its formats and the format it reads.
    weights : ndarray of int32, shape (maps, most taps)
        In the order of accumulation, times ``2^prescale``; a map with fewer taps leaves the rest 0.
    prescale : int
        Bits that weights are shifted to the left because sums have more fraction bits than products.
    connections
        Which inputs the taps read.
    starts, ends : ndarray of int64, shape (units,)
        The biases, as sums start with them, or as they are added after the last product; the other is 0.
    border : int
        The border's value in the format of the layer below.
    sum_frac_bits, biased_frac_bits : int
        Fraction bits of the sums, and of what they are with a bias added at the end.
    sum_scales : tuple of float
        What sums are multiplied with to be real numbers, besides their step: one, or one a map.
    sum_bound : int
        No sum, partial or whole, can exceed this before it is cast.
    method, word_bits
        How sums are made, and the machine word they are proved to fit.
    multipliers : tuple of (int, int)
        Multiplier and shift of each scale where sums are requantised.
    step_functions : tuple of StepFunction
        The activation of what sums become, one or one a map; none where it is a cast.
    clipped_weights, clipped_biases : int
        Parameters that were outside their format.
    """

    sized: SizedLayer
    plan: LayerPlan
    input: Format
    weights: NDArray[np.int32]
    prescale: int
    connections: ConnectionTable
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    border: int
    sum_frac_bits: int
    biased_frac_bits: int
    sum_scales: tuple[float, ...]
    sum_bound: int
    method: SumMethod
    word_bits: WordBits
    multipliers: tuple[tuple[int, int], ...]
    step_functions: tuple[StepFunction, ...]
    clipped_weights: int
    clipped_biases: int


@dataclass(frozen=True, repr=False)
class IntegerNetwork:
    """A network on integers, and what a reader should be warned of.

    ``codes`` are those of an RBF output layer, ±1, one row a class; such a layer has no formats of its own.
    """

    network: NetworkSpec
    plan: PrecisionPlan
    layers: tuple[IntegerLayer, ...]
    warnings: tuple[str, ...]
    codes: NDArray[np.int64] | None = None

    def __repr__(self) -> str:
        words = ", ".join(f"{layer.sized.name} {layer.plan.weight.text}" for layer in self.layers)
        return f"IntegerNetwork({self.network.name}, weights: {words}; {len(self.warnings)} warnings)"


def quantize(trained: Trained, plan: PrecisionPlan) -> IntegerNetwork:
    """Cast the parameters of a trained network to the formats of `plan`.

    Parameters
    ----------
    trained
        The trained network.
    plan
        Formats, one entry a layer (none for an RBF output layer).

    Raises
    ------
    InputError
        If the plan is not of this network, a format is too wide for its place, or sums could leave 64 bits.
    """
    network = trained.network
    sized = sized_layers(network)
    codes = code_matrix(sized[-1].layer).astype(np.int64) if isinstance(sized[-1].layer, Rbf) else None
    sized = sized if codes is None else sized[:-1]
    names = [each.name for each in sized]
    if [layer.layer for layer in plan.layers] != names:
        raise InputError(
            f"The plan does not fit network '{network.name}': it has the layers "
            f"{', '.join(layer.layer for layer in plan.layers)}; {', '.join(names)} are needed. Calibrate a "
            "new one."
        )
    layers: list[IntegerLayer] = []
    warnings: list[str] = []
    for index, each in enumerate(sized):
        layer, said = _layer(each, plan, index, trained)
        layers.append(layer)
        warnings += said
    warnings += _other_activations(sized, plan)
    return IntegerNetwork(network, plan, tuple(layers), tuple(warnings), codes)


def _other_activations(geometry: Sequence[SizedLayer], plan: PrecisionPlan) -> list[str]:
    """Return a sentence for each pair of an activation of the network and another in its place."""
    pairs: dict[tuple[str, str], list[str]] = {}
    for sized, formats in zip(geometry, plan.layers, strict=True):
        if isinstance(sized.layer, Rbf):
            continue  # fixed codes have none
        own = sized.layer.activation
        if not computes(formats.activation, own):
            pairs.setdefault((written(formats.activation), written(own)), []).append(f"'{sized.name}'")
    return [
        f"In the plan the activation of {'layers' if len(names) > 1 else 'layer'} {', '.join(names)} is "
        f"{there}; the network's own is {own}. "
        "If that is not meant, leave `activation` out of the plan, or take a network that has it."
        for (there, own), names in pairs.items()
    ]


def _layer(
    sized: SizedLayer, plan: PrecisionPlan, index: int, trained: Trained
) -> tuple[IntegerLayer, list[str]]:
    parameters = trained.parameters
    formats, below = plan.layers[index], plan.input_of(index)
    check_formats(sized, formats, below)
    divisors = _one_or_each(sized, formats.weight_divisor or formats.weight_scale)
    rows = weight_rows(sized, parameters[f"{sized.name}.weight"].astype(np.float64))
    divided = rows / np.array(divisors)[:, np.newaxis]
    exact, clipped_weights = encode(divided, formats.weight, (plan.seed, index, 0))
    exact[np.arange(rows.shape[1]) >= np.array(sized.fan_in)[:, np.newaxis]] = 0
    check_deleted(sized, trained, exact, f"its format {formats.weight.text}")
    weights = in_order(sized, exact, plan.tap_order)
    product_bits = formats.weight.frac_bits + below.frac_bits
    if formats.accumulator is not None:
        sum_bits = formats.accumulator.form.frac_bits
    else:
        sum_bits = max(product_bits, formats.bias.frac_bits) if formats.bias_at == "start" else product_bits
    split = formats.accumulator is not None and formats.accumulator.product is not None
    prescale = 0 if split else max(sum_bits - product_bits, 0)
    if int(np.abs(weights).max(initial=0)) << min(prescale, 32) > WORD:
        raise InputError(
            f"The sums of layer '{sized.name}' have {prescale} fraction bits more than a product, too many "
            f"for 32-bit weights. Give the accumulator or the bias fewer than {sum_bits}."
        )
    scaled = weights << prescale
    sum_scales = tuple(scale * plan.input_scale_of(index) for scale in formats.weight_scale)
    biases = parameters[f"{sized.name}.bias"].astype(np.float64)
    per_map_scales = np.array(_one_or_each(sized, sum_scales)).reshape(-1, *[1] * (biases.ndim - 1))
    starts, ends, biased_bits, clipped_biases = _biases(
        sized, formats, biases / per_map_scales, sum_bits, (plan.seed, index, 1)
    )
    border, warnings = _border(sized, below, plan.input_scale_of(index))
    method, word, bound = prove(sized.name, formats, scaled, starts, below.magnitude, product_bits + prescale)
    kept = bound if formats.accumulator is None else formats.accumulator.form.magnitude
    most = (kept << (biased_bits - sum_bits)) + int(np.abs(ends).max(initial=0))
    if most >= CAST_LIMIT:
        raise beyond(sized.name, most)
    stages = _stages(sized, formats, sum_scales, biased_bits, most)
    for count, what, form in (
        (clipped_weights, "weights", formats.weight), (clipped_biases, "biases", formats.bias),
    ):  # fmt: skip
        if count and isinstance(form, Fixed):
            warnings.append(
                f"{count:,} {what} of layer '{sized.name}' lie outside their format {form.text} and were "
                "clipped."
            )
    connections = connection_table(sized, plan.tap_order)
    layer = IntegerLayer(
        sized, formats, below, scaled.astype(np.int32), prescale, connections, starts, ends, border,
         sum_bits, biased_bits, sum_scales, bound, method, word, *stages, clipped_weights,
        clipped_biases,
    )  # fmt: skip
    return layer, warnings


def _one_or_each(sized: SizedLayer, scales: tuple[float, ...]) -> tuple[float, ...]:
    """Return one scale a map."""
    maps = sized.output[0]
    if len(scales) not in (1, maps):
        raise InputError(
            f"Layer '{sized.name}' has {len(scales)} scales; one, or one for each of its {maps} maps is "
            "allowed. Mend the plan."
        )
    return scales * maps if len(scales) == 1 else scales


def _biases(
    sized: SizedLayer, formats: LayerPlan, biases: NDArray[np.float64], sum_bits: int, seed: tuple[int, ...]
) -> tuple[NDArray[np.int64], NDArray[np.int64], int, int]:
    """Return what sums start and end with, the fraction bits of the end, and how many were clipped."""
    integers, clipped = encode(biases, formats.bias, seed)
    bias_bits, biased_bits = formats.bias.frac_bits, sum_bits
    if formats.bias_at == "end":
        biased_bits = max(sum_bits, bias_bits)
        shift = biased_bits - bias_bits
    elif formats.accumulator is not None:
        integers, more = cast_counted(integers, bias_bits, formats.accumulator.form)
        clipped, shift = clipped + more, 0
    else:
        shift = sum_bits - bias_bits
    if int(np.abs(integers).max(initial=0)) << min(shift, 62) >= CAST_LIMIT:
        raise InputError(
            f"The biases of layer '{sized.name}' do not fit sums with {biased_bits} fraction bits: 64 bits "
            "would overflow. Give them a format with a smaller range."
        )
    integers = (integers << shift).ravel()
    per_unit = integers if integers.size == sized.units else np.repeat(integers, sized.positions)
    nothing = np.zeros_like(per_unit)
    if formats.bias_at == "end":
        return nothing, per_unit, biased_bits, clipped
    return per_unit, nothing, biased_bits, clipped


def _border(sized: SizedLayer, below: Format, scale: float) -> tuple[int, list[str]]:
    match sized.layer:
        case Conv(border=value, pad=pad) if pad > 0:
            border = int(encode(np.array([value / scale]), below)[0][0])
            stands = border * below.step * scale
            if stands == value:
                return border, []
            text = (
                f"The border {value} of layer '{sized.name}' is no value of {below.text}: {stands:.10g} "
                "stands for it."
            )
            return border, [text]
        case _:
            return 0, []


def _stages(
    sized: SizedLayer, formats: LayerPlan, scales: tuple[float, ...], biased_bits: int, bound: int
) -> tuple[tuple[tuple[int, int], ...], tuple[StepFunction, ...]]:
    """Return multipliers and staircases between sums and states; `bound` holds for sums with biases."""
    pre, unit, reach = formats.preactivation, Fraction(2) ** -biased_bits, bound
    multipliers: tuple[tuple[int, int], ...] = ()
    if pre is not None:
        unit, reach = Fraction(pre.step), pre.magnitude
    if formats.requantise is not None and pre is not None:
        step = pre.step * formats.preactivation_scale
        multipliers = tuple(multiplier_of(scale * 2.0**-biased_bits / step) for scale in scales)
        prove_requantised(sized.name, formats.requantise, multipliers, bound)
        scales = (formats.preactivation_scale,)
    plain = isinstance(formats.activation, Identity | Relu) and isinstance(formats.state, Fixed)
    if plain and set(scales) == {formats.state_scale}:
        return multipliers, ()
    made = {
        scale: step_function(
            formats.activation, unit * Fraction(scale), formats.state, formats.state_scale, reach
        )
        for scale in set(scales)
    }
    return multipliers, tuple(made[scale] for scale in scales)
