"""Golden vectors: every integer of a network and of some digits, for anyone's test bench."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw_sim.export.files import Files, Origin, digest, json_file, mem, network_digest, npz, signed_bits, span
from hw_sim.export.steps import reach_of, threshold_table
from hw_sim.fixed_point.quantize import IntegerLayer, IntegerNetwork
from hw_sim.fixed_point.trace import LayerTrace, Trace
from hw_sim.plan.plan_file import plan_toml

Arrays = dict[str, NDArray[Any]]

STAGES = {
    "sums": "sums of products, with the bias where they start with it",
    "after_bias": "sums with a bias that is added last",
    "preactivations": "what enters the activation",
    "states": "states",
}


def golden(network: IntegerNetwork, traced: Trace, origin: Origin) -> Files:
    """Return every integer of `network`, and of the digits in `traced`, as files.

    Parameters
    ----------
    network
        The network of integers.
    traced
        What it makes of some digits: see `hw_sim.fixed_point.trace.trace`.
    origin
        Where all this comes from.

    Returns
    -------
    dict of str to bytes
        ``network.npz`` and ``digits.npz``; the same arrays as ``mem/*.mem``; ``plan.toml``;
        ``manifest.json``; ``README.md``, which explains them.
    """
    fixed: Arrays = {}
    for layer in network.layers:
        fixed |= {f"{layer.sized.name}.{name}": array for name, array in _layer(layer).items()}
    if network.codes is not None:
        fixed[f"{network.network.layers[-1].name}.codes"] = network.codes
    digits: Arrays = {"pixels": traced.inputs}
    widths = {"pixels": signed_bits(network.plan.input.low, network.plan.input.high)}
    for layer, each in zip(network.layers, traced.layers, strict=True):
        digits |= {f"{each.layer}.inputs": each.inputs}
        digits |= {f"{each.layer}.{stage}": getattr(each, stage) for stage in STAGES}
        widths[f"{each.layer}.states"] = signed_bits(layer.plan.state.low, layer.plan.state.high)
    answers = traced.outputs.argmax(axis=1)
    digits["outputs"], digits["answers"] = traced.outputs, answers
    files: Files = {"network.npz": npz(fixed), "digits.npz": npz(digits)}
    for name, array in (fixed | digits).items():
        if name == "outputs" or name.endswith(".inputs"):
            continue  # real numbers; states of the layer below with its border
        bits = widths.get(name) or span(array)
        files[f"mem/{name}.mem"] = mem(array, bits, f"{name} {'×'.join(map(str, array.shape))}")
    files["plan.toml"] = plan_toml(network.plan).encode()
    files["README.md"] = _page(network, traced, origin).encode()
    files["manifest.json"] = json_file(_manifest(network, traced, origin, fixed | digits, files))
    return files


def _layer(layer: IntegerLayer) -> Arrays:
    """Return the integers of a layer that no digit changes."""
    connections = layer.connections
    arrays: Arrays = {
        "weights": layer.weights,
        "fan_in": connections.fan_in,
        "tables": connections.tables,
        "sources": connections.sources,
        "biases": layer.ends if layer.plan.bias_at == "end" else layer.starts,
    }
    if layer.multipliers:
        arrays["multipliers"] = np.array(layer.multipliers, np.int64)
    reach = reach_of(layer)
    for index, stairs in enumerate(layer.step_functions):
        steps, own = threshold_table(stairs, reach), f"{index}." if len(layer.step_functions) > 1 else ""
        arrays |= {f"{own}thresholds": steps.thresholds, f"{own}levels": steps.levels}
    return arrays


def _manifest(
    network: IntegerNetwork, traced: Trace, origin: Origin, arrays: Arrays, files: Files
) -> dict[str, Any]:
    plan = network.plan
    layers = []
    for layer, each, formats in zip(network.layers, traced.layers, plan.layers, strict=True):
        accumulator = formats.accumulator
        layers.append(
            {
                "layer": each.layer,
                "kind": layer.sized.layer.__struct_config__.tag,
                "input_shape": layer.sized.input,
                "output_shape": layer.sized.output,
                "taps": [int(taps) for taps in layer.connections.fan_in],
                "border": layer.border,
                "input_format": layer.input.text,
                "weight_format": formats.weight.text,
                "weight_shift": layer.prescale,
                "bias_format": formats.bias.text,
                "bias_at": formats.bias_at,
                "accumulator_format": None if accumulator is None else accumulator.form.text,
                "product_format": None
                if accumulator is None or accumulator.product is None
                else accumulator.product.text,
                "fused": accumulator is not None and accumulator.fused,
                "preactivation_format": None if formats.preactivation is None else formats.preactivation.text,
                "requantise": formats.requantise,
                "state_format": formats.state.text,
                "activation": formats.activation.__struct_config__.tag,
                **_scales(each),
                "sum_bound": layer.sum_bound,
            }
        )
    return {
        "schema": "retronet/golden/1",
        "origin": origin,
        "network": network.network.name,
        "digest": network_digest(network),
        "tap_order": plan.tap_order,
        "input_format": plan.input.text,
        "input_scale": plan.input_scale,
        "digits": len(traced.inputs),
        "layers": layers,
        "arrays": {name: {"shape": array.shape, "type": str(array.dtype)} for name, array in arrays.items()},
        "plan": plan_toml(plan),
        "sha256": {name: digest(content) for name, content in sorted(files.items())},
    }


def _scales(each: LayerTrace) -> dict[str, Any]:
    return {
        "sum_frac_bits": each.sum_frac_bits,
        "after_bias_frac_bits": each.after_bias_frac_bits,
        "preactivation_frac_bits": each.preactivation_frac_bits,
        "state_frac_bits": each.state_frac_bits,
        "sum_scales": each.sum_scales,
        "preactivation_scales": each.preactivation_scales,
        "state_scale": each.state_scale,
    }


def _page(network: IntegerNetwork, traced: Trace, origin: Origin) -> str:
    order = {
        "plane_fastest": "kernel row, kernel column, plane: the plane changes fastest",
        "plane_slowest": "plane, kernel row, kernel column: the plane changes slowest",
    }[network.plan.tap_order]
    layers = "\n".join(
        f"| {layer.sized.name} | {'×'.join(map(str, layer.sized.input))} | "
        f"{'×'.join(map(str, layer.sized.output))} | {max(layer.sized.fan_in)} | {layer.border} | "
        f"{_activation(layer)} |"
        for layer in network.layers
    )
    names = "\n".join(f"| `LAYER.{name}` | digits, output shape | {text} |" for name, text in STAGES.items())
    codes = "" if network.codes is None else CODES.format(name=network.network.layers[-1].name)
    page = (Path(__file__).parent / "golden.md").read_text(encoding="utf-8")
    return page.format(
        network=network.network.name,
        run=origin.run,
        digits=origin.digits,
        count=len(traced.inputs),
        program=origin.program,
        order=order,
        layers=layers,
        stages=names,
        codes=codes,
    )


def _activation(layer: IntegerLayer) -> str:
    count = len(layer.step_functions)
    return "cast" if count == 0 else "a staircase" if count == 1 else "a staircase a map"


CODES = """
The last layer, `{name}`, measures distances to its codes (±1, `{name}.codes`): an answer is the row with the
smallest sum of `(state − code)²` over real states; `outputs` holds minus those.
"""
