"""Chips on the command line: shown, costed beside what was published, and simulated."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from rich.table import Table

from hw_sim.chips.constants import constants
from hw_sim.chips.cost.network_cost import cost
from hw_sim.chips.cost.published import compare
from hw_sim.chips.spec import chip_names, load_chip
from retronet.network import load_network
from retronet_cli.views import costs
from retronet_cli.views.quantities import duration, plain, prefixed, quantity, quantity_range

Call = Callable[..., Result]

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


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(MINE, encoding="utf-8")
    return path


def printed_json(call: Call, *arguments: object) -> dict[str, Any]:
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    printed = json.loads(result.stdout)
    assert isinstance(printed, dict)
    return printed


def test_every_constant_is_shown_with_its_unit_and_standing(call: Call) -> None:
    shown = printed_json(call, "show", "chip", "anna")
    text = " ".join(call("show", "chip", "anna").stdout.split())

    assert (shown["schema"], shown["name"]) == ("retronet/chip/1", "anna")
    rows = {row["key"]: row for row in shown["constants"]}
    assert list(rows) == [row.key for row in constants(load_chip("anna"))]
    assert (rows["engine.weight_bits"]["standing"], rows["engine.weight_bits"]["value"]) == ("sourced", 6)
    assert (rows["engine.cycle_s"]["standing"], rows["engine.cycle_s"]["unit"]) == ("assumed", "s")
    assert rows["engine.refresh_period_s"]["standing"] == "unknown"
    assert rows["engine.refresh_period_s"]["value"] is None
    for words in ("cycle_s 50 ns assumed:", "weight_bits 6 bits sourced:", "refresh_period_s – unknown:"):
        assert words in text


@pytest.mark.parametrize("name", chip_names())
def test_no_word_of_a_chip_is_lost(call: Call, name: str, columns: int) -> None:
    result = call("show", "chip", name)
    chip, words = load_chip(name), set(result.stdout.split())

    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= columns
    for row in constants(chip):
        assert row.key.removeprefix("engine.") in result.stdout
        assert set((row.constant.source or row.constant.reason).split()) <= words
    for fact in chip.facts:
        assert set(f"{fact.text} {fact.source or fact.reason}".split()) <= words
    for figure in chip.published:
        assert set(f"{figure.what} {figure.source}".split()) <= words


def test_the_list_names_every_chip(call: Call) -> None:
    assert [each["name"] for each in printed_json(call, "show", "chips")["chips"]] == chip_names()


@pytest.mark.parametrize(
    "arguments",
    [["show", "chip", "ana"], ["report", "--chip", "ana"], ["simulate", "--chip", "ana"]],
)
def test_a_mistyped_chip_is_answered_with_the_nearest(call: Call, arguments: list[str]) -> None:
    result = call(*arguments)

    assert (result.exit_code, result.stdout) == (1, "")
    assert "There is no chip 'ana'. Did you mean 'anna'?" in result.stderr
    assert "retronet show chips" in result.stderr


def test_a_report_is_what_the_model_says(call: Call) -> None:
    printed = printed_json(call, "report", "--chip", "dsp32c-80ns", "--chip", "anna")
    network = load_network("lecun1989")

    assert printed["schema"] == "retronet/report/1"
    assert [row["macs"] for row in printed["work"]] == [19_200, 38_400, 5_760, 300]
    dsp, anna = printed["modelled"]
    # 63,660 MACs and 1,000 units of 40 instructions, 80 ns each.
    assert dsp["seconds"] == pytest.approx((63_660 + 40_000) * 80e-9)
    assert sum(layer["cycles"] for layer in dsp["layers"]) == 103_660
    assert anna["images_per_s"] == cost(load_chip("anna"), network).images_per_s
    assert [layer["chip"] for layer in anna["layers"]] == ["anna"] * 3 + ["dsp32c-100ns"]
    assert {(row["chip"], row["modelled"]) for row in printed["published"]} == {
        (name, row.modelled) for name in ("dsp32c-80ns", "anna") for row in compare(load_chip(name))
    }
    alone = printed_json(call, "report", "--chip", "anna", "--chip-alone")["modelled"][0]
    assert len(alone["layers"]) == 3
    assert alone["seconds"] < anna["seconds"] / 4  # the host interface holds it back


def test_cycles_are_the_chips_own_time(call: Call) -> None:
    """A layer's cycles times the length of one are its time, where no host takes longer."""
    for report in printed_json(call, "report")["modelled"]:
        for layer in report["layers"]:
            cycle_s = load_chip(layer["chip"]).engine.cycle_s.value
            assert cycle_s is not None
            chip_s = layer["cycles"] * cycle_s
            assert layer["seconds"] == pytest.approx(max(chip_s, layer["host_s"] or 0.0))


