"""What a chip takes for a network slid over fields, beside separate windows at all its places: modelled."""

import math
from collections.abc import Callable, Sequence

import msgspec

from hw_sim.chips.cost.network_cost import CostReport, cost
from hw_sim.chips.spec import ChipSpec
from retronet.network import NetworkSpec
from retronet.reading.slide import SlidWork, slid_network, slid_work

Model = Callable[[ChipSpec, NetworkSpec], CostReport]


class SlidTime(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One chip's modelled time for a network slid over fields, and for all their windows one by one."""

    chip: str
    slid_s: float
    separate_s: float


def all_slid_work(network: NetworkSpec, fields: Sequence[tuple[int, int]]) -> SlidWork:
    """Return the work of a network slid over several fields, of so many rows and columns each.

    Raises
    ------
    InputError
        See `retronet.reading.slide.slid_network`.
    """
    each = [slid_work(network, *field) for field in fields]
    return SlidWork(
        sum(one.windows for one in each),
        sum(one.slid_macs for one in each),
        sum(one.separate_macs for one in each),
    )


def slid_times(
    chips: Sequence[ChipSpec], network: NetworkSpec, fields: Sequence[tuple[int, int]], model: Model = cost
) -> tuple[SlidTime, ...]:
    """Return what each chip takes.

    Parameters
    ----------
    chips, network
        What is laid on what.
    fields
        Rows and columns of each field.
    model
        What says how long a chip takes for a network.

    Raises
    ------
    InputError
        If the network can not slide, or does not fit a chip.
    """
    windows = all_slid_work(network, fields).windows
    return tuple(
        SlidTime(
            chip.name,
            math.fsum(model(chip, slid_network(network, *field)).seconds for field in fields),
            windows * model(chip, network).seconds,
        )
        for chip in chips
    )
