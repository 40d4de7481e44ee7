"""An analysis of answers as tables, and mistakes as pictures in characters."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from retronet.analyse import Analysis, Answer
from retronet_cli.views.scores import add_numbers, new_table

SHADES = " ░▒▓█"


def confusion_table(title: str, analysis: Analysis) -> Table:
    """Return the confusion matrix with recall and precision of each class."""
    caption = (
        f"Rows are digits, columns answers. Top-1 misses {analysis.top1_misses:,}, "
        f"top-3 misses {analysis.top3_misses:,} of {analysis.n:,}."
    )
    table = new_table(title, caption)
    table.add_column("")
    add_numbers(table, *(str(each.label) for each in analysis.classes), "recall %")
    for each, row in zip(analysis.classes, analysis.confusion, strict=True):
        counts = (str(count) if count else "·" for count in row)
        table.add_row(str(each.label), *counts, _percent(each.recall_percent))
    precision = (_percent(each.precision_percent) for each in analysis.classes)
    table.add_row("prec. %", *precision, "")
    return table


def answer_table(title: str, answers: Sequence[Answer]) -> Table:
    """Return answers, one a row."""
    table = new_table(title)
    add_numbers(table, "digit no.", "is", "answer", "difference of the two largest outputs")
    for each in answers:
        table.add_row(str(each.index), str(each.label), str(each.answer), f"{each.difference:.3f}")
    return table


def digit_grid(images: NDArray[np.float32], answers: Sequence[Answer], width: int) -> str:
    """Return digits side by side in shades of characters, as many a row as `width` characters hold."""
    columns = images.shape[2]
    a_row = max(1, (width + 2) // (columns + 2))
    blocks: list[str] = []
    for start in range(0, len(answers), a_row):
        some = answers[start : start + a_row]
        heads = (f"no. {each.index}: {each.label} as {each.answer}".ljust(columns + 2) for each in some)
        blocks.append("".join(heads))
        for row in range(images.shape[1]):
            blocks.append("  ".join(_line(images[each.index, row], images[each.index]) for each in some))
        blocks.append("")
    return "\n".join(blocks)


def _line(row: NDArray[np.float32], image: NDArray[np.float32]) -> str:
    low, high = float(image.min()), float(image.max())
    span = (high - low) or 1.0
    return "".join(SHADES[round((float(value) - low) / span * (len(SHADES) - 1))] for value in row)


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}"
