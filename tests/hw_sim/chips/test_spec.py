"""What a chip file may say, and what is refused of it."""

from pathlib import Path

import pytest
from support.chip_files import PROCESSOR, write

from hw_sim.chips.load import load_chip
from hw_sim.chips.spec import workload
from retronet.errors import InputError
from retronet.network import sized_layers


def test_the_recogniser_of_anna_has_the_remembered_size() -> None:
    found = sized_layers(workload(load_chip("anna"), "anna-recogniser"))
    assert [sized.macs for sized in found] == [78_400, 3_136, 50_000, 1_200, 3_000]
    assert sum(sized.macs for sized in found) == 135_736


def test_a_workload_may_be_a_network_of_the_package() -> None:
    assert workload(load_chip("anna"), "lecun1989").name == "lecun1989"


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
    assert old in PROCESSOR
    with pytest.raises(InputError, match=message):
        load_chip(write(tmp_path, PROCESSOR.replace(old, new)))


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
        load_chip(write(tmp_path, PROCESSOR + entry))
