"""What was exported, and synthesised circuits beside the chips of their time, as tables."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from hw_sim.chips.cost.network_cost import CostReport
from hw_sim.export.synthesis import Synthesised
from retronet_cli.views.quantities import plain, prefixed
from retronet_cli.views.scores import add_numbers, new_table

TITLES = {"golden": "golden vectors", "rtl": "circuit", "onnx": "ONNX graph"}
NAMES = {
    "digits": "digits of the test benches",
    "macs": "multiplications a cycle",
    "cycles_per_digit": "cycles a digit",
    "macs_per_digit": "MACs a digit",
    "memory_bits": "memory bits",
    "form": "form",
}
NEXT = {
    "rtl": "Next: make sim in that folder; its README.md explains the rest.",
    "golden": "Its README.md explains every file.",
}


def export_table(target: str, folder: Path, files: Mapping[str, bytes], facts: Mapping[str, Any]) -> Table:
    """Return what was written, and its figures."""
    where = folder / next(iter(files)) if target == "onnx" else folder
    table = new_table(f"{TITLES[target]} in {where}", NEXT.get(target))
    table.add_column("what")
    add_numbers(table, "how many")
    table.add_row("files", f"{len(files):,}")
    table.add_row("bytes", f"{sum(map(len, files.values())):,}")
    for key, value in facts.items():
        table.add_row(NAMES[key], f"{value:,}" if isinstance(value, int) else str(value))
    return table


def circuits_table(circuits: Sequence[Synthesised], chips: Sequence[CostReport]) -> Table:
    """Return synthesised circuits, and the chips with the same network, one a row."""
    notes = [
        "Circuits: cells, memory blocks and clock are the tools' reports; digits/s is that clock over the "
        "exact cycles of a digit. Chips: modelled, not measured. w × s: bits of a weight and of a state.",
        *dict.fromkeys(
            f"{each.device} as placed: {each.cells_available:,} cells, {each.memory_blocks_available} memory "
            f"blocks."
            for each in circuits
            if each.cells_available is not None
        ),
    ]
    if any(each.clock_hz is None for each in circuits):
        notes.append("–: not synthesised or not placed; see make ice40 and make ecp5 in the folder.")
    table = new_table("Synthesised circuits beside the chips", "\n".join(notes))
    table.add_column("circuit\nor chip")
    add_numbers(table, "w × s\nbits", "MACs a\ncycle", "cells", "memory\nblocks", "clock\nMHz", "digits/s")
    add_numbers(table, "connec-\ntions/s")
    for each in circuits:
        table.add_row(
            f"{each.folder}{f', {each.device}' if each.device else ''}",
            f"{each.weight_bits} × {each.state_bits}",
            str(each.macs),
            _number(each.cells),
            _number(each.memory_blocks),
            "–" if each.clock_hz is None else plain(each.clock_hz / 1e6),
            _number(each.digits_per_s),
            "–" if each.connections_per_s is None else prefixed(each.connections_per_s),
        )
    for report in chips:
        bounded = any(not key.startswith("energy.") for key in report.unknown)
        bits = "float" if report.weight_bits is None else f"{report.weight_bits} × {report.state_bits}"
        most = "≤" if bounded else ""
        rates = f"{most}{plain(report.images_per_s)}", f"{most}{prefixed(report.connections_per_s)}"
        table.add_row(report.chip, bits, "", "", "", "", *rates)
    return table


def _number(value: float | None) -> str:
    return "–" if value is None else plain(value)
