"""A LeNet of PyTorch becomes a circuit of the simulator's integers: one command a step, no file edited."""

import json
import re
import shlex
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from click.testing import Result
from support.hardware_tools import make, require
from torch import nn
from torch.nn import functional

from retronet.datasets import DigitSets, load

Call = Callable[..., Result]


class LeNet(nn.Module):
    """As most people write it: rectified, with max-pooling, for digits of 28×28."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 5, padding=2)
        self.conv2 = nn.Conv2d(4, 8, 5)
        self.fc1 = nn.Linear(200, 32)
        self.fc2 = nn.Linear(32, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        states = functional.max_pool2d(functional.relu(self.conv1(images)), 2)
        states = functional.max_pool2d(functional.relu(self.conv2(states)), 2)
        states = functional.relu(self.fc1(states.flatten(1)))
        return self.fc2(functional.dropout(states, 0.2, self.training))


def learnt(digits: DigitSets) -> LeNet:
    """Return the network after a few passes over 600 digits."""
    torch.manual_seed(0)
    network = LeNet()
    images = torch.tensor(digits.train.images[:600])[:, None]
    labels = torch.tensor(digits.train.labels[:600], dtype=torch.int64)
    optimiser = torch.optim.Adam(network.parameters(), 3e-3)
    for _ in range(15):
        for first in range(0, 600, 50):
            optimiser.zero_grad()
            lot = slice(first, first + 50)
            functional.cross_entropy(network(images[lot]), labels[lot]).backward()
            optimiser.step()
    return network.eval()


@pytest.fixture(scope="module")
def _one_thread() -> Iterator[None]:
    """Keep torch to one thread: so small a network waits longer for others than it computes."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def exported(_one_thread: None, data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """Return the ONNX file of a network that torch trained, and its misses on all test digits."""
    digits = load("mnist", "unit28", data_dir)
    network = learnt(digits)
    path = tmp_path_factory.mktemp("torch") / "lenet.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's own parts
        torch.onnx.export(network, (torch.zeros(1, 1, 28, 28),), path, verbose=False)
    with torch.no_grad():
        answers = network(torch.tensor(digits.test.images)[:, None]).argmax(1).numpy()
    return path, int((answers != digits.test.labels).sum())


def steps() -> list[list[str]]:
    """Return the words of the first commands that docs/import.md shows."""
    page = (Path(__file__).parents[2] / "docs/import.md").read_text(encoding="utf-8")
    block = page.split("```console\n")[1].split("```")[0]
    return [shlex.split(line.removeprefix("$ ")) for line in block.splitlines()]


def test_from_torch_to_a_circuit(
    call: Call, exported: tuple[Path, int], monkeypatch: pytest.MonkeyPatch, data_dir: Path
) -> None:
    """The page's commands, as they stand there."""
    monkeypatch.setenv("RETRONET_DATA_DIR", str(data_dir))
    file, misses = exported
    monkeypatch.chdir(file.parent)
    import_, simulate, export, simulate_circuit = steps()

    imported = call(*import_[1:], "--json")
    assert imported.exit_code == 0, imported.stderr
    assert "the digits are prepared as unit28" in imported.stderr
    found = json.loads(imported.stdout)
    assert found["largest_difference"] < 1e-5 * max(1, found["largest_output"])
    assert found["agrees"] is True

    simulated = call(*simulate[1:], "--json")
    assert simulated.exit_code == 0, simulated.stderr
    found = json.loads(simulated.stdout)
    assert abs(found["float"]["misses"] - misses) <= 1  # two orders of sums, 10,000 digits
    assert misses < 2000
    assert found["agreements"] > 0.97 * found["n"]

    written = call(*export[1:])
    assert written.exit_code == 0, written.stderr
    require("make", "verilator")
    assert simulate_circuit == ["make", "-C", "circuit", "sim"]
    code, printed = make(file.parent / "circuit", "sim")
    assert code == 0, printed
    assert re.search(r"5 digits.*: 0 differences", printed), printed
