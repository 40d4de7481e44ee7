"""How a digit is placed for each kind of network."""

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

from retronet.datasets import load
from retronet.datasets.prepare import PREPARATIONS
from retronet.errors import InputError
from retronet.network import load_network
from retronet.reading.forms import FORMS, USPS16, as_mnist, form_of
from retronet.reading.normalise import box_of, normalised

INK = np.random.default_rng(0).random((31, 22)) < 0.5


def centre_of_mass(field: NDArray[np.uint8]) -> tuple[float, float]:
    places = [(row + 0.5, column + 0.5, int(level)) for (row, column), level in np.ndenumerate(field)]
    total = sum(level for *_, level in places)
    return tuple(sum(place[axis] * place[2] for place in places) / total for axis in (0, 1))


def test_a_form_stands_for_every_preparation() -> None:
    assert {size: list(known) for size, known in FORMS.items()} == {
        size: list(known) for size, known in PREPARATIONS.items()
    }


@pytest.mark.parametrize("name", FORMS[28, 28])
def test_paper_ink_and_size_are_those_of_the_preparation(name: str) -> None:
    digits, form = load("digits5k", name).test.images[:100], FORMS[28, 28][name]
    assert digits.shape[1:] == (form.rows, form.columns)
    placed = form.placed(INK)
    assert placed.shape == (form.rows, form.columns)
    assert placed.dtype == np.float32
    assert placed.min() == digits.min()
    if name == "neighbours28":
        assert form == FORMS[28, 28]["bipolar28"], "read digits stand alone"
        return
    heights = [box[0].stop - box[0].start for box in (box_of(each > each.min()) for each in digits)]
    assert form.height <= max(heights) <= form.height + 2


def test_usps_digits_fill_their_square() -> None:
    np.testing.assert_array_equal(USPS16.placed(INK), normalised(INK))
    placed = FORMS[16, 16]["bipolar28"].placed(INK)
    np.testing.assert_array_equal(placed[6:22, 6:22], normalised(INK))
    assert placed.shape == (28, 28)
    assert (placed[:6] == -1).all()


@pytest.mark.parametrize("seed", range(6))
def test_mnist_has_the_centre_of_mass_in_the_middle(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ink = rng.random((40, 25)) < 0.3
    ink[: rng.integers(1, 20)] = True
    field = as_mnist(ink)
    assert field.max() == 255
    for axis, centre in enumerate(centre_of_mass(field)):
        rows = np.flatnonzero(field.any(axis=1 - axis))
        at_edge = rows[0] == 0 or rows[-1] == 27
        assert 14 <= centre < 15 or at_edge
    box = field[box_of(field)]
    whole = np.rint(255 * (normalised(ink, 20).astype(np.float64) + 1) / 2)
    np.testing.assert_array_equal(box, whole[box_of(whole)])


def test_mnists_own_digits_stay_where_they_are() -> None:
    """Their box is 20×20 already, so that nothing changes but where half a pixel is left over."""
    digits = np.rint(255 * load("digits5k", "unit28").test.images[:100])
    again = np.array([as_mnist(each) for each in digits]).astype(np.float64)
    assert (again == digits).mean() > 0.9
    whole = [
        each.max() == 255 and sum(part.stop - part.start for part in box_of(each)) % 2 == 0 for each in digits
    ]
    assert sum(whole) > 20
    assert (again == digits)[whole].all()


def test_networks_that_read_something_else_are_refused() -> None:
    network = load_network("lecun1989")
    assert form_of(network, "usps") == USPS16
    assert form_of(network, "mnist") == FORMS[28, 28]["bipolar16"]
    assert form_of(load_network("lenet1"), "usps", "bipolar28").height == 16
    wrong = ((network, "bipolar28"), (network, "mine"), (replace(network, input=(1, 20, 16)), None))
    for other, preparation in wrong:
        with pytest.raises(
            InputError, match=r"none \(16×16\), bipolar28 \(28×28\), .* are allowed\. Train it"
        ):
            form_of(other, "usps", preparation)
    with pytest.raises(InputError, match="no data set 'mine'"):
        form_of(network, "mine")
