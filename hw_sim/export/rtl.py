"""A circuit in SystemVerilog that runs an integer network, with test benches that know the simulator's sums.

The modules in the folder ``rtl`` are the same for every network. What is made here are their parameters, the
constants and casts of each layer, the memories, and digits with every sum and state the simulator makes of
them.
"""

from pathlib import Path
from string import Template

import numpy as np

from hw_sim.export.arithmetic import functions_of, literal
from hw_sim.export.circuit import Circuit, CircuitLayer, circuit
from hw_sim.export.files import Files, Origin, json_file, mem, network_digest, span
from hw_sim.fixed_point.quantize import IntegerNetwork
from hw_sim.fixed_point.trace import Trace
from hw_sim.plan.plan_file import plan_toml
from retronet.network import MaxPool

FOLDER = Path(__file__).parent / "rtl"
MODULES = ("memory.sv", "network.sv", "pins.sv", "testbench.sv", "testbench.cpp", "Makefile")
TITLES = {
    "weights": "weights in the order in which they are read, those of the first map in the lowest bits",
    "biases": "biases in the order in which units are made",
    "planes": "offsets of the planes that each group of maps reads; the highest bit marks the last one",
    "scales": "multipliers (31 bits), shifts to the left (5) and to the right (6) of sums",
    "levels": "states, by table and threshold",
}


def rtl(network: IntegerNetwork, traced: Trace, origin: Origin, macs: int = 1) -> Files:
    """Return the circuit of `network` with `macs` multipliers, as files.

    Parameters
    ----------
    network
        The network of integers.
    traced
        What it makes of the digits that the test benches shall run, one or more.
    origin
        Where all this comes from.
    macs
        Multiplications a cycle: maps that are computed side by side.

    Raises
    ------
    InputError
        If the circuit can not compute what a layer does; the message names the layer.
    """
    made = circuit(network, macs)
    files = {name: (FOLDER / name).read_bytes() for name in MODULES}
    files["parameters.svh"] = _parameters(made, len(traced.inputs)).encode()
    files["layers.svh"] = _layers(made).encode()
    for name, memory in made.memories.items():
        title = TITLES.get(name, "thresholds of a level of the search trees, table by table")
        files[f"{name}.mem"] = mem(memory.words, memory.bits, title)
    files |= _digits(made, traced)
    record = {
        "schema": "retronet/circuit/1",
        "origin": origin,
        "network": network.network.name,
        "digest": network_digest(network),
        "macs": macs,
        "cycles_per_digit": made.cycles,
        "macs_per_digit": sum(layer.layer.sized.macs for layer in made.layers),
        "weight_bits": made.sizes["WEIGHT_BITS"],
        "state_bits": made.sizes["STATE_BITS"],
        "memory_bits": made.memory_bits,
        "digits": len(traced.inputs),
        "parameters": made.sizes,
        "plan": plan_toml(network.plan),
        "description": network.network,
    }
    files["circuit.json"] = json_file(record)
    files["README.md"] = _page(made, traced, origin).encode()
    return files


def _parameters(made: Circuit, digits: int) -> str:
    """Return the parameters of the modules, and of the test benches."""
    sizes = made.sizes | {"CYCLES": made.cycles, "DIGITS": digits}
    return ",\n".join(f"    parameter integer {name} = {value}" for name, value in sizes.items()) + "\n"


def _layers(made: Circuit) -> str:
    """Return the constants of each layer, chosen by its number, and its arithmetic."""
    sizes, layers = made.sizes, made.layers
    rows, address, unit = sizes["ROW_BITS"], sizes["ADDRESS_BITS"], sizes["UNIT_BITS"]
    count, lanes = sizes["COUNT_BITS"], sizes["LANE_BITS"]
    shapes = [layer.geometry for layer in layers]
    above = [min(made.macs, layer.layer.sized.output[0]) for layer in layers[1:]] + [0]
    parts = [
        _table("kernel_rows", count, [shape.kernel[0] - 1 for shape in shapes]),
        _table("kernel_columns", count, [shape.kernel[1] - 1 for shape in shapes]),
        _table("output_rows", count, [shape.outputs[0] - 1 for shape in shapes]),
        _table("output_columns", count, [shape.outputs[1] - 1 for shape in shapes]),
        _table("rows", rows, [shape.rows for shape in shapes], signed=True),
        _table("columns", rows, [shape.columns for shape in shapes], signed=True),
        _table("first_row", rows, [shape.first[0] for shape in shapes], signed=True),
        _table("first_column", rows, [shape.first[1] for shape in shapes], signed=True),
        _table("row_stride", rows, [shape.stride[0] for shape in shapes], signed=True),
        _table("column_stride", rows, [shape.stride[1] for shape in shapes], signed=True),
        _table("first_row_address", address, [shape.first[0] * shape.columns for shape in shapes]),
        _table("row_step", address, [shape.stride[0] * shape.columns for shape in shapes]),
        _table("groups", sizes["GROUP_BITS"], [layer.groups - 1 for layer in layers]),
        _table("tail_lanes", lanes, [layer.tail for layer in layers]),
        _table("lanes_of_next_layer", lanes, above),
        _table("own_planes", 1, [int(layer.own_planes) for layer in layers]),
        _table("bias_per_unit", 1, [int(layer.bias_per_unit) for layer in layers]),
        _table("bias_at_end", 1, [int(layer.bias_at_end) for layer in layers]),
        _table("first_unit", unit, [layer.first_unit for layer in layers]),
        _table("positions", unit, [layer.layer.sized.positions for layer in layers]),
        _table("group_step", unit, [made.macs * layer.layer.sized.positions for layer in layers]),
        _table("input_place", address, [layer.input_place for layer in layers]),
        _table("output_place", address, [layer.output_place - layer.first_unit for layer in layers]),
        _table("border", sizes["STATE_BITS"], [layer.layer.border for layer in layers], signed=True),
        _table("keeps_largest", 1, [int(isinstance(each.layer.sized.layer, MaxPool)) for each in layers]),
        _table("searched", 1, [int(bool(layer.tables)) for layer in layers]),
        _table("lowest_state", sizes["STATE_BITS"], _lowest(layers), of="TABLE", signed=True),
        _place("table_of", sizes["TABLE_BITS"], [(layer.table, len(layer.tables)) for layer in layers]),
        _place(
            "scale_of",
            sizes["SCALE_ADDRESS_BITS"],
            [(layer.scale, len(layer.layer.multipliers)) for layer in layers],
        ),
        functions_of(made),
    ]
    names = ", ".join(f"{index} {layer.layer.sized.name}" for index, layer in enumerate(layers))
    head = f"  // {made.network.network.name} has the layers {names}.\n"
    return head + "\n".join(parts)


