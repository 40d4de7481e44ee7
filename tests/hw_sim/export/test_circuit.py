"""What a circuit of the network of 1989 needs, counted from its shape."""

import numpy as np
import pytest
from support.small_network import draw, plan_of
from support.trained_networks import trained_of

from hw_sim.export.circuit import Circuit, circuit
from hw_sim.fixed_point.quantize import quantize
from retronet.network import load_network


def laid_out(name: str, macs: int) -> Circuit:
    network = load_network(name)
    parameters, _ = draw(network, 0, 1)
    return circuit(quantize(trained_of(network, parameters), plan_of(network, "s8.6", bias="s32.12")), macs)


@pytest.mark.parametrize(
    ("macs", "words"), [(1, 8_760), (4, 75 + 600 + 8 * 192 + 90), (8, 50 + 500 + 768 + 60)]
)
def test_weights_are_kept_group_by_group(macs: int, words: int) -> None:
    """H1 has 25 taps a map; four maps of H2 see 8 planes, the first eight together 12."""
    made = laid_out("lecun1989", macs)
    assert made.sizes["WEIGHT_WORDS"] == words
    assert made.memory_bits["weights"] == words * made.sizes["WEIGHT_BITS"] * macs


def test_states_have_room_for_two_layers() -> None:
    made = laid_out("lecun1989", 1)
    assert made.sizes["STATE_WORDS"] == 256 + 768
    places = [(layer.input_place, layer.output_place) for layer in made.layers]
    assert places == [(0, 256), (256, 0), (0, 994), (994, 0)]


@pytest.mark.parametrize("name", ["lecun1989", "lenet1", "lenet5-softmax", "fc40"])
def test_cycles_are_nearly_macs(name: str) -> None:
    made = laid_out(name, 1)
    macs = sum(layer.layer.sized.macs for layer in made.layers)
    assert macs < made.cycles
    # Units of four taps take five cycles.
    short = sum(layer.layer.sized.units for layer in made.layers if layer.group_taps[0] == 4)
    assert made.cycles - macs - short < 40 * len(made.layers)


def test_thresholds_of_a_tree_come_in_order() -> None:
    made = laid_out("lecun1989", 1)
    depth, tables = made.sizes["DEPTH"], made.sizes["TABLES"]
    levels = [
        np.array(made.memories[f"thresholds_{chr(97 + level)}"].words).reshape(tables, -1)
        for level in range(depth)
    ]
    for table in range(tables):
        flat = np.empty((1 << depth) - 1, np.int64)
        for level, words in enumerate(levels):
            half = 1 << (depth - 1 - level)
            flat[half - 1 :: 2 * half] = words[table]
        wanted = made.layers[table].tables[0].thresholds
        assert np.array_equal(flat[: wanted.size], wanted)
        assert (flat[wanted.size :] == (1 << (made.sizes["THRESHOLD_BITS"] - 1)) - 1).all()
