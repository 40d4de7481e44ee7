"""Sizes that an arithmetic can not take are refused with key, value and what is allowed."""

from pathlib import Path

import pytest
from support.chip_files import PROCESSOR, chip_text, like, write

from hw_sim.chips.anna.options import anna_sizes
from hw_sim.chips.graf54.templates import graf_sizes
from hw_sim.chips.load import load_chip
from hw_sim.chips.net32k.options import net32k_sizes
from hw_sim.chips.sizes import array_size, check_processor
from retronet.errors import InputError

SIZES = {"anna": anna_sizes, "net32k": net32k_sizes, "graf54": graf_sizes}


@pytest.mark.parametrize(
    ("name", "key", "value", "found", "allowed"),
    [
        ("anna", "neurons", 100_000, "100,000 neurons", "a whole number from 1 to 65,536 neurons"),
        ("anna", "inputs", 100_000, "100,000 inputs", "a whole number from 1 to 65,536 inputs"),
        ("anna", "weight_bits", 13, "13 bits", "a whole number from 1 to 12 bits"),
        ("anna", "weight_bits", 5.5, "5.5 bits", "a whole number from 1 to 12 bits"),
        ("anna", "state_bits", 9, "9 bits", "a whole number from 1 to 8 bits"),
        ("anna", "max_joined", 2, "2 dot products", "1 alone"),
        ("anna", "accumulates", 1, "1", "0 alone"),
        ("net32k", "weight_bits", 2, "2 bits", "1 alone"),
        ("net32k", "state_bits", 4, "4 bits", "1 alone"),
        ("net32k", "inputs", 5000, "5,000 inputs", "a whole number from 1 to 4,096 inputs"),
        ("net32k", "max_joined", 65, "65 dot products", "a whole number from 1 to 64 dot products"),
        ("net32k", "accumulates", 1, "1", "0 alone"),
        ("graf54", "neurons", 2000, "2,000 neurons", "a whole number from 1 to 1,024 neurons"),
        ("graf54", "inputs", 2000, "2,000 inputs", "a whole number from 1 to 1,024 inputs"),
        ("graf54", "weight_bits", 1, "1 bits", "2 alone"),
        ("graf54", "state_bits", 3, "3 bits", "1 alone"),
        ("graf54", "max_joined", 4, "4 dot products", "1 alone"),
        ("graf54", "accumulates", 1, "1", "0 alone"),
    ],
)
def test_a_size_out_of_range(
    tmp_path: Path, name: str, key: str, value: float, found: str, allowed: str
) -> None:
    chip = load_chip(str(like(tmp_path, name, **{key: value})))
    arithmetic = load_chip(name).arithmetic
    with pytest.raises(
        InputError,
        match=rf"^The chip 'mine' can not be simulated: engine\.{key} is {found}; its arithmetic, "
        rf"'{arithmetic}', takes {allowed}\. Mend the value",
    ):
        SIZES[name](chip)


def test_no_more_blocks_join_than_there_are(tmp_path: Path) -> None:
    few = load_chip(str(like(tmp_path, "net32k", neurons=4, groups=1)))
    with pytest.raises(InputError, match=r"max_joined is 8 dot products; .* from 1 to 4 dot products"):
        net32k_sizes(few)


def test_an_arithmetic_runs_on_its_kind_of_engine(tmp_path: Path) -> None:
    arithmetic = 'year = 2026\narithmetic = "anna"'
    with pytest.raises(
        InputError, match=r"engine\.kind is 'processor'; its arithmetic, 'anna', takes 'array'"
    ):
        anna_sizes(load_chip(write(tmp_path, PROCESSOR.replace("year = 2026", arithmetic))))
    text = chip_text("anna").replace('arithmetic = "anna"', 'arithmetic = "dsp32c"')
    with pytest.raises(InputError, match=r"engine\.kind is 'array'; its arithmetic, 'dsp32c', takes 'proc"):
        check_processor(load_chip(write(tmp_path, text)))


def test_a_size_is_that_of_the_file(tmp_path: Path) -> None:
    chip = load_chip(str(like(tmp_path, "anna", inputs=77)))
    assert array_size(chip, "inputs", 1, 100) == array_size(chip, "inputs", 77, 77) == 77
