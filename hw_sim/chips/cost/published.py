"""The model beside the published figures, and the efficiency that would make them meet.

A row never blends the two: ``modelled`` is what the model says alone, and what is fitted stands in a field
of its own. Nothing here is measured by this project.
"""

from typing import assert_never

import msgspec

from hw_sim.chips.cost.mapping import number, whole
from hw_sim.chips.cost.network_cost import CostReport, cost
from hw_sim.chips.spec import ChipSpec, NeuronArray, Processor, PublishedFigure, workload
from retronet.errors import InputError
from retronet.network import NetworkSpec, sized_layers

UNIT_OF = {
    "peak_connections_per_s": "connections/s",
    "connections_per_s": "connections/s",
    "images_per_s": "images/s",
    "end_to_end_images_per_s": "images/s",
    "call_s": "s",
    "training_s": "s",
}


class PublishedRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A published figure beside the modelled one.

    Attributes
    ----------
    low, high
        The published figure; equal for one number, one absent for "more than" or "less than".
    modelled
        The model's figure, with no loss counted.
    within
        Whether the model's figure lies in the published range.
    fitted_efficiency_low, fitted_efficiency_high
        Published over modelled speed: the share of the modelled speed that would meet each end of the figure.
        Absent where the model lies in the range, and for figures of a whole system.
    fitted_outside_low_s, fitted_outside_high_s
        For a whole system: the time for each image that the modelled one leaves over.
    gap
        What of the gap is modelled, and what the fitted number stands for.
    """

    chip: str
    what: str
    unit: str
    source: str
    low: float | None
    high: float | None
    modelled: float
    within: bool
    fitted_efficiency_low: float | None
    fitted_efficiency_high: float | None
    fitted_outside_low_s: float | None
    fitted_outside_high_s: float | None
    gap: str


def published_rows(chip: ChipSpec) -> tuple[PublishedRow, ...]:
    """Return the model beside every published figure of `chip`.

    Raises
    ------
    InputError
        If a figure asks for what the chip can not do.
    """
    return tuple(_row(chip, figure) for figure in chip.published)


def training_macs(network: NetworkSpec) -> int:
    """Return the MACs to learn one image with first and second derivatives (papers' §7.3).

    Forward, then twice over, for gradient and curvature: back through the weights to the states below, which
    the first layer need not, and to the weights.
    """
    layers = [sized.macs for sized in sized_layers(network)]
    return sum(layers) + 2 * (sum(layers[1:]) + sum(layers))


def _row(chip: ChipSpec, figure: PublishedFigure) -> PublishedRow:
    modelled = _modelled(chip, figure)
    low, high = figure.low, figure.high
    within = (low is None or modelled >= low) and (high is None or modelled <= high)
    efficiency: list[float | None] = [None, None]
    outside: list[float | None] = [None, None]
    match figure.quantity:
        case "end_to_end_images_per_s":
            outside = [None if rate is None else 1 / rate - 1 / modelled for rate in (high, low)]
        case "call_s" | "training_s" if not within:
            efficiency = [None if seconds is None else modelled / seconds for seconds in (high, low)]
        case "peak_connections_per_s" | "connections_per_s" | "images_per_s" if low == high or not within:
            efficiency = [None if rate is None else rate / modelled for rate in (low, high)]
        case "images_per_s" if high is None and low is not None:
            efficiency = [low / modelled, None]
        case _:
            pass
    return PublishedRow(
        chip=chip.name,
        what=figure.what,
        unit=UNIT_OF[figure.quantity],
        source=figure.source,
        low=low,
        high=high,
        modelled=modelled,
        within=within,
        fitted_efficiency_low=efficiency[0],
        fitted_efficiency_high=efficiency[1],
        fitted_outside_low_s=outside[0],
        fitted_outside_high_s=outside[1],
        gap=figure.gap,
    )


def _modelled(chip: ChipSpec, figure: PublishedFigure) -> float:
    match figure.quantity:
        case "peak_connections_per_s":
            return peak_connections_per_s(chip)
        case "call_s":
            array = chip.engine
            if not isinstance(array, NeuronArray):
                raise InputError(
                    f"The chip '{chip.name}' is a processor and has no calls. Remove the figure."
                )
            return number(array.cycles_per_call) * number(array.cycle_s)
        case "training_s":
            return _training_s(chip, figure)
        case "connections_per_s":
            return _cost(chip, figure).connections_per_s
        case "images_per_s" | "end_to_end_images_per_s":
            return _cost(chip, figure).images_per_s
        case _ as unreachable:
            assert_never(unreachable)


def peak_connections_per_s(chip: ChipSpec) -> float:
    """Return the products of one cell and one input that `chip` makes in a second when all are of use."""
    match chip.engine:
        case Processor(cycle_s=cycle_s, cycles_per_mac=cycles):
            return 1 / (number(cycles) * number(cycle_s))
        case NeuronArray() as array:
            products = whole(array.neurons) * whole(array.inputs)
            return products / (number(array.cycles_per_call) * number(array.cycle_s))
        case _ as unreachable:
            assert_never(unreachable)


def _network(chip: ChipSpec, figure: PublishedFigure) -> NetworkSpec:
    assert figure.network is not None
    return workload(chip, figure.network)


def _cost(chip: ChipSpec, figure: PublishedFigure) -> CostReport:
    return cost(
        chip,
        _network(chip, figure),
        weight_bits=figure.weight_bits,
        state_bits=figure.state_bits,
        on_board=figure.on_board,
    )


def _training_s(chip: ChipSpec, figure: PublishedFigure) -> float:
    if not isinstance(chip.engine, Processor):
        raise InputError(
            f"Training is modelled on processors alone; '{chip.name}' is none. Remove the figure."
        )
    network, engine = _network(chip, figure), chip.engine
    units = sum(sized.units for sized in sized_layers(network))
    cycles = training_macs(network) * number(engine.cycles_per_mac) + units * number(engine.cycles_per_unit)
    assert figure.presentations is not None
    return figure.presentations * cycles * number(engine.cycle_s)