def test_the_table_of_published_figures_is_the_models(call: Call, columns: int) -> None:
    result = call("report")
    _, _, after = result.stdout.partition("The model beside the published figures")
    letters = re.sub(r"\s", "", after)

    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= columns
    assert "…" not in result.stdout
    rows = [row for name in chip_names() for row in compare(load_chip(name))]
    for row in rows if columns == 40 else ():
        found = (
            f"published:{quantity_range(row.low, row.high, row.unit)}",
            f"modelled:{quantity(row.modelled, row.unit)}",
            f"fitted:{costs.fitted(row)}",
        )
        assert "".join(found).replace(" ", "") in letters
    for row in rows:
        assert quantity(row.modelled, row.unit) in after


def test_no_digit_is_lost_on_a_narrow_terminal(call: Call, columns: int) -> None:
    result = call("report", "--chip", "anna", "--chip", "int8-array", "--chip", "dsp32c-80ns")

    assert max(map(len, result.stdout.splitlines())) <= columns
    for number in ("63,660", "64,660", "103,660", "120.6", "485", "409,165", "871.2", "102.4", "9,600"):
        assert number in result.stdout
    for layer in cost(load_chip("anna"), load_network("lecun1989")).layers:
        assert plain(1e6 * layer.seconds) in result.stdout
    for row in compare(load_chip("dsp32c-80ns")):
        assert row.gap.split(".")[0] in " ".join(result.stdout.split())


def headings(table: Table) -> list[str]:
    return [str(column.header).replace("-\n", "").replace("\n", " ") for column in table.columns]


def test_modelled_and_published_never_share_a_column() -> None:
    """Every column of times and rates says what it holds; what is fitted is a column of its own."""
    chip, network = load_chip("anna"), load_network("lecun1989")
    report = cost(chip, network)
    totals = headings(costs.totals_table("", [report]))
    layers = headings(costs.layers_table(chip, report))
    published = headings(costs.published_table(compare(chip)))

    assert {"modelled ms", "modelled digits/s"} <= set(totals)
    assert "modelled µs" in layers
    assert published[-3:] == ["published", "modelled", "fitted"]
    for title in (costs.layers_table(chip, report).title, costs.parts_table(chip, report).title):
        assert "modelled" in str(title)
    times = [key for key in costs.records([report])[0] if key.endswith(("_s", "_j", "_cycles"))]
    assert times
    assert all(key.startswith("modelled_") for key in times)


def test_what_rests_on_something_unknown_is_marked_as_a_bound(call: Call) -> None:
    text = call("report", "--chip", "net32k", "--chip", "dsp32c-80ns").stdout

    assert "≥0.0341" in text
    assert "≤29,326" in text
    assert "host.bytes_per_s" in text
    assert "≥8.293" not in text


def test_rows_as_csv_and_markdown_hold_the_same(call: Call) -> None:
    arguments = ("report", "--chip", "anna", "--chip", "net32k", "--format")
    rows = list(csv.DictReader(io.StringIO(call(*arguments, "csv").stdout)))
    lines = call(*arguments, "markdown").stdout.splitlines()

    assert [(row["chip"], row["layer"]) for row in rows] == [
        (chip, layer) for chip in ("anna", "net32k") for layer in ("h1", "h2", "h3", "output")
    ]
    layer = cost(load_chip("anna"), load_network("lecun1989")).layers[1]
    assert float(rows[1]["modelled_s"]) == layer.seconds
    assert int(rows[1]["macs"]) == layer.work.macs
    assert len(lines) == 2 + len(rows)
    assert [cell.strip() for cell in lines[0].strip("|").split("|")] == list(rows[0])


