"""Chips and pools: refused with layer and reason by chips of neurons, counted on processors."""

import pytest
from msgspec.structs import replace
from support.small_network import draw
from support.trained_networks import trained_of

from hw_sim.chips.anna.network import anna_network
from hw_sim.chips.cost.network_cost import cost, work_of
from hw_sim.chips.dsp32c.network import dsp_layers
from hw_sim.chips.load import load_chip
from hw_sim.chips.net32k.network import net32k_network
from hw_sim.chips.net32k.options import net32k_options
from hw_sim.chips.spec import Processor
from retronet.errors import InputError
from retronet.network import AveragePool, Conv, Dense, HardTanh, MaxPool, NetworkSpec, Sigmoid, Tanh

TANH = Tanh(1.7159, 2 / 3)
MAXIMA = NetworkSpec(
    "maxima", "", (1, 16, 16),
    (Conv("a", 2, 5, TANH), MaxPool("p", 2, activation=TANH), Dense("b", 12, TANH), Dense("c", 10, TANH)),
)  # fmt: skip
MEANS = replace(
    MAXIMA, name="means", layers=(MAXIMA.layers[0], AveragePool("q", 2, activation=TANH), *MAXIMA.layers[2:])
)
NETWORKS = pytest.mark.parametrize("network", [MAXIMA, MEANS], ids=lambda network: network.name)


@NETWORKS
def test_chips_of_neurons_refuse_pools(network: NetworkSpec) -> None:
    parameters, images = draw(network, 1, 20)
    trained, kind = trained_of(network, parameters), network.layers[1].__struct_config__.tag
    sentence = f"'{network.layers[1].name}' can not run on .*: it is of the kind {kind}, .*weighted sums"
    with pytest.raises(InputError, match=sentence):
        anna_network(load_chip("anna"), trained, images)
    chip = load_chip("net32k")
    with pytest.raises(InputError, match=sentence):
        net32k_network(chip, trained, images, replace(net32k_options(chip), layers=2))


@NETWORKS
def test_the_signal_processor_refuses_pools(network: NetworkSpec) -> None:
    trained = trained_of(network, draw(network, 1, 1)[0])
    with pytest.raises(InputError, match=f"Layer '{network.layers[1].name}' .* of the kind .*_pool; conv"):
        dsp_layers(trained)


@pytest.mark.parametrize("activation", [Sigmoid(), HardTanh()], ids=repr)
def test_the_signal_processor_refuses_other_activations(activation: Sigmoid | HardTanh) -> None:
    network = replace(MAXIMA, layers=(Dense("d", 3, activation),))
    kind = activation.__struct_config__.tag
    with pytest.raises(InputError, match=f"Layer 'd' .*: its activation is of the kind {kind}; tanh"):
        dsp_layers(trained_of(network, draw(network, 1, 1)[0]))


@pytest.mark.parametrize("name", ["anna", "net32k", "cnaps", "int8-array"])
def test_arrays_make_means_but_no_maxima(name: str) -> None:
    with pytest.raises(InputError, match=f"Layer 'p' can not run on the chip '{name}': it takes the largest"):
        cost(load_chip(name), MAXIMA)
    means = cost(load_chip(name), MEANS).layers[1]
    assert means.calls > 0
    assert means.work.macs == 0
    assert means.work.other_operations == 3 * 2 * 6 * 6


def test_a_processor_compares_as_fast_as_it_multiplies() -> None:
    chip = load_chip("sun4-260")
    assert isinstance(chip.engine, Processor)
    assert chip.engine.cycles_per_mac.value is not None
    assert chip.engine.cycles_per_unit.value is not None
    for network in (MAXIMA, MEANS):
        pool = cost(chip, network).layers[1]
        operations, units = 3 * 2 * 6 * 6, 2 * 6 * 6
        assert pool.calls == operations
        wanted = operations * chip.engine.cycles_per_mac.value + units * chip.engine.cycles_per_unit.value
        assert pool.cycles == wanted
        assert work_of(network)[1].state_reads == operations + units
