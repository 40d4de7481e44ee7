"""Casts in the loop of training are those of the formats, and lie where the loop looks for them."""

from collections.abc import Sequence

import numpy as np
from support.small_network import NETWORK
from support.trained_networks import drawn

from hw_sim.fixed_point.quantize import quantize
from hw_sim.formats.fixed import Fixed
from hw_sim.formats.levels import Format, Levels, PowerOfTwo, encode
from hw_sim.formats.modes import Overflow, Rounding
from hw_sim.kernels.quantised_training import cast_all
from hw_sim.plan.calibrate import calibrate
from hw_sim.studies.cast_tables import casters, quantised_parameters, with_cast_borders
from retronet.connections import weight_rows
from retronet.network import Conv, sized_layers

FORMATS: Sequence[Format] = (
    *(Fixed(4, 2, True, mode, over) for mode in list(Rounding)[:7] for over in Overflow),
    Fixed(3, 0, False),
    Levels((-5, 0, 1)),
    Levels((-1, 1)),
    PowerOfTwo(2, 0, zero=True),
    Levels(tuple(range(-15, 16, 2)), 3),
)


def test_casts_are_those_of_the_formats() -> None:
    generator = np.random.default_rng(2)
    values = np.concatenate([np.arange(-40, 41) / 16, generator.normal(0, 2, 500)]).astype(np.float32)
    rows = casters(FORMATS)
    divisors, scales = generator.uniform(0.5, 2, (2, values.size))
    found = np.empty_like(values)

    for row, form in enumerate(FORMATS):
        cast_all(rows, row, values, divisors, scales, found)
        expected = encode(values / divisors, form)[0] * scales
        np.testing.assert_array_equal(found, expected.astype(np.float32), err_msg=form.text)
        cast_all(rows, row, values, np.ones_like(divisors), np.ones_like(scales), found)
        np.testing.assert_array_equal(found, encode(values, form)[0], err_msg=f"ties: {form.text}")


PLAN = {"weights": "{-1,0,1}, threshold/map", "states": "3 bits, mse"}


def test_parameters_are_cast_as_they_are_for_integers() -> None:
    trained, images = drawn(NETWORK, 1, 20)
    plan = calibrate(trained, images, **PLAN)
    values = quantised_parameters(dict(trained.parameters), sized_layers(NETWORK), plan)

    for layer in quantize(trained, plan).layers:
        sized, scales = layer.sized, np.array(layer.plan.weight_scale)[:, np.newaxis]
        weights = (layer.weights >> layer.prescale) * layer.plan.weight.step * scales
        rows = weight_rows(sized, values[f"{sized.name}.weight"])
        np.testing.assert_allclose(np.sort(rows, axis=1), np.sort(weights, axis=1), rtol=1e-12)
        starts = layer.starts * 2.0**-layer.sum_frac_bits * np.repeat(layer.sum_scales, sized.positions)
        biases = values[f"{sized.name}.bias"].ravel()
        each = biases if biases.size == sized.units else np.repeat(biases, sized.positions)
        np.testing.assert_allclose(each, starts, rtol=1e-12)


def test_a_border_is_what_its_format_holds() -> None:
    trained, images = drawn(NETWORK, 2, 20)
    plan = calibrate(trained, images, 3)
    network = with_cast_borders(NETWORK, plan)

    for index, (layer, before) in enumerate(zip(network.layers, NETWORK.layers, strict=True)):
        if isinstance(layer, Conv) and isinstance(before, Conv):
            form = plan.input_of(index)
            assert layer.border == encode(np.array([before.border]), form)[0][0] * form.step
