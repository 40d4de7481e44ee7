"""The errors of a NET32K: its cells, and each law of mismatch against the size asked for."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.analog_network import wide
from support.chip_files import like

from hw_sim.chips.load import load_chip
from hw_sim.chips.net32k.errors import cell_signs, parts_on_chip
from hw_sim.chips.net32k.network import Net32kNetwork, net32k_network
from hw_sim.chips.net32k.options import Net32kOptions

NET32K = load_chip("net32k")


def test_cells_are_signs_that_add_up_to_the_weight() -> None:
    for weights in ("1-bit", "2-bit", "3-bit", "4-bit", "ternary"):
        options = Net32kOptions(weights=weights)  # type: ignore[arg-type]
        levels = options.weight_levels
        cells = cell_signs(levels[np.newaxis], options)
        assert set(np.unique(cells)) == {-1, 1}
        np.testing.assert_array_equal(np.tensordot(options.cell_factors, cells, (0, 1))[0], levels)
        assert (0 in levels) == (weights == "ternary")
    assert Net32kOptions(weights="4-bit").weight_levels.tolist() == list(range(-15, 16, 2))


def drawn(law: Any, accuracy: float, chips: int = 200) -> tuple[Net32kNetwork, Any, list[Any]]:
    """Return a network of two layers in one part each, on the chip without errors and on many."""
    trained, train, _ = wide()
    options = Net32kOptions(layers=2, weights="2-bit", input_bits=1, state_bits=2, law=law, accuracy=accuracy)
    network = net32k_network(NET32K, trained, train, options)
    return network, parts_on_chip(network, None), [parts_on_chip(network, (0, chip)) for chip in range(chips)]


def test_a_comparator_set_to_100_connections_fires_as_far_off_as_asked() -> None:
    for law in ("reference", "count"):
        _, ideal, chips = drawn(law, 0.045)
        wanted = ideal[0][0].references.astype(np.float64)
        found = np.array([chip[0][0].references for chip in chips])
        # A sum of weights ±3 and inputs ±1 over 360 products counts from −1,080.
        zero = 1080.0 if law == "count" else 0.0
        shares = (found + zero) / (wanted + zero) - 1
        assert np.std(shares) == pytest.approx(0.045, rel=0.05)
        assert abs(np.mean(shares)) < 0.004
        np.testing.assert_array_equal(chips[0][0][0].weights, ideal[0][0].weights)
        assert len(np.unique(shares[:, 0, 0].round(9))) == len(chips)


def test_blocks_and_cells_are_off_each_by_itself() -> None:
    network, ideal, chips = drawn("block", 0.045)
    weights = network.layers[0].parts[0].weights
    extreme = np.abs(weights) == 3
    ratios = np.array([chip[0][0].weights for chip in chips]) / weights
    for first, last in ((0, 128), (128, 256), (256, 360)):
        inside = ratios[:, :, first:last][:, extreme[:, first:last]].reshape(len(chips), -1)
        one = ratios[:, 0, first:last][:, extreme[0, first:last]]
        np.testing.assert_allclose(one, np.repeat(one[:, :1], one.shape[1], axis=1), rtol=1e-6)
        # Cells of factors 2 and 1 in blocks of their own: 4.5 % · √(2² + 1²) / 3.
        assert np.std(inside) == pytest.approx(0.045 * 5**0.5 / 3, rel=0.1)
    assert abs(ratios[:, 0, 0] - ratios[:, 0, 200]).max() > 0.01
    np.testing.assert_array_equal(chips[0][0][0].references, ideal[0][0].references)
    _, _, chips = drawn("cell", 0.045, 20)
    ratios = np.array([chip[0][0].weights for chip in chips]) / weights
    assert np.std(ratios[:, extreme]) == pytest.approx(0.045 * 5**0.5 / 3, rel=0.05)
    assert abs(np.corrcoef(ratios[:, 0, extreme[0]][:, 0], ratios[:, 0, extreme[0]][:, 1])[0, 1]) < 0.8
    assert len(np.unique(ratios[0, 0, extreme[0]].round(6))) > 50


def test_a_ternary_zero_of_two_cells_is_no_longer_zero_on_a_chip() -> None:
    trained, train, _ = wide()
    options = Net32kOptions(layers=1, weights="ternary", input_bits=1, law="cell", accuracy=0.045)
    network = net32k_network(NET32K, trained, train, options)
    weights = network.layers[0].parts[0].weights
    assert set(np.unique(weights)) == {-2, 0, 2}
    found = parts_on_chip(network, (0, 0))[0][0].weights
    assert np.std(found[weights == 0]) == pytest.approx(0.045 * 2**0.5, rel=0.15)


def test_blocks_are_as_long_as_the_chip_has_them(tmp_path: Path) -> None:
    trained, train, _ = wide()
    chip = load_chip(str(like(tmp_path, "net32k", inputs=90)))
    options = Net32kOptions(layers=1, weights="1-bit", input_bits=1, law="block", accuracy=0.045)
    network = net32k_network(chip, trained, train, options)
    ratios = parts_on_chip(network, (0, 0))[0][0].weights / network.layers[0].parts[0].weights
    changes = np.flatnonzero(np.abs(np.diff(ratios[0])) > 1e-6) + 1
    assert changes.tolist() == [90, 180, 270]
