"""Casts, sums and activations of a circuit as SystemVerilog functions; their widths hold whatever happens."""

import numpy as np

from hw_sim.export.circuit import Circuit
from hw_sim.export.files import signed_bits
from hw_sim.export.steps import biased_bound, reach_of
from hw_sim.fixed_point.quantize import IntegerLayer
from hw_sim.formats.fixed import Fixed
from hw_sim.formats.modes import Overflow, Rounding
from retronet.errors import InputError
from retronet.network import MaxPool, Relu

FARTHEST = 64


def literal(value: int, bits: int) -> str:
    """Return a signed constant of `bits` bits."""
    return f"{'-' if value < 0 else ''}{bits}'sd{abs(value)}"


def cast_body(layer: str, source: str, low: int, high: int, shift: int, form: Fixed) -> tuple[list[str], int]:
    """Return statements that leave ``source · 2^-shift``, cast to `form`, in ``word``, and its bits.

    Parameters
    ----------
    layer
        Who asks, for a refusal.
    source
        An expression that lies between `low` and `high`.

    Raises
    ------
    InputError
        If the shift is too far to the left.
    """
    if shift < -FARTHEST:
        raise InputError(
            f"Layer '{layer}' can not be put in the circuit: a cast to {form.text} shifts {-shift} bits to "
            f"the left; at most {FARTHEST} are allowed. Give the format fewer fraction bits."
        )
    shift = min(shift, 62)
    base, negative, odd = _rounding(form.rounding, shift)
    if shift < 0:
        low, high = low << -shift, high << -shift
    bits = max(signed_bits(low - 1, high + base + abs(negative) + odd), signed_bits(form.low, form.high)) + 1
    lines = [f"word = {source};"]
    if shift < 0:
        lines.append(f"word = word <<< {-shift};")
    if negative:
        lines.append(f"if (word < 0) word = word + {literal(negative + base, bits)};")
        lines.append(f"else word = word + {literal(base, bits)};")
    elif odd:
        lines.append(f"word = word + {literal(base, bits)} + word[{shift}];")
    elif base:
        lines.append(f"word = word + {literal(base, bits)};")
    if shift > 0:
        lines.append(f"word = word >>> {shift};")
    reached = (low >> max(shift, 0)) - 1, (high >> max(shift, 0)) + 1
    if reached[0] < form.low or reached[1] > form.high:
        lines += _fit(form, bits)
    return lines, bits


def _rounding(rounding: Rounding, shift: int) -> tuple[int, int, int]:
    """Return what is added before the shift: always, to negative numbers, where the last kept bit is set."""
    if shift <= 0:
        return 0, 0, 0
    half = 1 << (shift - 1)
    match rounding:
        case Rounding.TRN:
            return 0, 0, 0
        case Rounding.TRN_ZERO:
            return 0, 2 * half - 1, 0
        case Rounding.RND:
            return half, 0, 0
        case Rounding.RND_ZERO:
            return half - 1, 1, 0
        case Rounding.RND_MIN_INF:
            return half - 1, 0, 0
        case Rounding.RND_INF:
            return half, -1, 0
        case Rounding.RND_CONV:
            return half - 1, 0, 1
        case Rounding.STOCHASTIC:
            raise ValueError("what runs is never rounded stochastically")


def _fit(form: Fixed, bits: int) -> list[str]:
    low, high = literal(form.low, bits), literal(form.high, bits)
    match form.overflow:
        case Overflow.WRAP if form.signed:
            away = bits - form.bits
            return [f"word = (word <<< {away}) >>> {away};"]
        case Overflow.WRAP:
            return [f"word = word & {high};"]
        case Overflow.SAT | Overflow.SAT_SYM:
            return [f"if (word < {low}) word = {low};", f"if (word > {high}) word = {high};"]
        case Overflow.SAT_ZERO:
            return [f"if (word < {low} || word > {high}) word = 0;"]


Argument = tuple[str, int]
"""Name and bits of a signed argument."""


