"""`retronet import net.onnx`: a description, a run, and how far the two are apart."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from support.onnx_graphs import drawn, model_of, node, write

from retronet.network import load_network
from retronet.recipe import CrossEntropy, SquaredError
from retronet.runs.configuration import ByImport
from retronet.runs.run import open_run
from retronet_cli import importing_onnx

Call = Callable[..., Result]
CONSTANTS = {"conv1.weight": drawn(3, 1, 5, 5), "b": drawn(3), "d": drawn(48, 10), "k": drawn(10)}
NODES = [
    node("Conv", "x conv1.weight b", "c", strides=[2, 2], pads=[2, 2, 2, 2]),
    node("Relu", "c", "r"),
    node("MaxPool", "r", "m", kernel_shape=[2, 2], strides=[2, 2]),
    node("Flatten", "m", "f"),
]


def written(
    path: Path, *ends: Any, classes: int = 10, shape: tuple[int | str, ...] = ("n", 1, 16, 16)
) -> Path:
    """Write a network of the size of the digits of 1989, which ends in `ends`."""
    ends = ends or (node("Gemm", "f d k", "y"),)
    constants = CONSTANTS | {"d": drawn(48, classes), "k": drawn(classes)}
    return write(model_of([*NODES, *ends], constants, shape), path)


@pytest.fixture
def imported(call: Call, tmp_path: Path) -> Path:
    file = written(tmp_path / "net.onnx")
    assert call("import", file, "--data", "digits5k", "--run", tmp_path / "a").exit_code == 0
    return tmp_path / "a"


def test_the_run_is_one_like_any_other(call: Call, tmp_path: Path, imported: Path) -> None:
    printed = call("import", tmp_path / "net.onnx", "--data", "digits5k", "--run", tmp_path / "b", "--json")
    found = json.loads(printed.stdout)
    run = open_run(imported)

    assert found["schema"] == "retronet/import/1"
    assert (found["compared_with"], found["digits"], found["dataset"]) == ("onnxruntime", 100, "digits5k")
    assert found["largest_difference"] < found["allowed_difference"]
    assert found["agrees"] is True
    assert found["largest_output"] > 0.1
    assert load_network(str(imported / "network.toml")) == run.configuration.network
    assert isinstance(run.configuration.made, ByImport)
    assert run.configuration.recipe.loss == CrossEntropy()
    assert run.configuration.recipe.name == "net"
    assert call("evaluate", imported, "--details").exit_code == 0
    simulated = call("simulate", imported, "--bits", 8, "--json")
    assert simulated.exit_code == 0, simulated.stderr
    assert json.loads(simulated.stdout)["agreements"] > 400
    assert "imported" in call("evaluate", imported).stdout


def test_the_same_file_gives_the_same_bytes(call: Call, tmp_path: Path, imported: Path) -> None:
    call("import", tmp_path / "net.onnx", "--data", "digits5k", "--run", tmp_path / "b")
    for name in ("run.json", "network.toml", "checkpoint.safetensors"):
        assert (imported / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_it_is_trained_on_as_a_description(call: Call, tmp_path: Path, imported: Path) -> None:
    words = ("--data", "digits5k", "--network", imported / "network.toml", "--passes", 1, "--set", "take=100")
    result = call("train", *words, "--run", tmp_path / "b")
    assert result.exit_code == 0, result.stderr
    assert open_run(tmp_path / "b").configuration.network == open_run(imported).configuration.network


@pytest.mark.parametrize("ending", ["Softmax", "LogSoftmax", "Sigmoid", "Tanh"])
def test_endings(call: Call, tmp_path: Path, ending: str) -> None:
    file = written(tmp_path / "net.onnx", node("Gemm", "f d k", "u"), node(ending, "u", "y"))
    result = call("import", file, "--data", "digits5k", "--run", tmp_path / "a", "--json", "--digits", 20)
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["agrees"] is True
    soft = ending.endswith("Softmax")
    assert ("Left out, since the largest output is the answer without it" in result.stderr) == soft
    loss = open_run(tmp_path / "a").configuration.recipe.loss
    assert isinstance(loss, CrossEntropy if soft else SquaredError)


def test_the_recipe_that_is_named_is_taken(call: Call, tmp_path: Path) -> None:
    file = written(tmp_path / "net.onnx")
    words = ("--recipe", "karpathy2022", "--data", "digits5k", "--preparation", "antialiased16")
    result = call("import", file, *words, "--run", tmp_path / "a")
    recipe = open_run(tmp_path / "a").configuration.recipe
    assert result.exit_code == 0, result.stderr
    assert (recipe.name, recipe.network, recipe.preparation) == ("karpathy2022", "net", "antialiased16")


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--rename", "a=b"], 2, "--rename is for files of arrays"),
        (["--transpose", "d"], 2, "--transpose is for files of arrays"),
        (["--network", "lecun1989"], 2, "--network is for files of arrays"),
        (["--preparation", "unit28"], 1, "network 'net' reads 16×16"),
        (["--preparation", "nonesuch"], 2, "no preparation of 28×28 digits 'nonesuch'"),
    ],
)
def test_options_that_do_not_fit(
    call: Call, tmp_path: Path, options: list[str], code: int, said: str
) -> None:
    file = written(tmp_path / "net.onnx")
    result = call("import", file, "--data", "digits5k", "--runs", tmp_path / "runs", *options)
    assert result.exit_code == code, result.stderr
    assert said in result.stderr
    assert not (tmp_path / "runs").exists()


def test_what_tells_no_digits_is_refused(call: Call, tmp_path: Path) -> None:
    few = call(
        "import", written(tmp_path / "few.onnx", classes=3), "--data", "digits5k", "--runs", tmp_path / "r"
    )
    square = written(tmp_path / "square.onnx", shape=("n", 1, 17, 17))
    other = call("import", square, "--data", "digits5k", "--runs", tmp_path / "r")
    (tmp_path / "torn.onnx").write_bytes(few.stdout.encode() + b"\x08\x01")
    torn = call("import", tmp_path / "torn.onnx", "--runs", tmp_path / "r")
    missing = call("import", tmp_path / "missing.onnx")

    assert [each.exit_code for each in (few, other, torn, missing)] == [1, 1, 1, 2]
    assert "The network has 3 outputs" in few.stderr
    assert "17×17, which the network reads" in other.stderr
    assert "can not be read as ONNX" in torn.stderr
    assert "There is no file" in missing.stderr
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(("gap", "code"), [(1e-4, 0), (0.5, 1), (float("nan"), 1)])
def test_a_difference_is_not_passed_over(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gap: float, code: int
) -> None:
    """A small one is a warning; a large one is no rounding, and no run is made."""
    from retronet.imports import onnx_run

    run = onnx_run.run_file

    def apart(*arguments: Any) -> tuple[str, Any]:
        by, outputs = run(*arguments)
        return by, outputs + np.float32(gap)

    monkeypatch.setattr(onnx_run, "run_file", apart)
    file = written(tmp_path / "net.onnx")
    result = call("import", file, "--data", "digits5k", "--runs", tmp_path / "r", "--json")
    assert result.exit_code == code
    assert importing_onnx.CLOSE < 1e-4 < importing_onnx.FAR
    if code:
        assert "differs from what onnxruntime makes of the file by" in result.stderr
        assert not (tmp_path / "r").exists()
    else:
        assert "Warning: the file and the network differ by 0.0001" in result.stderr
        assert json.loads(result.stdout)["agrees"] is False
