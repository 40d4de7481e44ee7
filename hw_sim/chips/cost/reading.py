"""From a picture to answers on the boards of 1989 and 1991: the counted work of each stage, in seconds.

The PC thresholds and finds components, the DSP normalises and runs the network (NC89 §5.2), one after the
other; on the later board ANNA runs the network (ANNA-B). Every time is modelled and counts no losses; what is
left of the published time is fitted, and stands apart. Getting the picture from the camera is left out: no
text at hand gives it in seconds.
"""

import math
from collections import Counter
from collections.abc import Sequence

import msgspec

from hw_sim.chips.cost.mapping import number
from hw_sim.chips.cost.network_cost import cost
from hw_sim.chips.load import load_chip
from hw_sim.chips.spec import ChipConstant, ChipSpec, Processor
from retronet.errors import InputError
from retronet.network import NetworkSpec, sized_layers
from retronet.reading.slide import slid_network
from retronet.reading.work import StageWork

PC_PIXEL_S = ChipConstant(
    value=0.25e-6,
    assumed=True,
    reason="Neither the PC nor its program is in any text: 4 million pixels touched a second",
)
DSP_PIXEL_CYCLES = ChipConstant(
    value=1, assumed=True, reason="One instruction to read or write a pixel, with its conversion"
)
ASSUMPTIONS = (
    f"PC: {PC_PIXEL_S.value} s a pixel touched. {PC_PIXEL_S.reason}.",
    f"DSP: a cycle a pixel touched. {DSP_PIXEL_CYCLES.reason}.",
    "Order: one stage after the other, nothing at the same time.",
    "Recogniser of the ANNA board: the network of 1990 on a 32 × 32 field, a hypothesis (papers' §5.4).",
)
BOARDS = {"1989": ("dsp32c-80ns", None), "ANNA": ("dsp32c-100ns", "anna")}
"""The processor of a board, and the chip beside it that runs the network."""
END_TO_END, NORMALISED = (10.0, 12.0), 30.0
"""Published digits a second: with image acquisition; more than so many on normalised digits (NC89 §5.2)."""
REPLICATED = (6, 31)
"""Places down and across of the replicated recogniser, of about 2 M connections (ANNA-B §5.3)."""


