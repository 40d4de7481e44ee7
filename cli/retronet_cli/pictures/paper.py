"""What pictures are drawn on: two themes, figures without pyplot's state, bytes that stay the same.

Colours are Okabe and Ito's, which the colour-blind tell apart; markers and dashes tell lines apart on a grey
print too.
"""

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from retronet.errors import InputError

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

ThemeName = Literal["light", "dark"]
SALT = "retronet"
DOTS_PER_INCH = 150


@dataclass(frozen=True)
class Theme:
    """Colours: of the paper, of what is written on it, of the grid, and of lines in their order."""

    paper: str
    ink: str
    faint: str
    lines: tuple[str, ...]


THEMES: dict[ThemeName, Theme] = {
    "light": Theme(
        "#ffffff", "#1a1a1a", "#d4d4d4", ("#0072b2", "#d55e00", "#009e73", "#a8507f", "#8a6d00", "#1a1a1a")
    ),
    "dark": Theme(
        "#15181c", "#e8e8e8", "#3d434b", ("#56b4e9", "#f0953f", "#2fc29a", "#e08fc0", "#f0e442", "#e8e8e8")
    ),
}
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<")
DASHES: tuple[Any, ...] = (
    "-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)), (0, (9, 2)), (0, (3, 3)), (0, (1, 3)),
)  # fmt: skip


def mark(theme: ThemeName, number: int) -> dict[str, Any]:
    """Return colour, marker and dashes of line `number`, for `Axes.plot`."""
    lines = THEMES[theme].lines
    return {
        "color": lines[number % len(lines)],
        "marker": MARKERS[number % len(MARKERS)],
        "linestyle": DASHES[number % len(DASHES)],
    }


@contextmanager
def on_paper(theme: ThemeName) -> Iterator[Theme]:
    """Let what is drawn meanwhile have the colours of `theme`, whatever the user has set for matplotlib.

    Raises
    ------
    InputError
        If matplotlib is not installed.
    """
    matplotlib = _matplotlib()
    colours = THEMES[theme]
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=matplotlib.MatplotlibDeprecationWarning)
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            {
                "figure.facecolor": colours.paper,
                "figure.constrained_layout.use": True,
                "figure.dpi": DOTS_PER_INCH,
                "axes.facecolor": colours.paper,
                "axes.edgecolor": colours.ink,
                "axes.labelcolor": colours.ink,
                "axes.titlesize": "medium",
                "axes.grid": True,
                "axes.axisbelow": True,
                "axes.spines.top": False,
                "axes.spines.right": False,
                "axes.unicode_minus": True,
                "grid.color": colours.faint,
                "grid.linewidth": 0.6,
                "text.color": colours.ink,
                "xtick.color": colours.ink,
                "ytick.color": colours.ink,
                "legend.facecolor": colours.paper,
                "legend.edgecolor": colours.faint,
                "legend.framealpha": 0.9,
                "legend.fontsize": "small",
                "lines.markersize": 4.5,
                "lines.linewidth": 1.4,
                "font.family": "DejaVu Sans",
                "font.size": 9,
                "svg.hashsalt": SALT,
                "svg.fonttype": "path",
                "savefig.facecolor": "auto",
            }
        )
        yield colours


def _matplotlib() -> Any:  # noqa: ANN401 - a module
    try:
        import matplotlib
    except ImportError as error:
        raise InputError(
            "A picture needs the package matplotlib, which is not installed. "
            "Install it with: pip install 'retronet[plot]'."
        ) from error
    return matplotlib


def new_figure(width: float = 6.4, height: float = 4.0) -> "Figure":
    """Return an empty figure of that many inches, which no window and no global state knows."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height))


def one_axes(width: float = 6.4, height: float = 4.0) -> "tuple[Figure, Axes]":
    """Return a figure with one pair of axes."""
    figure = new_figure(width, height)
    return figure, figure.add_subplot()


def legend_above(
    figure: "Figure", axes: "Axes", title: str | None = None, handles: "Sequence[Artist] | None" = None
) -> None:
    """Set the legend of `axes` above the picture, where it hides nothing, and make room for its rows."""
    found = axes.get_legend_handles_labels()[0] if handles is None else handles
    if not found:
        return
    labels = [str(each.get_label()) for each in found]
    width, height = figure.get_size_inches()
    # Inches of a letter in the small font, and of the mark before a label.
    columns = max(1, min(len(labels), 4, int((width - 0.4) / (0.072 * max(map(len, labels)) + 0.6))))
    rows = -(-len(labels) // columns)
    figure.set_size_inches(width, height + 0.17 * max(0, rows - 2))
    figure.legend(found, labels, loc="outside upper center", ncols=columns, title=title)


def note(figure: "Figure", text: str) -> None:
    """Write what the figure rests on below it, small."""
    figure.supxlabel(text, fontsize="x-small", x=0.01, ha="left")


def plain_ticks(axes: "Axes", subs: tuple[float, ...] = (1.0, 2.0, 5.0)) -> None:
    """Write ticks of a logarithmic y-axis as numbers, 0.5 rather than a power of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.yaxis.set_major_locator(LogLocator(base=10, subs=subs))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def show_plane(axes: "Axes", plane: "NDArray[Any]", low: float, high: float) -> Any:  # noqa: ANN401 - an image
    """Draw a plane of numbers as squares from black (`low`) to white (`high`), without ticks."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_linewidth(0.5)
    return axes.imshow(
        np.asarray(plane, np.float64), cmap="gray", vmin=low, vmax=high, interpolation="nearest"
    )


def svg(figure: "Figure", title: str = "") -> str:
    """Return a figure as SVG; the same figure gives the same text."""
    return _saved(
        figure, "svg", {"Date": None, "Creator": "retronet"} | ({"Title": title} if title else {})
    ).decode()


def png(figure: "Figure", title: str = "") -> bytes:
    """Return a figure as PNG."""
    return _saved(figure, "png", {"Software": "retronet", **({"Title": title} if title else {})})


def _saved(figure: "Figure", form: str, metadata: dict[str, str | None]) -> bytes:
    from matplotlib.colors import to_hex

    # Ticks are made when a figure is drawn, with the settings of then.
    theme = next(name for name, each in THEMES.items() if each.paper == to_hex(figure.get_facecolor()))
    content = io.BytesIO()
    with on_paper(theme):
        if figure.get_layout_engine() is not None:  # laid out once: a second time would move it by a hair
            figure.draw_without_rendering()
            figure.set_layout_engine("none")
        figure.savefig(content, format=form, dpi=DOTS_PER_INCH, metadata=metadata)
    return content.getvalue()
