"""Chips that can not run a network: left out and named, unless they were asked for."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from hw_sim.chips.load import chip_names
from retronet.errors import InputError
from retronet.network import load_network
from retronet_cli.able_chips import chips_for

Call = Callable[..., Result]
POOLED = Path(__file__).parents[1] / "support" / "pooled.toml"


def test_without_names_those_that_can_are_taken() -> None:
    able, left_out = chips_for((), load_network("lecun1989"))
    assert ([chip.name for chip in able], left_out) == (list(chip_names()), [])

    able, left_out = chips_for((), load_network(str(POOLED)))
    named = [sentence.partition(" is left out. ")[0] for sentence in left_out]
    assert sorted([*named, *(chip.name for chip in able)]) == sorted(chip_names())
    assert "anna" in named
    assert "sun4-260" not in named
    assert all(sentence.endswith(".") and "can not run on the chip" in sentence for sentence in left_out)


def test_what_was_named_is_taken_as_it_is() -> None:
    able, left_out = chips_for(("anna",), load_network(str(POOLED)))

    assert ([chip.name for chip in able], left_out) == (["anna"], [])
    with pytest.raises(InputError, match="no chip 'ana'"):
        chips_for(("ana",), load_network("lecun1989"))


def test_report_and_roofline_leave_out_and_say_so(call: Call, tmp_path: Path) -> None:
    words = ("report", "--network", POOLED)
    told = call(*words, "--json")
    assert told.exit_code == 0, told.stderr
    assert "anna is left out. " in told.stderr
    assert "anna" not in {each["chip"] for each in json.loads(told.stdout)["modelled"]}
    assert call(*words, "-q").stderr == ""

    drawn = call("plot", "roofline", "--network", POOLED, "-o", tmp_path / "a.svg")
    assert drawn.exit_code == 0, drawn.stderr
    assert "anna is left out. " in drawn.stderr

    refused = call(*words, "--chip", "anna")
    assert refused.exit_code == 1
    assert "Choose a network without" in refused.stderr
