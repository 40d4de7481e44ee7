"""Chip files: what they say against the sources' numbers, and what is refused."""

from pathlib import Path

import pytest

from hw_sim.chips.constants import constants
from hw_sim.chips.spec import ChipSpec, NeuronArray, Processor, chip_names, load_chip, workload
from retronet.errors import InputError
from retronet.network import sized_layers

MINE = """
name = "mine"
title = "A private chip"
year = 2026
source = "nowhere"

[engine]
kind = "processor"
cycle_s = { value = 1e-6, source = "a data sheet" }
cycles_per_mac = { value = 2, assumed = true, reason = "a guess" }
cycles_per_unit = { value = 0, assumed = true, reason = "a guess" }
"""


def write(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


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


def test_the_recogniser_of_anna_has_the_remembered_size() -> None:
    found = sized_layers(workload(load_chip("anna"), "anna-recogniser"))
    assert [sized.macs for sized in found] == [78_400, 3_136, 50_000, 1_200, 3_000]
    assert sum(sized.macs for sized in found) == 135_736


def test_a_workload_may_be_a_network_of_the_package() -> None:
    assert workload(load_chip("anna"), "lecun1989").name == "lecun1989"


def test_a_private_chip_by_path(tmp_path: Path) -> None:
    chip = load_chip(write(tmp_path, MINE))
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


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("1e-6", "80", r"engine\.cycle_s is 80 s; from 1e-12 to 0\.01 s is allowed"),
        ("value = 2", "value = 0", r"engine\.cycles_per_mac is 0 cycles; from 0\.001 to 1e\+06 cycles"),
        ("value = 1e-6, source", "reason", r"engine\.cycle_s is unknown.*State an assumption"),
        (', source = "a data sheet"', "", r"a source, or 'assumed = true' and a reason.*\$\.engine\.cycle_s"),
        ('"a data sheet"', '"x", assumed = true, reason = "y"', r"not both.*\$\.engine\.cycle_s"),
        (', reason = "a guess"', "", r"an assumption needs a reason.*\$\.engine\.cycles_per_mac"),
        ("value = 1e-6", "", r"can not be used"),
        ("value = 2, assumed = true", "assumed = true", r"what has no value is unknown"),
        ("value = 1e-6", "value = true", r"Expected `float \| null`.*\$\.engine\.cycle_s\.value"),
        ("cycles_per_unit", "cycles_per_unix", r"missing required field|unknown field"),
        ("year = 2026", 'year = 2026\nspeed = "high"', r"unknown field `speed`"),
        ('kind = "processor"', 'kind = "abacus"', r"Invalid value 'abacus'"),
    ],
)
def test_what_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in MINE
    with pytest.raises(InputError, match=message):
        load_chip(write(tmp_path, MINE.replace(old, new)))


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


@pytest.mark.parametrize(
    ("figure", "message"),
    [
        ('quantity = "call_s"', "'low', 'high' or both"),
        ('quantity = "call_s"\nlow = 1\nnetwork = "lecun1989"', "'network' goes with every quantity but"),
        ('quantity = "images_per_s"\nlow = 1', "'network' goes with every quantity but"),
        ('quantity = "training_s"\nlow = 1\nnetwork = "lecun1989"', "'presentations' goes with training_s"),
    ],
)
def test_published_figures_that_do_not_hold_together(tmp_path: Path, figure: str, message: str) -> None:
    entry = f'\n[[published]]\nwhat = "x"\nsource = "y"\ngap = "z"\n{figure}\n'
    with pytest.raises(InputError, match=message):
        load_chip(write(tmp_path, MINE + entry))
