"""Copies stand beside their digits, in order."""

import numpy as np
import pytest

from retronet_cli.pictures.digits import copies_figure
from retronet_cli.pictures.paper import ThemeName, svg


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_copies_stand_beside_their_digits(theme: ThemeName) -> None:
    images = np.random.default_rng(0).normal(size=(2, 4, 5, 6))
    figure = copies_figure(images, [7, 3], "mine", theme)
    (axes,) = figure.axes

    sheet = axes.images[0].get_array()
    assert sheet is not None
    for digit in range(2):
        for copy in range(4):
            part = sheet[5 * digit : 5 * digit + 5, 6 * copy : 6 * copy + 6]
            np.testing.assert_array_equal(part, images[digit, copy])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["7", "3"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["itself", "1", "2", "3"]
    assert svg(figure) == svg(copies_figure(images, [7, 3], "mine", theme))
