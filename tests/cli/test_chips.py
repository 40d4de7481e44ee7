"""Networks simulated on chips from the command line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from support.chip_files import like
from support.printed import printed_json

from retronet_cli.views.quantities import plain

Call = Callable[..., Result]


def test_the_dsp_beside_ieee(call: Call, trained: Any) -> None:
    """Bit-level emulation is a small matter to a trained network, and its rate is the cost model's."""
    printed = printed_json(call, "simulate", trained.folder, "--chip", "dsp32c-100ns")
    found, modelled = printed["simulated"], printed["modelled"]

    assert printed["schema"] == "retronet/chip-simulation/1"
    assert (printed["chip"], found["images"], found["tanh"]) == ("dsp32c-100ns", 1000, "exact")
    assert found["ieee_single"]["misses"] == trained.printed["test"]["misses"]
    assert 0 < found["max_abs_output_difference"] < 1e-5
    assert abs(found["dsp32c"]["misses"] - found["ieee_single"]["misses"]) <= found["differing_answers"]
    # Stores that truncate leave a bias towards minus infinity in every layer.
    assert all(layer["dsp32c"]["mean"] < 0 for layer in found["layers"])
    assert modelled["images_per_s"] == pytest.approx(1 / (103_660 * 100e-9))

    sn = printed_json(call, "simulate", trained.folder, "--chip", "dsp32c-100ns", "--tanh", "sn")["simulated"]
    assert sn["max_abs_output_difference"] > 10 * found["max_abs_output_difference"]


def test_the_dsp_in_tables(call: Call, trained: Any, columns: int) -> None:
    result = call("simulate", trained.folder, "--chip", "dsp32c-80ns")
    text = " ".join(result.stdout.split())

    assert result.exit_code == 0, result.stderr
    assert max(map(len, result.stdout.splitlines())) <= columns
    assert f"{trained.printed['test']['misses']:,}" in text
    assert "of 1,000 answers differ" in text
    assert "What dsp32c-80ns would take for lecun1989: modelled, not measured" in text
    assert "8.293" in text
    assert text.count("Assumed.") == 4
    assert "that the DSP-32C's is the same is not proven" in text


@pytest.mark.parametrize(
    ("chip", "errors"), [("anna", ["noise", "offset", "mismatch", "droop"]), ("net32k", ["accuracy"])]
)
def test_analog_chips_are_drawn_from_a_seed(call: Call, trained: Any, chip: str, errors: list[str]) -> None:
    arguments = ("simulate", trained.folder, "--chip", chip, "--chips", 2)
    first = printed_json(call, *arguments, "--seed", 3)
    other = printed_json(call, *arguments, "--seed", 4)["simulated"]
    none = [word for error in errors for word in ("--set", f"{error}=0")]
    ideal = printed_json(call, *arguments, *none)["simulated"]

    assert first == printed_json(call, *arguments, "--seed", 3)
    found = first["simulated"]
    assert (found["seed"], [each["chip"] for each in found["chips"]]) == (3, [0, 1])
    assert found["reference"]["misses"] == trained.printed["test"]["misses"]
    assert other["ideal"] == found["ideal"]
    assert other["chips"] != found["chips"]
    for each in ideal["chips"]:
        assert each["mapped"] == found["ideal"]["mapped"]


def test_what_is_set_on_a_chip_is_what_is_simulated_and_costed(call: Call, trained: Any) -> None:
    """A layer more beside ANNA's board, and bits of NET32K: the cost model follows the simulation."""
    arguments = ("simulate", trained.folder, "--chips", 1, "--chip")
    anna = printed_json(call, *arguments, "anna", "--set", "float_layers=2", "--set", "states=mid-rise")
    assert (anna["simulated"]["options"]["states"], len(anna["simulated"]["layers"])) == ("mid-rise", 2)
    assert [layer["chip"] for layer in anna["modelled"]["layers"]] == ["anna"] * 2 + ["dsp32c-100ns"] * 2

    net32k = printed_json(call, *arguments, "net32k", "--set", "weights=4-bit", "--set", "layers=1")
    modelled = net32k["modelled"]
    assert (modelled["weight_bits"], modelled["state_bits"], len(modelled["layers"])) == (4, 2, 1)


