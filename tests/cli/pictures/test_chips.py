"""Roofs and marks lie where the records say."""

import numpy as np
import pytest

from hw_sim.chips.cost.roofline import Roof
from retronet_cli.pictures.chips import roofline_figure
from retronet_cli.pictures.paper import svg

ROOFS = [
    Roof("array", 1e9, 1e7, 8.0, 5e7, 5.0),
    Roof("processor", 1e6, None, None, 4e5, 40.0),
]


@pytest.mark.parametrize("roofs", [ROOFS, ROOFS[1:]], ids=["both", "no traffic known"])
def test_roofs_bend_where_traffic_stops_to_bind(roofs: list[Roof]) -> None:
    figure = roofline_figure(roofs, "a network")
    lines = figure.axes[0].lines
    for (roof, point), each in zip(zip(lines[::2], lines[1::2], strict=True), roofs, strict=True):
        x, y = roof.get_xydata().T
        wanted = np.full(x.shape, each.peak_macs_per_s)
        if each.bytes_per_s is not None:
            wanted = np.minimum(wanted, x * each.bytes_per_s)
            assert y[0] < each.peak_macs_per_s == y[-1]
        np.testing.assert_allclose(y, wanted)
        assert list(point.get_ydata()) == [each.macs_per_s]
        if each.macs_per_byte is not None:
            assert list(point.get_xdata()) == [each.macs_per_byte]
    assert svg(figure) == svg(roofline_figure(roofs, "a network"))
