"""Figures without global state, the same bytes each time, and colours that can be told apart."""

import builtins
import sys
from typing import Any

import numpy as np
import pytest

from retronet.errors import InputError
from retronet_cli.pictures.paper import (
    DASHES,
    MARKERS,
    THEMES,
    ThemeName,
    mark,
    note,
    on_paper,
    one_axes,
    plain_ticks,
    png,
    show_plane,
    svg,
)


def drawn(theme: ThemeName) -> Any:
    with on_paper(theme):
        figure, axes = one_axes(3, 2)
        for number in range(3):
            axes.plot([1, 2, 3], [number + 1, 5, 2], label=f"line {number}", **mark(theme, number))
        axes.set_yscale("log")
        plain_ticks(axes)
        axes.legend()
        note(figure, "What it rests on.")
    return figure


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_same_figure_gives_the_same_bytes(theme: ThemeName) -> None:
    figure = drawn(theme)
    first = svg(figure, "A title")

    assert svg(figure, "A title") == first
    png(figure)
    assert svg(figure, "A title") == first, "another drawing in between moves nothing"
    assert svg(drawn(theme), "A title") == first
    assert png(drawn(theme)) == png(drawn(theme))
    assert png(figure)[:8] == b"\x89PNG\r\n\x1a\n"
    assert "<title>A title</title>" in first
    assert "date" not in first.lower().replace("metadata", "")
    assert THEMES[theme].paper in first


def test_a_picture_has_no_trace_of_the_user_s_settings() -> None:
    import matplotlib

    before = svg(drawn("light"))
    with matplotlib.rc_context({"lines.linewidth": 9, "font.size": 30, "axes.facecolor": "red"}):
        assert svg(drawn("light")) == before
        assert matplotlib.rcParams["lines.linewidth"] == 9


def test_pictures_leave_pyplot_alone() -> None:
    import subprocess

    code = (
        "import sys\nfrom retronet_cli.pictures.paper import *\n"
        "with on_paper('light'):\n f, a = one_axes()\n a.plot([1, 2])\nsvg(f)\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_modules_are_imported_without_matplotlib() -> None:
    import subprocess

    names = ("paper", "learning", "precision", "network", "answers", "chips")
    code = "import sys\n" + "".join(f"import retronet_cli.pictures.{name}\n" for name in names)
    subprocess.run([sys.executable, "-c", f"{code}assert 'matplotlib' not in sys.modules"], check=True)


def test_without_matplotlib_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *arguments: Any, **named: Any) -> Any:
        if name.partition(".")[0] == "matplotlib":
            raise ImportError(name)
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(InputError, match=r"needs the package matplotlib.*pip install 'retronet\[plot\]'"):
        drawn("light")


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour, as WCAG 2 defines it."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_line_stands_out_from_its_paper(theme: ThemeName) -> None:
    """Three to one is what WCAG 2 asks of graphics; words have seven."""
    paper = luminance(THEMES[theme].paper)

    def contrast(colour: str) -> float:
        low, high = sorted((paper, luminance(colour)))
        return (high + 0.05) / (low + 0.05)

    assert min(map(contrast, THEMES[theme].lines)) >= 3
    assert contrast(THEMES[theme].ink) >= 7


def test_no_two_of_many_lines_look_alike_on_a_grey_print() -> None:
    looks = {
        (mark("light", number)["marker"], str(mark("light", number)["linestyle"])) for number in range(24)
    }

    assert len(looks) == 24
    assert len(MARKERS) == len(set(MARKERS))
    assert len({str(dash) for dash in DASHES}) == len(DASHES)


def test_a_plane_is_drawn_as_it_is() -> None:
    plane = np.arange(6.0).reshape(2, 3)
    with on_paper("light"):
        _, axes = one_axes()
        image = show_plane(axes, plane, 0, 5)

    np.testing.assert_array_equal(image.get_array(), plane)
    assert image.get_clim() == (0, 5)
