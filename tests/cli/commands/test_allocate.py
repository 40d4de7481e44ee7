"""The command `retronet allocate`: the tables show what the JSON object holds."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.trained_run import train_briefly

from retronet_cli.main import cli


def test_tables_and_json_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    run = train_briefly(tmp_path / "brief").folder
    arguments = ["allocate", str(run), "--bits", "2,4", "--rise", "5", "--minimise", "mac-bits"]

    as_json = CliRunner().invoke(cli, [*arguments, "--json"], catch_exceptions=False)
    as_tables = CliRunner().invoke(cli, arguments, catch_exceptions=False)

    found = json.loads(as_json.stdout)
    assert found["schema"] == "retronet/allocation/1"
    assert found["loss"] == "half MSE"
    assert found["minimised"] == "mac-bits"
    assert len(found["estimates"]) == 9 * 2
    chosen = found["chosen"]
    assert chosen["measured"] <= 0.05 * found["float_loss"]
    for bits in chosen["weights"].values():
        assert 3 <= bits <= 12
    lines = as_tables.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    first = found["estimates"][0]
    predicted = next(line for line in lines if "predicted" in line and "input" in line)
    assert f"{100 * first['predicted'] / found['float_loss']:.1f}" in predicted
    row = next(line for line in lines if line.strip().startswith("chosen"))
    assert f"{chosen['weight_storage_bits']:,}" in row
    assert f"{chosen['score']['misses']:,}" in row
    for layer, bits in chosen["weights"].items():
        row = next(line for line in lines if line.split()[:1] == [layer] and "predicted" not in line)
        assert row.split()[-2:] == [str(bits), str(chosen["states"][layer])]


def test_the_plan_that_is_written_gives_what_was_reported(tmp_path: Path) -> None:
    run = train_briefly(tmp_path / "brief").folder
    plan = tmp_path / "bits.toml"
    words = ["allocate", str(run), "--bits", "4", "--rise", "60", "--plan-out", str(plan), "--json"]
    allocated = CliRunner().invoke(cli, words, catch_exceptions=False)
    simulated = CliRunner().invoke(cli, ["simulate", str(run), "--plan", str(plan), "--json"])

    assert f"Wrote the plan to {plan}." in allocated.stderr
    chosen, found = json.loads(allocated.stdout)["chosen"], json.loads(simulated.stdout)
    assert found["misses"] == chosen["score"]["misses"]
    bits = {row["layer"]: row["text"] for row in found["formats"] if row["role"] == "weight"}
    refused = CliRunner().invoke(cli, [*words, "--prune"])
    assert refused.exit_code == 2
    assert "--plan-out writes formats" in refused.stderr
    assert {layer: int(text[1 : text.index(".")]) for layer, text in bits.items()} == chosen["weights"]
