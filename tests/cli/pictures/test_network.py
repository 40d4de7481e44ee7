"""Kernels and feature maps are drawn number for number."""

import numpy as np
import pytest

from retronet_cli.pictures.network import kernels_figure, maps_figure
from retronet_cli.pictures.paper import svg

RNG = np.random.default_rng(2)


@pytest.mark.parametrize(("maps", "planes"), [(3, 1), (5, 3)])
def test_each_plane_of_each_kernel_is_drawn_with_grey_as_zero(maps: int, planes: int) -> None:
    kernels = RNG.normal(size=(maps, planes, 3, 3))
    figure = kernels_figure({"one": kernels, "two": 2 * kernels}, "h2", "dark")
    images = [axes.images[0] for axes in figure.axes if axes.images and axes.get_visible()]

    drawn = np.array([image.get_array() for image in images])
    flat = kernels.reshape(-1, 3, 3)
    np.testing.assert_array_equal(drawn, np.concatenate([flat, 2 * flat]))
    largest = 2 * np.abs(kernels).max()
    assert {image.get_clim() for image in images} == {(-largest, largest)}
    svg(figure)


def test_states_stand_below_each_other_in_float_and_in_few_bits() -> None:
    digit = RNG.normal(size=(4, 4))
    exact = {"h1": RNG.normal(size=(3, 2, 2)), "output": RNG.normal(size=(10, 1, 1))}
    few = {name: np.round(array, 1) for name, array in exact.items()}
    figure = maps_figure(digit, exact, few, "4 bits")
    drawn = [axes.images[0].get_array() for axes in figure.axes if axes.images]

    np.testing.assert_array_equal(drawn[0], digit)
    np.testing.assert_array_equal(drawn[1:4], exact["h1"])
    np.testing.assert_array_equal(drawn[4:7], few["h1"])
    np.testing.assert_array_equal(drawn[7], exact["output"].reshape(1, 10))
    np.testing.assert_array_equal(drawn[8], few["output"].reshape(1, 10))
    assert [axes.get_ylabel() for axes in figure.axes if axes.get_ylabel()] == ["float", "4 bits"] * 2
    assert list(figure.axes[-1].get_xticks()) == list(range(10)), "outputs are numbered"
    assert not len(figure.axes[-2].get_xticks())
    svg(figure)


@pytest.mark.parametrize(
    ("states", "ends"), [((-9.0, -2.0), (-9, -1)), ((-2.0, 3.0), (-3, 3)), ((0.0, 0.0), (-1, 1))]
)
def test_black_and_white_are_the_ends_where_no_state_reaches_0(
    states: tuple[float, float], ends: tuple[float, float]
) -> None:
    """Minus squared distances to codes would else be black and grey."""
    exact = {"output": np.array(states).reshape(2, 1, 1)}
    few = {"output": exact["output"] + (states[1] < 0) * np.array([0.0, 1.0]).reshape(2, 1, 1)}
    figure = maps_figure(RNG.normal(size=(4, 4)), exact, few, "4 bits")

    assert {axes.images[0].get_clim() for axes in figure.axes[-2:]} == {ends}
    (title,) = [part.get_suptitle() for part in figure.subfigs[1:]]
    assert title == f"output, states from {ends[0]} (black) to {ends[1]} (white)".replace("-", "−")
