"""What one layer costs, against sums by hand."""

import pytest
from support.arrays import array, chip_of, known

from hw_sim.chips.cost.network_cost import cost
from hw_sim.chips.load import load_chip
from hw_sim.chips.spec import ChipConstant, Energy
from retronet.network import Conv, Identity, NetworkSpec, load_network, sized_layers

LECUN1989 = load_network("lecun1989")


def test_a_processor_by_hand() -> None:
    found = cost(load_chip("dsp32c-80ns"), LECUN1989)
    # 63,660 MACs and 1,000 units of 40 instructions, 80 ns each.
    assert found.seconds == pytest.approx((63_660 + 40_000) * 80e-9)
    assert found.connections_per_s == pytest.approx(64_660 / ((63_660 + 40_000) * 80e-9))
    assert [layer.bound_by for layer in found.layers] == ["overhead", "compute", "compute", "overhead"]
    assert found.bound_by == "compute"
    assert found.assumed == ("engine.cycles_per_unit",)
    assert (found.unknown, found.energy_j, found.refresh_s) == ((), None, None)


def test_the_network_of_1989_on_anna_by_hand() -> None:
    found = cost(load_chip("anna"), LECUN1989)
    h1, h2, h3, output = found.layers
    # H1: 12 maps, 8 at a time, on 25 inputs. H2: three sets of 4 maps on 200. H3: 30 units, 8 at a time.
    assert [layer.calls for layer in (h1, h2, h3)] == [64 * 2, 16 * 3, 4]
    # Rows of weights in steps of 64.
    assert [layer.cells for layer in (h1, h2, h3)] == [12 * 64, 12 * 256, 30 * 192]
    assert h1.compute_s == pytest.approx(128 * 200e-9)
    # Fields slide by 2: 25 states for the first of a row, 10 for the next 7; 4 states a move.
    assert h1.state_input_s == pytest.approx(8 * (7 + 7 * 3) * 50e-9)
    assert h1.state_output_s == pytest.approx(64 * 3 * 50e-9)
    # More than 4,096 cells: all are loaded anew, 2 at a time.
    assert not found.resident
    assert h3.weight_load_s == pytest.approx(5_760 / 2 * 50e-9)
    assert h1.utilisation == pytest.approx(19_200 / (128 * 2_048))
    # The board's DSP gives 5 M instructions/s: calls, stores into the latch, moves and loads.
    assert h1.instructions == 128 + 64 + 8 * 28 + 64 * 3 + 12 * 64 / 2
    # Its 5 Mbyte/s take longer: 224 + 192 + 384 moves of 12 bits are 1,200 bytes.
    assert h1.host_s == pytest.approx(1_200 / 5e6)
    assert h1.host_s > h1.instructions / 5e6
    assert output.instructions == 300 + 10 * 40
    assert (h1.seconds, h1.bound_by) == (h1.host_s, "host interface")
    assert (output.chip, output.calls, output.host_s) == ("dsp32c-100ns", 300, None)
    assert found.refresh_s == pytest.approx(2_048 * 50e-9)
    assert "engine.cycle_s" in found.assumed
    assert found.unknown == ("engine.refresh_period_s",)
    alone = cost(load_chip("anna"), LECUN1989, on_board=False)
    assert [layer.layer for layer in alone.layers] == ["h1", "h2", "h3"]
    assert alone.layers[0].seconds == pytest.approx(
        (25.6 + 9.6 + 3.2 + 19.2) * 1e-6
    )  # input hides behind calls


def test_parts_add_up_and_hide() -> None:
    network = NetworkSpec("one", "", (1, 4, 4), (Conv("c", 5, 2, Identity(), stride=2),))
    # 4 positions of 2 calls; 4 inputs and 5 outputs each; 20 weights, which fit; 1 µs each.
    found = cost(chip_of(array(cycles_per_position=3, cycles_per_call=2)), network).layers[0]
    parts = (
        found.compute_s,
        found.overhead_s,
        found.weight_load_s,
        found.state_input_s,
        found.state_output_s,
    )
    assert parts == pytest.approx((16e-6, 12e-6, 0, 16e-6, 20e-6))
    assert found.seconds == pytest.approx(64e-6)
    assert found.bound_by == "state output"
    hidden = cost(chip_of(array(cycles_per_position=3, loads_in_parallel=1)), network).layers[0]
    assert hidden.seconds == pytest.approx((8 + 12 + 16 + 20 - 8) * 1e-6)
    small = cost(chip_of(array(cells=19)), network)
    assert not small.resident
    assert small.layers[0].weight_load_s == pytest.approx(20e-6)


def test_energy_is_counted_work_times_joules() -> None:
    found = cost(load_chip("int8-array"), LECUN1989)
    reads = 64_660 + sum(sized.macs - sized.border_macs for sized in sized_layers(LECUN1989))
    assert found.energy_j == pytest.approx(63_660 * 0.3e-12 + (reads + 1_000) * 1.25e-12)
    partly = Energy(known(1e-12), known(1e-12), ChipConstant(reason="not found"), known(1e-12))
    chip = chip_of(array(weight_bits=8, state_bits=8), energy=partly)
    assert cost(chip, LECUN1989).energy_j is None
    assert "energy.state_read_j" in cost(chip, LECUN1989).unknown
