"""The lines in the pictures of formats are the casts."""

import numpy as np
import pytest

from hw_sim.formats.levels import parse_format
from hw_sim.formats.staircase import staircase

pytest.importorskip("matplotlib")

from retronet_cli.pictures.formats import staircases_figure
from retronet_cli.pictures.paper import ThemeName, svg


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_outputs_and_errors_are_those_of_the_staircase(theme: ThemeName) -> None:
    each = staircase(parse_format("s3.0:RND_CONV:SAT"))
    above, below = staircases_figure({"s3.0": each}, theme).axes

    _exact, level, _jumps, dots = above.lines
    drawn = level.get_xydata()[:, 1].reshape(-1, 3)
    assert drawn[:, 0].tolist() == drawn[:, 1].tolist() == each.outputs.tolist()
    assert (
        level.get_xydata()[:, 0].reshape(-1, 3)[:, :2].ravel().tolist()
        == np.repeat(each.edges, 2)[1:-1].tolist()
    )
    assert dots.get_xydata().tolist() == np.stack((each.edges, each.at_edges), axis=1)[1:-1].tolist()
    _zero, errors, tops = below.lines
    ends = errors.get_xydata()[:, 1].reshape(-1, 3)[:, :2]
    assert ends.tolist() == [
        [output - left, output - right]
        for output, left, right in zip(each.outputs, each.edges[:-1], each.edges[1:], strict=True)
    ]
    assert tops.get_ydata().tolist() == (each.at_edges - each.edges)[1:-1].tolist()
    assert below.get_ylim() == (-1.2, 1.2)


def test_the_same_formats_give_the_same_bytes() -> None:
    stairs = {
        text: staircase(parse_format(text)) for text in ("s3.0", "u3.1:TRN:WRAP", "{-1,0,1}", "p3.0z", "s2.0")
    }
    assert svg(staircases_figure(stairs)) == svg(staircases_figure(stairs))
    assert sum(axes.get_visible() for axes in staircases_figure(stairs).axes) == 2 * len(stairs)


def test_many_steps_have_no_dots_and_chance_has_nothing_else() -> None:
    fine, chance = staircase(parse_format("s8.6")), staircase(parse_format("s3.0:STOCHASTIC:SAT"))
    above, drawn = staircases_figure({"a": fine, "b": chance}).axes[:2]
    assert len(above.lines) == 3
    assert [line.get_marker() for line in drawn.lines] == ["None", "o"]


def test_axes_begin_where_they_are_told_to() -> None:
    each = staircase(parse_format("s3.0"))
    above, _ = staircases_figure({"s3.0": each}, "light", (1.0, 0.5), ", in halves from 1").axes
    assert above.get_ylabel() == "output, in halves from 1"
    assert above.lines[3].get_xdata().tolist() == ((each.edges[1:-1] - 1) / 0.5).tolist()
