"""What a chip is: its geometry, its speed and where each of these numbers comes from.

A chip is one TOML file. Every constant is sourced (key and section of the reference), assumed with a reason,
or unknown with a reason; the three are never mixed up. Nothing here computes a time: see `hw_sim.chips.cost`.
"""

from typing import Annotated, Literal

import msgspec

from retronet.network import Label, NetworkSpec, Positive, load_network

Figure = Annotated[float, msgspec.Meta(gt=0, le=1e30)]
Standing = Literal["sourced", "assumed", "unknown"]


class ChipConstant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number and where it comes from.

    With a ``value`` it has either a ``source`` or is ``assumed`` for a ``reason``; without one it is unknown,
    and the ``reason`` says why.
    """

    value: float | None = None
    source: str = ""
    assumed: bool = False
    reason: str = ""

    def __post_init__(self) -> None:
        _check_standing(self.value is not None, self.source, self.assumed, self.reason)

    @property
    def standing(self) -> Standing:
        """Whether the number is sourced, assumed or unknown."""
        if self.value is None:
            return "unknown"
        return "assumed" if self.assumed else "sourced"


class Fact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sentence about a chip and where it comes from, as for a `ChipConstant`."""

    what: str
    text: str = ""
    source: str = ""
    assumed: bool = False
    reason: str = ""

    def __post_init__(self) -> None:
        _check_standing(bool(self.text), self.source, self.assumed, self.reason)


def _check_standing(known: bool, source: str, assumed: bool, reason: str) -> None:
    if not known and (source or assumed or not reason):
        raise ValueError("what has no value is unknown: it needs a reason, no source and no 'assumed'")
    if known and bool(source) == assumed:
        raise ValueError("what has a value needs a source, or 'assumed = true' and a reason, not both")
    if assumed and not reason:
        raise ValueError("an assumption needs a reason")


class Processor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="processor"):
    """A machine that does one MAC after the other.

    Attributes
    ----------
    cycle_s
        One instruction.
    cycles_per_mac
    cycles_per_unit
        What a unit costs besides its MACs: loop, bias, squashing, store.
    """

    cycle_s: ChipConstant
    cycles_per_mac: ChipConstant
    cycles_per_unit: ChipConstant


class NeuronArray(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="array"):
    """Dot products side by side: `neurons` of them, each over `inputs` terms, in one call.

    Attributes
    ----------
    cycle_s
        One instruction.
    cycles_per_call
    neurons, inputs
        Dot products of a call, and terms of each.
    groups
        Neurons of different groups may read different inputs; those of one group share them.
    max_joined
        Dot products that can be joined to one sum, over more inputs or with more bits.
    accumulates
        1 if the sums of several calls add up on the chip, else 0.
    weight_bits, state_bits
        Of one cell and one input. Wider numbers take several cells where dot products can be joined.
    cells, cell_grain
        Weights held on the chip, and how many of them a row of weights is rounded up to.
    weight_port_bits, state_in_port_bits, state_out_port_bits
        Moved in one cycle.
    cycles_per_position
        Per position of a field, besides calls and moves.
    keeps_window
        1 if a sliding field reads only what is new in it, else 0.
    loads_in_parallel
        1 if states are read while dot products are made, else 0.
    refresh_period_s
        How long a stored weight lasts; absent where weights do not fade.
    """

    cycle_s: ChipConstant
    cycles_per_call: ChipConstant
    neurons: ChipConstant
    inputs: ChipConstant
    weight_bits: ChipConstant
    state_bits: ChipConstant
    cells: ChipConstant
    weight_port_bits: ChipConstant
    state_in_port_bits: ChipConstant
    state_out_port_bits: ChipConstant
    groups: ChipConstant
    max_joined: ChipConstant
    accumulates: ChipConstant
    cell_grain: ChipConstant
    cycles_per_position: ChipConstant
    keeps_window: ChipConstant
    loads_in_parallel: ChipConstant
    refresh_period_s: ChipConstant | None = None


ComputeEngine = Processor | NeuronArray

ARITHMETICS = ("anna", "net32k", "graf", "dsp32c")
"""What a chip can be simulated in; see `hw_sim.chips.simulate`."""


class Host(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What feeds the chip on its board: instructions it can issue and bytes it can move."""

    instructions_per_s: ChipConstant
    bytes_per_s: ChipConstant


class Companion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another chip beside this one that runs the last layers."""

    chip: str
    last_layers: ChipConstant


class Energy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Energy of one event; a sum of energies leaves out what is unknown."""

    mac_j: ChipConstant
    weight_read_j: ChipConstant
    state_read_j: ChipConstant
    state_write_j: ChipConstant


class PublishedFigure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A figure of the sources, to stand beside the model's.

    ``low`` and ``high`` are equal for one number; one of them is absent for "more than" or "less than".
    ``network`` names a workload of the chip's file or a network that comes with the package.
    ``gap`` says what of the distance to the model is modelled, and what the fitted efficiency stands for.
    """

    what: str
    quantity: Literal[
        "peak_connections_per_s",
        "connections_per_s",
        "images_per_s",
        "end_to_end_images_per_s",
        "call_s",
        "training_s",
    ]
    source: str
    gap: str
    low: Figure | None = None
    high: Figure | None = None
    on_board: bool = False
    network: str | None = None
    weight_bits: Positive | None = None
    state_bits: Positive | None = None
    presentations: Positive | None = None

    def __post_init__(self) -> None:
        if self.low is None and self.high is None:
            raise ValueError("a published figure needs 'low', 'high' or both")
        if (self.network is None) != (self.quantity in ("peak_connections_per_s", "call_s")):
            raise ValueError("'network' goes with every quantity but peak_connections_per_s and call_s")
        if (self.quantity == "training_s") != (self.presentations is not None):
            raise ValueError("'presentations' goes with training_s and with nothing else")


class ChipSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A chip as its file states it.

    Attributes
    ----------
    name, title, year, source
        Short name; what it was, after what it is called and a colon; when; the keys of its references.
    arithmetic
        How it computes, one of `ARITHMETICS`; absent where that is not implemented, so that only its costs
        are known. A simulation takes every size from `engine`.
    workloads
        What the published figures were measured on.
    """

    name: Label
    title: str
    year: int
    source: str
    engine: ComputeEngine
    arithmetic: str | None = None
    facts: tuple[Fact, ...] = ()
    host: Host | None = None
    companion: Companion | None = None
    energy: Energy | None = None
    workloads: tuple[NetworkSpec, ...] = ()
    published: tuple[PublishedFigure, ...] = ()

    def __post_init__(self) -> None:
        if self.arithmetic is not None and self.arithmetic not in ARITHMETICS:
            known = ", ".join(ARITHMETICS)
            raise ValueError(f"there is no arithmetic '{self.arithmetic}'; {known} are known")

    @property
    def called(self) -> str:
        """What sentences call the chip: its title up to a colon."""
        return self.title.partition(":")[0]


def workload(chip: ChipSpec, name: str) -> NetworkSpec:
    """Return the workload of `chip` called `name`, or the network of that name."""
    for network in chip.workloads:
        if network.name == name:
            return network
    return load_network(name)
