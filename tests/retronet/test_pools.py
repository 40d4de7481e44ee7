"""Pools and unequal borders in descriptions: shapes as torch has them, counts by counting, refusals."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from msgspec.structs import replace
from support import reference
from support.random_networks import random_pools

from retronet.connections import rows_and_biases, tap_sources
from retronet.errors import InputError
from retronet.network import (
    AveragePool,
    Conv,
    Dense,
    HardTanh,
    Identity,
    Layer,
    MaxPool,
    NetworkSpec,
    Padding,
    Relu,
    load_network,
    parameter_shapes,
    sized_layers,
)

EXAMPLE = Path(__file__).parents[2] / "docs" / "lenet-maxpool.toml"
POOLED = Path(__file__).parents[1] / "support" / "pooled.toml"


def one(layer: Layer, shape: tuple[int, int, int] = (2, 9, 7)) -> NetworkSpec:
    return NetworkSpec("one", "", shape, (layer,))


# torch pads by half a window at most.
@pytest.mark.parametrize(("size", "pad"), [(1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (4, 0), (4, 1)])
@pytest.mark.parametrize("stride", [None, 1, 2, 3, 5])
def test_shapes_are_those_of_torch(size: int, stride: int | None, pad: int) -> None:
    empty = torch.zeros(1, 2, 9, 7)
    for kind, pool in ((MaxPool, torch.nn.MaxPool2d), (AveragePool, torch.nn.AvgPool2d)):
        (sized,) = sized_layers(one(kind("p", size, stride, pad)))
        assert sized.output == tuple(pool(size, stride, pad)(empty).shape[1:])


@pytest.mark.parametrize("seed", range(10))
def test_counts_are_those_of_windows(seed: int) -> None:
    for sized in sized_layers(random_pools(seed)):
        if isinstance(sized.layer, MaxPool | AveragePool):
            read = sum(len(reference.window(sized, unit)) for unit in np.ndindex(*sized.output))
            assert sized.comparisons + sized.additions == read - sized.units
            assert (sized.comparisons > 0) <= isinstance(sized.layer, MaxPool)
            assert (sized.additions > 0) <= isinstance(sized.layer, AveragePool)
            assert (sized.macs, sized.connections, sized.parameters, sized.border_macs) == (0, 0, 0, 0)
            assert sized.state_reads == read
            area = sized.input[1] * sized.input[2]
            assert np.count_nonzero(tap_sources(sized) < area) * sized.output[0] == read
        if isinstance(sized.layer, Conv):
            units = np.ndindex(*sized.output)
            outside = sum(below is None for unit in units for _, below in reference.connections(sized, unit))
            assert sized.border_macs == outside
            assert sized.state_reads == sized.macs - outside


def test_constants_stand_for_the_weights_of_a_pool() -> None:
    for layer, each in ((MaxPool("p", 3), 1.0), (AveragePool("p", 3), 1 / 9), (AveragePool("p", 2), 0.25)):
        (sized,) = sized_layers(one(layer))
        rows, biases = rows_and_biases(sized, {})
        assert rows.shape == (2, layer.size**2)
        assert set(rows.ravel().tolist()) == {each}
        assert biases.tolist() == [0, 0]


def test_the_example_is_the_lenet_of_tutorials() -> None:
    network = load_network(str(EXAMPLE))
    layers = (
        torch.nn.Conv2d(1, 6, 5, padding=2), torch.nn.MaxPool2d(2), torch.nn.Conv2d(6, 16, 5),
        torch.nn.MaxPool2d(2), torch.nn.Flatten(), torch.nn.Linear(400, 120), torch.nn.Linear(120, 84),
        torch.nn.Linear(84, 10),
    )  # fmt: skip
    state = torch.zeros(1, 1, 28, 28)
    shapes = [tuple((state := layer(state)).shape[1:]) for layer in layers if layer is not None]
    assert [sized.output for sized in sized_layers(network)][:4] == shapes[:4]
    count = sum(array.numel() for layer in layers for array in layer.parameters())
    assert count == sum(int(np.prod(shape)) for shape in parameter_shapes(network).values()) == 61_706
    assert {sized.name: sized.comparisons for sized in sized_layers(network) if sized.comparisons} == {
        "p2": 3 * 6 * 14 * 14,
        "p4": 3 * 16 * 5 * 5,
    }


def test_unequal_borders_are_read_from_a_file() -> None:
    first, pool, *_ = sized_layers(load_network(str(POOLED)))
    assert first.padding == Padding(top=1, left=2)
    assert first.output == (5, 15, 16)
    assert pool.padding == Padding(top=1, right=1)
    assert pool.output == (5, 7, 8)
    alike = (Conv("c", 2, 3, Relu(), pad=1), Conv("c", 2, 3, Relu(), pad=Padding(1, 1, 1, 1)))
    assert len({sized_layers(one(layer))[0].output for layer in alike}) == 1


@pytest.mark.parametrize(
    ("layer", "sentence"),
    [
        (MaxPool("p", 8), "'p' of network 'one' does not fit: size 8 is wider than the padded planes; at"),
        (AveragePool("p", 2, pad=2), "pad 2 is as wide as its windows; at most 1"),
        (MaxPool("p", 3, pad=Padding(left=5)), "pad 5 is as wide as its windows; at most 2"),
        (Conv("p", 1, 12, Relu(), pad=Padding(top=3)), "kernel 12 is wider than the padded planes"),
        (Dense("p", 3, HardTanh(1.0, 1.0)), "'low' is 1 and 'high' 1; 'low' has to be the lower"),
        (MaxPool("p", 2, activation=HardTanh(2.0, -1.0)), "'low' is 2 and 'high' -1"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(layer: Layer, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        sized_layers(one(layer))


def test_masks_that_take_gigabytes_are_refused() -> None:
    with pytest.raises(InputError, match=r"the units of its maps read .* inputs together; at most"):
        sized_layers(one(MaxPool("p", 16, 1, 8), (8, 300, 300)))


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('pad = { top = 1, middle = 2 }', "middle"),
        ('pad = -1', "pad"),
        ('stride = 0', "stride"),
        ('activation = { kind = "softsign" }', "softsign"),
    ],
)  # fmt: skip
def test_files_with_other_keys_are_refused(tmp_path: Path, line: str, sentence: str) -> None:
    path = tmp_path / "net.toml"
    head = 'name = "x"\ntitle = ""\ninput = [1, 8, 8]\n[[layers]]\nkind = "max_pool"\nname = "p"\nsize = 2\n'
    path.write_text(head)
    assert load_network(str(path)).layers == (MaxPool("p", 2),)
    path.write_text(head + line)
    with pytest.raises(InputError, match=sentence):
        load_network(str(path))


def test_ties_go_to_the_first_and_nan_to_the_top() -> None:
    """What a max pool of equal inputs sends down, and what NaN makes of it, as in torch."""
    from retronet.engines.workspace import Workspace
    from retronet.kernels.pooling import send_to_largest, take_largest

    network = replace(one(MaxPool("p", 2), (1, 4, 4)), layers=(MaxPool("p", 2, activation=Identity()),))
    workspace = Workspace(network, np.float64)
    places: Any = workspace.answering.wiring.strips
    state = torch.tensor([[1.0, 1, 2, 0], [1, 1, 2, 2], [-3, -1, 0, np.nan], [-1, -1, 5, 1]])
    state = state.double().requires_grad_()
    made = torch.nn.functional.max_pool2d(state[None, None], 2)
    made.backward(torch.arange(1.0, 5.0).double().reshape(1, 1, 2, 2))
    activity, received = np.zeros(64), np.zeros(64)
    activity[:16] = state.detach().numpy().ravel()
    received[16:20] = np.arange(1.0, 5.0)
    take_largest(activity, 0, 32, 16, 1, 16, 4, places)
    send_to_largest(activity, received, 0, 32, 16, 1, 16, 4, places)
    np.testing.assert_array_equal(activity[16:20], made.detach().numpy().ravel())
    assert state.grad is not None
    np.testing.assert_array_equal(received[:16].reshape(4, 4), state.grad.numpy())
