"""Chips by name and by path."""

from pathlib import Path

import pytest
from support.chip_files import PROCESSOR, write

from hw_sim.chips.constants import constants
from hw_sim.chips.load import load_chip
from hw_sim.chips.spec import ChipSpec
from retronet.errors import InputError


def test_a_private_chip_by_path(tmp_path: Path) -> None:
    chip = load_chip(write(tmp_path, PROCESSOR))
    assert isinstance(chip, ChipSpec)
    assert [(row.key, row.unit, row.constant.standing) for row in constants(chip)] == [
        ("engine.cycle_s", "s", "sourced"),
        ("engine.cycles_per_mac", "cycles", "assumed"),
        ("engine.cycles_per_unit", "cycles", "assumed"),
    ]


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(InputError, match=r"no chip 'net32'\. Did you mean 'net32k'\? Known: anna, cnaps"):
        load_chip("net32")
    with pytest.raises(InputError, match=r"no chip file 'nowhere/mine\.toml'"):
        load_chip("nowhere/mine.toml")
