"""What a network costs: work, loads, what is unknown and what is refused."""

import msgspec
import pytest
from support.small_network import NETWORK, plan_of
from support.trained_networks import drawn

from hw_sim.chips.cost.network_cost import cost, work_counted, work_of
from hw_sim.chips.cost.published import peak_connections_per_s
from hw_sim.chips.load import chip_names, load_chip
from hw_sim.chips.spec import workload
from hw_sim.fixed_point.quantize import quantize
from hw_sim.fixed_point.simulate import run_integers
from retronet.errors import InputError
from retronet.network import Dense, Identity, NetworkSpec, load_network, sized_layers

LECUN1989 = load_network("lecun1989")


def test_what_a_simulation_counts_is_what_the_geometry_says() -> None:
    trained, images = drawn(NETWORK, 31, 5)
    counted = run_integers(quantize(trained, plan_of(NETWORK, "s8.6")), images)
    assert work_counted(counted.counts, len(images)) == work_of(NETWORK)


def test_counted_work_takes_the_place_of_the_geometry() -> None:
    half = [msgspec.structs.replace(work, macs=work.macs / 2) for work in work_of(LECUN1989)]
    found = cost(load_chip("dsp32c-80ns"), LECUN1989, work=half)
    assert found.seconds == pytest.approx((63_660 / 2 + 40_000) * 80e-9)
    with pytest.raises(InputError, match="is of 2 layers; 4 are needed"):
        cost(load_chip("dsp32c-80ns"), LECUN1989, work=half[:2])


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


def test_what_is_unknown_is_left_out_and_named() -> None:
    graf = cost(load_chip("graf54"), LECUN1989)
    assert {"engine.weight_port_bits", "host.bytes_per_s"} <= set(graf.unknown)
    for layer in graf.layers:
        assert layer.weight_load_s is layer.state_input_s is layer.state_output_s is layer.host_s is None
        assert layer.seconds == layer.compute_s


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
