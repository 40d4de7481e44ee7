"""A network on integers, and its floating-point twin, as data for a page: the script beside it runs both.

The script adds in doubles, which hold whole numbers up to 2^53, where the proved bounds stay below that, and
in integers of any length where they do not: both are exact, so that a page makes the simulator's integers or
is refused.
"""

import base64
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from hw_sim.export.files import signed_bits
from hw_sim.export.steps import ThresholdTable, biased_bound, reach_of, threshold_table
from hw_sim.fixed_point.quantize import IntegerLayer, IntegerNetwork
from hw_sim.formats.fixed import Fixed
from hw_sim.formats.levels import Format, twice_edges
from retronet.connections import tap_sources, weight_rows
from retronet.errors import InputError
from retronet.network import AveragePool, Conv, MaxPool, Rbf, Relu, SizedLayer, code_matrix, sized_layers
from retronet.trained import Trained

SCRIPT = Path(__file__).parent / "browser" / "network.js"
DOUBLE = 1 << 53
"""Whole numbers below it are exact in double precision, the numbers of JavaScript."""
MOST_STEPS = 1 << 18
"""Steps of all staircases together: they are by far the largest part of a page with wide states."""
MOST_WEIGHTS = 1 << 18


def script() -> str:
    """Return the JavaScript that runs what `page_network` returns: ``RetronetNetwork(data)``."""
    return SCRIPT.read_text(encoding="utf-8")


def page_network(network: IntegerNetwork, trained: Trained) -> dict[str, Any]:
    """Return all that a page needs to run a network, on integers and in floating point.

    Parameters
    ----------
    network
        The network of integers.
    trained
        What it was made of.

    Returns
    -------
    dict
        JSON in itself: shapes, formats, and arrays as ``{"type", "data"}``, base64 of little-endian numbers.

    Raises
    ------
    InputError
        If the network is too large for a page, or what a layer computes can not be exact there.
    """
    sized = sized_layers(network.network)
    weights = sum(layer.weights.size for layer in network.layers)
    if weights > MOST_WEIGHTS:
        largest = max(network.layers, key=lambda layer: layer.weights.size)
        raise InputError(
            f"Layer '{largest.sized.name}' can not be put in a page: the network has {weights:,} weights, of "
            f"which it has {largest.weights.size:,}; at most {MOST_WEIGHTS:,} are allowed. Take a smaller "
            "network."
        )
    tables = [_tables(layer) for layer in network.layers]
    steps = [sum(table.thresholds.size for table in each) for each in tables]
    if sum(steps) > MOST_STEPS:
        worst = int(np.argmax(steps))
        raise InputError(
            f"Layer '{network.layers[worst].sized.name}' can not be put in a page: its activation has "
            f"{steps[worst]:,} steps, of {sum(steps):,} in the network; at most {MOST_STEPS:,} are allowed. "
            "Give the states fewer bits, or weights one scale for all maps."
        )
    return {
        "network": network.network.name,
        "input": network.network.input,
        "tap_order": network.plan.tap_order,
        "pixels": _pixels(network),
        "layers": [
            _layer(layer, each, network.plan.input_of(index))
            for index, (layer, each) in enumerate(zip(network.layers, tables, strict=True))
        ],
        "float": [_float_layer(layer, trained, network.plan.tap_order) for layer in sized],
        "codes": _codes(network),
    }


def encoded_array(values: NDArray[Any]) -> dict[str, str]:
    """Return an array as a page has it: integers in as few bytes as hold all, reals in single precision."""
    name = "f4"
    if values.dtype.kind != "f":
        bits = max(signed_bits(int(values.min(initial=0)), int(values.max(initial=0))), 8)
        name = f"i{1 << (bits - 1 >> 3).bit_length()}"
    content = np.ascontiguousarray(values, f"<{name}").tobytes()
    return {"type": name, "data": base64.b64encode(content).decode()}


def _cast(form: Fixed, shift: int) -> dict[str, Any]:
    """Return a cast of integers: what the script's `caster` takes."""
    return {
        "shift": shift,
        "rounding": form.rounding,
        "overflow": form.overflow,
        "low": form.low,
        "high": form.high,
        "bits": form.bits,
    }


def _pixels(network: IntegerNetwork) -> dict[str, Any]:
    form, scale = network.plan.input, network.plan.input_scale
    if isinstance(form, Fixed):
        # Two fraction bits are kept for rounding: the half, and whether anything lies below it.
        return {"scale": scale, "power": 2.0**form.frac_bits, "cast": _cast(form, 2), **_shown(form, scale)}
    edges = twice_edges(form) * (0.5 * form.step)
    levels = [form.low, *form.levels, form.high]
    return {"scale": scale, "edges": edges.tolist(), "levels": levels, **_shown(form, scale)}


def _shown(form: Format, scale: float) -> dict[str, Any]:
    return {"step": form.step * scale, "format": form.text}


def _tables(layer: IntegerLayer) -> tuple[ThresholdTable, ...]:
    reach = reach_of(layer)
    return tuple(threshold_table(stairs, reach) for stairs in layer.step_functions)


def _geometry(sized: SizedLayer) -> dict[str, Any]:
    return {
        "name": sized.name,
        "kind": sized.layer.__struct_config__.tag,
        "shape": sized.output,
        "planes": sized.input[0],
        "area": sized.input[1] * sized.input[2],
        "sees": sized.sees,
        "within": encoded_array(tap_sources(sized)),
    }


