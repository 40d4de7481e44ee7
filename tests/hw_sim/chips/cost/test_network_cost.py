"""The cost model against sums by hand, moves against plain sliding, published figures against the sources."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.small_network import NETWORK, plan_of
from support.trained_networks import drawn

from hw_sim.chips.cost.mapping import map_layer
from hw_sim.chips.cost.network_cost import cost, work_counted, work_of
from hw_sim.chips.cost.published import Comparison, compare, peak_connections_per_s, training_macs
from hw_sim.chips.spec import ChipSpec, Constant, Energy, NeuronArray, chip_names, load_chip, workload
from hw_sim.fixed_point.quantize import quantize
from hw_sim.fixed_point.simulate import run_integers
from retronet.errors import InputError
from retronet.network import Conv, Dense, Identity, NetworkSpec, SizedLayer, load_network, sized_layers

LECUN1989 = load_network("lecun1989")


def known(value: float) -> Constant:
    return Constant(value, source="test")


def array(**changed: float) -> NeuronArray:
    """Return an array of 4 neurons of 8 inputs that keeps nothing and hides nothing."""
    values = {
        "cycle_s": 1e-6, "cycles_per_call": 1, "neurons": 4, "inputs": 8, "groups": 1, "max_joined": 1,
        "accumulates": 0, "weight_bits": 4, "state_bits": 4, "cells": 64, "cell_grain": 1,
        "weight_port_bits": 4, "state_in_port_bits": 4, "state_out_port_bits": 4, "cycles_per_position": 0,
        "keeps_window": 0, "loads_in_parallel": 0,
    }  # fmt: skip
    return NeuronArray(**{name: known(value) for name, value in {**values, **changed}.items()})


def chip_of(engine: NeuronArray, **more: Any) -> ChipSpec:
    return ChipSpec("mine", "", 2026, "", engine, **more)


def sized_of(layer: Any, shape: tuple[int, int, int]) -> SizedLayer:
    return sized_layers(NetworkSpec("one", "", shape, (layer,)))[0]


def test_what_a_simulation_counts_is_what_the_geometry_says() -> None:
    trained, images = drawn(NETWORK, 31, 5)
    counted = run_integers(quantize(trained, plan_of(NETWORK, "s8.6")), images)
    assert work_counted(counted.counts, len(images)) == work_of(NETWORK)


def test_a_processor_by_hand() -> None:
    found = cost(load_chip("dsp32c-80ns"), LECUN1989)
    # 63,660 MACs and 1,000 units of 40 instructions, 80 ns each.
    assert found.seconds == pytest.approx((63_660 + 40_000) * 80e-9)
    assert found.connections_per_s == pytest.approx(64_660 / ((63_660 + 40_000) * 80e-9))
    assert [layer.bound_by for layer in found.layers] == ["overhead", "compute", "compute", "overhead"]
    assert found.bound_by == "compute"
    assert found.assumed == ("engine.cycles_per_unit",)
    assert (found.unknown, found.energy_j, found.refresh_s) == ((), None, None)


def test_counted_work_takes_the_place_of_the_geometry() -> None:
    half = [msgspec.structs.replace(work, macs=work.macs / 2) for work in work_of(LECUN1989)]
    found = cost(load_chip("dsp32c-80ns"), LECUN1989, work=half)
    assert found.seconds == pytest.approx((63_660 / 2 + 40_000) * 80e-9)
    with pytest.raises(InputError, match="is of 2 layers; 4 are needed"):
        cost(load_chip("dsp32c-80ns"), LECUN1989, work=half[:2])


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


def test_weights_that_fit_stay() -> None:
    anna = load_chip("anna")
    found = cost(anna, workload(anna, "anna-recogniser"), on_board=False)
    assert found.resident
    # All maps of a layer share one field over all planes: fewer calls than plane by plane.
    assert [layer.calls for layer in found.layers] == [784, 196, 200, 50]
    assert [layer.cells for layer in found.layers] == [4 * 64, 4 * 64, 12 * 128, 12 * 64]
    assert all(layer.weight_load_s == 0 for layer in found.layers)


def test_weights_that_do_not_fit_are_shared_by_the_images_of_a_batch() -> None:
    anna = load_chip("anna")
    one, many = (cost(anna, LECUN1989, on_board=False, images_per_load=batch) for batch in (1, 1_000))
    for single, shared in zip(one.layers, many.layers, strict=True):
        assert single.weight_load_s == pytest.approx(1_000 * (shared.weight_load_s or 0))
    assert (one.bound_by, many.bound_by) == ("weight load", "state input")
    with pytest.raises(InputError, match="once every 0 images"):
        cost(anna, LECUN1989, images_per_load=0)


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


def test_what_is_unknown_is_left_out_and_named() -> None:
    graf = cost(load_chip("graf54"), LECUN1989)
    assert {"engine.weight_port_bits", "host.bytes_per_s"} <= set(graf.unknown)
    for layer in graf.layers:
        assert layer.weight_load_s is layer.state_input_s is layer.state_output_s is layer.host_s is None
        assert layer.seconds == layer.compute_s


def test_energy_is_counted_work_times_joules() -> None:
    found = cost(load_chip("int8-array"), LECUN1989)
    reads = 64_660 + sum(sized.macs - sized.border_macs for sized in sized_layers(LECUN1989))
    assert found.energy_j == pytest.approx(63_660 * 0.3e-12 + (reads + 1_000) * 1.25e-12)
    partly = Energy(known(1e-12), known(1e-12), Constant(reason="not found"), known(1e-12))
    chip = chip_of(array(weight_bits=8, state_bits=8), energy=partly)
    assert cost(chip, LECUN1989).energy_j is None
    assert "energy.state_read_j" in cost(chip, LECUN1989).unknown


def test_what_a_chip_can_not_do_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"'graf54' can not take weights of 8 and states of 1 bits.*at most 1"
    ):
        cost(load_chip("graf54"), LECUN1989, weight_bits=8)
    with pytest.raises(InputError, match="'net32k' can not take weights of 3 and states of 3"):
        cost(load_chip("net32k"), LECUN1989, weight_bits=3, state_bits=3)
    with pytest.raises(InputError, match="states can not have 0 bits"):
        cost(load_chip("anna"), LECUN1989, state_bits=0)
    with pytest.raises(InputError, match="has one number format"):
        cost(load_chip("sun4-260"), LECUN1989, weight_bits=8)
    with pytest.raises(InputError, match="leaves the last 1 layers to its companion; network 'small' has 1"):
        cost(load_chip("anna"), NetworkSpec("small", "", (1, 2, 2), (Dense("d", 2, Identity()),)))


@pytest.mark.parametrize("name", chip_names())
@pytest.mark.parametrize("network", ["lecun1989", "lenet1", "fc40"])
def test_no_chip_is_faster_than_its_peak(name: str, network: str) -> None:
    chip, spec = load_chip(name), load_network(network)
    found = cost(chip, spec, on_board=False)
    macs = sum(sized.macs for sized in sized_layers(spec)[: len(found.layers)])
    assert 0 < macs / found.seconds <= peak_connections_per_s(chip)
    for layer in found.layers:
        assert 0 < layer.utilisation <= 1
    assert cost(chip, spec).seconds >= found.seconds
    assert found.images_per_s * sum(layer.seconds for layer in found.layers) == pytest.approx(1)


def figures(name: str) -> dict[str, Comparison]:
    return {row.what: row for row in compare(load_chip(name))}


def test_published_figures_of_the_dsp() -> None:
    rows = figures("dsp32c-80ns")
    seconds = (63_660 + 40_000) * 80e-9
    normalised = rows["digits/s, digits already normalised"]
    assert (normalised.low, normalised.high, normalised.unit) == (30, None, "images/s")
    assert normalised.modelled == pytest.approx(1 / seconds)
    assert normalised.within
    assert normalised.fitted_efficiency_low == pytest.approx(30 * seconds)
    assert normalised.fitted_efficiency_high is None
    whole = rows["digits/s from camera to answer"]
    assert (whole.low, whole.high) == (10, 12)
    assert whole.fitted_efficiency_low is None
    assert whole.fitted_outside_low_s == pytest.approx(1 / 12 - seconds)
    assert whole.fitted_outside_high_s == pytest.approx(1 / 10 - seconds)


def test_published_figures_of_the_chips() -> None:
    anna = figures("anna")
    board = anna["connections/s on the board, by application"]
    assert (board.low, board.high, board.within) == (30e6, 400e6, True)
    assert board.fitted_efficiency_low is board.fitted_efficiency_high is None
    alone = anna["digits/s, chip alone"]
    assert (alone.low, alone.within) == (1_000, True)
    peak = figures("net32k")["one-bit connections/s"]
    assert peak.modelled == pytest.approx(327.68e9)
    assert peak.fitted_efficiency_low == pytest.approx(320 / 327.68)
    graf = figures("graf54")
    assert graf["seconds for 49 features of 7 × 7 at one place"].modelled == 1e-6
    # 640 places, thinned and searched at 1 µs each.
    assert graf["characters/s, chip alone"].modelled == pytest.approx(1 / 1280e-6)
    interface = graf["characters/s through the host interface"]
    assert interface.fitted_efficiency_low == pytest.approx(1280e-6)


def test_three_days_on_a_workstation() -> None:
    # Forward 63,660; back to states 44,460 and to weights 63,660, for gradient and for curvature.
    assert training_macs(LECUN1989) == 63_660 + 2 * (44_460 + 63_660)
    (row,) = compare(load_chip("sun4-260"))
    assert (row.low, row.high) == (3 * 86_400, 3 * 86_400)
    assert row.modelled == pytest.approx(167_693 * (279_900 * 20 + 1_000 * 400) * 60e-9)
    assert row.fitted_efficiency_low == pytest.approx(row.modelled / 259_200)


@pytest.mark.parametrize("name", chip_names())
def test_a_gap_is_modelled_or_fitted_and_said(name: str) -> None:
    for row in compare(load_chip(name)):
        assert row.gap
        fitted = (row.fitted_efficiency_low, row.fitted_efficiency_high, row.fitted_outside_low_s)
        # Outside the published range something must be fitted; a fit never passes silently for the model.
        assert row.within or any(number is not None for number in fitted)
        for end, efficiency in ((row.low, fitted[0]), (row.high, fitted[1])):
            if end is not None and efficiency is not None:
                meets = row.modelled / efficiency if row.unit == "s" else row.modelled * efficiency
                assert meets == pytest.approx(end)


def test_the_table_of_the_documents_is_the_models() -> None:
    text = (Path(__file__).parents[4] / "docs" / "chips" / "README.md").read_text(encoding="utf-8")
    table = text.partition("| chip | figure |")[2].partition("\n## ")[0].splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table if line]
    scales = {"": 1.0, "M": 1e6, "G": 1e9, "µs": 1e-6, "hours": 3600.0}
    stated: dict[str, list[float]] = {}
    for name, _, _, modelled, _ in rows:
        found = re.match(r"(\d[\d.,]*\d|\d) ?(M|G|µs|hours)?", modelled)
        assert found, modelled
        number = float(found[1].replace(",", "")) * scales[found[2] or ""]
        stated.setdefault(name.strip("`"), []).append(number)
    named = [name for name in chip_names() if load_chip(name).published]
    assert sorted(stated) == named
    for name in named:
        assert stated[name] == pytest.approx([row.modelled for row in compare(load_chip(name))], rel=5e-3)
