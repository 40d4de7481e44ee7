"""The formats and scales of a plan as the loop of training with the quantiser takes them."""

from collections.abc import Iterator, Sequence

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from hw_sim.formats.fixed import Fixed
from hw_sim.formats.levels import Format, encode, twice_edges
from hw_sim.kernels.quantised_training import (
    FIXED,
    LEVELS,
    Casters,
    CastTables,
    Scales,
    address_of_cast,
    address_of_others,
)
from hw_sim.plan.plan import PrecisionPlan
from retronet.engines.workspace import Parameters, Workspace
from retronet.kernels.layers import Layer
from retronet.network import Conv, NetworkSpec, SizedLayer, Subsample

Doubles = NDArray[np.float64]


def cast_tables(workspace: Workspace, plan: PrecisionPlan) -> CastTables:
    """Return the formats and scales of `plan`, laid out like the vectors of `workspace`."""
    wiring, vector, flat = workspace.machine.wiring, workspace.vector, workspace.machine.flat
    formats = list(_parameter_formats(workspace.sized_layers, plan))
    starts = [vector.starts[name] for name, *_ in formats]
    stops = [
        start + int(np.prod(vector.shapes[name])) for start, (name, *_) in zip(starts, formats, strict=True)
    ]
    divisors, scales = (np.zeros(flat.parameters.size) for _ in range(2))
    workspace.load({name: divided for name, _, divided, _ in formats}, divisors)
    workspace.load({name: scaled for name, _, _, scaled in formats}, scales)
    divisors[divisors == 0] = 1.0  # places of planes that a map does not see; their scale is 0
    state_divisors, state_scales = (np.ones(flat.activity.size) for _ in range(2))
    for row, layer in zip(wiring.table, plan.layers, strict=True):
        where = Layer(*(int(entry) for entry in row))
        units = slice(where.output, where.output + where.maps * where.positions)
        state_divisors[units] = layer.state_scale
        state_scales[units] = layer.state_scale * layer.state.step
    table = casters([form for _, form, *_ in formats])
    return CastTables(
        address_of_cast(table, flat.parameters, divisors),
        table,
        Scales(np.column_stack([starts, stops]), divisors, scales),
        casters([layer.state for layer in plan.layers]),
        state_divisors,
        state_scales,
    )


def quantised_parameters(
    parameters: Parameters, sized_layers: Sequence[SizedLayer], plan: PrecisionPlan
) -> Parameters:
    """Return `parameters` as the real numbers that their formats make of them."""
    values = dict(parameters)
    for name, form, divisors, scales in _parameter_formats(sized_layers, plan):
        values[name] = encode(values[name] / divisors, form)[0] * scales
    return values


def _parameter_formats(
    sized_layers: Sequence[SizedLayer], plan: PrecisionPlan
) -> Iterator[tuple[str, Format, Doubles, Doubles]]:
    """Yield for each array of parameters its format, its divisors, and its scales with the step."""
    for index, (sized, layer) in enumerate(zip(sized_layers, plan.layers, strict=True)):
        if not sized.trained:
            continue
        divisors = _spread(sized, layer.weight_divisor or layer.weight_scale)
        scales = _spread(sized, layer.weight_scale)
        yield f"{sized.name}.weight", layer.weight, divisors, scales * layer.weight.step
        # A bias is a sum, whose scale is that of the products.
        sums = np.array(layer.weight_scale) * plan.input_scale_of(index)
        each = np.broadcast_to(sums, sized.output[0]).reshape(-1, *[1] * (len(sized.bias_shape) - 1))
        scale = np.broadcast_to(each, sized.bias_shape)
        yield f"{sized.name}.bias", layer.bias, scale, scale * layer.bias.step


def _spread(sized: SizedLayer, scales: Sequence[float]) -> NDArray[np.float64]:
    """Return one number for each weight of a layer, given one or one a map."""
    each = tuple(scales) * (sized.output[0] if len(scales) == 1 else 1)
    taps = (1,) * len(each) if isinstance(sized.layer, Subsample) else sized.fan_in
    return np.repeat(each, taps).reshape(sized.weight_shape)


def with_cast_borders(network: NetworkSpec, plan: PrecisionPlan) -> NetworkSpec:
    """Return the network with the borders that the formats hold."""
    layers = []
    for index, layer in enumerate(network.layers):
        if isinstance(layer, Conv):
            border = cast_values(np.array([layer.border]), plan.input_of(index), plan.input_scale_of(index))
            layer = replace(layer, border=float(border[0]))
        layers.append(layer)
    return replace(network, layers=tuple(layers))


def cast_values(values: NDArray[np.floating], form: Format, scale: float) -> NDArray[np.floating]:
    """Return `values` as the real numbers that a format with a scale makes of them."""
    return encode(values.astype(np.float64) / scale, form)[0] * (form.step * scale)


def casters(forms: Sequence[Format]) -> Casters:
    """Return formats as the kernel takes them, for numbers in single precision."""
    table = np.zeros((len(forms), 7), np.int64)
    edges: list[float] = []
    levels: list[float] = []
    for row, form in enumerate(forms):
        match form:
            case Fixed():
                modes = (form.rounding.code, form.overflow.code)
                table[row, :5] = (FIXED, *modes, form.low, form.high)
            case _:
                # The outermost edges are where clipping begins; between them the levels change.
                inner = twice_edges(form)[1:-1] / 2
                table[row] = (LEVELS, 0, 0, len(levels) - len(edges), 0, len(edges), len(inner))
                edges += inner.tolist()
                levels += form.levels
    powers = np.array([2.0**form.frac_bits for form in forms])
    others = address_of_others(table, np.zeros(0, np.float32), powers)
    return Casters(table, powers, np.array([*edges, 0.0]), np.array([*levels, 0.0]), others)
