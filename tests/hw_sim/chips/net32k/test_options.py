"""What the blocks of a NET32K allow, counted one by one."""

from pathlib import Path
from typing import Any

import pytest
from support.chip_files import like

from hw_sim.chips.load import load_chip
from hw_sim.chips.net32k.options import Net32kOptions, net32k_options, net32k_sizes, precisions

CELLS = {"1-bit": 1, "ternary": 2, "2-bit": 2, "3-bit": 3, "4-bit": 4}


@pytest.mark.parametrize("joined", [1, 2, 3, 4, 6, 8, 12, 64])
@pytest.mark.parametrize("input_bits", [1, 2, 4])
def test_precisions_are_those_whose_blocks_join(tmp_path: Path, joined: int, input_bits: Any) -> None:
    sizes = net32k_sizes(load_chip(str(like(tmp_path, "net32k", max_joined=joined))))
    found = list(precisions(sizes, Net32kOptions(input_bits=input_bits, accuracy=0.3)))
    assert [(each.weights, each.state_bits) for each in found] == [
        (weights, bits)
        for weights, cells in CELLS.items()
        for bits in (1, 2, 3)
        if cells * bits <= joined and cells * input_bits <= joined
    ]
    assert all(each.accuracy == 0.3 and each.input_bits == input_bits for each in found)


def test_the_chip_allows_thirteen() -> None:
    """The table of the documents."""
    found = precisions(net32k_sizes(load_chip("net32k")), Net32kOptions())
    most = {each.weights: each.state_bits for each in found}
    assert most == {"1-bit": 3, "ternary": 3, "2-bit": 3, "3-bit": 2, "4-bit": 2}


@pytest.mark.parametrize("joined", range(1, 9))
def test_defaults_fit_whatever_joins(tmp_path: Path, joined: int) -> None:
    chip = load_chip(str(like(tmp_path, "net32k", max_joined=joined)))
    options = net32k_options(chip)
    assert len(options.cell_factors) * max(options.state_bits, options.input_bits) <= joined
    assert options == Net32kOptions() or joined < 4
    assert net32k_sizes(chip).connections == 128 * joined
