"""The pad to draw on, with the network that reads it: a page of its own, and a part of a run's report."""

import json
from collections.abc import Sequence
from html import escape
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from hw_sim.export.page import encoded_array, script
from retronet.datasets.dataset import Dataset
from retronet.datasets.frame import Frame
from retronet.network import Tanh
from retronet_cli.views.pages.shell import inline_json, inline_script, part, shell

SAMPLES = 10

PAD = """<div class="play">
<section aria-labelledby="pad-heading">
<{h} id="pad-heading">The pad</{h}>
<div id="pad-zone">
<canvas id="pad" width="160" height="160" tabindex="0" role="application" aria-label="Drawing pad"
 aria-describedby="pad-help"></canvas>
</div>
<p id="answer" role="status">Draw a digit.</p>
<p id="pen" class="note" role="status"></p>
<div class="buttons">
<button type="button" id="clear">Clear</button>
<button type="button" id="undo">Undo</button>
<button type="button" id="sample">A test digit</button>
<label class="file">A picture …<input type="file" id="picture" accept="image/*"></label>
</div>
<p><label for="pen-width">Width of the pen</label>
<input type="range" id="pen-width" min="6" max="32" value="16"></p>
<details><summary>Without a mouse, and with a picture</summary>
<p id="pad-help">Draw with a mouse, a finger or a pen. With the keyboard: arrow keys move the pen,
<kbd>Shift</kbd> moves it farther, <kbd>Space</kbd> puts it down and lifts it, <kbd>U</kbd> takes back a
stroke, <kbd>C</kbd> clears. A picture of one digit can be dropped on the pad.</p></details>
</section>
<section aria-labelledby="reading-heading">
<{h} id="reading-heading">What the network makes of it</{h}>
<figure><canvas id="input" role="img" aria-label="The digit as the network reads it"></canvas>
<figcaption>What the network reads: {size}×{size} pixels, {placed}.</figcaption></figure>
<div class="scroll" tabindex="0" role="region" aria-label="Outputs"><table id="outputs">
<caption>The outputs; the largest one is the answer</caption>
<thead><tr><th scope="col">digit</th><th scope="col">floating point</th><th scope="col">{bits}</th>
<th scope="col">integer</th></tr></thead><tbody>
{rows}
</tbody></table></div>
{maps}
<details><summary>Every integer</summary>
<div class="buttons"><label for="layer">Layer</label><select id="layer">{layers}</select>
<label for="map">map</label><select id="map"></select></div>
<div id="integers"></div></details>
</section>
</div>"""

ROW = """<tr><th scope="row">{digit}</th><td><span class="number">–</span><span class="track">
<span class="bar"></span></span></td><td><span class="number">–</span><span class="track">
<span class="bar"></span></span></td>
<td>–</td></tr>"""

MAPS = """<figure><figcaption>{name}: {what}, weights {weight}, sums {sums}, states {state}</figcaption>
<div class="pair"><span>floating point</span><span>{bits}</span>
<canvas id="real-{index}" role="img" aria-label="{name} in floating point"></canvas>
<canvas id="integer-{index}" role="img" aria-label="{name} in {bits}"></canvas></div></figure>"""


def pad_part(network: dict[str, Any], bits: str, frame: Frame, heading: str = "h2") -> str:
    """Return the pad as HTML.

    Parameters
    ----------
    network
        See `hw_sim.export.page.page_network`.
    bits
        What the integers are called: ``8 bits``.
    frame
        How a digit lies in what the network reads.
    heading
        The element of the headings.
    """
    said = escape(bits)
    maps = [
        MAPS.format(
            name=escape(layer["name"]),
            what=_what(layer["shape"]),
            weight=escape(layer["weight_format"]),
            sums=escape(layer["sum_format"]),
            state=escape(layer["format"]),
            bits=said,
            index=index,
        )
        for index, layer in enumerate(network["layers"])
    ]
    last = network["float"][-1]["shape"][0]
    options = "".join(
        f'<option value="{index}">{escape(layer["name"])}</option>'
        for index, layer in enumerate(network["layers"])
    )
    middle = "box" if frame.centre == "box" else "centre of mass"
    return PAD.format(
        h=heading,
        bits=said,
        size=frame.size,
        placed=f"the longer side {frame.box:.4g} of them, the {middle} in the middle",
        rows="\n".join(ROW.format(digit=digit) for digit in range(last)),
        maps="\n".join(maps),
        layers=options,
    )


def _what(shape: Sequence[int]) -> str:
    maps, rows, columns = shape
    return f"{maps} units" if rows * columns == 1 else f"{maps} maps of {rows}×{columns}"


def pad_scripts(
    network: dict[str, Any], bits: str, frame: Frame, digits: Dataset, reaches: Sequence[float | None]
) -> list[str]:
    """Return the pad's data and scripts, as elements in their order.

    Parameters
    ----------
    network, bits, frame
        See `pad_part`.
    digits
        Test digits; the first ones can be looked at.
    reaches
        For each layer with integers the largest state, if there is one: black in the pictures of its maps.
    """
    images: NDArray[np.float32] = digits.images[:SAMPLES]
    fields = {
        "network": network,
        "frame": msgspec.to_builtins(frame),
        "bits": bits,
        "reaches": list(reaches),
        "samples": {
            "images": encoded_array(images),
            "labels": [int(label) for label in digits.labels[:SAMPLES]],
            "name": digits.provenance.name,
        },
    }
    return [
        inline_json("pad-data", json.dumps(fields, sort_keys=True, separators=(",", ":"))),
        inline_script(script()),
        inline_script(part("normalise.js")),
        inline_script(part("pad.js")),
    ]


def reaches_of(activations: Sequence[Any]) -> list[float | None]:
    """Return the largest state of each activation that has one."""
    return [abs(each.amplitude) if isinstance(each, Tanh) else None for each in activations]


LEAD = """<p>The network runs in this page, once in floating point and once in {bits}, each integer equal to
the simulator's. It is {trained}. Nothing that you draw leaves the page.</p>"""


def draw_page(name: str, bits: str, trained: str, pad: str, footer: str, scripts: Sequence[str]) -> str:
    """Return the page to draw on.

    Parameters
    ----------
    name, trained
        The network, and what it was trained on, for a sentence.
    bits
        What the integers are called.
    pad, footer
        HTML: see `pad_part`.
    scripts
        See `pad_scripts`.
    """
    lead = LEAD.format(trained=escape(trained), bits=escape(bits))
    return shell(f"Draw a digit for {name}", lead, pad, footer, scripts)
