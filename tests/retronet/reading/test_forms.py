"""How a normalised digit is placed for each kind of network."""

import numpy as np
import pytest
from msgspec.structs import replace

from retronet.datasets import load
from retronet.datasets.prepare import PREPARATIONS
from retronet.errors import InputError
from retronet.network import load_network
from retronet.reading.forms import FORMS, Form, form_of
from retronet.reading.normalise import normalised

INK = np.random.default_rng(0).random((31, 22)) < 0.5


def test_a_form_stands_for_every_preparation() -> None:
    assert set(FORMS) == {None, *(name for known in PREPARATIONS.values() for name in known)}


@pytest.mark.parametrize("name", [name for name in FORMS if name not in (None, "none")])
def test_paper_ink_and_size_are_those_of_the_preparation(name: str) -> None:
    digits, form = load("digits5k", name).test.images[:100], FORMS[name]
    assert digits.shape[1:] == (form.rows, form.columns)
    assert digits.min() == pytest.approx(form.paper, abs=1e-6)
    assert digits.max() <= form.ink + 1e-6
    placed = form.placed(INK)
    assert placed.shape == (form.rows, form.columns)
    assert placed.dtype == np.float32
    assert placed.min() == pytest.approx(form.paper)
    assert placed.max() == pytest.approx(form.ink)


def test_the_square_stands_in_the_middle() -> None:
    placed = Form(16, 28, 28).placed(INK)
    np.testing.assert_array_equal(placed[6:22, 6:22], normalised(INK))
    assert (np.pad(np.zeros((16, 16)), 6, constant_values=1) * (placed + 1) == 0).all()
    np.testing.assert_array_equal(Form(16, 16, 16).placed(INK), FORMS["none"].placed(INK))


def test_networks_that_read_something_else_are_refused() -> None:
    network = load_network("lecun1989")
    assert form_of(network, None) == Form(16, 16, 16)
    assert form_of(load_network("lenet1"), "bipolar28").size == 16
    for wrong, preparation in (
        (network, "bipolar28"),
        (network, "mine"),
        (replace(network, input=(1, 20, 16)), None),
    ):
        with pytest.raises(
            InputError, match=r"one of 16×16, 28×28 or 32×32 in a known preparation is needed"
        ):
            form_of(wrong, preparation)
