"""`retronet export` and `retronet report --rtl`, from a trained run to files that tools take."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from support.hardware_tools import make, require

Call = Callable[..., Result]
TARGETS = {"golden": "vectors", "rtl": "circuit"}


def exported(call: Call, *arguments: object) -> dict[str, Any]:
    result = call("export", *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    printed = json.loads(result.stdout)
    assert printed["schema"] == "retronet/export/1"
    return dict(printed)


@pytest.mark.parametrize("target", TARGETS)
def test_the_same_run_gives_the_same_files(call: Call, trained: Any, tmp_path: Path, target: str) -> None:
    digests = []
    for name in ("a", "b"):
        printed = exported(call, target, trained.folder, "-o", tmp_path / name, "--bits", 4, "--digits", 2)
        assert {str(path.relative_to(tmp_path / name)) for path in (tmp_path / name).rglob("*.*")} >= set(
            printed["sha256"]
        ) - {"Makefile"}
        digests.append(printed["sha256"])
    assert digests[0] == digests[1]
    other = exported(call, target, trained.folder, "-o", tmp_path / "c", "--bits", 5, "--digits", 2)
    assert other["sha256"] != digests[0]


def test_golden_states_are_those_of_simulate(call: Call, trained: Any, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    exported(call, "golden", trained.folder, "-o", tmp_path / "a", "--bits", 4, "--digits", 500)
    with np.load(tmp_path / "a" / "digits.npz") as file:
        arrays = dict(file)
    assert arrays["answers"].shape == (500,)
    plan.write_bytes((tmp_path / "a" / "plan.toml").read_bytes())
    exported(call, "golden", trained.folder, "-o", tmp_path / "b", "--plan", plan, "--digits", 500)
    with np.load(tmp_path / "b" / "digits.npz") as again:
        assert all(np.array_equal(arrays[name], again[name]) for name in arrays)


def test_from_run_to_icarus(call: Call, trained: Any, tmp_path: Path) -> None:
    require("make", "iverilog")
    folder = tmp_path / "circuit"
    options = ("--accumulator-bits", 18, "--accumulator-overflow", "sat", "--macs", 4, "--digits", 2)
    printed = exported(call, "rtl", trained.folder, "-o", folder, *options)
    code, said = make(folder, "sim-icarus")
    assert code == 0, said
    assert f"2 digits, 1000 units each: 0 differences; {printed['cycles_per_digit']} cycles a digit" in said


@pytest.mark.parametrize("form", ["integer", "qdq", "qonnx", "float"])
def test_onnx_files_are_graphs(call: Call, trained: Any, tmp_path: Path, form: str) -> None:
    onnx = pytest.importorskip("onnx")
    path = tmp_path / "net.onnx"
    exported(call, "onnx", trained.folder, "-o", path, "--form", form)
    model = onnx.load(path)
    kinds = {node.op_type for node in model.graph.node}
    wanted = {"integer": "ConvInteger", "qdq": "QuantizeLinear", "qonnx": "Quant", "float": "Conv"}[form]
    assert wanted in kinds
    assert [output.name for output in model.graph.output] == ["output"]
    refused = call("export", "onnx", trained.folder, "-o", path)
    assert refused.exit_code == 1
    assert "exists. Name another one, or write over it with --force." in refused.stderr
    assert call("export", "onnx", trained.folder, "-o", path, "--force").exit_code == 0


def test_float_takes_no_plan(call: Call, trained: Any, tmp_path: Path) -> None:
    result = call("export", "onnx", trained.folder, "-o", tmp_path / "a.onnx", "--form", "float", "--bits", 4)
    assert result.exit_code == 2
    assert "--bits does not go with --form float" in result.stderr


def test_refusals_name_layer_and_reason(call: Call, trained: Any, tmp_path: Path) -> None:
    options = ("--accumulator-bits", 18, "--accumulator-overflow", "sat")
    result = call("export", "onnx", trained.folder, "-o", tmp_path / "a.onnx", *options)
    assert result.exit_code == 1
    assert "The sums of layer 'h1' can not be put in the ONNX graph" in result.stderr
    result = call("export", "golden", trained.folder, "-o", tmp_path / "a", "--digits", 10**6)
    assert "1,000,000 digits can not be exported" in result.stderr


def test_a_folder_with_files_is_left_alone(call: Call, trained: Any, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    result = call("export", "golden", trained.folder, "-o", tmp_path, "--digits", 1)
    assert result.exit_code == 1
    assert "is not empty" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_circuit_stands_beside_the_chips(call: Call, trained: Any, tmp_path: Path, columns: int) -> None:
    folder = tmp_path / "circuit"
    exported(call, "rtl", trained.folder, "-o", folder, "--macs", 8, "--digits", 1)
    shown = call("report", "--rtl", folder, "--chip", "anna")
    assert shown.exit_code == 0, shown.stderr
    assert "not synthesised" in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= columns
    placed = {
        "fmax": {"clk": {"achieved": 24.0}},
        "utilization": {
            "ICESTORM_LC": {"used": 3000, "available": 5280},
            "ICESTORM_RAM": {"used": 30, "available": 30},
            "ICESTORM_DSP": {"used": 8, "available": 8},
        },
    }
    (folder / "build").mkdir()
    (folder / "build" / "ice40-report.json").write_text(json.dumps(placed), encoding="utf-8")
    printed = json.loads(call("report", "--rtl", folder, "--chip", "anna", "--json").stdout)
    (found,) = printed["synthesised"]
    assert (found["device"], found["cells"], found["memory_blocks"]) == ("ice40", 3000, 30)
    assert found["digits_per_s"] == 24e6 / found["cycles_per_digit"]
    assert found["connections_per_s"] == pytest.approx(64_660 * found["digits_per_s"])
    assert [chip["chip"] for chip in printed["modelled"]] == ["anna"]


def test_report_refuses_what_does_not_go_with_a_circuit(call: Call, tmp_path: Path) -> None:
    result = call("report", "--rtl", tmp_path, "--network", "lenet1")
    assert result.exit_code == 2
    assert "--rtl does not go with --network" in result.stderr
    result = call("report", "--rtl", tmp_path)
    assert result.exit_code == 2
    assert "it has no circuit.json" in result.stderr


def shown_commands() -> list[list[str]]:
    """Return the words of each `retronet export` that docs/export.md shows."""
    page = Path(__file__).parents[3] / "docs" / "export.md"
    lines = page.read_text(encoding="utf-8").splitlines()
    return [shlex.split(line)[2:] for line in lines if line.startswith("$ retronet export ")]


def test_the_page_s_commands_run(
    call: Call, trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnx")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RETRONET_RUNS_DIR", str(trained.folder.parent))
    commands = shown_commands()
    assert {words[1] for words in commands} == {"golden", "onnx", "rtl"}
    for words in commands:
        result = call(*words)
        assert result.exit_code == 0, result.stderr
    assert call("report", "--rtl", "circuit", "--chip", "anna").exit_code == 0
