"""What sliding saves: work by hand, and every chip's time as its cost model has it."""

import pytest

from hw_sim.chips.cost.network_cost import cost
from hw_sim.chips.cost.sliding import all_slid_work, slid_times
from hw_sim.chips.load import chip_names, load_chip
from retronet.errors import InputError
from retronet.network import load_network
from retronet.reading.slide import SlidWork, slid_network

LENET1 = load_network("lenet1")


def test_lines_are_added_up() -> None:
    assert all_slid_work(LENET1, [(28, 140)]) == SlidWork(29, 657_280, 2_743_168)
    assert all_slid_work(LENET1, [(28, 140), (28, 28)]) == SlidWork(30, 657_280 + 94_592, 30 * 94_592)


def test_each_chip_takes_what_its_model_says() -> None:
    chips = [load_chip(name) for name in chip_names()]
    fields = [(28, 140), (32, 60)]
    for chip, time in zip(chips, slid_times(chips, LENET1, fields), strict=True):
        assert time.chip == chip.name
        slid = sum(cost(chip, slid_network(LENET1, *field)).seconds for field in fields)
        assert time.slid_s == pytest.approx(slid)
        assert time.separate_s == pytest.approx((29 + 2 * 9) * cost(chip, LENET1).seconds)
        assert time.slid_s < time.separate_s
    (bare,) = slid_times([load_chip("anna")], LENET1, fields, lambda *pair: cost(*pair, on_board=False))
    assert bare.slid_s < slid_times([load_chip("anna")], LENET1, fields)[0].slid_s


def test_what_can_not_slide_is_refused() -> None:
    with pytest.raises(InputError, match="can not slide"):
        slid_times([load_chip("anna")], load_network("lecun1989"), [(16, 32)])
