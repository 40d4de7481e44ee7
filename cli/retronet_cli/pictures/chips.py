"""A picture of chips: what each could do at most and what one network leaves of it, all modelled."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from retronet_cli.pictures.paper import ThemeName, mark, note, on_paper, one_axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hw_sim.chips.cost.roofline import Roof


def roofline_figure(roofs: "Sequence[Roof]", title: str, theme: ThemeName = "light") -> "Figure":
    """Return each chip's roof, and the network below it, over the MACs done for each byte moved.

    A chip whose traffic is not modelled has a level roof, and its point at the left.
    """
    import numpy as np

    known = [each.macs_per_byte for each in roofs if each.macs_per_byte is not None]
    known += [
        each.peak_macs_per_s / each.bytes_per_s for each in roofs if each.bytes_per_s is not None
    ]  # the corner of each roof
    low, high = (min(known) / 3, max(known) * 4) if known else (0.1, 10.0)
    span = np.geomspace(low, high, 200)
    with on_paper(theme):
        from matplotlib.lines import Line2D

        figure, axes = one_axes(7.2, 4.8)
        entries: list[Line2D] = []
        aside = low * 1.15
        for number, each in enumerate(roofs):
            style = mark(theme, number)
            roof = np.full(span.shape, each.peak_macs_per_s)
            if each.bytes_per_s is not None:
                roof = np.minimum(roof, span * each.bytes_per_s)
            hollow = each.macs_per_byte is None
            style |= {"markersize": 7.5, "markerfacecolor": "none" if hollow else style["color"]}
            axes.plot(span, roof, **(style | {"marker": "", "linewidth": 1.1}))
            place = each.macs_per_byte
            if place is None:
                place, aside = aside, aside * 1.3
            axes.plot([place], [each.macs_per_s], **(style | {"linestyle": ""}))
            label = f"{each.chip}: {each.share_percent:.2g} % of its peak"
            entries.append(Line2D([], [], label=label, linewidth=1.1, **style))
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlim(low, high)
        axes.set_ylim(*_decades(axes.get_ylim()))
        axes.set_xlabel("MACs for each byte that crosses the chip's ports (MAC/B)")
        axes.set_ylabel("speed, modelled (MAC/s)")
        axes.set_title(title)
        figure.legend(handles=entries, loc="outside right upper", fontsize="x-small", handlelength=3.5)
        note(
            figure,
            "Lines: what each chip could do at most. Marks: this network. "
            "Hollow: traffic not modelled, place on the axis without meaning.",
        )
        return figure


def _decades(span: tuple[float, float]) -> tuple[float, float]:
    """Return the whole decades that hold a span: of one chip alone it would be a sliver between two ticks."""
    low, high = (math.log10(each) for each in span)
    return 10.0 ** math.floor(low), 10.0 ** math.ceil(high)
