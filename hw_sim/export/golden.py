"""Golden vectors: every integer of a network and of some digits, for a test bench that someone else writes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw_sim.export.files import Files, Origin, digest, json_file, mem, network_digest, npz, signed_bits, span
from hw_sim.export.steps import reach_of, steps_of
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
        ``network.npz`` and ``digits.npz``; the same arrays as ``mem/*.mem``; ``plan.toml``; ``manifest.json``;
        ``README.md``, which explains them.
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
    found: Arrays = {
        "weights": layer.weights,
        "fan_in": connections.fan_in,
        "tables": connections.tables,
        "sources": connections.sources,
        "biases": layer.ends if layer.plan.bias_at == "end" else layer.starts,
    }
    if layer.multipliers:
        found["multipliers"] = np.array(layer.multipliers, np.int64)
    reach = reach_of(layer)
    for index, stairs in enumerate(layer.step_functions):
        steps, own = steps_of(stairs, reach), f"{index}." if len(layer.step_functions) > 1 else ""
        found |= {f"{own}thresholds": steps.thresholds, f"{own}levels": steps.levels}
    return found


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
        f"| {layer.sized.name} | {'×'.join(map(str, layer.sized.input))} | {'×'.join(map(str, layer.sized.output))} | "
        f"{max(layer.sized.fan_in)} | {layer.border} | {_activation(layer)} |"
        for layer in network.layers
    )
    names = "\n".join(f"| `LAYER.{name}` | digits, output shape | {text} |" for name, text in STAGES.items())
    codes = "" if network.codes is None else CODES.format(name=network.network.layers[-1].name)
    return PAGE.format(
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

PAGE = """# Golden vectors of {network}

Run: {run}. Digits: {digits}, {count} of them. Made by {program}.

Every integer that the simulator holds, for a test bench. `manifest.json` has the formats, shapes and digests,
`plan.toml` the plan that `retronet simulate --plan` reads. All arrays are in `network.npz` and `digits.npz`, the same
integers as `mem/NAME.mem` for `$readmemh`: one word of two's complement in hex a line, row-major; the head states count
and width.

A number is its integer times `2^-frac_bits`, times its scale where that is not 1 (`manifest.json` has both).

| layer | input | output | most taps | border | activation |
|---|---|---|---|---|---|
{layers}

## A layer, step by step

1. A unit of map `m` at position `p` (row-major) starts at `biases[m, p]`, or at 0 where `bias_at` is `end`.
2. For `t` from 0 to `fan_in[m] − 1` it adds `weights[m, t] · x[sources[tables[m], p, t]]`, `x` being the states below,
   planes, rows and columns flattened; the index one past the last unit is the border. After each product the sum is
   cast as `accumulator_format` says; without one it is exact. `fused`: the exact product is added, then the sum is cast;
   else the product is cast first, to `product_format` where there is one.
3. A bias that comes last is added exactly, with `after_bias_frac_bits`.
4. `requantise` or a cast to `preactivation_format` follows where there is one.
5. The activation: the state is `levels[k]` where `k` of the ascending `thresholds` are not above the sum; without
   thresholds the sum is cast to the state's format (negative sums as 0 for `relu`).

Taps go by {order}. Weights include `weight_shift` bits to the left.

| array | shape | what |
|---|---|---|
| `LAYER.weights` | maps, most taps | in tap order; a map with fewer taps has zeros at the end |
| `LAYER.fan_in`, `LAYER.tables` | maps | taps of a map, and its table of sources |
| `LAYER.sources` | tables, positions, most taps | unit below that a tap reads |
| `LAYER.biases` | units | one a unit, also where a map shares one |
| `LAYER.thresholds`, `LAYER.levels` | steps, steps + 1 | the activation; `LAYER.0.thresholds` … where each map has its own |
| `LAYER.multipliers` | 1 or maps, 2 | multiplier and shift: times `multiplier · 2^(shift − 31)`, rounded as `requantise` says |
| `pixels` | digits, pixels | inputs |
| `LAYER.inputs` | digits, planes, rows, columns | what a layer reads, with its border (npz alone) |
{stages}
| `outputs`, `answers` | digits, classes | real outputs (npz alone), and the class of the largest |
{codes}"""