class StageTime(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stage's work and its modelled time, for one digit."""

    stage: str
    machine: str
    pixels: float
    macs: float
    seconds: float


class ReadingTime(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A board from picture to answer, for one digit: modelled, and beside it what is published and fitted.

    ``bound_by`` is the stage that takes most, ``board_bound_by`` that of those that do not run on the PC.

    ``fitted_s`` is what the published 10–12 digits/s leave over: the time of all losses together, from least
    to most. ``fitted_normalisation`` is how many times its modelled time normalisation would take if what the
    published rates leave between normalised digits and whole pictures, the modelled time of the PC taken off,
    were all its. Both are there for the board of 1989 alone: no such figures are published of the other.
    """

    board: str
    network: str
    stages: tuple[StageTime, ...]
    seconds: float
    digits_per_s: float
    network_digits_per_s: float
    bound_by: str
    board_bound_by: str
    fitted_s: tuple[float, float] | None
    fitted_normalisation: tuple[float, float] | None


class ReplicatedTime(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """ANNA's recogniser slid over 6 × 31 places at once, modelled; and its last layer alone."""

    macs: int
    connections: int
    separate_connections: int
    seconds: float
    last_layer_s: float
    connections_per_s: float


class PipelineTimes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Both boards, the replicated recogniser, and what is assumed."""

    boards: tuple[ReadingTime, ...]
    replicated: ReplicatedTime
    assumptions: tuple[str, ...] = ASSUMPTIONS


def pipeline_times(
    work: Sequence[StageWork], digits: int, network: NetworkSpec, fields: Sequence[tuple[int, int]] = ()
) -> PipelineTimes:
    """Return the time from picture to answer on each board, for a digit.

    Parameters
    ----------
    work
        Of all pictures: see `retronet.reading.work.work_of_stages`.
    digits
        How many digits they have.
    network
        What recognises them.
    fields
        Rows and columns of the lines that it is slid over; none where it gets each digit by itself.

    Raises
    ------
    InputError
        If there are no digits, or the network does not fit a chip.
    """
    if digits < 1:
        raise InputError(
            "No time for a digit can be modelled: the pictures have 0 digits; at least 1 is needed. "
            "Give a picture with digits."
        )
    slid = [slid_network(network, *field) for field in fields]
    answering = (slid, digits) if slid else ([network], 1)
    boards = tuple(_on_board(name, work, digits, *answering) for name in BOARDS)
    return PipelineTimes(boards, replicated_time())


def _on_board(
    name: str, work: Sequence[StageWork], digits: int, networks: Sequence[NetworkSpec], answered: int
) -> ReadingTime:
    """Return the time of a board for a digit, of which `networks` answer `answered` together."""
    host, beside = BOARDS[name]
    chip = load_chip(host)
    runs = chip if beside is None else load_chip(beside)
    stages = [_stage_time(each, digits, chip) for each in work]
    counts = Counter(networks)
    taken = math.fsum(count * cost(runs, each).seconds for each, count in counts.items()) / answered
    macs = (
        sum(count * sized.macs for each, count in counts.items() for sized in sized_layers(each)) / answered
    )
    stages.append(StageTime("network", runs.name, 0.0, macs, taken))
    seconds = math.fsum(each.seconds for each in stages)
    least, most = END_TO_END
    fitted, times = None, None
    if beside is None:
        fitted = (1 / most - seconds, 1 / least - seconds)
        others = math.fsum(each.seconds for each in stages if each.machine == "PC")
        normalisation = next(each.seconds for each in stages if each.stage == "normalisation")
        left = [1 / rate - 1 / NORMALISED - others for rate in (most, least)]
        times = (left[0] / normalisation, left[1] / normalisation)
    return ReadingTime(
        board=name,
        network=networks[0].name,
        stages=tuple(stages),
        seconds=seconds,
        digits_per_s=1 / seconds,
        network_digits_per_s=1 / taken,
        bound_by=max(stages, key=lambda each: each.seconds).stage,
        board_bound_by=max(stages, key=lambda each: (each.machine != "PC", each.seconds)).stage,
        fitted_s=fitted,
        fitted_normalisation=times,
    )


def _stage_time(work: StageWork, digits: int, chip: ChipSpec) -> StageTime:
    pixels, macs = work.pixels / digits, work.macs / digits
    if work.stage != "normalisation":
        return StageTime(work.stage, "PC", pixels, macs, pixels * number(PC_PIXEL_S))
    assert isinstance(chip.engine, Processor)
    cycles = pixels * number(DSP_PIXEL_CYCLES) + macs * number(chip.engine.cycles_per_mac)
    return StageTime(work.stage, chip.name, pixels, macs, cycles * number(chip.engine.cycle_s))


def replicated_time() -> ReplicatedTime:
    """Return what ANNA's recogniser costs slid over 6 × 31 places, its last layer on the DSP beside it."""
    chip = load_chip("anna")
    network = chip.workloads[0]
    down, across = (
        size + 4 * (places - 1) for size, places in zip(network.input[1:], REPLICATED, strict=True)
    )
    wide = slid_network(network, down, across)
    modelled = cost(chip, wide)
    layers, alone = sized_layers(wide), sum(each.connections for each in sized_layers(network))
    return ReplicatedTime(
        macs=sum(each.macs for each in layers),
        connections=sum(each.connections for each in layers),
        separate_connections=REPLICATED[0] * REPLICATED[1] * alone,
        seconds=modelled.seconds,
        last_layer_s=modelled.layers[-1].seconds,
        connections_per_s=modelled.connections_per_s,
    )