def _layer(layer: IntegerLayer, tables: tuple[ThresholdTable, ...], below: Format) -> dict[str, Any]:
    plan, pre = layer.plan, layer.plan.preactivation
    product_bits = below.frac_bits + plan.weight.frac_bits + layer.prescale
    given = layer.biased_frac_bits if pre is None else pre.frac_bits
    sums, largest_sum = _sums(layer, product_bits)
    stage, largest = None, biased_bound(layer)
    if pre is not None and plan.requantise is None:
        stage = _cast(pre, layer.biased_frac_bits - pre.frac_bits)
        largest = _cast_bound(largest, stage["shift"])
    elif pre is not None:
        stage = {"requantise": plan.requantise, "multipliers": layer.multipliers}
        stage |= {"low": pre.low, "high": pre.high}
        lift = max(0, *(shift for _, shift in layer.multipliers))
        largest = (largest << lift + 31) + (1 << 62)
    state = None
    if isinstance(plan.state, Fixed) and not tables:
        state = _cast(plan.state, given - plan.state.frac_bits)
        largest = max(largest, _cast_bound(reach_of(layer), state["shift"]))
    return {
        **_geometry(layer.sized),
        "weights": encoded_array(layer.weights),
        "border": layer.border,
        "starts": encoded_array(layer.starts),
        "ends": encoded_array(layer.ends),
        "sums": sums,
        "lift": layer.biased_frac_bits - layer.sum_frac_bits,
        "stage": stage,
        "stairs": [
            {"thresholds": encoded_array(each.thresholds), "levels": encoded_array(each.levels)}
            for each in tables
        ],
        "state": state,
        "rectify": isinstance(plan.activation, Relu),
        "long_sums": largest_sum >= DOUBLE,
        "long_stage": largest >= DOUBLE,
        "sum_bound": str(layer.sum_bound),
        "sum_format": "exact" if plan.accumulator is None else plan.accumulator.form.text,
        "weight_format": plan.weight.text,
        **_shown(plan.state, plan.state_scale),
    }


def _sums(layer: IntegerLayer, product_bits: int) -> tuple[dict[str, Any], int]:
    """Return how sums are made, and a bound of every integer on the way."""
    accumulator = layer.plan.accumulator
    most = int(np.abs(layer.weights.astype(np.int64)).max(initial=0)) * layer.input.magnitude
    if accumulator is None:
        method = "largest" if isinstance(layer.sized.layer, MaxPool) else "exact"
        return {"method": method}, max(layer.sum_bound, most)
    form, product = accumulator.form, accumulator.product
    held = form.magnitude + 1
    if product is not None:
        common = max(form.frac_bits, product.frac_bits)
        first = _cast(product, product_bits - product.frac_bits)
        last = _cast(form, common - form.frac_bits)
        lift, own = common - product.frac_bits, common - form.frac_bits
        total = (held << own) + (product.magnitude + 1 << lift)
        bound = max(_cast_bound(most, first["shift"]), _cast_bound(total, last["shift"]))
        return {
            "method": "split",
            "product": first,
            "total": last,
            "product_lift": lift,
            "total_lift": own,
        }, bound
    shift = product_bits - form.frac_bits
    if accumulator.fused:
        bound = _cast_bound((held << shift) + most, shift)
        return {"method": "fused", "total": _cast(form, shift), "total_lift": shift}, bound
    bound = max(_cast_bound(most, shift), 4 * held)
    return {"method": "product", "product": _cast(form, shift), "total": _cast(form, 0)}, bound


def _cast_bound(most: int, shift: int) -> int:
    """Return a bound of what a cast by `shift` holds on the way; what wraps adds the range, of 32 bits."""
    return (most << max(-shift, 0)) + (1 << max(shift, 0)) + (1 << 33)


def _codes(network: IntegerNetwork) -> dict[str, Any] | None:
    """Return the codes of an RBF output layer, where squares and products are exact in double precision."""
    if network.codes is None:
        return None
    name, plan = network.network.layers[-1].name, network.plan.layers[-1]
    inputs = network.codes.shape[1]
    if inputs * plan.state.magnitude**2 >= DOUBLE:
        raise InputError(
            f"Layer '{name}' can not be put in a page: its distances sum {inputs} squares of "
            f"{plan.state.text}, more than double precision holds exactly; sums below 2^53 are allowed. Give "
            "the layer below fewer bits."
        )
    step = plan.state.step * plan.state_scale
    return {
        "name": name,
        "step": step,
        "step_squared": step**2,
        "inputs": inputs,
        "classes": len(network.codes),
        "rows": encoded_array(network.codes),
    }


def _float_layer(sized: SizedLayer, trained: Trained, order: Any) -> dict[str, Any]:  # noqa: ANN401 - a tap order
    if isinstance(sized.layer, Rbf):
        return {**_geometry(sized), "codes": encoded_array(code_matrix(sized.layer).astype(np.int8))}
    activation: dict[str, Any] = msgspec.to_builtins(sized.layer.activation)
    if isinstance(sized.layer, MaxPool | AveragePool):
        return {**_geometry(sized), "activation": activation}
    biases = np.asarray(trained.parameters[f"{sized.name}.bias"], np.float32).ravel()
    border = sized.layer.border if isinstance(sized.layer, Conv) else 0.0
    rows = weight_rows(sized, np.asarray(trained.parameters[f"{sized.name}.weight"], np.float32), order)
    return {
        **_geometry(sized),
        "weights": encoded_array(rows),
        "biases": encoded_array(biases if biases.size == sized.units else np.repeat(biases, sized.positions)),
        "border": border,
        "activation": activation,
    }
