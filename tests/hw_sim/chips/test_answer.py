"""One chip that answers: the same numbers as the simulation that scores it."""

from typing import Any

import numpy as np
import pytest
from support.analog_network import compiled, draw
from support.sliding_networks import LECUN, field_of, sliding_network
from support.trained_networks import dataset_of, drawn

from hw_sim.chips.analog.host_layers import HostRetraining
from hw_sim.chips.answer import answer_on, answer_options, check_slides, reader_on
from hw_sim.chips.dsp32c.network import dsp_layers, run_dsp
from hw_sim.chips.load import chip_names, load_chip
from hw_sim.chips.simulate import option_names, simulate_on
from hw_sim.kernels.analog import ANALOG_LANES
from retronet.datasets import DigitSets
from retronet.errors import InputError
from retronet.reading.slide import BATCH, windows_of

ONCE = HostRetraining(passes=1, rate=0.01)
SIMULATED = [name for name in chip_names() if load_chip(name).arithmetic]


@compiled
@pytest.mark.parametrize("name", ["anna", "net32k"])
@pytest.mark.parametrize("retraining", [None, ONCE])
def test_an_analog_chip_errs_as_the_first_that_is_simulated(name: str, retraining: Any) -> None:
    trained, digits = draw()
    chip, options = load_chip(name), {"seed": 3, "retraining": retraining}
    report: Any = simulate_on(
        chip, trained, digits, chips=1, **(options | ({"noise": 0.0} if name == "anna" else {}))
    )
    answer = answer_on(chip, trained, digits, **(options | ({"noise": "0"} if name == "anna" else {})))
    outputs = answer(digits.test.images)
    assert outputs.shape == (len(digits.test.labels), 10)
    misses = int((outputs.argmax(axis=1) != digits.test.labels).sum())
    scored = report.chips[0].mapped if retraining is None else report.chips[0].retrained
    assert misses == scored.misses
    np.testing.assert_array_equal(answer(digits.test.images), outputs)


@compiled
def test_noise_is_drawn_anew_for_pictures_and_stays() -> None:
    trained, digits = draw()
    answer = answer_on(load_chip("anna"), trained, digits, noise=0.5, retraining=None)
    one = answer(digits.test.images)
    np.testing.assert_array_equal(answer(digits.test.images), one)
    assert (
        answer_on(load_chip("anna"), trained, digits, noise=0.0, retraining=None)(digits.test.images) != one
    ).any()


@compiled
def test_a_processor_answers_in_its_floating_point() -> None:
    trained, digits = draw()
    chip = load_chip("dsp32c-80ns")
    outputs = answer_on(chip, trained, digits, threads=2, tanh="sn")(digits.test.images)
    states = run_dsp(trained.network, dsp_layers(trained, "sn"), digits.test.images)
    np.testing.assert_array_equal(outputs, states[:, -outputs.shape[1] :])


SLID: list[tuple[str, dict[str, Any]]] = [
    ("anna", {"noise": 0.0}),
    ("net32k", {"layers": 1}),
    ("net32k", {"layers": 2, "law": "block", "state_bits": 3}),
    ("dsp32c-80ns", {}),
]


@compiled
@pytest.mark.parametrize("number", range(len(SLID)))
@pytest.mark.parametrize("seed", [1, 4, 5, 7, 8])
def test_a_chip_slid_over_a_field_answers_as_at_each_place_alone(number: int, seed: int) -> None:
    """Errors of the chip are drawn; its noise is not: a sum that places share errs once for all of them."""
    name, options = SLID[number]
    network = sliding_network(seed, pools=False, kinds=(LECUN,))
    field, down, across = field_of(network, seed)
    trained, images = drawn(network, seed, 20, 0.5)
    labels = np.random.default_rng(seed).integers(0, network.layers[-1].units, 20).astype(np.uint8)
    digits = DigitSets(dataset_of(images, labels), dataset_of(images, labels), None)
    own = options if name.startswith("dsp") else options | {"seed": seed, "retraining": ONCE}
    reader = reader_on(load_chip(name), trained, digits, **own)
    alone = reader.answer(windows_of(field, network).reshape(-1, *network.input[1:]))
    wanted = alone.reshape(2, down, across, -1).transpose(0, 3, 1, 2)
    assert len(np.unique(wanted)) > 2
    assert reader.slide is not None
    np.testing.assert_array_equal(reader.slide(field), wanted)


@compiled
def test_a_noisy_chip_errs_alike_in_batches() -> None:
    """Noise belongs to a field's place among all of them, however many are slid over at once."""
    assert BATCH % ANALOG_LANES == 0
    network = sliding_network(4, pools=False, kinds=(LECUN,))
    field, *_ = field_of(network, 4)
    trained, images = drawn(network, 4, 20, 0.5)
    labels = np.random.default_rng(4).integers(0, network.layers[-1].units, 20).astype(np.uint8)
    digits = DigitSets(dataset_of(images, labels), dataset_of(images, labels), None)
    slide = reader_on(load_chip("anna"), trained, digits, noise=0.5, retraining=None).slide
    assert slide is not None
    fields = np.resize(field, (ANALOG_LANES + 7, *field.shape[1:]))
    whole = slide(fields)
    parts = [slide(fields[:ANALOG_LANES]), slide(fields[ANALOG_LANES:], ANALOG_LANES)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert (slide(fields[ANALOG_LANES:]) != parts[1]).any()


def test_a_chip_that_frames_each_digit_does_not_slide() -> None:
    for name in SIMULATED:
        if name != "graf54":
            check_slides(load_chip(name))
    with pytest.raises(InputError, match=r"'graf54' can not scan a line: it brings each digit into a frame"):
        check_slides(load_chip("graf54"))


@pytest.mark.parametrize("name", SIMULATED)
def test_options_that_draw_many_chips_are_refused(name: str) -> None:
    chip = load_chip(name)
    trained, digits = draw()
    assert set(option_names(chip)) - set(answer_options(chip)) <= {"chips", "precisions"}
    for option in ("chips", "precisions", "colour"):
        with pytest.raises(InputError, match=f"has no option '{option}'. It has: "):
            answer_on(chip, trained, digits, **{option: 1})


def test_a_chip_without_an_arithmetic_is_refused() -> None:
    trained, digits = draw()
    with pytest.raises(InputError, match="can not be simulated: its arithmetic is not implemented"):
        answer_on(load_chip("cnaps"), trained, digits)