def test_a_chip_and_a_network_of_ones_own(call: Call, mine: Path, tiny_network: Path) -> None:
    printed = printed_json(call, "report", "--chip", mine, "--network", tiny_network)

    # H1: 2 maps of 9 units with 36 inputs; output: 10 units with 18. 2 µs a MAC.
    assert printed["modelled"][0]["seconds"] == pytest.approx((18 * 36 + 10 * 18) * 2e-6)
    assert printed["published"] == []
    assert "A private chip" in call("show", "chip", mine).stdout


def test_a_run_is_costed_by_its_own_network(call: Call, trained: Any) -> None:
    printed = printed_json(call, "report", trained.folder, "--chip", "dsp32c-80ns")

    assert printed["run"] == str(trained.folder)
    assert printed["modelled"] == printed_json(call, "report", "--chip", "dsp32c-80ns")["modelled"]
    both = call("report", trained.folder, "--network", "lenet1")
    assert both.exit_code == 2
    assert "--network does not go with a run" in both.stderr


def test_widths_are_those_of_arrays(call: Call) -> None:
    arguments = ("report", "--chip", "net32k", "--weight-bits", "4", "--state-bits", "2")
    net32k, dsp = printed_json(call, *arguments, "--chip", "dsp32c-80ns")["modelled"]
    assert (net32k["weight_bits"], net32k["state_bits"], dsp["weight_bits"]) == (4, 2, None)
    alone = call("report", "--chip", "dsp32c-80ns", "--weight-bits", 4)
    assert alone.exit_code == 1
    assert "takes no widths" in alone.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--chip", "cnaps"], 1, "'cnaps' can not be simulated"),
        (["--chip", "dsp32c-80ns", "--bits", "8"], 2, "--bits does not go with --chip dsp32c-80ns"),
        (["--chip", "dsp32c-80ns", "--chips", "3"], 2, "--chips does not go with"),
        (["--chip", "anna", "--tanh", "sn"], 2, "--tanh does not go with --chip anna"),
        (["--chip", "anna", "--set", "nose=0.1"], 1, "has no option 'nose'. It has: weights, states"),
        (["--chip", "anna", "--set", "noise=loud"], 1, "can not be changed so"),
        (["--chip", "anna", "--set", "noise"], 2, "--set takes KEY=VALUE"),
        (["--chip", "anna", "--precisions"], 2, "--precisions does not go with --chip anna"),
        (["--chip", "net32k", "--precisions", "--seed", "1"], 2, "'seed' does not go with --precisions"),
        (["--chip", "net32k", "--precisions", "--set", "weights=1-bit"], 2, "'weights' does not go with"),
        (["--tanh", "sn"], 2, "--tanh goes with --chip alone"),
        (["--set", "noise=0"], 2, "--set goes with --chip alone"),
    ],
)
def test_what_a_chip_does_not_take_is_refused(
    call: Call, trained: Any, arguments: list[str], code: int, said: str
) -> None:
    result = call("simulate", trained.folder, *arguments)

    assert (result.exit_code, result.stdout) == (code, "")
    assert said in " ".join(result.stderr.split())


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


def test_numbers_keep_four_digits_or_all() -> None:
    assert (plain(120.58653), plain(409165.3), plain(0.0341)) == ("120.6", "409,165", "0.0341")
    assert (prefixed(327.68e9), prefixed(644075.2), prefixed(9.961)) == ("327.7 G", "644.1 k", "9.961")
    assert (duration(60349.36), duration(8.2928e-3), duration(259_200)) == ("16.76 h", "8.293 ms", "3 days")
    assert quantity_range(10, 12, "images/s") == "10 to 12"
    assert quantity_range(30, None, "images/s") == "more than 30"
    assert quantity_range(None, 1e-6, "s") == "less than 1 µs"
    assert quantity_range(3e6, 3e6, "connections/s") == "3 M"
