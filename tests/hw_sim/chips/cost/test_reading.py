"""The time from picture to answer: each stage by hand, and what is published beside it."""

import pytest

from hw_sim.chips.cost.network_cost import cost
from hw_sim.chips.cost.reading import pipeline_times, replicated_time
from hw_sim.chips.load import load_chip
from retronet.errors import InputError
from retronet.network import load_network
from retronet.reading.slide import slid_network
from retronet.reading.work import StageWork

WORK = (
    StageWork("threshold", 400_000, 0),
    StageWork("components", 80_000, 0),
    StageWork("normalisation", 17_000, 14_000),
)
NETWORK = load_network("lecun1989")


def test_each_stage_takes_its_machines_time() -> None:
    board, later = pipeline_times(WORK, 5, NETWORK).boards
    assert (board.board, later.board) == ("1989", "ANNA")
    assert [each.machine for each in board.stages] == ["PC", "PC", "dsp32c-80ns", "dsp32c-80ns"]
    assert [each.machine for each in later.stages] == ["PC", "PC", "dsp32c-100ns", "anna"]
    by_hand = [80_000 * 0.25e-6, 16_000 * 0.25e-6, (3_400 + 2_800) * 80e-9]
    assert [each.seconds for each in board.stages[:3]] == pytest.approx(by_hand)
    assert board.stages[3].seconds == cost(load_chip("dsp32c-80ns"), NETWORK).seconds
    assert later.stages[2].seconds == pytest.approx(6_200 * 100e-9)
    assert later.stages[3].seconds == cost(load_chip("anna"), NETWORK).seconds
    assert board.seconds == pytest.approx(sum(each.seconds for each in board.stages))
    assert board.digits_per_s == pytest.approx(1 / board.seconds)
    assert (board.bound_by, board.board_bound_by) == ("threshold", "network")


def test_what_the_published_rates_leave_over_is_fitted() -> None:
    board, later = pipeline_times(WORK, 5, NETWORK).boards
    assert board.fitted_s == pytest.approx((1 / 12 - board.seconds, 1 / 10 - board.seconds))
    pc = sum(each.seconds for each in board.stages[:2])
    times = [(1 / rate - 1 / 30 - pc) / board.stages[2].seconds for rate in (12, 10)]
    assert board.fitted_normalisation == pytest.approx(times)
    assert later.fitted_s is None
    assert later.fitted_normalisation is None


def test_the_replicated_recogniser_has_about_two_million_connections() -> None:
    """By hand: 4 × 48 × 148 units of 25, and so on down to 186 answers of 300."""
    found = replicated_time()
    macs = 4 * 25 * 48 * 148 + 4 * 4 * 24 * 74 + 20 * 25 * 20 * 70 + 12 * 4 * 10 * 35 + 186 * 10 * 300
    units = 4 * 48 * 148 + 4 * 24 * 74 + 12 * 20 * 70 + 12 * 10 * 35 + 1860
    assert (found.macs, found.connections) == (macs, macs + units)
    assert found.connections == pytest.approx(2e6, rel=0.05), "ANNA-B §5.3: about 2 M"
    assert found.separate_connections > 10 * found.connections
    assert found.last_layer_s > found.seconds / 2
    assert found.connections_per_s == pytest.approx(found.connections / found.seconds)


def test_no_digits_take_no_time_each() -> None:
    with pytest.raises(
        InputError, match=r"the pictures have 0 digits; at least 1 is needed\. Give a picture"
    ):
        pipeline_times(WORK, 0, NETWORK)


def test_a_slid_network_takes_the_time_of_its_lines() -> None:
    network, fields = load_network("lenet1"), [(28, 140), (28, 60), (28, 140)]
    board, later = pipeline_times(WORK, 10, network, fields).boards
    wide = [slid_network(network, *field) for field in fields]
    for one, chip in ((board, "dsp32c-80ns"), (later, "anna")):
        seconds = sum(cost(load_chip(chip), each).seconds for each in wide) / 10
        assert one.stages[3].seconds == pytest.approx(seconds)
        assert one.network_digits_per_s == pytest.approx(1 / seconds)
    assert board.stages[3].macs == (2 * 657_280 + 94_592 + 8 * (657_280 - 94_592) / 28) / 10
