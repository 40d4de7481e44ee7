"""A slid network against separate windows, to the bit; its work against the formulas; what can not slide."""

from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from support.sliding_networks import field_of, sliding_network
from support.trained_networks import drawn

from retronet.errors import InputError
from retronet.network import (
    AveragePool,
    Conv,
    Dense,
    MaxPool,
    NetworkSpec,
    Padding,
    Subsample,
    Tanh,
    load_network,
    network_names,
    sized_layers,
)
from retronet.reading.slide import slid, slid_network, slid_outputs, slid_work, step_of, windows_of

TANH = Tanh(1.7159, 2 / 3)
LENET1 = load_network("lenet1")
NETWORKS = {
    "lenet1": LENET1,
    "strided": NetworkSpec(
        "strided", "", (1, 23, 23),
        (
            Conv("a", 3, 3, TANH, stride=2), Conv("b", 2, 2, TANH, sees=((0, 2), (1,))),
            Conv("c", 4, 4, TANH), Conv("d", 2, 3, TANH, stride=2), Dense("e", 5, TANH),
        ),
    ),
    "square": NetworkSpec(
        "square", "", (1, 8, 8),
        (Conv("a", 2, 3, TANH), Subsample("b", 2, TANH), Dense("c", 4, TANH), Dense("d", 3, TANH)),
    ),
    "no dense": NetworkSpec("whole", "", (1, 6, 6), (Conv("a", 2, 3, TANH), Conv("b", 3, 4, TANH))),
    "dense alone": NetworkSpec("alone", "", (1, 5, 5), (Dense("a", 4, TANH), Dense("b", 3, TANH))),
}  # fmt: skip


def fields(network: NetworkSpec, down: int, across: int) -> tuple[Any, np.ndarray]:
    trained, _ = drawn(network, 1, 1)
    _, rows, columns = network.input
    step = step_of(network)
    shape = (2, rows + step * (down - 1), columns + step * (across - 1))
    return trained, np.random.default_rng(2).uniform(-1, 1, shape).astype(np.float32)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(("down", "across"), [(1, 1), (1, 9), (3, 4)])
def test_every_bit_is_that_of_separate_windows(name: str, down: int, across: int) -> None:
    network = NETWORKS[name]
    trained, field = fields(network, down, across)
    found = slid_outputs(trained, field)
    windows = windows_of(field, network)
    assert windows.shape == (2, down, across, *network.input[1:])
    alone = trained.outputs(windows.reshape(-1, *network.input[1:]))
    wanted = alone.reshape(2, down, across, -1).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(found, wanted)
    as_one = slid(trained, *field.shape[1:]).outputs(field).reshape(wanted.shape)
    np.testing.assert_allclose(as_one, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("seed", range(40))
def test_so_it_is_of_any_network_and_field(seed: int) -> None:
    network = sliding_network(seed)
    field, down, across = field_of(network, seed)
    trained, _ = drawn(network, seed, 1)
    windows = windows_of(field, network)
    assert windows.shape[1:3] == (down, across)
    alone = trained.outputs(windows.reshape(-1, *network.input[1:]))
    wanted = alone.reshape(2, down, across, -1).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(slid_outputs(trained, field), wanted)
    work = slid_work(network, *field.shape[1:])
    assert work.windows == down * across
    assert work.separate_macs == down * across * sum(sized.macs for sized in sized_layers(network))


def test_windows_are_cut_where_the_network_answers() -> None:
    field = np.arange(36 * 40, dtype=np.float32).reshape(1, 36, 40)
    windows = windows_of(field, LENET1)
    for down in range(3):
        for across in range(4):
            wanted = field[0, 4 * down : 4 * down + 28, 4 * across : 4 * across + 28]
            np.testing.assert_array_equal(windows[0, down, across], wanted)


def test_sliding_saves_what_neighbours_share() -> None:
    """By hand: 136×24 places of H1, half as many of H2, 64×8 of H3, 32×4 of H4, 29 answers."""
    by_hand = 4 * 25 * 24 * 136 + 4 * 4 * 12 * 68 + 20 * 25 * 8 * 64 + 12 * 4 * 4 * 32 + 29 * 1920
    work = slid_work(LENET1, 28, 140)
    assert (work.windows, work.slid_macs, work.separate_macs) == (29, by_hand, 29 * 94_592)
    assert (by_hand, 29 * 94_592) == (657_280, 2_743_168)
    assert step_of(LENET1) == 4
    own = slid_work(LENET1, 28, 28)
    assert (own.windows, own.slid_macs, own.separate_macs) == (1, 94_592, 94_592)


def test_networks_that_can_not_slide_are_told_why() -> None:
    reasons = {
        "lecun1989": "'h1' has a bias for each unit",
        "lenet5": "'output' measures distances to codes",
    }
    for name, why in reasons.items():
        network = load_network(name)
        with pytest.raises(InputError, match=f"can not slide: layer {why}.*Choose a network of convolutions"):
            slid_network(network, *network.input[1:])
    padded = replace(LENET1, layers=(replace(LENET1.layers[0], pad=2), *LENET1.layers[1:]))
    with pytest.raises(InputError, match="layer 'h1' has a border, which inside a larger field"):
        slid_network(padded, 32, 32)
    whole = NETWORKS["no dense"]
    uneven = replace(whole, layers=(replace(whole.layers[0], pad=Padding(left=1)), whole.layers[1]))
    pooled = [
        replace(NETWORKS["square"], layers=(kind("a", 2, pad=1), Dense("b", 3, TANH)))
        for kind in (MaxPool, AveragePool)
    ]
    for network in (uneven, *pooled):
        with pytest.raises(InputError, match=r"layer '\w+' has a border, which inside a larger field"):
            slid_network(network, *network.input[1:])
    bare = replace(LENET1, layers=(replace(LENET1.layers[0], pad=Padding()), *LENET1.layers[1:]))
    assert slid_network(bare, 28, 32).input == (1, 28, 32), "no border at all"
    oblong = replace(NETWORKS["square"], input=(1, 8, 10))
    with pytest.raises(InputError, match=r"layer 'c' reads planes of 3×4, which no square kernel covers"):
        slid_network(oblong, 8, 10)


def test_which_networks_of_the_package_slide() -> None:
    sliding = set()
    for name in network_names():
        network = load_network(name)
        with suppress(InputError):
            assert slid_network(network, *network.input[1:]).input == network.input
            sliding.add(name)
    assert sliding == {"fc40", "lenet1", "lenet5-softmax"}


@pytest.mark.parametrize("shape", [(27, 28), (28, 30), (30, 28)], ids=str)
def test_fields_are_whole_steps_larger(shape: tuple[int, int]) -> None:
    with pytest.raises(
        InputError, match=r"its own field is 28×28 and it moves by 4 pixels\. Add a multiple of 4"
    ):
        slid_network(LENET1, *shape)
