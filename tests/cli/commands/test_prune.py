"""The command `retronet prune`: what it prints is what the new run holds, and what goes on from there."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from support.cut_off import content, cut_off_at
from support.trained_run import train_briefly

from hw_sim.chips.load import chip_names
from hw_sim.export.page import encoded_array
from retronet.connections import weight_rows
from retronet.network import sized_layers
from retronet.runs.pruned_run import stages_of
from retronet.runs.run import Run, open_run
from retronet.training.pruning import Pruning
from retronet_cli.main import cli

FEW = ("--delete", "3000", "--stages", "2", "--passes", "1")


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train_briefly(tmp_path_factory.mktemp("runs") / "brief", 2)


@pytest.fixture(scope="module")
def pruned(origin: Run) -> Path:
    folder = origin.folder.parent / "pruned"
    assert call("prune", origin.folder, *FEW, "--run", folder).exit_code == 0
    return folder


def call(*arguments: object) -> Result:
    return CliRunner().invoke(cli, list(map(str, arguments)))


def as_json(*arguments: object) -> dict[str, Any]:
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_the_tables_are_the_run(pruned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    table = call("prune", "--resume", pruned, "-q").stdout
    found, run = as_json("prune", "--resume", pruned), open_run(pruned)
    assert found["schema"] == "retronet/pruning/1"
    assert found["stages"] == stages_of(run.checkpoint())
    assert [stage["deleted"] for stage in found["stages"]] == [0, 1500, 3000]
    assert sum(row["parameters"] - row["parameters_left"] for row in found["layers"]) == 3000
    assert all(row["macs_left"] <= row["macs"] for row in found["layers"])
    assert found["modelled"]["skipping_s"] < found["modelled"]["dense_s"]
    trained = open_run(pruned).trained
    weights = {name: mask for name, mask in trained.mask.items() if name.endswith(".weight")}
    kept, all_weights = (
        int(sum(each)) for each in zip(*((m.sum(), m.size) for m in weights.values()), strict=True)
    )
    spared = {row["chip"]: row for row in found["chips"]}
    assert set(spared) == set(chip_names())
    assert found["modelled"].items() <= spared["dsp32c-80ns"].items()
    for name, row in spared.items():
        bits = {"anna": 6, "net32k": 1, "graf54": 2, "int8-array": 8, "cnaps": 16}.get(name, 32)
        assert (row["weight_bits"], row["weight_bits_left"]) == (all_weights * bits, kept * bits)
        if name == "anna":  # its board's DSP runs the last layer, of which nothing may be gone
            assert row["skipping_s"] <= row["dense_s"]
            continue
        gains = name == "sun4-260" or name.startswith("dsp32c")
        assert (row["skipping_s"] < row["dense_s"]) == gains, "arrays multiply by 0 in the same time"
        assert f" {kept * bits:,} " in table, name
    assert max(map(len, table.splitlines())) <= 80
    for stage in found["stages"]:
        row = next(line for line in table.splitlines() if line.split()[:1] == [f"{stage['deleted']:,.0f}"])
        assert f" {stage['test_misses']:.0f} " in row
    assert open_run(pruned).trained.deleted == 3000


def test_a_run_cut_off_is_resumed_by_either_command(origin: Run, pruned: Path, tmp_path: Path) -> None:
    for number, words in enumerate((("resume",), ("prune", "--resume"))):
        folder = tmp_path / str(number)
        with cut_off_at(Pruning, 1, "stage"):
            cut = call("prune", origin.folder, *FEW, "--run", folder)
        assert cut.exit_code == 130
        assert f"retronet prune --resume {folder}" in cut.stderr
        assert "Stages 1 to 1 are kept." in cut.stderr
        assert call(*words, folder).exit_code == 0
        assert content(folder) == content(pruned)


def test_the_masks_live_on_in_what_comes_of_the_run(pruned: Path, tmp_path: Path) -> None:
    again = tmp_path / "retrained"
    assert call("retrain", pruned, "--passes", 1, "--bits", 5, "--run", again).exit_code == 0
    assert open_run(again).trained.deleted == 3000
    simulated = as_json("simulate", again)
    assert simulated["misses"] == open_run(again).records()[-1].test.misses
    refused = call("simulate", pruned, "--weight-format", "{-1,1}")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "'h1' is pruned" in refused.stderr


def test_what_is_deleted_is_0_in_all_that_is_exported(pruned: Path, tmp_path: Path) -> None:
    trained = open_run(pruned).trained
    gone, real = {}, {}
    for sized in sized_layers(trained.network):
        name = f"{sized.name}.weight"
        gone[sized.name] = weight_rows(sized, 1 - trained.mask[name], "plane_fastest") == 1
        real[sized.name] = weight_rows(sized, trained.parameters[name].astype(np.float32), "plane_fastest")
    assert sum(int(each.sum()) for each in gone.values()) > 2000
    for what in ("golden", "rtl"):
        made = call("export", what, pruned, "-o", tmp_path / what, "--bits", 5, "--digits", 1, "-q")
        assert made.exit_code == 0, made.stderr
    with np.load(tmp_path / "golden" / "network.npz") as golden:
        integers = {name: golden[f"{name}.weights"] for name in gone}
    for name, places in gone.items():
        assert not integers[name][places].any()
        assert not real[name][places].any()
        assert integers[name].any(), "others are left"
    words = (tmp_path / "rtl" / "weights.mem").read_text().splitlines()
    left = sum(int(word, 16) != 0 for word in words if not word.startswith("//"))
    assert left == sum(np.count_nonzero(each) for each in integers.values())
    onnx = pytest.importorskip("onnx")
    for form, bits in (("integer", ("--bits", 5)), ("qdq", ("--bits", 5)), ("float", ())):
        file = tmp_path / f"{form}.onnx"
        assert call("export", "onnx", pruned, "-o", file, "--form", form, *bits, "-q").exit_code == 0
        kept = {each.name: onnx.numpy_helper.to_array(each) for each in onnx.load(file).graph.initializer}
        for name in gone:
            array = kept[f"{name}.weights.integers" if form == "qdq" else f"{name}.weights"]
            wanted = real[name] if form == "float" else integers[name]
            assert np.count_nonzero(array) == np.count_nonzero(wanted), (form, name)
    assert call("draw", pruned, "-o", tmp_path / "page.html", "-q").exit_code == 0
    page = (tmp_path / "page.html").read_text()
    for rows in real.values():
        assert encoded_array(rows)["data"] in page


def test_a_pruned_run_is_told_by_stages(pruned: Path) -> None:
    assert "after stage 2, on" in call("evaluate", pruned, "-q").stdout
    assert any(line.split()[:1] == ["stage"] for line in call("show", "run", pruned).stdout.splitlines())
    assert "after pass" not in call("simulate", pruned, "-q").stdout


def test_the_curve_makes_no_run(origin: Run, tmp_path: Path) -> None:
    found = as_json("prune", origin.folder, "--curve", "--runs", tmp_path)
    assert [found["points"][0][key] for key in ("count", "predicted", "measured")] == [0, 0, 0]
    assert found["points"][-1]["count"] == found["parameters"] == 9760
    assert list(tmp_path.iterdir()) == []


def test_bits_and_deletions_share_a_budget(origin: Run) -> None:
    plain = as_json("allocate", origin.folder, "--bits", 4, "--rise", 20)
    both = as_json("allocate", origin.folder, "--bits", 4, "--rise", 20, "--prune")
    assert "deleted" not in plain["chosen"]
    assert both["chosen"]["weight_storage_bits"] <= plain["chosen"]["weight_storage_bits"]
    assert both["chosen"]["measured"] <= 0.2 * both["float_loss"]
    tried = [attempt for attempt in both["attempts"] if "deleted" in attempt]
    assert tried
    assert all(set(attempt["deleted"]) <= set(attempt["weights"]) for attempt in tried)


@pytest.mark.parametrize("share", ["0", "-3", "0%", "101%", "many", "nan%", "12.5", ""])
def test_shares_that_are_none_are_usage_errors(origin: Run, share: str) -> None:
    refused = call("prune", origin.folder, "--delete", share)
    assert refused.exit_code == 2
    assert "is allowed" in refused.stderr


def test_what_can_not_be_deleted_is_refused_before_a_folder_is_made(origin: Run, tmp_path: Path) -> None:
    refused = call("prune", origin.folder, "--delete", 9761, "--run", tmp_path / "new")
    assert refused.exit_code == 2
    assert "Give a number from 1 to 9,760" in refused.stderr
    assert not (tmp_path / "new").exists()


def test_resume_takes_no_settings(pruned: Path) -> None:
    assert call("prune", "--resume", pruned, "--rate", 0.1).exit_code == 2
