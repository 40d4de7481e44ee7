"""What the tests of commands share: calling them, a small network for them, one trained run."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from retronet_cli.main import cli

Call = Callable[..., Result]

TINY_NETWORK = """
name = "tiny"
title = "A small one"
input = [1, 16, 16]
[[layers]]
kind = "conv"
name = "h1"
maps = 2
kernel = 6
stride = 5
activation = { kind = "tanh", amplitude = 1.7159, slope = 0.6666666666666666 }
[[layers]]
kind = "dense"
name = "output"
units = 10
activation = { kind = "tanh", amplitude = 1.7159, slope = 0.6666666666666666 }
"""


def call_command(*arguments: str | Path) -> Result:
    """Run `retronet` in this process."""
    return CliRunner().invoke(cli, list(map(str, arguments)))


@pytest.fixture(scope="session")
def call() -> Call:
    return call_command


@pytest.fixture(scope="session")
def tiny_network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a network that is trained in no time."""
    path = tmp_path_factory.mktemp("networks") / "tiny.toml"
    path.write_text(TINY_NETWORK, encoding="utf-8")
    return path


@dataclass(frozen=True)
class TrainedRun:
    """A run on disk and the JSON that training it printed."""

    folder: Path
    printed: dict[str, Any]


@pytest.fixture(scope="session")
def compiled() -> None:
    """Skip what trains on thousands of digits where the kernels are interpreted."""
    import numba

    if numba.config.DISABLE_JIT:
        pytest.skip("thousands of digits need compiled code")


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, compiled: None) -> TrainedRun:  # noqa: ARG001
    """Return the network of 1989 after two passes over the embedded digits; not to be written to."""
    folder = tmp_path_factory.mktemp("runs") / "trained"
    result = call_command("train", "--data", "digits5k", "--passes", 2, "--run", folder, "--json")
    assert result.exit_code == 0, result.stderr
    return TrainedRun(folder, json.loads(result.stdout))


@pytest.fixture(params=[80, 40])
def columns(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Set the width of the terminal."""
    from retronet_cli import terminal

    monkeypatch.setattr(terminal.stdout, "width", request.param)
    assert isinstance(request.param, int)
    return request.param


@pytest.fixture
def begin(call: Call, tiny_network: Path, compiled: None) -> Call:  # noqa: ARG001
    """Train the small network for three passes on 200 digits, into a folder."""

    def train(folder: Path, *arguments: object) -> Result:
        words = ("--data", "digits5k", "--network", tiny_network, "--passes", 3, "--set", "take=200")
        return call("train", *words, "--run", folder, *arguments)

    return train


@pytest.fixture
def imported(call: Call, begin: Call, tiny_network: Path, tmp_path: Path) -> Path:
    """Return a run whose network came from a file."""
    import numpy as np

    from retronet.runs.checkpoint import load_checkpoint

    begin(tmp_path / "source")
    np.savez(
        tmp_path / "w.npz", **load_checkpoint(tmp_path / "source/checkpoint.safetensors").state.parameters
    )
    words = ("--network", tiny_network, "--data", "digits5k", "--run", tmp_path / "imported")
    assert call("import", tmp_path / "w.npz", *words).exit_code == 0
    return tmp_path / "imported"
