"""What synthesis made of an exported circuit: cells, memory blocks and clock, from the tools' reports."""

import json
from pathlib import Path
from typing import Any

import msgspec

from retronet.errors import ChoiceError, InputError
from retronet.network import NetworkSpec, sized_layers

PLACED = {
    # device: what nextpnr calls cells, memory blocks and multipliers
    "ice40": ("ICESTORM_LC", "ICESTORM_RAM", "ICESTORM_DSP"),
    "ecp5": ("TRELLIS_COMB", "DP16KD", "MULT18X18D"),
}
COUNTED = {
    # device: the same in what yosys counts
    "ice40": ("SB_LUT4", "SB_RAM40_4K", "SB_MAC16"),
    "ecp5": ("LUT4", "DP16KD", "MULT18X18D"),
}


class Synthesised(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A circuit on a device; what no tool has said stays absent.

    Attributes
    ----------
    device
        ``ice40`` or ``ecp5``; absent where the circuit was not synthesised.
    cells, memory_blocks, multipliers
        Used, with how many the device has. Before placement, cells are look-up tables alone.
    clock_hz
        The fastest clock of the placed circuit.
    digits_per_s, connections_per_s
        At that clock; the transfer of the pixels, one bit a cycle at most, is not in it.
    """

    folder: str
    network: str
    macs: int
    weight_bits: int
    state_bits: int
    cycles_per_digit: int
    memory_bits: int
    device: str | None = None
    cells: int | None = None
    cells_available: int | None = None
    memory_blocks: int | None = None
    memory_blocks_available: int | None = None
    multipliers: int | None = None
    clock_hz: float | None = None
    digits_per_s: float | None = None
    connections_per_s: float | None = None


def synthesised(folder: Path) -> tuple[NetworkSpec, tuple[Synthesised, ...]]:
    """Return the network of the circuit in `folder`, and the circuit on each device it was synthesised for.

    Raises
    ------
    ChoiceError
        If the folder holds no circuit.
    InputError
        If it holds reports of an older one.
    """
    path = folder / "circuit.json"
    if not path.is_file():
        raise ChoiceError(
            f"There is no circuit in {folder}: it has no circuit.json. Name a folder that `retronet export "
            f"rtl` wrote."
        )
    record = json.loads(path.read_text(encoding="utf-8"))
    network = msgspec.convert(record["description"], NetworkSpec)
    plain = Synthesised(
        str(folder),
        record["network"],
        record["macs"],
        record["weight_bits"],
        record["state_bits"],
        record["cycles_per_digit"],
        sum(record["memory_bits"].values()),
    )
    connections = sum(sized.connections for sized in sized_layers(network))
    placements = [_on(device, folder, plain, connections) for device in PLACED]
    return network, tuple(each for each in placements if each is not None) or (plain,)


def _on(device: str, folder: Path, plain: Synthesised, connections: int) -> Synthesised | None:
    counted, placed = (_read(folder, f"{device}-{kind}.json") for kind in ("cells", "report"))
    if placed is not None:
        cells, blocks, multipliers = (placed["utilization"][name] for name in PLACED[device])
        clock = 1e6 * min(each["achieved"] for each in placed["fmax"].values())
        digits = clock / plain.cycles_per_digit
        return msgspec.structs.replace(
            plain,
            device=device,
            cells=cells["used"],
            cells_available=cells["available"],
            memory_blocks=blocks["used"],
            memory_blocks_available=blocks["available"],
            multipliers=multipliers["used"],
            clock_hz=clock,
            digits_per_s=digits,
            connections_per_s=digits * connections,
        )
    if counted is None:
        return None
    types = counted["modules"]["\\pins"]["num_cells_by_type"]
    luts, blocks, multipliers = (types.get(name, 0) for name in COUNTED[device])
    return msgspec.structs.replace(
        plain, device=device, cells=luts, memory_blocks=blocks, multipliers=multipliers
    )


def _read(folder: Path, name: str) -> Any:  # noqa: ANN401 - what a tool's report holds
    """Return a report of a tool, if there is one."""
    path = folder / "build" / name
    if not path.is_file():
        return None
    if path.stat().st_mtime < (folder / "circuit.json").stat().st_mtime:
        raise InputError(
            f"The report {path} is older than the circuit beside it. Run make {name.partition('-')[0]} in "
            f"{folder} again."
        )
    return json.loads(path.read_text(encoding="utf-8"))
