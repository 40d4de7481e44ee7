"""One on-line presentation of the 1989 network: ours, torch's, and the limit that the core sets.

Run with ``pytest benchmarks``. Times are the least of many rounds of a millisecond or two, short enough to
fall between the turns of other work on the machine, which only adds.
"""

import platform
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from retronet.engines.workspace import Workspace
from retronet.kernels.compiling import goal_for
from retronet.kernels.losses import SQUARED
from retronet.kernels.passes import train_sdlm, train_sgd
from retronet.network import NetworkSpec, load_network, parameter_shapes, sized_layers

PRESENTATIONS = 100
NETWORK = load_network("lecun1989")
RATE = 0.01

Report = Callable[[str], None]
Figures = dict[str, float]


def macs_of_a_step(network: NetworkSpec = NETWORK) -> int:
    """Return the multiply-adds of a presentation: sums, weight gradients, and what is sent down."""
    layers = sized_layers(network)
    return sum(2 * sized.macs for sized in layers) + sum(sized.macs for sized in layers[1:])


def parameters() -> dict[str, NDArray[np.float32]]:
    rng = np.random.default_rng(0)
    return {
        name: rng.uniform(-0.1, 0.1, shape).astype(np.float32)
        for name, shape in parameter_shapes(NETWORK).items()
    }


def patterns(count: int) -> tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.float32]]:
    rng = np.random.default_rng(1)
    images = rng.uniform(-1, 1, (count, 16, 16)).astype(np.float32)
    return images, rng.integers(0, 10, count).astype(np.uint8), (2 * np.eye(10) - 1).astype(np.float32)


def processor() -> str:
    """Return the processor's name, or its kind where that is not told."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        fields = [line.partition(":") for line in information.read_text().splitlines()]
        named = {key.strip(): value.strip() for key, _, value in reversed(fields)}
        return f"{named.get('model name')}, family {named.get('cpu family')}, model {named.get('model')}"
    return platform.processor() or platform.machine()


def least_us(
    benchmark: BenchmarkFixture, train: Callable[[], None], rounds: int, presentations: int
) -> float:
    """Time `train`; return the least microseconds a presentation."""
    benchmark.pedantic(train, rounds=rounds, warmup_rounds=2)  # type: ignore[no-untyped-call]
    assert benchmark.stats is not None
    return float(benchmark.stats.stats.min) / presentations * 1e6


@pytest.mark.parametrize("rule", ["sgd", "sdlm running", "sdlm fixed"])
def test_presentation(
    benchmark: BenchmarkFixture, multiply_adds_per_s: float, figures: Figures, report: Report, rule: str
) -> None:
    workspace = Workspace(NETWORK)
    workspace.load(parameters())
    images, labels, targets = patterns(PRESENTATIONS)
    order, goal = np.arange(PRESENTATIONS), goal_for(targets, SQUARED, 1.0)

    def train() -> None:
        if rule == "sgd":
            train_sgd(workspace.machine, images, labels, order, goal, RATE)
        else:
            gamma = 0.05 if rule == "sdlm running" else 0.0
            train_sdlm(workspace.machine, images, labels, order, goal, 5e-4, 0.05, gamma)

    found = least_us(benchmark, train, 1000, PRESENTATIONS)
    limit = macs_of_a_step() / multiply_adds_per_s * 1e6
    assert np.isfinite(workspace.machine.flat.parameters).all()
    figures[f"training {rule} us"] = found
    figures[f"training {rule} times limit"] = found / limit
    report(
        f"{rule}: {found:.2f} µs a presentation, {found / limit:.2f} times SGD's limit of {limit:.2f} µs "
        f"({macs_of_a_step():,} multiply-adds at {multiply_adds_per_s / 1e9:.1f} G/s); {processor()}"
    )


class TorchNetwork(torch.nn.Module):
    """The 1989 network as a torch user writes it: convolutions with masks, biases one a unit."""

    def __init__(self) -> None:
        super().__init__()
        drawn = {name: torch.tensor(array) for name, array in parameters().items()}
        second = sized_layers(NETWORK)[1]
        dense, mask = torch.zeros(12, 12, 5, 5), torch.zeros(12, 12, 1, 1)
        for row, seen in enumerate(second.sees):
            dense[row, list(seen)] = drawn["h2.weight"][row]
            mask[row, list(seen)] = 1
        self.mask = torch.nn.Parameter(mask, requires_grad=False)
        self.h1, self.h1_bias = (torch.nn.Parameter(drawn[f"h1.{part}"]) for part in ("weight", "bias"))
        self.h2, self.h2_bias = torch.nn.Parameter(dense), torch.nn.Parameter(drawn["h2.bias"])
        self.h3, self.h3_bias = (torch.nn.Parameter(drawn[f"h3.{part}"]) for part in ("weight", "bias"))
        self.out, self.out_bias = (torch.nn.Parameter(drawn[f"output.{part}"]) for part in ("weight", "bias"))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the outputs for a batch (n, 1, 16, 16)."""

        def squash(a: torch.Tensor) -> torch.Tensor:
            return 1.7159 * torch.tanh(2 / 3 * a)

        functional = torch.nn.functional
        x = functional.pad(x, (2, 2, 2, 2), value=-1.0)
        x = squash(functional.conv2d(x, self.h1, stride=2) + self.h1_bias)
        x = functional.pad(x, (2, 2, 2, 2), value=-1.0)
        x = squash(functional.conv2d(x, self.h2 * self.mask, stride=2) + self.h2_bias)
        x = squash(functional.linear(x.flatten(1), self.h3, self.h3_bias))
        return squash(functional.linear(x, self.out, self.out_bias))


def test_presentation_in_torch(benchmark: BenchmarkFixture, figures: Figures, report: Report) -> None:
    """Batch 1, one thread, torch.optim.SGD; after as many steps both hold the same parameters."""
    torch.set_num_threads(1)
    count = 2
    images, labels, targets = patterns(count)
    goals, inputs = torch.tensor(targets[labels]), torch.tensor(images).reshape(count, 1, 1, 16, 16)
    network = TorchNetwork()
    optimiser = torch.optim.SGD(network.parameters(), RATE)

    def train() -> None:
        for image, goal in zip(inputs, goals, strict=True):
            optimiser.zero_grad()
            (0.5 * ((network(image)[0] - goal) ** 2).sum()).backward()
            optimiser.step()

    train()
    workspace = Workspace(NETWORK)
    workspace.load(parameters())
    train_sgd(workspace.machine, images, labels, np.arange(count), goal_for(targets, SQUARED, 1.0), RATE)
    np.testing.assert_allclose(network.h3.detach().numpy(), workspace.read()["h3.weight"], atol=2e-4)
    found = least_us(benchmark, train, 500, count)
    figures["training sgd torch us"] = found
    ours = figures.get("training sgd us")
    times = f", {found / ours:.0f} times ours" if ours else ""
    report(f"torch {torch.__version__}: {found:.0f} µs a presentation{times}; {processor()}")
