"""How near a network comes to a chip's peak, and what traffic leaves of it; all modelled."""

import math
from typing import assert_never

import msgspec

from hw_sim.chips.cost.layer_cost import loads_per_image, moved_bytes
from hw_sim.chips.cost.mapping import map_layer, number
from hw_sim.chips.cost.network_cost import CostReport
from hw_sim.chips.spec import ChipSpec, NeuronArray, Processor
from retronet.network import NetworkSpec, sized_layers


class Roof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A chip's roof, and a network below it.

    Attributes
    ----------
    chip
        Its name.
    peak_macs_per_s
        All its multipliers at work in every cycle.
    bytes_per_s
        What its ports move while they move this network's weights and states; absent where a port is unknown
        and for processors, whose memory traffic is not modelled.
    macs_per_byte
        MACs for each byte that crosses the ports; absent with `bytes_per_s`.
    macs_per_s
        Useful MACs over the modelled time of the chip's own layers.
    share_percent
        Of the peak.
    """

    chip: str
    peak_macs_per_s: float
    bytes_per_s: float | None
    macs_per_byte: float | None
    macs_per_s: float
    share_percent: float


def roof_of(chip: ChipSpec, network: NetworkSpec, report: CostReport) -> Roof:
    """Return the roof of `chip` and where `network` lies below it.

    Parameters
    ----------
    chip, network
        What `report` is of.
    report
        See `hw_sim.chips.cost.network_cost.cost`. Layers that it leaves to a companion are left out.
    """
    own = [layer for layer in report.layers if layer.chip == chip.name]
    macs = sum(layer.work.macs for layer in own)
    speed = macs / math.fsum(layer.seconds for layer in own)
    moved: float | None = None
    moving_s: float | None = None
    match chip.engine:
        case Processor() as processor:
            peak = 1 / (number(processor.cycles_per_mac) * number(processor.cycle_s))
        case NeuronArray() as array:
            products = number(array.neurons) * number(array.inputs)
            peak = products / (number(array.cycles_per_call) * number(array.cycle_s))
            assert report.weight_bits is not None
            assert report.state_bits is not None
            loads = 0.0 if report.resident else loads_per_image(report.images_per_load)
            geometry = sized_layers(network)[: len(own)]
            maps = [
                map_layer(sized, array, report.weight_bits, report.state_bits, chip.name)
                for sized in geometry
            ]
            parts = [
                part
                for layer in own
                for part in (layer.weight_load_s, layer.state_input_s, layer.state_output_s)
            ]
            ports = (array.weight_port_bits, array.state_in_port_bits, array.state_out_port_bits)
            if None not in parts and all(port.value is not None for port in ports):
                moved = sum(moved_bytes(array, each, loads) for each in maps)
                moving_s = math.fsum(part for part in parts if part is not None)
        case _ as unreachable:
            assert_never(unreachable)
    known = bool(moved and moving_s)
    return Roof(
        chip=chip.name,
        peak_macs_per_s=peak,
        bytes_per_s=moved / moving_s if known and moved and moving_s else None,
        macs_per_byte=macs / moved if known and moved else None,
        macs_per_s=speed,
        share_percent=100 * speed / peak,
    )
