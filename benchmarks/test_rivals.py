"""Two more ratios to torch, batch 1 and one thread: AdamW with rolls and dropout, and LeNet-5 on-line.

Ours is timed through the engine that training uses, drawing of rolls and dropout included. Times are the
least of many short rounds; see ``test_training.py``.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture
from test_training import macs_of_a_step
from torch.nn import functional

from retronet.engines.batches import batches_of_pass, dropped_units
from retronet.engines.engine import make_engine
from retronet.initial import initial_parameters
from retronet.network import load_network, sized_layers
from retronet.recipe import load_recipe, override

Report = Callable[[str], None]
Figures = dict[str, float]
ADAMW, LENET5 = "AdamW, rolls, dropout", "LeNet-5 on-line"
COUNT, FEW = 20, 2
"""Presentations of a round: ours, and torch's, which take as long as that."""


def digits(rows: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    rng = np.random.default_rng(1)
    return rng.uniform(-1, 1, (COUNT, rows, rows)).astype(np.float32), rng.integers(0, 10, COUNT).astype(
        np.uint8
    )


def time_ours(benchmark: BenchmarkFixture, name: str, rows: int, **changes: object) -> float:
    """Return the least microseconds a presentation by recipe `name`."""
    recipe = override(load_recipe(name), dict(changes))
    network = load_network(recipe.network)
    engine = make_engine(recipe, network)
    engine.load(initial_parameters(network, recipe.initial, recipe.seed), {}, steps=0)
    images, labels = digits(rows)
    units = dropped_units(network, recipe.dropout)

    def train() -> None:
        for batches in batches_of_pass(recipe, images, labels, 1, units, recipe.precision):
            engine.learn(batches)

    return least_us(benchmark, train, COUNT)


def least_us(benchmark: BenchmarkFixture, train: Callable[[], None], presentations: int) -> float:
    benchmark.pedantic(train, rounds=300, warmup_rounds=3)  # type: ignore[no-untyped-call]
    assert benchmark.stats is not None
    return float(benchmark.stats.stats.min) / presentations * 1e6


def time_torch(
    benchmark: BenchmarkFixture,
    network: torch.nn.Module,
    optimiser: torch.optim.Optimizer,
    change: Callable[[torch.Tensor], torch.Tensor],
    rows: int,
) -> float:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    images, labels = (torch.tensor(array) for array in digits(rows))
    wanted = labels.long()

    def train() -> None:
        for n in range(FEW):
            optimiser.zero_grad()
            functional.cross_entropy(network(change(images[n])[None, None]), wanted[n : n + 1]).backward()
            optimiser.step()

    return least_us(benchmark, train, FEW)


class Modern(torch.nn.Module):
    """karpathy2022-modern-4 as a torch user writes it."""

    def __init__(self) -> None:
        super().__init__()
        draw = torch.nn.Parameter
        second = sized_layers(load_network("karpathy2022-relu"))[1]
        mask = torch.zeros(12, 12, 1, 1)
        for row, seen in enumerate(second.sees):
            mask[row, list(seen)] = 1
        self.mask = draw(mask, requires_grad=False)
        self.h1, self.h1_bias = draw(torch.randn(12, 1, 5, 5) * 0.1), draw(torch.zeros(12, 8, 8))
        self.h2, self.h2_bias = draw(torch.randn(12, 12, 5, 5) * 0.1), draw(torch.zeros(12, 4, 4))
        self.h3, self.out = torch.nn.Linear(192, 30), torch.nn.Linear(30, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the outputs for a batch (n, 1, rows, columns)."""
        x = functional.pad(x, (2, 2, 2, 2), value=-1.0)
        x = torch.relu(functional.conv2d(x, self.h1, stride=2) + self.h1_bias)
        x = functional.pad(x, (2, 2, 2, 2), value=-1.0)
        x = torch.relu(functional.conv2d(x, self.h2 * self.mask, stride=2) + self.h2_bias)
        x = functional.dropout(x, 0.25, training=True)
        return self.out(torch.relu(self.h3(x.flatten(1))))


class LeNet5(torch.nn.Module):
    """LeNet-5 with a softmax as a torch user writes it: the table of C3 as a mask."""

    def __init__(self) -> None:
        super().__init__()
        found = {sized.name: sized for sized in sized_layers(load_network("lenet5-softmax"))}
        mask = torch.zeros(16, 6, 1, 1)
        for row, seen in enumerate(found["c3"].sees):
            mask[row, list(seen)] = 1
        self.mask = torch.nn.Parameter(mask, requires_grad=False)
        conv, linear, scale = torch.nn.Conv2d, torch.nn.Linear, torch.ones
        self.c1, self.c3, self.c5 = conv(1, 6, 5), conv(6, 16, 5), conv(16, 120, 5)
        self.s2, self.s2_bias = (torch.nn.Parameter(scale(6, 1, 1) * part) for part in (1, 0))
        self.s4, self.s4_bias = (torch.nn.Parameter(scale(16, 1, 1) * part) for part in (1, 0))
        self.f6, self.out = linear(120, 84), linear(84, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the outputs for a batch (n, 1, rows, columns)."""
        x = torch.tanh(self.c1(x))
        x = torch.tanh(functional.avg_pool2d(x, 2) * self.s2 + self.s2_bias)
        x = torch.tanh(functional.conv2d(x, self.c3.weight * self.mask, self.c3.bias))
        x = torch.tanh(functional.avg_pool2d(x, 2) * self.s4 + self.s4_bias)
        x = torch.tanh(self.c5(x)).flatten(1)
        return self.out(torch.tanh(self.f6(x)))


def told(figures: Figures, name: str, us: float, rival: bool = False) -> str:
    """Keep a figure and return it in words, the rival's with the ratio to ours of the same run."""
    figures[f"{name} torch us" if rival else f"{name} us"] = us
    ours = figures.get(f"{name} us")
    times = f", {us / ours:.0f} times ours" if rival and ours else ""
    return f"{name}, {'torch ' + torch.__version__ if rival else 'ours'}: {us:.1f} µs a presentation{times}"


def test_adamw_with_rolls_and_dropout(benchmark: BenchmarkFixture, figures: Figures, report: Report) -> None:
    report(told(figures, ADAMW, time_ours(benchmark, "karpathy2022-modern-4", 16)))


def test_adamw_with_rolls_and_dropout_in_torch(
    benchmark: BenchmarkFixture, figures: Figures, report: Report
) -> None:
    network, rng = Modern(), np.random.default_rng(0)
    optimiser = torch.optim.AdamW(network.parameters(), 3e-4)

    def roll(image: torch.Tensor) -> torch.Tensor:
        down, across = (int(shift) for shift in rng.integers(-1, 2, 2))
        return torch.roll(image, (down, across), (0, 1))

    report(told(figures, ADAMW, time_torch(benchmark, network, optimiser, roll, 16), rival=True))


def test_lenet5_online(
    benchmark: BenchmarkFixture, multiply_adds_per_s: float, figures: Figures, report: Report
) -> None:
    changes = {
        "rule": {"kind": "sgd"},
        "schedule": {"kind": "constant", "rate": 0.01},
        "loss.kind": "cross-entropy",
    }
    found = time_ours(benchmark, "lenet5-softmax", 32, **changes)
    limit = macs_of_a_step(load_network("lenet5-softmax")) / multiply_adds_per_s * 1e6
    figures[f"{LENET5} times limit"] = found / limit
    report(f"{told(figures, LENET5, found)}, {found / limit:.2f} times the limit of {limit:.1f} µs")


def test_lenet5_online_in_torch(benchmark: BenchmarkFixture, figures: Figures, report: Report) -> None:
    network = LeNet5()
    optimiser = torch.optim.SGD(network.parameters(), 0.01)
    found = time_torch(benchmark, network, optimiser, lambda image: image, 32)
    report(told(figures, LENET5, found, rival=True))
