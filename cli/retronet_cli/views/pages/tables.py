"""Tables and pictures as HTML: the terminal's tables, cell by cell, and figures for light and dark."""

import base64
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from rich.table import Table

from retronet_cli.views.pages.pictures import digit_address

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TEXT = ' class="text"'


def table_html(table: Table, name: str) -> str:
    """Return a table as HTML: its title as caption, its first column as headings of the rows.

    Parameters
    ----------
    table
        As a view made it for the terminal.
    name
        What scripts find it by.
    """
    heads = [
        (_joined(str(column.header)), "" if column.justify == "right" else TEXT) for column in table.columns
    ]
    head = "".join(
        f'<th scope="col"{kind}>{escape(name)}</th>' if name else "<td></td>" for name, kind in heads
    )
    kinds = [f"<td{kind}>" for _, kind in heads]
    rows = []
    for cells in zip(*(column.cells for column in table.columns), strict=True):
        first, *rest = (escape(str(cell)) for cell in cells)
        start = f'<th scope="row">{first}</th>' if first else "<td></td>"
        others = (f"{kind}{cell}</td>" for cell, kind in zip(rest, kinds[1:], strict=True))
        rows.append(f"<tr>{start}{''.join(others)}</tr>")
    title = escape(str(table.title or "")).replace("\n", " ")
    note = f'<p class="note">{escape(str(table.caption)).replace(chr(10), " ")}</p>' if table.caption else ""
    body = "\n".join(rows)
    return f"""<div class="scroll" tabindex="0" role="region" aria-label="{title}"><table id="{name}">
<caption>{title}</caption>
<thead><tr>{head}</tr></thead>
<tbody>
{body}
</tbody></table></div>{note}"""


def _joined(heading: str) -> str:
    """Return a heading in one line; a hyphen at the end of a line parts a word."""
    return heading.replace("-\n", "").replace("\n", " ")


def figure_html(light: str, dark: str, words: str) -> str:
    """Return a figure, drawn for light and for dark pages as SVG, with what it shows in words."""
    codes = [base64.b64encode(each.encode()).decode() for each in (light, dark)]
    addresses = [f"data:image/svg+xml;base64,{code}" for code in codes]
    said, short = escape(words), escape(words.split(":")[0])
    return f"""<figure><div class="scroll" tabindex="0" role="region" aria-label="{short}">\
<picture class="pictures">
<source media="screen and (prefers-color-scheme: dark)" srcset="{addresses[1]}">
<img class="chart" src="{addresses[0]}" alt="{said}"></picture></div>
<figcaption>{said}</figcaption></figure>"""


def digits_html(digits: "Sequence[tuple[NDArray[np.floating], str]]", low: float, high: float) -> str:
    """Return digits in a row, each with words below it."""
    items = (
        f'<li><img class="digit" src="{digit_address(image, low, high)}" alt="Digit {escape(words)}">'
        f"{escape(words)}</li>"
        for image, words in digits
    )
    return f'<ul class="digits">{"".join(items)}</ul>'


def definitions_html(pairs: Iterable[tuple[str, str]], name: str, caption: str) -> str:
    """Return names and values as a table of two columns."""
    rows = "".join(
        f'<tr><th scope="row">{escape(key)}</th><td{TEXT}>{escape(value)}</td></tr>' for key, value in pairs
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table id="{name}">'
        f"<caption>{escape(caption)}</caption><tbody>{rows}</tbody></table></div>"
    )


def section_html(
    name: str, title: str, parts: Iterable[str], commands: Sequence[str], said: str = "Printed by"
) -> str:
    """Return a section with its heading, and the commands that its figures come from."""
    listed = ", ".join(f"<code>{escape(command)}</code>" for command in commands)
    end = f'<p class="command">{said} {listed}.</p>'
    inside = "\n".join(parts)
    return f"""<section id="{name}" aria-labelledby="{name}-heading">
<h2 id="{name}-heading">{escape(title)}</h2>
{inside}
{end}
</section>"""


def paragraphs_html(texts: Iterable[str], mark: str = "") -> str:
    """Return sentences as paragraphs, each after a `mark` in bold."""
    head = f"<strong>{escape(mark)}</strong> " if mark else ""
    return "".join(f"<p>{head}{escape(text)}</p>" for text in texts)


def contents(sections: Sequence[tuple[str, str]]) -> str:
    """Return links to the sections, by name and title."""
    links = "".join(f'<li><a href="#{name}">{escape(title)}</a></li>' for name, title in sections)
    return f'<nav aria-label="Contents"><ul>{links}</ul></nav>'
