"""What a network costs on a chip: counted work laid on its geometry, in cycles, seconds and joules.

Every time here is modelled, none measured. The model counts what the chip must do and knows no losses: its
times are the least that the stated geometry allows. What the sources measured stands beside it in
`hw_sim.chips.cost.published`, with the efficiency that would close the gap.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, assert_never

import msgspec

from hw_sim.chips.constants import constants
from hw_sim.chips.cost.layer_cost import (
    Bound,
    LayerCost,
    Work,
    largest,
    loads_per_image,
    on_array,
    on_processor,
    refresh_s_of,
    sum_or_none,
)
from hw_sim.chips.cost.mapping import map_layer, whole
from hw_sim.chips.load import load_chip
from hw_sim.chips.spec import ChipSpec, NeuronArray, Processor
from retronet.errors import ChoiceError, InputError
from retronet.network import NetworkSpec, sized_layers

if TYPE_CHECKING:  # its module loads compiled code
    from hw_sim.fixed_point.counts import LayerCounts


class CostReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a network costs on a chip for one image, modelled.

    Attributes
    ----------
    resident
        Whether the weights of all layers on the chip stay there; else they are loaded every `images_per_load`
        images.
    refresh_s
        One refresh of all weights where weights fade. How often it is due may be unknown; no time holds it.
    assumed, unknown
        Keys of the chip's constants that are assumed, and of those that are unknown and left out.
    """

    chip: str
    network: str
    weight_bits: int | None
    state_bits: int | None
    on_board: bool
    images_per_load: int
    resident: bool
    layers: tuple[LayerCost, ...]
    seconds: float
    images_per_s: float
    connections_per_s: float
    energy_j: float | None
    bound_by: Bound
    refresh_s: float | None
    assumed: tuple[str, ...]
    unknown: tuple[str, ...]

    def __repr__(self) -> str:
        return (
            f"CostReport({self.network} on {self.chip}: {self.seconds * 1e3:.4g} ms an image, modelled, "
            f"bound by {self.bound_by})"
        )


def work_of(network: NetworkSpec) -> tuple[Work, ...]:
    """Return the work of each layer as the geometry says."""
    return tuple(
        Work(
            sized.macs,
            sized.connections,
            sized.state_reads,
            sized.units,
            sized.comparisons + sized.additions,
        )
        for sized in sized_layers(network)
    )


def work_left(network: NetworkSpec, left: Mapping[str, int]) -> tuple[Work, ...]:
    """Return the work of each layer of which so many MACs are `left`, the others' reads spared too."""
    return tuple(
        Work(
            left[sized.name],
            work.weight_reads - (sized.macs - left[sized.name]),
            work.state_reads * left[sized.name] / sized.macs if sized.macs else work.state_reads,
            work.state_writes,
            work.other_operations,
        )
        for sized, work in zip(sized_layers(network), work_of(network), strict=True)
    )


def work_counted(counts: Sequence["LayerCounts"], images: int) -> tuple[Work, ...]:
    """Return the work of each layer as a simulation counted it over `images`."""
    return tuple(
        Work(
            layer.macs / images,
            layer.weight_reads / images,
            layer.state_reads / images,
            layer.state_writes / images,
            (layer.comparisons + layer.additions) / images,
        )
        for layer in counts
    )


def cost(
    chip: ChipSpec,
    network: NetworkSpec,
    *,
    work: Sequence[Work] | None = None,
    weight_bits: int | None = None,
    state_bits: int | None = None,
    on_board: bool = True,
    images_per_load: int = 1,
) -> CostReport:
    """Model what `network` costs on `chip`.

    Parameters
    ----------
    chip, network
        What is laid on what.
    work
        Counted work of each layer; what the geometry says if absent.
    weight_bits, state_bits
        Width of the numbers; the chip's own if absent. Processors have one width.
    on_board
        With the host interface and the companion that runs the last layers; else the chip's own layers alone.
    images_per_load
        Images that pass through a layer before its weights make room for another's.

    Raises
    ------
    InputError
        If the numbers are too wide for the chip, or the parts do not fit each other.
    """
    geometry = sized_layers(network)
    done = work_of(network) if work is None else tuple(work)
    if len(done) != len(geometry):
        raise InputError(
            f"The work does not fit network '{network.name}': it is of {len(done)} layers; "
            f"{len(geometry)} are needed. Count it on this network."
        )
    pairs = list(zip(geometry, done, strict=True))
    last = 0 if chip.companion is None else whole(chip.companion.last_layers)
    if last >= len(pairs):
        raise InputError(
            f"The chip '{chip.name}' leaves the last {last} layers to its companion; network "
            f"'{network.name}' has {len(pairs)}, and more are needed. Choose another network."
        )
    own = pairs[: len(pairs) - last]
    resident, refresh_s = True, None
    match chip.engine:
        case Processor():
            if weight_bits is not None or state_bits is not None:
                raise ChoiceError(
                    f"The chip '{chip.name}' has one number format and takes no widths. Leave them out."
                )
            layers = [on_processor(chip, chip.engine, *pair) for pair in own]
        case NeuronArray() as array:
            weight_bits = whole(array.weight_bits) if weight_bits is None else weight_bits
            state_bits = whole(array.state_bits) if state_bits is None else state_bits
            maps = [map_layer(sized, array, weight_bits, state_bits, chip.name) for sized, _ in own]
            resident = sum(mapping.cells for mapping in maps) <= whole(array.cells)
            loads = 0.0 if resident else loads_per_image(images_per_load)
            host = chip.host if on_board else None
            layers = [
                on_array(chip, array, sized, done, mapping, loads, host)
                for (sized, done), mapping in zip(own, maps, strict=True)
            ]
            refresh_s = refresh_s_of(array)
        case _ as unreachable:
            assert_never(unreachable)
    if chip.companion is not None and on_board:
        other = load_chip(chip.companion.chip)
        if not isinstance(other.engine, Processor):
            raise InputError(
                f"The companion '{other.name}' of '{chip.name}' is no processor. Choose one that is."
            )
        layers += [on_processor(other, other.engine, *pair) for pair in pairs[len(own) :]]
    seconds = math.fsum(layer.seconds for layer in layers)
    rows = [row for row in constants(chip) if on_board or row.key.startswith(("engine", "energy"))]
    return CostReport(
        chip=chip.name,
        network=network.name,
        weight_bits=weight_bits,
        state_bits=state_bits,
        on_board=on_board,
        images_per_load=images_per_load,
        resident=resident,
        layers=tuple(layers),
        seconds=seconds,
        images_per_s=1 / seconds,
        connections_per_s=sum(sized.connections for sized in geometry[: len(layers)]) / seconds,
        energy_j=sum_or_none([layer.energy_j for layer in layers]),
        bound_by=largest([(layer.bound_by, layer.seconds) for layer in layers]),
        refresh_s=refresh_s,
        assumed=tuple(row.key for row in rows if row.constant.standing == "assumed"),
        unknown=tuple(row.key for row in rows if row.constant.standing == "unknown"),
    )
