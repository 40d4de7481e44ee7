"""Every constant of a chip, against the sources' numbers, and the ranges that they must lie in."""

from pathlib import Path

import pytest
from support.chip_files import write

from hw_sim.chips.constants import constants
from hw_sim.chips.load import chip_names, load_chip
from hw_sim.chips.spec import NeuronArray, Processor
from retronet.errors import InputError


def array_of(name: str) -> NeuronArray:
    engine = load_chip(name).engine
    assert isinstance(engine, NeuronArray)
    return engine


@pytest.mark.parametrize("name", chip_names())
def test_every_chip_says_where_its_numbers_come_from(name: str) -> None:
    chip = load_chip(name)
    assert chip.name == name
    rows = list(constants(chip))
    fields = [
        field for part in (chip.engine, chip.host, chip.energy) if part for field in part.__struct_fields__
    ]
    assert len(rows) == sum(field != "refresh_period_s" for field in fields) + (name == "anna") * 2
    for row in rows:
        constant = row.constant
        assert row.unit or constant.value in (0, 1)
        match constant.standing:
            case "sourced":
                assert constant.source
            case "assumed":
                assert constant.reason
                assert not constant.source
            case "unknown":
                assert constant.value is None
                assert constant.reason
    assert chip.published or name == "int8-array"


def test_the_numbers_of_the_sources() -> None:
    for name, rate in (("dsp32c-80ns", 12.5e6), ("dsp32c-100ns", 10e6)):
        engine = load_chip(name).engine
        assert isinstance(engine, Processor)
        assert engine.cycles_per_mac.value == 1
        assert 1 / (engine.cycle_s.value or 0) == pytest.approx(rate)
    graf = array_of("graf54")
    assert graf.neurons.value == graf.inputs.value == 54
    assert graf.cells.value == 54**2
    net32k = array_of("net32k")
    assert (net32k.neurons.value or 0) * (net32k.inputs.value or 0) == 32_768 == net32k.cells.value
    anna = array_of("anna")
    assert (anna.neurons.value or 0) * (anna.inputs.value or 0) == 2_048
    assert (anna.cells.value, anna.weight_bits.value, anna.state_bits.value) == (4_096, 6, 3)
    # What is remembered, not read, must never pass for sourced.
    for constant in (anna.cycle_s, anna.cycles_per_call, anna.cell_grain):
        assert constant.standing == "assumed"
    assert anna.refresh_period_s is not None
    assert anna.refresh_period_s.standing == "unknown"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("neurons = { value = 256", "neurons = { value = 250", r"engine\.neurons is 250.*engine\.groups, 16"),
        (
            "cells = { value = 32768",
            "cells = { value = 0.5",
            r"engine\.cells is 0\.5 cells; a whole number from 1",
        ),
        (
            "keeps_window = { value = 1",
            "keeps_window = { value = 2",
            r"engine\.keeps_window is 2; a whole number from 0 to 1 is",
        ),
        ('network = "net32k-frame"', 'network = "net32k-fram"', "no network 'net32k-fram'"),
    ],
)
def test_what_is_refused_of_an_array(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = (Path(__file__).parents[3] / "hw_sim" / "chips" / "net32k" / "net32k.toml").read_text(
        encoding="utf-8"
    )
    assert old in text
    with pytest.raises(InputError, match=message):
        load_chip(write(tmp_path, text.replace(old, new)))
