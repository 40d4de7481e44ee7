"""Every count of the papers, derived from descriptions; descriptions that do not hold together, refused."""

from pathlib import Path

import pytest
from support.random_networks import random_network

from retronet.errors import InputError
from retronet.network import (
    Activation,
    Conv,
    Dense,
    Layer,
    NetworkSpec,
    Rbf,
    Subsample,
    Tanh,
    load_network,
    network_names,
    parameter_shapes,
    sized_layers,
    total_units,
)

TANH: Activation = Tanh(1.7159, 2 / 3)

LENET1_TABLE = ((0,), (0, 1), (0, 1), (1,), (0, 1), (0, 1), (2,), (2, 3), (2, 3), (3,), (2, 3), (2, 3))
LENET5_TABLE = (
    *(tuple(sorted((i + k) % 6 for k in range(3))) for i in range(6)),
    *(tuple(sorted((i + k) % 6 for k in range(4))) for i in range(6)),
    (0, 1, 3, 4),
    (1, 2, 4, 5),
    (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)


def counts(network: NetworkSpec) -> dict[str, tuple[int, int, int]]:
    """Return units, connections and parameters of each layer."""
    return {sized.name: (sized.units, sized.connections, sized.parameters) for sized in sized_layers(network)}


def total(network: NetworkSpec, count: str) -> int:
    return sum(getattr(sized, count) for sized in sized_layers(network))


@pytest.mark.parametrize("name", ["lecun1989", "lecun1989-rolled"])
def test_the_network_of_1989(name: str) -> None:
    """NC89 §3.3; papers.md §1.2."""
    network = load_network(name)

    assert counts(network) == {
        "h1": (768, 19_968, 1_068),
        "h2": (192, 38_592, 2_592),
        "h3": (30, 5_790, 5_790),
        "output": (10, 310, 310),
    }
    assert [sized.macs for sized in sized_layers(network)] == [19_200, 38_400, 5_760, 300]
    assert total_units(network) == 1_256
    assert total(network, "connections") == 64_660
    assert total(network, "parameters") == 9_760
    assert total(network, "macs") == 63_660
    assert {sized.name: set(sized.fan_in) for sized in sized_layers(network)} == {
        "h1": {25},
        "h2": {200},
        "h3": {192},
        "output": {30},
    }


def test_the_two_guesses_at_the_scheme() -> None:
    blocks = sized_layers(load_network("lecun1989"))[1].sees
    rolled = sized_layers(load_network("lecun1989-rolled"))[1].sees

    assert blocks == (tuple(range(8)),) * 4 + (tuple(range(4, 12)),) * 4 + ((0, 1, 2, 3, 8, 9, 10, 11),) * 4
    assert rolled == tuple(tuple(sorted((c + k) % 12 for k in range(8))) for c in range(12))


def test_lenet1() -> None:
    """NIPS89; papers.md §3."""
    network = load_network("lenet1")

    assert counts(network) == {
        "h1": (2_304, 59_904, 104),
        "h2": (576, 2_880, 8),
        "h3": (768, 32_768, 512),
        "h4": (192, 960, 24),
        "output": (10, 1_930, 1_930),
    }
    assert (total(network, "connections"), total(network, "parameters")) == (98_442, 2_578)
    assert total_units(network) == 4_634
    assert total(network, "macs") == 94_592
    assert sized_layers(network)[2].sees == LENET1_TABLE


@pytest.mark.parametrize(
    ("name", "outputs", "connections", "parameters"),
    [("lenet5", (10, 840, 0), 340_908, 60_000), ("lenet5-softmax", (10, 850, 850), 340_918, 60_850)],
)
def test_lenet5(name: str, outputs: tuple[int, int, int], connections: int, parameters: int) -> None:
    """PIEEE98; papers.md §8."""
    network = load_network(name)

    assert counts(network) == {
        "c1": (4_704, 122_304, 156),
        "s2": (1_176, 5_880, 12),
        "c3": (1_600, 151_600, 1_516),
        "s4": (400, 2_000, 32),
        "c5": (120, 48_120, 48_120),
        "f6": (84, 10_164, 10_164),
        "output": outputs,
    }
    assert (total(network, "connections"), total(network, "parameters")) == (connections, parameters)
    assert sized_layers(network)[2].sees == LENET5_TABLE
    assert parameter_shapes(network)["c3.weight"] == (60, 5, 5)
    assert ("output.weight" in parameter_shapes(network)) == (name == "lenet5-softmax")


def test_the_fully_connected_network_of_1989() -> None:
    """NC89 §5: 10,690 connections, each with a weight of its own."""
    network = load_network("fc40")

    assert (total(network, "connections"), total(network, "parameters")) == (10_690, 10_690)


def test_the_network_of_the_chip_chapter() -> None:
    """As re-created on 28×28 digits with every map reading all 12: 21,904 parameters (recipes.md R5)."""
    network = load_network("lecun1990")

    assert [sized.output for sized in sized_layers(network)][:2] == [(12, 14, 14), (12, 7, 7)]
    assert total(network, "parameters") == 21_904


def border_taps(network: NetworkSpec) -> list[int]:
    """Count, tap by tap, what reads outside the planes below."""
    found = []
    for sized in sized_layers(network):
        outside = 0
        if isinstance(sized.layer, Conv):
            conv, (_, rows, columns) = sized.layer, sized.input
            for seen in sized.sees:
                for y in range(sized.output[1]):
                    for x in range(sized.output[2]):
                        for r in range(conv.kernel):
                            for c in range(conv.kernel):
                                row, column = y * conv.stride + r - conv.pad, x * conv.stride + c - conv.pad
                                if not (0 <= row < rows and 0 <= column < columns):
                                    outside += len(seen)
        found.append(outside)
    return found


def test_border_macs_against_counting() -> None:
    far_out = Conv("far", 2, 2, TANH, stride=3, pad=4, sees=((0,), (0, 1)))
    networks = [
        load_network("lecun1989"),
        NetworkSpec("n", "", (2, 5, 7), (far_out,)),
        *(random_network(seed) for seed in range(20)),
    ]

    for network in networks:
        assert [sized.border_macs for sized in sized_layers(network)] == border_taps(network), network.name
    assert border_taps(networks[0]) == [2_772, 10_656, 0, 0]


def test_parameters_are_the_sizes_of_their_arrays() -> None:
    named = [load_network(name) for name in network_names()]
    for network in (*named, *(random_network(seed) for seed in range(20))):
        sizes = 0
        for shape in parameter_shapes(network).values():
            size = 1
            for length in shape:
                size *= length
            sizes += size
        assert sizes == total(network, "parameters"), network.name


MISFITS: list[tuple[tuple[Layer, ...], str]] = [
    (
        (Conv("a", 2, 9, TANH, pad=1),),
        "Layer 'a' of network 'n' does not fit: kernel 9 is wider than the padded planes; at most 8",
    ),
    ((Conv("a", 2, 3, TANH, sees=((0,),)),), "'sees' has 1 rows; one a map, 2, is needed"),
    ((Conv("a", 1, 3, TANH, sees=((0, 2),)),), r"row \[0, 2\]; ascending planes from 0 to 1 are allowed"),
    ((Conv("a", 1, 3, TANH, sees=((-1,),)),), r"row \[-1\]"),
    ((Conv("a", 1, 3, TANH, sees=((1, 0),)),), r"row \[1, 0\]"),
    ((Conv("a", 1, 3, TANH, sees=((1, 1),)),), r"row \[1, 1\]"),
    ((Conv("a", 1, 3, TANH, sees=((),)),), r"row \[\]"),
    ((Subsample("a", 4, TANH),), "size 4 does not divide 6×8; choose one that does"),
    (
        (Dense("a", 3, TANH), Rbf("b", (("##.",), ("#.",)))),
        r"'b' .*have \[2, 3\] values; each needs 3",
    ),
    ((Dense("a", 3, TANH), Dense("a", 2, TANH)), "Network 'n' has two layers of one name"),
]


@pytest.mark.parametrize(("layers", "said"), MISFITS)
def test_layers_that_do_not_fit(layers: tuple[Layer, ...], said: str) -> None:
    with pytest.raises(InputError, match=said):
        sized_layers(NetworkSpec("n", "", (2, 6, 8), layers))


def test_unknown_names_suggest_the_nearest() -> None:
    nearest = r"no network 'lecun1989-roled'\. Did you mean 'lecun1989-rolled'\? Known: .*See"
    with pytest.raises(InputError, match=nearest):
        load_network("lecun1989-roled")
    with pytest.raises(InputError, match=r"no network file 'mine\.toml'\. Give an existing path"):
        load_network("mine.toml")


def test_networks_that_come_with_the_package_hold_together() -> None:
    for name in network_names():
        network = load_network(name)
        assert network.name == name
        assert network.source


DESCRIPTION = """
name = "mine"
title = "Mine"
input = [1, 16, 16]
[[layers]]
kind = "dense"
name = "output"
units = 10
activation = { kind = "tanh" }
"""


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("units = 10", "units = 10\nbias = 3", r"unknown field `bias`.*layers\[0\]"),
        ("units = 10", "", r"missing required field `units`.*layers\[0\]"),
        ("units = 10", 'units = "ten"', r"Expected `int`, got `str`.*layers\[0\]\.units"),
        ("units = 10", "units = 0", r"Expected `int` >= 1.*layers\[0\]\.units"),
        ('"dense"', '"dens"', r"Invalid value 'dens'.*layers\[0\]\.kind"),
        ('"tanh"', '"tan"', r"Invalid value 'tan'.*layers\[0\]\.activation\.kind"),
        ("[1, 16, 16]", "[16, 16]", r"input"),
        ("title =", "title", "line 3"),
        ('name = "output"', 'name = "Output.1"', r"layers\[0\]\.name"),
    ],
)
def test_a_damaged_description_is_refused_by_file_and_key(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(DESCRIPTION, encoding="utf-8")
    assert load_network(str(path)).layers == (Dense("output", 10, Tanh()),)

    assert before in DESCRIPTION
    path.write_text(DESCRIPTION.replace(before, after), encoding="utf-8")
    with pytest.raises(InputError, match=said) as caught:
        load_network(str(path))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_description_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(DESCRIPTION.replace("Mine", "Méin").encode("latin-1"))

    with pytest.raises(InputError, match=r"mine\.toml can not be used"):
        load_network(str(path))
