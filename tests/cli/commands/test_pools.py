"""A network with pools from a file, through every verb: trained, looked at, put on integers, exported."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Call = Callable[..., Result]
POOLED = Path(__file__).parents[2] / "support" / "pooled.toml"


@pytest.fixture(scope="module")
def folder(call: Call, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a network with pools that was trained on 1,000 embedded digits for ten passes."""
    run = tmp_path_factory.mktemp("pools") / "run"
    settings = ("--set", "take=1000", "--set", "initial.divisor=root-fan-in", "--set", "initial.bound=2.4")
    result = call("train", "--data", "digits5k", "--network", POOLED, "--passes", 10, "--run", run, *settings)
    assert result.exit_code == 0, result.stderr
    return run


def printed(call: Call, *arguments: object) -> dict[str, Any]:
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return dict(json.loads(result.stdout))


def test_show_counts_comparisons_and_additions_beside_macs(call: Call) -> None:
    counts = printed(call, "show", "network", POOLED)["counts"]
    layers = {layer["name"]: layer for layer in counts["layers"]}
    assert layers["p"]["comparisons"] == counts["comparisons"] > 0
    assert layers["q"]["additions"] == counts["additions"] == 3 * 6 * 2 * 3
    assert layers["p"]["macs"] == layers["q"]["macs"] == layers["p"]["connections"] == 0
    table = call("show", "network", POOLED).stdout
    assert "isons" in table
    assert "comparisons" not in call("show", "network", "lecun1989").stdout.lower()


def test_it_learns(call: Call, folder: Path) -> None:
    scored = printed(call, "evaluate", folder)
    half = scored.get("test", scored)
    assert half["error_percent"] < 60  # of ten classes


def test_integers_are_counted_and_near_to_floating_point(call: Call, folder: Path) -> None:
    found = printed(call, "simulate", folder)
    layers = {layer["name"]: layer for layer in found["layers"]}
    assert layers["p"]["comparisons"] > 0 == layers["p"]["macs"]
    assert layers["q"]["additions"] == 108
    assert found["agreement"] > 0.95
    shown = call("simulate", folder).stdout
    assert "pools" in shown
    assert "  MACs: " not in shown, "the table stays one on 80 columns"


def test_sweep_allocate_and_retrain_take_pools(call: Call, folder: Path, tmp_path: Path) -> None:
    rows = printed(call, "sweep", folder, "--bits", "4", "--tensors", "all,p,q,sums", "--jobs", 1)["rows"]
    assert len(rows) == 4
    chosen = printed(call, "allocate", folder, "--bits", "4")
    tensors = {(each["tensor"]["layer"], each["tensor"]["kind"]) for each in chosen["estimates"]}
    assert {("p", "states"), ("q", "states"), ("a", "weights")} <= tensors
    assert ("p", "weights") not in tensors
    trained = printed(call, "retrain", folder, "--bits", 4, "--passes", 1, "--run", tmp_path / "retrained")
    before, after = trained["passes"]
    assert after["test"]["error_percent"] < before["test"]["error_percent"]


def test_reports_of_chips_and_processors(call: Call, folder: Path) -> None:
    refused = call("report", folder, "--chip", "anna")
    assert refused.exit_code != 0
    assert "Layer 'p' can not run on" in refused.stderr
    assert call("report", folder, "--chip", "sun4-260").exit_code == 0
