"""Reports of the tools, read; and those of an older circuit, refused."""

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support.small_network import NETWORK

from hw_sim.export.synthesis import synthesised
from retronet.errors import InputError

CIRCUIT = {
    "network": "small", "macs": 2, "weight_bits": 8, "state_bits": 7, "cycles_per_digit": 1000,
    "memory_bits": {"weights": 640, "states": 60}, "description": msgspec.to_builtins(NETWORK),
}  # fmt: skip


def folder_with(tmp_path: Path, **reports: Any) -> Path:
    (tmp_path / "circuit.json").write_text(json.dumps(CIRCUIT), encoding="utf-8")
    (tmp_path / "build").mkdir()
    for name, content in reports.items():
        path = tmp_path / "build" / f"{name.replace('_', '-')}.json"
        path.write_text(json.dumps(content), encoding="utf-8")
    return tmp_path


def test_without_synthesis_cycles_and_memory_are_known(tmp_path: Path) -> None:
    network, (found,) = synthesised(folder_with(tmp_path))
    assert network == NETWORK
    assert (found.device, found.clock_hz, found.cycles_per_digit, found.memory_bits) == (
        None,
        None,
        1000,
        700,
    )


def test_counted_cells_and_placed_ones(tmp_path: Path) -> None:
    counted = {"modules": {"\\pins": {"num_cells_by_type": {"LUT4": 900, "DP16KD": 9, "TRELLIS_FF": 300}}}}
    parts = {name: {"used": 10, "available": 100} for name in ("ICESTORM_LC", "ICESTORM_RAM", "ICESTORM_DSP")}
    placed = {"fmax": {"clk": {"achieved": 20.0}}, "utilization": parts}
    _, (ice40, ecp5) = synthesised(folder_with(tmp_path, ice40_report=placed, ecp5_cells=counted))
    assert (ice40.device, ice40.cells, ice40.clock_hz, ice40.digits_per_s) == ("ice40", 10, 20e6, 20e3)
    assert (ecp5.device, ecp5.cells, ecp5.memory_blocks, ecp5.multipliers) == ("ecp5", 900, 9, 0)
    assert ecp5.clock_hz is None


def test_reports_of_an_older_circuit_are_refused(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, ice40_report={})
    os.utime(folder / "build" / "ice40-report.json", (1, 1))
    with pytest.raises(InputError, match=r"is older than the circuit beside it\. Run make ice40 in"):
        synthesised(folder)


def test_a_folder_without_a_circuit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"it has no circuit\.json"):
        synthesised(tmp_path)
