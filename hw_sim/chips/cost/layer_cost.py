"""What one layer costs on a chip: the parts of its time, its energy and what binds it. All modelled."""

import math
from collections.abc import Sequence
from typing import Literal

import msgspec

from hw_sim.chips.cost.mapping import CallPlan, number, whole
from hw_sim.chips.spec import ChipSpec, Energy, Host, NeuronArray, Processor
from retronet.errors import InputError
from retronet.network import SizedLayer

Bound = Literal["compute", "weight load", "state input", "state output", "overhead", "host interface"]


class Work(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Work of one layer for one image; a mean where it was counted over several.

    ``other_operations`` are the comparisons and additions of pools, which are no MACs.
    """

    macs: float
    weight_reads: float
    state_reads: float
    state_writes: float
    other_operations: float = 0.0


class LayerCost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one layer costs for one image; times in seconds, modelled.

    ``seconds`` is the sum of the parts, or what the host takes if that is more; state input hides behind
    compute where the chip does both at once. A part that rests on an unknown constant is absent and counts as
    nothing. ``cycles`` are those in which the chip is busy, the host aside. ``utilisation`` is the share of
    the products of all calls that are of use.
    """

    layer: str
    chip: str
    work: Work
    calls: int
    cells: int
    partial_sums: int
    instructions: float
    cycles: float
    compute_s: float
    overhead_s: float
    weight_load_s: float | None
    state_input_s: float | None
    state_output_s: float | None
    host_s: float | None
    seconds: float
    utilisation: float
    energy_j: float | None
    bound_by: Bound


def on_processor(chip: ChipSpec, engine: Processor, sized: SizedLayer, work: Work) -> LayerCost:
    """Return the cost of a layer on a machine that does one MAC after the other.

    A comparison or an addition of a pool is taken to last as long as a MAC.
    """
    cycle_s = number(engine.cycle_s)
    mac_cycles = (work.macs + work.other_operations) * number(engine.cycles_per_mac)
    unit_cycles = work.state_writes * number(engine.cycles_per_unit)
    parts: list[tuple[Bound, float]] = [
        ("compute", mac_cycles * cycle_s),
        ("overhead", unit_cycles * cycle_s),
    ]
    return LayerCost(
        layer=sized.name,
        chip=chip.name,
        work=work,
        calls=sized.macs + sized.comparisons + sized.additions,
        cells=0,
        partial_sums=0,
        instructions=mac_cycles + unit_cycles,
        cycles=mac_cycles + unit_cycles,
        compute_s=parts[0][1],
        overhead_s=parts[1][1],
        weight_load_s=0.0,
        state_input_s=0.0,
        state_output_s=0.0,
        host_s=None,
        seconds=parts[0][1] + parts[1][1],
        utilisation=mac_cycles / (mac_cycles + unit_cycles) if mac_cycles else 0.0,
        energy_j=_energy_j(chip.energy, work),
        bound_by=largest(parts),
    )


def on_array(
    chip: ChipSpec,
    array: NeuronArray,
    sized: SizedLayer,
    work: Work,
    mapping: CallPlan,
    loads: float,
    host: Host | None,
) -> LayerCost:
    """Return the cost of a layer on an array whose weights are loaded `loads` times an image."""
    cycle_s = number(array.cycle_s)
    compute_cycles = mapping.calls * number(array.cycles_per_call)
    overhead_cycles = sized.positions * number(array.cycles_per_position)
    weight_moves = mapping.weight_moves if loads else 0
    weight_load_s = None if weight_moves is None else weight_moves * loads * cycle_s
    input_s = None if mapping.input_moves is None else mapping.input_moves * cycle_s
    output_s = None if mapping.output_moves is None else mapping.output_moves * cycle_s
    parts: list[tuple[Bound, float]] = [
        ("compute", compute_cycles * cycle_s),
        ("overhead", overhead_cycles * cycle_s),
        ("weight load", weight_load_s or 0.0),
        ("state input", input_s or 0.0),
        ("state output", output_s or 0.0),
    ]
    hidden = min(compute_cycles, mapping.input_moves or 0) if whole(array.loads_in_parallel) else 0
    moves = (weight_moves or 0) * loads + (mapping.input_moves or 0) + (mapping.output_moves or 0)
    instructions = mapping.calls + overhead_cycles + moves
    cycles = compute_cycles + overhead_cycles + moves - hidden
    chip_s = cycles * cycle_s
    host_s = None if host is None else _host_s(host, instructions, moved_bytes(array, mapping, loads))
    seconds = chip_s if host_s is None else max(chip_s, host_s)
    return LayerCost(
        layer=sized.name,
        chip=chip.name,
        work=work,
        calls=mapping.calls,
        cells=mapping.cells,
        partial_sums=mapping.partial_sums,
        instructions=instructions,
        cycles=cycles,
        compute_s=compute_cycles * cycle_s,
        overhead_s=overhead_cycles * cycle_s,
        weight_load_s=weight_load_s,
        state_input_s=input_s,
        state_output_s=output_s,
        host_s=host_s,
        seconds=seconds,
        utilisation=mapping.products / (mapping.calls * whole(array.neurons) * whole(array.inputs)),
        energy_j=_energy_j(chip.energy, work),
        bound_by="host interface" if host_s is not None and host_s > chip_s else largest(parts),
    )


def loads_per_image(images_per_load: int) -> float:
    """Return how often weights are loaded for one image.

    Raises
    ------
    InputError
        If they would never be.
    """
    if images_per_load < 1:
        raise InputError(
            f"Weights can not be loaded once every {images_per_load} images: 1 or more are allowed. "
            "Give such a number."
        )
    return 1 / images_per_load


def moved_bytes(array: NeuronArray, mapping: CallPlan, loads: float) -> float:
    """Return the bytes that cross the ports for one image."""
    ports = (
        ((mapping.weight_moves or 0) * loads, array.weight_port_bits),
        (mapping.input_moves or 0, array.state_in_port_bits),
        (mapping.output_moves or 0, array.state_out_port_bits),
    )
    return math.fsum(moves * (port.value or 0.0) for moves, port in ports) / 8


def _host_s(host: Host, instructions: float, crossing_bytes: float) -> float | None:
    """Return the time that the host takes; instructions and data go over buses of their own."""
    times = [
        amount / rate.value
        for amount, rate in ((instructions, host.instructions_per_s), (crossing_bytes, host.bytes_per_s))
        if rate.value is not None
    ]
    return max(times, default=None)


def refresh_s_of(array: NeuronArray) -> float | None:
    """Return the time to load every weight once, where weights fade."""
    port = array.weight_port_bits.value
    if array.refresh_period_s is None or port is None:
        return None
    return whole(array.cells) / (port // number(array.weight_bits)) * number(array.cycle_s)


def _energy_j(energy: Energy | None, work: Work) -> float | None:
    if energy is None:
        return None
    return sum_or_none(
        [
            None if constant.value is None else amount * constant.value
            for amount, constant in (
                (work.macs, energy.mac_j),
                (work.weight_reads, energy.weight_read_j),
                (work.state_reads, energy.state_read_j),
                (work.state_writes, energy.state_write_j),
            )
        ]
    )


def sum_or_none(amounts: Sequence[float | None]) -> float | None:
    """Return the sum, or nothing if a part of it is unknown."""
    known = [amount for amount in amounts if amount is not None]
    return math.fsum(known) if len(known) == len(amounts) else None


def largest(parts: Sequence[tuple[Bound, float]]) -> Bound:
    """Return what takes the most time."""
    sums: dict[Bound, float] = {}
    for bound, seconds in parts:
        sums[bound] = sums.get(bound, 0.0) + seconds
    return max(sums, key=lambda bound: sums[bound])
