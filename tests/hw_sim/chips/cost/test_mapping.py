"""Layers on an array by hand, moves against plain sliding."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.arrays import array, sized_of

from hw_sim.chips.cost.mapping import map_layer
from hw_sim.chips.load import load_chip
from hw_sim.chips.spec import NeuronArray
from retronet.network import Conv, Dense, Identity, load_network, sized_layers

LECUN1989 = load_network("lecun1989")


def test_joined_blocks_of_net32k_by_hand() -> None:
    engine = load_chip("net32k").engine
    assert isinstance(engine, NeuronArray)
    h2 = sized_layers(LECUN1989)[1]
    # 12 maps read 300 inputs between them: 3 segments of 128, 12 blocks each, all in 16 groups of 16.
    assert map_layer(h2, engine, 1, 1, "").calls == 16
    # 4-bit weights: 48 blocks for each of 3 segments are 9 groups of one call. Joined: 12 blocks, at most 8.
    wide = map_layer(h2, engine, 4, 1, "")
    assert (wide.calls, wide.products) == (16, 4 * 38_400)
    assert wide.partial_sums == 16 * 12
    # 2 bits by 2 bits: 6 segments, 24 blocks of each, 2 groups.
    assert map_layer(h2, engine, 2, 2, "").calls == 16
    # 4-bit weights for 30 units on 192 inputs: 2 segments of 120 blocks, 8 groups each: the whole chip, once.
    assert map_layer(sized_layers(LECUN1989)[2], engine, 4, 1, "").calls == 1
    assert map_layer(sized_of(Dense("d", 31, Identity()), (1, 1, 300)), engine, 4, 1, "").calls == 2


@given(
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(0, 2),
    st.integers(4, 9),
    st.integers(4, 9),
    st.integers(1, 3),
)
@settings(deadline=None)
def test_a_kept_window_reads_what_is_new(
    kernel: int, stride: int, pad: int, rows: int, columns: int, planes: int
) -> None:
    sized = sized_of(Conv("c", 2, kernel, Identity(), stride=stride, pad=pad), (planes, rows, columns))
    expected = {0: 0, 1: 0}
    for row in range(sized.output[1]):
        before: set[tuple[int, int, int]] = set()
        for column in range(sized.output[2]):
            field = {
                (plane, row * stride + down, column * stride + right)
                for plane in range(planes)
                for down in range(kernel)
                for right in range(kernel)
            }
            expected[0] += len(field)
            expected[1] += len(field - before)
            before = field
    for kept in (0, 1):
        assert map_layer(sized, array(keeps_window=kept), 4, 4, "").input_moves == expected[kept]


@pytest.mark.parametrize(
    ("bits", "port", "moves"), [(4, 4, 6), (4, 9, 3), (4, 24, 1), (4, 3, 12), (3, 12, 2), (1, 4, 2)]
)
def test_numbers_move_through_ports(bits: int, port: int, moves: int) -> None:
    sized = sized_of(Dense("d", 2, Identity()), (1, 2, 3))
    engine = array(state_in_port_bits=port, state_bits=4)
    assert map_layer(sized, engine, 4, bits, "").input_moves == moves
