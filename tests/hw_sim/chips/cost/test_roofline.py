"""A chip's roof and a network's place below it, beside the geometry."""

import pytest

from hw_sim.chips.cost.network_cost import cost
from hw_sim.chips.cost.roofline import roof_of
from hw_sim.chips.load import chip_names, load_chip
from hw_sim.chips.spec import NeuronArray, Processor
from retronet.network import load_network, sized_layers

NETWORK = load_network("lecun1989")


@pytest.mark.parametrize("name", chip_names())
@pytest.mark.parametrize("on_board", [True, False])
def test_no_network_is_above_the_roof(name: str, on_board: bool) -> None:
    chip = load_chip(name)
    report = cost(chip, NETWORK, on_board=on_board)
    roof = roof_of(chip, NETWORK, report)

    own = [layer for layer in report.layers if layer.chip == name]
    macs = sum(sized.macs for sized in sized_layers(NETWORK)[: len(own)])
    assert roof.macs_per_s == pytest.approx(macs / sum(layer.seconds for layer in own))
    assert roof.share_percent == pytest.approx(100 * roof.macs_per_s / roof.peak_macs_per_s)
    assert roof.macs_per_s <= roof.peak_macs_per_s
    assert (roof.bytes_per_s is None) == (roof.macs_per_byte is None)
    if roof.bytes_per_s is not None and roof.macs_per_byte is not None:
        assert roof.macs_per_s <= roof.bytes_per_s * roof.macs_per_byte * (1 + 1e-9)
        assert isinstance(chip.engine, NeuronArray)
    if isinstance(chip.engine, Processor):
        assert roof.bytes_per_s is None


def test_the_peak_is_that_of_the_sources() -> None:
    """NC89's DSP: 12.5 M multiply-adds a second (papers.md §1.6)."""
    dsp, anna = (load_chip(name) for name in ("dsp32c-80ns", "anna"))

    assert roof_of(dsp, NETWORK, cost(dsp, NETWORK)).peak_macs_per_s == pytest.approx(12.5e6)
    engine = anna.engine
    assert isinstance(engine, NeuronArray)
    sizes = (engine.neurons, engine.inputs, engine.cycles_per_call, engine.cycle_s)
    neurons, inputs, cycles, cycle_s = (each.value or 0.0 for each in sizes)
    assert roof_of(anna, NETWORK, cost(anna, NETWORK)).peak_macs_per_s == pytest.approx(
        neurons * inputs / (cycles * cycle_s)
    )