@pytest.mark.parametrize("chip", ["anna", "net32k"])
def test_spreads_in_tables(call: Call, trained: Any, columns: int, chip: str) -> None:
    arguments = ("simulate", trained.folder, "--chip", chip, "--chips", 2)
    result = call(*arguments)
    found = printed_json(call, *arguments)["simulated"]
    text = " ".join(result.stdout.split())

    assert max(map(len, result.stdout.splitlines())) <= columns
    assert "…" not in result.stdout
    for spread in (found["mapped"], found["retrained"]):
        assert f"{spread['error_percent']:.2f} ± {spread['error_deviation']:.2f}" in text
    for option in found["options"]:
        assert option in text
    for assumption in found["assumptions"]:
        assert f"Assumed. {assumption}" in text


def test_the_first_method_on_grafs_chip(call: Call, trained: Any, columns: int) -> None:
    changed = ("--chips", 1, "--set", "passes=1", "--set", "offset_deviation=0.6")
    arguments = ("simulate", trained.folder, "--chip", "graf54", *changed)
    result = call(*arguments)
    printed = printed_json(call, *arguments)
    found, text = printed["simulated"], " ".join(result.stdout.split())

    assert "of the run only the digits are used" in result.stderr
    assert max(map(len, result.stdout.splitlines())) <= columns
    assert printed["modelled"] is None  # the cost of the run's network is not that of this method
    assert (found["inputs"], found["maps"], len(found["chips"])) == (270, 18, 1)
    assert f"{found['test']['misses']:,}" in text
    assert plain(found["work"]["modelled_images_per_s"]) in text
    assert "Modelled, not measured" in text


def test_a_private_chip_simulates_with_its_own_figures(call: Call, trained: Any, tmp_path: Path) -> None:
    """Accuracy and time are those of one chip, whatever it is called."""
    sizes = {"neurons": 4, "inputs": 200, "weight_bits": 2, "state_bits": 1}
    arguments = ("simulate", trained.folder, "--chips", 1, "--chip")
    anna = printed_json(call, *arguments, "anna")
    same = printed_json(call, *arguments, like(tmp_path, "anna", "my-anna"))
    small = printed_json(call, *arguments, like(tmp_path, "anna", "half-anna", **sizes))

    assert same["simulated"] == anna["simulated"]
    assert (same["chip"], small["chip"]) == ("my-anna", "half-anna")
    found, modelled = small["simulated"], small["modelled"]
    assert (modelled["weight_bits"], modelled["state_bits"]) == (2, 1)
    assert modelled["seconds"] != anna["modelled"]["seconds"]
    assert found["ideal"]["mapped"]["misses"] > 2 * anna["simulated"]["ideal"]["mapped"]["misses"]
    assert found["options"]["states"] == "mid-rise"
    assert found["options"].keys() == anna["simulated"]["options"].keys()


@pytest.mark.parametrize(
    ("name", "sizes", "said"),
    [
        ("anna", {"inputs": 64}, "sums 200 products; at most 64 are added before they are converted"),
        ("anna", {"weight_bits": 13}, "engine.weight_bits is 13 bits; its arithmetic, 'anna', takes"),
        (
            "net32k",
            {"weight_bits": 2},
            "engine.weight_bits is 2 bits; its arithmetic, 'net32k', takes 1",
        ),
        ("graf54", {"neurons": 30}, "they are 49; the chip compares at most 30 at once (engine.neurons)"),
    ],
)
def test_a_size_that_can_not_be_taken_is_refused(
    call: Call, trained: Any, tmp_path: Path, name: str, sizes: dict[str, float], said: str
) -> None:
    result = call("simulate", trained.folder, "--chip", like(tmp_path, name, **sizes))

    assert (result.exit_code, result.stdout) == (1, "")
    assert said in " ".join(result.stderr.split())


def test_the_table_of_precisions_is_as_long_as_blocks_join(call: Call, trained: Any, tmp_path: Path) -> None:
    small = like(tmp_path, "net32k", max_joined=2)
    arguments = ("simulate", trained.folder, "--precisions", "--set", "layers=1", "--chip")
    found = printed_json(call, *arguments, small)
    text = " ".join(call(*arguments, small).stdout.split())

    rows = found["simulated"]["rows"]
    assert [(row["weights"], row["state_bits"]) for row in rows] == [("1-bit", 1), ("1-bit", 2)]
    assert found["modelled"] is None
    assert "h1 on NET32K, pixels of 2 bits: lecun1989 after pass 2 on 1,000 test digits" in text
    assert "Sums of more than 256 one-bit products" in text