class Functions:
    """Functions as they are asked for; what is asked for twice is written once."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self.texts: list[str] = []

    def add(self, stem: str, arguments: list[Argument], result: int, body: tuple[list[str], int]) -> str:
        """Return the name of the function with this body, whose result is its ``word``."""
        lines, bits = body
        inputs = ", ".join(f"input signed [{width - 1}:0] {name}" for name, width in arguments)
        head = f"({inputs});\n    reg signed [{bits - 1}:0] word;\n    begin\n"
        text = head + "".join(f"      {line}\n" for line in lines)
        key = stem + text
        if key not in self._names:
            name = f"{stem}_{sum(known.startswith(stem + '(') for known in self._names)}"
            self._names[key] = name
            whole = f"  function automatic signed [{result - 1}:0] {name}{text}"
            self.texts.append(f"{whole}      {name} = word;\n    end\n  endfunction\n")
        return self._names[key]

    def by_layer(self, name: str, arguments: list[Argument], result: int, calls: list[str]) -> None:
        """Write the function that calls, in each layer, what the layer needs."""
        inputs = "".join(f", input signed [{width - 1}:0] {argument}" for argument, width in arguments)
        lines = [
            f"  function automatic signed [{result - 1}:0] {name}(input [LAYER_BITS-1:0] layer{inputs});"
        ]
        if len(set(calls)) == 1:
            lines.append(f"    {name} = {calls[0]};")
        else:
            lines.append("    case (layer)")
            lines += [f"      {index}: {name} = {call};" for index, call in enumerate(calls[:-1])]
            lines += [f"      default: {name} = {calls[-1]};", "    endcase"]
        self.texts.append("\n".join([*lines, "  endfunction"]) + "\n")


def functions_of(circuit: Circuit) -> str:
    """Return the functions ``accumulate``, ``add_last``, ``prepare`` and ``cast_state`` of all layers."""
    made, sizes = Functions(), circuit.sizes
    layers = [each.layer for each in circuit.layers]
    sums, biased, pre = sizes["SUM_BITS"], sizes["BIASED_BITS"], sizes["PREACTIVATION_BITS"]
    made.by_layer(
        "accumulate",
        [("sum", sums), ("product", sizes["PRODUCT_BITS"])],
        sums,
        [_accumulate(layer, made, sums, sizes["PRODUCT_BITS"]) for layer in layers],
    )
    made.by_layer(
        "add_last",
        [("sum", sums), ("bias", sizes["BIAS_BITS"])],
        biased,
        [f"(sum <<< {layer.biased_frac_bits - layer.sum_frac_bits}) + bias" for layer in layers],
    )
    made.by_layer(
        "prepare",
        [("biased", biased), ("scale", sizes["SCALE_BITS"])],
        pre,
        [_prepare(layer, made, biased, pre) for layer in layers],
    )
    state = sizes["STATE_BITS"]
    calls = [_cast_state(layer, made, pre, state) for layer in layers]
    made.by_layer("cast_state", [("preactivation", pre)], state, calls)
    return "\n".join(made.texts)


def _accumulate(layer: IntegerLayer, made: Functions, sum_bits: int, product_bits: int) -> str:
    """Return the next sum of a layer, from ``sum`` and ``product``."""
    name, accumulator = layer.sized.name, layer.plan.accumulator
    if isinstance(layer.sized.layer, MaxPool):
        return "product > sum ? product : sum"
    if accumulator is None:
        return "sum + product"
    most = int(np.abs(layer.weights.astype(np.int64)).max(initial=0)) * layer.input.magnitude
    form, own = accumulator.form, accumulator.product
    frac_bits = layer.input.frac_bits + layer.plan.weight.frac_bits + layer.prescale
    sums, product = ("sum", sum_bits), ("product", product_bits)
    if layer.method in ("fit", "fused"):
        shift = frac_bits - form.frac_bits
        low, high = (form.low << shift) - most, (form.high << shift) + most
        body = cast_body(name, f"(sum <<< {shift}) + product", low, high, shift, form)
        return f"{made.add('add', [sums, product], sum_bits, body)}(sum, product)"
    kept = form if own is None else own
    body = cast_body(name, "product", -most, most, frac_bits - kept.frac_bits, kept)
    bits = signed_bits(kept.low, kept.high)
    call = f"{made.add('cast_product', [product], bits, body)}(product)"
    common = max(form.frac_bits, kept.frac_bits)
    up_sum, up = common - form.frac_bits, common - kept.frac_bits
    low = (form.low << up_sum) + (kept.low << up)
    high = (form.high << up_sum) + (kept.high << up)
    body = cast_body(name, f"(sum <<< {up_sum}) + (product <<< {up})", low, high, up_sum, form)
    return f"{made.add('add', [sums, ('product', bits)], sum_bits, body)}(sum, {call})"


def _prepare(layer: IntegerLayer, made: Functions, biased_bits: int, result: int) -> str:
    """Return the pre-activation of a layer, from ``biased`` and ``scale``."""
    pre, most = layer.plan.preactivation, biased_bound(layer)
    if pre is None:
        return "biased"
    if layer.plan.requantise is None:
        shift = layer.biased_frac_bits - pre.frac_bits
        body = cast_body(layer.sized.name, "biased", -most, most, shift, pre)
        return f"{made.add('cast_sum', [('biased', biased_bits)], result, body)}(biased)"
    bits = biased_bits + 66
    one = literal(1, bits)
    lines = ["word = biased;", "word = word <<< scale[35:31];", "word = word * $signed({1'b0, scale[30:0]});"]
    if layer.plan.requantise == "double":
        lines.append(f"word = (word + {literal(1 << 30, bits)}) >>> 31;")
        lines.append(f"if (scale[41:36] != 0 && word < 0) word = word - {one};")
    lines.append(f"if (scale[41:36] != 0) word = (word + ({one} <<< (scale[41:36] - 1))) >>> scale[41:36];")
    low, high = literal(pre.low, bits), literal(pre.high, bits)
    lines += [f"if (word < {low}) word = {low};", f"if (word > {high}) word = {high};"]
    arguments = [("biased", biased_bits), ("scale", 42)]
    return f"{made.add('requantise', arguments, result, (lines, bits))}(biased, scale)"


def _cast_state(layer: IntegerLayer, made: Functions, pre_bits: int, state_bits: int) -> str:
    """Return the state of a layer whose activation is a cast; staircases are searched instead."""
    plan, state = layer.plan, layer.plan.state
    if layer.step_functions or not isinstance(state, Fixed):
        return "0"
    given = layer.biased_frac_bits if plan.preactivation is None else plan.preactivation.frac_bits
    rectified = isinstance(plan.activation, Relu)
    source = "preactivation < 0 ? 0 : preactivation" if rectified else "preactivation"
    reach = reach_of(layer)
    low = 0 if rectified else -reach
    body = cast_body(layer.sized.name, source, low, reach, given - state.frac_bits, state)
    return f"{made.add('cast_to_state', [('preactivation', pre_bits)], state_bits, body)}(preactivation)"
