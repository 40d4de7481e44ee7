"""A trained network on simulated NET32K chips."""

import msgspec
from msgspec.structs import replace
from support.analog_network import compiled, draw

from hw_sim.chips.load import load_chip
from hw_sim.chips.net32k.options import Net32kOptions
from hw_sim.chips.net32k.report import run_net32k

NET32K = load_chip("net32k")


@compiled
def test_a_chip_is_its_seed_and_number_whatever_the_threads() -> None:
    trained, digits = draw()
    two = run_net32k(NET32K, trained, digits, chips=2, seed=7)
    three = run_net32k(NET32K, trained, digits, chips=3, seed=7, threads=2)
    assert msgspec.json.encode(two.chips) == msgspec.json.encode(three.chips[:2])
    assert len({chip.mapped.half_mse for chip in three.chips}) == 3
    assert msgspec.json.decode(msgspec.json.encode(three), type=type(three)) == three
    trimmed = replace(Net32kOptions(), accuracy=0.0)
    same = run_net32k(NET32K, trained, digits, trimmed, chips=2, retraining=None)
    assert {chip.mapped for chip in same.chips} == {same.ideal.mapped}
