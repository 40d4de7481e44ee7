"""Where taps read, against the definition."""

import numpy as np
from support.random_networks import random_network

from retronet.connections import kernels, tap_sources
from retronet.network import Conv, Dense, NetworkSpec, SizedLayer, Subsample, Tanh, load_network, sized_layers


def expected_sources(sized: SizedLayer) -> list[list[int]]:
    """Return the table tap by tap, the border as the number of pixels."""
    layer, (_, rows, columns) = sized.layer, sized.input
    if isinstance(layer, Dense):
        return [list(range(rows * columns))]
    size, stride, pad = (
        (layer.kernel, layer.stride, layer.pad) if isinstance(layer, Conv) else (layer.size, layer.size, 0)
    )
    found = []
    for y in range(sized.output[1]):
        for x in range(sized.output[2]):
            taps = []
            for r in range(size):
                for c in range(size):
                    row, column = y * stride + r - pad, x * stride + c - pad
                    inside = row in range(rows) and column in range(columns)
                    taps.append(row * columns + column if inside else rows * columns)
            found.append(taps)
    return found


def test_taps_read_where_the_definition_says() -> None:
    block = NetworkSpec("block", "", (2, 4, 6), (Subsample("s", 2, Tanh()),))
    for network in (load_network("lecun1989"), block, *(random_network(seed) for seed in range(20))):
        for sized in sized_layers(network):
            found = tap_sources(sized)
            assert found.dtype == np.int32
            assert found.flags.c_contiguous
            assert found.tolist() == expected_sources(sized), (network.name, sized.name)


def test_the_border_is_read_as_often_as_the_network_counts() -> None:
    for seed in range(20):
        for sized in sized_layers(random_network(seed)):
            border = np.count_nonzero(tap_sources(sized) == sized.input[1] * sized.input[2])
            assert border * sum(map(len, sized.sees)) == sized.border_macs


def test_windows_of_1989_are_centred_on_even_pixels() -> None:
    """Two rows of border above and left, one below and right (papers.md §1.2)."""
    h1 = tap_sources(sized_layers(load_network("lecun1989"))[0]).reshape(8, 8, 5, 5)

    for y, x in np.ndindex(8, 8):
        assert h1[y, x, 2, 2] == 2 * y * 16 + 2 * x
    assert (h1[0, :, :2] == 256).all()
    assert (h1[7, :, 4] == 256).all()
    assert (h1[7, :, :4] == 256).sum() == h1[7, 0, :4, :2].size + h1[7, 7, :4, 4:].size


def test_a_coefficient_is_the_one_kernel_of_its_map_whatever_the_block() -> None:
    for size in (1, 2):
        network = NetworkSpec("block", "", (3, 4, 6), (Subsample("s", size, Tanh()),))
        (sized,) = sized_layers(network)
        assert list(kernels(sized)) == [(row, 0, slice(row, row + 1)) for row in range(3)]
