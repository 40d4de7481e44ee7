"""How the layers of a network fall on an array of dot products: calls, cells and moves, all counted."""

import math
from dataclasses import dataclass

from hw_sim.chips.spec import ChipConstant, NeuronArray
from retronet.errors import ChoiceError, InputError
from retronet.network import Conv, MaxPool, SizedLayer, Subsample


@dataclass(frozen=True)
class CallPlan:
    """What one layer asks of an array for one image.

    Attributes
    ----------
    calls
        Times that the array makes its dot products.
    cells
        Weights that lie in the array, rounded up to its grain, zeros that fill a shared field included.
    input_moves, output_moves, weight_moves
        Cycles to bring states in, to take states out and to bring all cells in; absent if a port is unknown.
    partial_sums
        Sums that an array which does not accumulate leaves to be added elsewhere, at no cost here.
    products
        Products of one cell and one input that are of use; the rest of a call is idle.
    """

    calls: int
    cells: int
    input_moves: int | None
    output_moves: int | None
    weight_moves: int | None
    partial_sums: int
    products: int


def whole(constant: ChipConstant) -> int:
    """Return a constant that is known to be a whole number."""
    return int(number(constant))


def number(constant: ChipConstant) -> float:
    """Return a constant that is known: see `hw_sim.chips.constants.check`."""
    assert constant.value is not None
    return constant.value


def slices(array: NeuronArray, weight_bits: int, state_bits: int, chip: str) -> tuple[int, int]:
    """Return the cells that a weight takes and the inputs that a state takes.

    Raises
    ------
    InputError
        If numbers are wider than a cell and can not be joined from several.
    """
    joined = []
    for what, bits, held in (
        ("weights", weight_bits, array.weight_bits),
        ("states", state_bits, array.state_bits),
    ):
        if bits < 1:
            raise ChoiceError(
                f"The {what} can not have {bits} bits: 1 or more are allowed. Give such a number."
            )
        joined.append(math.ceil(bits / number(held)))
    if joined[0] * joined[1] > whole(array.max_joined):
        raise ChoiceError(
            f"The chip '{chip}' can not take weights of {weight_bits} and states of {state_bits} bits: a sum "
            f"takes {joined[0] * joined[1]} of its dot products; it joins at most {whole(array.max_joined)}. "
            "Use fewer bits, or another chip."
        )
    return joined[0], joined[1]


def map_layer(
    sized: SizedLayer, array: NeuronArray, weight_bits: int, state_bits: int, chip: str
) -> CallPlan:
    """Lay one layer out on `array`.

    Maps that read the same planes share a call; where that takes fewer calls, all maps share one field over
    all planes that any of them reads, with zeros in the holes. One position is computed after the other.

    Raises
    ------
    InputError
        If the numbers are too wide for the array, or the layer is no sum of products.
    """
    if isinstance(sized.layer, MaxPool):
        raise InputError(
            f"Layer '{sized.name}' can not run on the chip '{chip}': it takes the largest of a window, and "
            "the chip makes sums of products. Choose a network without max_pool layers, or a processor, such "
            "as sun4-260."
        )
    weight_cells, state_inputs = slices(array, weight_bits, state_bits, chip)
    apart: dict[tuple[int, ...], int] = {}
    for seen in sized.sees:
        apart[seen] = apart.get(seen, 0) + 1
    together = {tuple(sorted(set().union(*sized.sees))): len(sized.sees)}

    def calls_of(fields: dict[tuple[int, ...], int]) -> int:
        return sum(
            _calls(maps, len(seen) * sized.taps_per_plane, array, weight_cells, state_inputs)
            for seen, maps in fields.items()
        )

    fields = together if calls_of(together) < calls_of(apart) else apart
    grain = whole(array.cell_grain)
    cells, parts = 0, 0
    for seen, maps in fields.items():
        fan_in = len(seen) * sized.taps_per_plane
        cells += maps * math.ceil(fan_in / grain) * grain * weight_cells * state_inputs
        joined = math.ceil(fan_in / whole(array.inputs)) * weight_cells * state_inputs
        if not whole(array.accumulates):
            parts += maps * (math.ceil(joined / whole(array.max_joined)) - 1)
    outputs = _moves(sized.output[0], state_bits, array.state_out_port_bits)
    return CallPlan(
        calls=sized.positions * calls_of(fields),
        cells=cells,
        input_moves=_input_moves(sized, sum(map(len, fields)), array, state_bits),
        output_moves=None if outputs is None else sized.positions * outputs,
        weight_moves=_moves(cells, number(array.weight_bits), array.weight_port_bits),
        partial_sums=sized.positions * parts,
        products=sized.positions * sum(sized.fan_in) * weight_cells * state_inputs,
    )


def _calls(maps: int, fan_in: int, array: NeuronArray, weight_cells: int, state_inputs: int) -> int:
    """Return the calls for `maps` dot products over one field at one position."""
    segments = math.ceil(fan_in / whole(array.inputs)) * state_inputs
    neurons_per_group = whole(array.neurons) // whole(array.groups)
    groups = segments * math.ceil(maps * weight_cells / neurons_per_group)
    return math.ceil(groups / whole(array.groups))


def _input_moves(sized: SizedLayer, planes: int, array: NeuronArray, bits: int) -> int | None:
    """Return the cycles to bring in the fields of all positions, row by row."""
    rows, columns = sized.output[1:]
    taps = planes * sized.taps_per_plane
    fresh = taps
    if whole(array.keeps_window):
        match sized.layer:
            case Conv(kernel=kernel, stride=stride):
                fresh = planes * kernel * min(stride, kernel)
            case Subsample() | _:
                pass
    first, following = (_moves(states, bits, array.state_in_port_bits) for states in (taps, fresh))
    if first is None or following is None:
        return None
    return rows * (first + (columns - 1) * following)


def _moves(count: int, bits: float, port_bits: ChipConstant) -> int | None:
    """Return the cycles to move `count` numbers through a port."""
    if port_bits.value is None:
        return None
    at_once = int(port_bits.value // bits)
    return math.ceil(count / at_once) if at_once else count * math.ceil(bits / port_bits.value)
