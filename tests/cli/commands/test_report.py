"""What a network costs on chips, beside what was published."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from rich.table import Table
from support.chip_files import PROCESSOR, write
from support.printed import printed_json

from hw_sim.chips.cost.network_cost import cost
from hw_sim.chips.cost.published import published_rows
from hw_sim.chips.load import chip_names, load_chip
from retronet.network import load_network
from retronet_cli.views import costs
from retronet_cli.views.quantities import plain, quantity, quantity_range

Call = Callable[..., Result]


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    return Path(write(tmp_path, PROCESSOR))


@pytest.mark.parametrize(
    "arguments",
    [["show", "chip", "ana"], ["report", "--chip", "ana"], ["simulate", "--chip", "ana"]],
)
def test_a_mistyped_chip_is_answered_with_the_nearest(call: Call, arguments: list[str]) -> None:
    result = call(*arguments)

    assert (result.exit_code, result.stdout) == (2, "")
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
        (name, row.modelled) for name in ("dsp32c-80ns", "anna") for row in published_rows(load_chip(name))
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
    rows = [row for name in chip_names() for row in published_rows(load_chip(name))]
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
    for row in published_rows(load_chip("dsp32c-80ns")):
        assert row.gap.split(".")[0] in " ".join(result.stdout.split())


def headings(table: Table) -> list[str]:
    return [str(column.header).replace("-\n", "").replace("\n", " ") for column in table.columns]


def test_modelled_and_published_never_share_a_column() -> None:
    """Every column of times and rates says what it holds; what is fitted is a column of its own."""
    chip, network = load_chip("anna"), load_network("lecun1989")
    report = cost(chip, network)
    totals = headings(costs.totals_table("", [report]))
    layers = headings(costs.cost_table(chip, report))
    published = headings(costs.published_table(published_rows(chip)))

    assert {"modelled ms", "modelled digits/s"} <= set(totals)
    assert "modelled µs" in layers
    assert published[-3:] == ["published", "modelled", "fitted"]
    for title in (costs.cost_table(chip, report).title, costs.parts_table(chip, report).title):
        assert "modelled" in str(title)
    times = [key for key in costs.cost_records([report])[0] if key.endswith(("_s", "_j", "_cycles"))]
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
    assert alone.exit_code == 2
    assert "takes no widths" in alone.stderr


def test_a_network_is_slid_over_a_field_beside_separate_windows(call: Call) -> None:
    words = ("report", "--network", "lenet1", "--field", "28x140")
    found = printed_json(call, *words, "--chip", "anna")
    assert found["schema"] == "retronet/slid/1"
    assert (found["windows"], found["slid_macs"], found["separate_macs"]) == (29, 657_280, 2_743_168)
    (anna,) = found["modelled"]
    assert anna["slid_s"] < anna["separate_s"]
    text = call(*words).stdout
    assert "657,280   2,743,168" in text
    assert "29 places" in text
    for more, sentence in (
        (("--field", "28x141"), "it moves by 4 pixels. Add a multiple of 4"),
        (("--field", "-1x28"), "'-1x28' is no field; ROWSxCOLUMNS is allowed, such as 28x140"),
        (("--field", "28"), "'28' is no field"),
        (("--field", "28x9999999"), "up to 999,999 rows and columns are allowed"),
        (("--field", "28x140", "--html", "a.html"), "--field does not go with --html"),
    ):
        refused = call(*(words[:1] if "--html" in more else words[:3]), *more)
        assert (refused.exit_code, refused.stdout) == (2, ""), more
        assert sentence in refused.stderr