def _table(name: str, bits: int, values: list[int], *, of: str = "LAYER", signed: bool = False) -> str:
    """Return a function that gives each layer (or staircase) its constant."""
    kind, argument = "signed " if signed else "", "layer" if of == "LAYER" else "staircase"
    head = f"  function automatic {kind}[{bits - 1}:0] {name}(input [{of}_BITS-1:0] {argument});\n"

    def constant(value: int) -> str:
        return literal(value, bits) if signed else f"{bits}'d{value % (1 << bits)}"

    if len(set(values)) == 1:
        body = f"    {name} = {constant(values[0])};\n"
    else:
        cases = [f"      {index}: {name} = {constant(value)};\n" for index, value in enumerate(values[:-1])]
        cases.append(f"      default: {name} = {constant(values[-1])};\n")
        body = f"    case ({argument})\n{''.join(cases)}    endcase\n"
    return f"{head}{body}  endfunction\n"


def _place(name: str, bits: int, parts: list[tuple[int, int]]) -> str:
    """Return a function that gives the place of a layer's only entry, or of that of each map."""
    inputs = "input [LAYER_BITS-1:0] layer, input [MAP_BITS-1:0] map"
    head = f"  function automatic [{bits - 1}:0] {name}({inputs});\n"
    lines = [
        f"      {index}: {name} = {first}{' + map' if count > 1 else ''};\n"
        for index, (first, count) in enumerate(parts)
    ]
    lines[-1] = lines[-1].replace(f"{len(parts) - 1}:", "default:", 1)
    return f"{head}    case (layer)\n{''.join(lines)}    endcase\n  endfunction\n"


def _lowest(layers: tuple[CircuitLayer, ...]) -> list[int]:
    return [int(each.levels[0]) for layer in layers for each in layer.tables] or [0]


def _digits(made: Circuit, traced: Trace) -> Files:
    """Return what goes into the test benches: pixels, sums and states of all units, digit by digit."""
    sizes, count = made.sizes, len(traced.inputs)
    sums = np.concatenate([layer.sums.reshape(count, -1) for layer in traced.layers], axis=1)
    states = np.concatenate([layer.states.reshape(count, -1) for layer in traced.layers], axis=1)
    answers = traced.layers[-1].states.reshape(count, -1).argmax(axis=1)
    return {
        "digits.mem": mem(traced.inputs, sizes["STATE_BITS"], "pixels, digit after digit"),
        "sums.mem": mem(sums, sizes["SUM_BITS"], "sums of all units, digit after digit"),
        "states.mem": mem(states, sizes["STATE_BITS"], "states of all units, digit after digit"),
        "answers.mem": mem(answers, max(span(answers), 8), "answers"),
        "cycles.mem": mem([made.cycles], 32, "cycles of a digit"),
    }


def _page(made: Circuit, traced: Trace, origin: Origin) -> str:
    """Return the page that explains the folder."""
    template = Template((FOLDER / "README.md").read_text(encoding="utf-8"))
    bits = made.memory_bits
    rows = [
        f"| {layer.layer.sized.name} | {layer.layer.sized.output[0]} | {layer.layer.sized.positions} | "
        f"{layer.groups} | {', '.join(map(str, dict.fromkeys(layer.group_taps)))} | {layer.layer.method} |"
        for layer in made.layers
    ]
    return template.substitute(
        network=made.network.network.name,
        run=origin.run,
        digits=origin.digits,
        count=len(traced.inputs),
        macs=made.macs,
        cycles=f"{made.cycles:,}",
        spacing=made.sizes["SPACING"],
        flush=made.sizes["FLUSH"],
        layers="\n".join(rows),
        memories="\n".join(f"| {name} | {value:,} |" for name, value in bits.items()).removeprefix("| "),
        total=f"{sum(bits.values()):,}",
    )
