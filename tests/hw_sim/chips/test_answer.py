"""One chip that answers: the same numbers as the simulation that scores it."""

from typing import Any

import numpy as np
import pytest
from support.analog_network import compiled, draw

from hw_sim.chips.analog.host_layers import HostRetraining
from hw_sim.chips.answer import answer_on, answer_options
from hw_sim.chips.dsp32c.network import dsp_layers, run_dsp
from hw_sim.chips.load import chip_names, load_chip
from hw_sim.chips.simulate import option_names, simulate_on
from retronet.errors import InputError

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
