"""`retronet simulate`: counts that are the geometry's, figures that behave as bits do, tables to read."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from retronet.network import load_network, sized_layers

Call = Callable[..., Result]


def simulate_json(call: Call, trained: Any, *arguments: object) -> dict[str, Any]:
    result = call("simulate", trained.folder, *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    printed = json.loads(result.stdout)
    assert isinstance(printed, dict)
    return printed


@pytest.fixture(scope="module")
def eight_bits(call: Call, trained: Any) -> dict[str, Any]:
    return simulate_json(call, trained, "--bits", 8)


def test_json_is_one_object_with_the_promised_keys(eight_bits: dict[str, Any], trained: Any) -> None:
    assert list(eight_bits) == sorted(eight_bits)
    assert eight_bits["schema"] == "retronet/simulation/1"
    assert (eight_bits["bits"], eight_bits["n"], eight_bits["dataset"]) == (8, 1000, "digits5k")
    assert {"misses", "agreement", "macs", "connections", "layers"} <= eight_bits.keys()
    for layer in eight_bits["layers"]:
        assert {
            "name", "macs", "border_macs", "zero_macs", "connections", "saturations", "overflows", "sqnr_db",
        } <= layer.keys()  # fmt: skip
    for quantity in ("n", "misses", "half_mse", "error_percent"):
        expected = trained.printed["test"][quantity]
        assert eight_bits["float"][quantity] == pytest.approx(expected, rel=1e-6), quantity


def test_counts_are_those_of_the_geometry(eight_bits: dict[str, Any]) -> None:
    """What the kernels counted digit by digit, against the formulas: 63,660 MACs, 64,660 connections."""
    assert (eight_bits["macs"], eight_bits["connections"]) == (63_660, 64_660)
    network = sized_layers(load_network("lecun1989"))
    assert [layer["name"] for layer in eight_bits["layers"]] == [sized.name for sized in network]
    for layer, sized in zip(eight_bits["layers"], network, strict=True):
        assert layer["macs"] == sized.macs
        assert layer["border_macs"] == sized.border_macs
        assert layer["connections"] == sized.connections
        assert 0 <= layer["zero_macs"] < sized.macs
        assert layer["overflows"] == 0


def test_more_bits_come_nearer_to_floating_point(
    call: Call, trained: Any, eight_bits: dict[str, Any]
) -> None:
    by_bits = {8: eight_bits} | {bits: simulate_json(call, trained, "--bits", bits) for bits in (2, 5, 16)}
    agreement = [by_bits[bits]["agreement"] for bits in (2, 5, 8, 16)]
    noise = {bits: [layer["sqnr_db"] for layer in found["layers"]] for bits, found in by_bits.items()}

    assert agreement == sorted(agreement)
    assert agreement[0] < 0.9
    assert agreement[2] > 0.97
    assert agreement[3] > 0.998
    assert abs(by_bits[16]["misses"] - by_bits[16]["float"]["misses"]) <= 1
    assert by_bits[16]["half_mse"] == pytest.approx(by_bits[16]["float"]["half_mse"], rel=1e-3)
    for layer in range(4):
        # A bit is worth 6 dB, give or take what the ranges round to.
        assert noise[16][layer] - noise[8][layer] == pytest.approx(8 * 6.02, abs=9)


def test_narrow_sums_wrap_or_saturate(call: Call, trained: Any, eight_bits: dict[str, Any]) -> None:
    wrapping = simulate_json(call, trained, "--accumulator-bits", 14)
    saturating = simulate_json(call, trained, "--accumulator-bits", 14, "--accumulator-overflow", "sat")

    for found in (wrapping, saturating):
        assert sum(layer["overflows"] for layer in found["layers"]) > 0
        assert found["macs"] == 63_660
    assert wrapping["misses"] > saturating["misses"] > eight_bits["misses"]


def test_weights_and_states_have_bits_of_their_own(call: Call, trained: Any) -> None:
    printed = simulate_json(call, trained, "--weight-bits", 6, "--state-bits", 3)
    bits = {(row["layer"], row["role"]): row["text"] for row in printed["formats"]}

    for layer in ("h1", "h2", "h3", "output"):
        assert bits[layer, "weight"].startswith("s6.")
        assert bits[layer, "state"].startswith("s3.")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--bits", "1"], "1 is not in the range 2<=x<=32"),
        (["--bits", "eight"], "'eight' is not a valid integer"),
        (["--accumulator-bits", "16", "--accumulator-overflow", "trap"], "'trap' is not one of"),
    ],
)
def test_wrong_usage_is_2(call: Call, trained: Any, arguments: list[str], said: str) -> None:
    result = call("simulate", trained.folder, *arguments)

    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_no_digit_is_lost_on_a_narrow_terminal(
    call: Call, trained: Any, columns: int, eight_bits: dict[str, Any]
) -> None:
    printed = call("simulate", trained.folder, "--bits", 8).stdout

    assert max(map(len, printed.splitlines())) <= columns
    agreements = f"the same answer to {eight_bits['agreements']:,} of 1,000 digits"
    assert agreements in " ".join(printed.split())
    scores = (f"{eight_bits['misses']:,}", f"{eight_bits['half_mse']:.3e}")
    for number in ("63,660", "64,660", "13,428", *scores):
        assert number in printed
    for layer in eight_bits["layers"]:
        assert f"{layer['macs']:,}" in printed
        assert f"{layer['sqnr_db']:.1f} dB" in printed


def test_no_run_nothing_to_simulate(call: Call, tmp_path: Path) -> None:
    result = call("simulate", "--runs", tmp_path)

    assert (result.exit_code, result.stdout) == (1, "")
    assert f"There is no trained run in {tmp_path}" in result.stderr
