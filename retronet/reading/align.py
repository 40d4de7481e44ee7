"""The best interpretation of a strip over which a network was slid: a Viterbi alignment.

MATAN91 couples the slid network to one; the states of its lattice are not in any text at hand. Ours, assumed:
digits part the line's ink among themselves, from its left end to its right. Each is recognised at the place
nearest to its middle, and costs what the training's loss says of the answer there. The parting of least cost
is found by dynamic programming. The paper trains its network through the alignment; here it is trained on
single digits, and has never seen a neighbour.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from retronet.errors import InputError
from retronet.evaluate import losses, target_matrix
from retronet.reading.forms import Form
from retronet.reading.read import ReadDigit, ReadPicture, confidences
from retronet.reading.slide import BATCH, Slide
from retronet.reading.strip import Strip, fields_of
from retronet.recipe import Recipe

SHORTEST, LONGEST = 0.3, 1.5
"""The width of a digit with the gaps at its sides, of its height; assumed."""
CUTS = 2
"""Ends of digits that are tried between two places of the network; assumed."""


@dataclass(frozen=True)
class Alignment:
    """Digits of a strip: classes, the places they were recognised at, their ends, and the cost of all."""

    digits: tuple[int, ...]
    places: tuple[int, ...]
    ends: tuple[tuple[float, float], ...]
    cost: float


def costs_of(outputs: NDArray[np.floating], recipe: Recipe) -> NDArray[np.float64]:
    """Return what each class costs at each place, (places, classes), given outputs (places, classes)."""
    values = outputs.astype(np.float64)
    classes = values.shape[1]
    wanted = target_matrix(recipe.targets, classes)
    columns = []
    for digit in range(classes):
        labels = np.full(len(values), digit, np.uint8)
        columns.append(losses(recipe.loss, values, labels, np.tile(wanted[digit], (len(values), 1))))
    return np.stack(columns, axis=1)


def aligned(costs: NDArray[np.float64], strip: Strip, form: Form, step: int, digits: int) -> Alignment | None:
    """Return the parting of a strip into `digits` digits that costs least, the first found of equal ones.

    Parameters
    ----------
    costs : ndarray of float64, shape (places, classes)
        See `costs_of`; places stand `step` columns apart, the first in the middle of the network's own field.
    strip, form, step
        The strip, and how the network reads.
    digits
        How many digits there are.

    Returns
    -------
    Alignment or None
        None if so many digits of any allowed width do not fit the ink.
    """
    length = strip.last - strip.first
    pieces = max(1, round(CUTS * length / step))
    ends = [strip.first + length * piece / pieces for piece in range(pieces + 1)]
    least, best = costs.min(axis=1).tolist(), costs.argmin(axis=1).tolist()
    shortest, longest = SHORTEST * form.height, LONGEST * form.height
    totals = [[math.inf] * (pieces + 1) for _ in range(digits + 1)]
    before = [[(0, 0)] * (pieces + 1) for _ in range(digits + 1)]
    totals[0][0] = 0.0
    for digit in range(1, digits + 1):
        for stop in range(1, pieces + 1):
            for start in range(stop):
                if not shortest <= ends[stop] - ends[start] <= longest:
                    continue
                middle = (ends[start] + ends[stop]) / 2 - form.columns / 2
                place = min(max(round(middle / step), 0), len(least) - 1)
                total = totals[digit - 1][start] + least[place]
                if total < totals[digit][stop]:
                    totals[digit][stop], before[digit][stop] = total, (start, place)
    cost, stop = totals[digits][pieces], pieces
    if math.isinf(cost):
        return None
    back = []
    for digit in range(digits, 0, -1):
        start, place = before[digit][stop]
        back.append((best[place], place, (ends[start], ends[stop])))
        stop = start
    classes, places, spans = zip(*reversed(back), strict=True)
    return Alignment(classes, places, spans, cost)


def scanned(
    strips: Sequence[Strip], slide: Slide, recipe: Recipe, form: Form, step: int, digits: int
) -> list[tuple[ReadDigit, ...]]:
    """Return the digits that a slid network reads in each strip; none where so many do not fit.

    The confidence of a digit is that of the answer at its place.
    """
    return list(scans(strips, slide, recipe, form, step, digits))


def scans(
    strips: Sequence[Strip], slide: Slide, recipe: Recipe, form: Form, step: int, digits: int
) -> Iterator[tuple[ReadDigit, ...]]:
    """Yield what `scanned` returns, one strip after the other; `BATCH` of them are slid over at once."""
    width = max((strip.field.shape[1] for strip in strips), default=0)
    for first in range(0, len(strips), BATCH):
        batch = strips[first : first + BATCH]
        # As wide as the widest of all, also of those that come later: what is drawn depends on the places.
        outputs = slide(fields_of(batch, width), first)[:, :, 0]
        for strip, answers in zip(batch, outputs.transpose(0, 2, 1), strict=True):
            places = (strip.field.shape[1] - form.columns) // step + 1
            own = answers[:places]
            alignment = aligned(costs_of(own, recipe), strip, form, step, digits)
            yield () if alignment is None else _read(alignment, strip, confidences(own))


def _read(alignment: Alignment, strip: Strip, confidence: NDArray[np.float64]) -> tuple[ReadDigit, ...]:
    return tuple(
        ReadDigit(
            digit,
            float(confidence[place]),
            False,
            strip.line.row,
            strip.line.column + round((start - strip.first) / strip.scale),
            int(strip.line.ink.shape[0]),
            round((stop - start) / strip.scale),
        )
        for digit, place, (start, stop) in zip(
            alignment.digits, alignment.places, alignment.ends, strict=True
        )
    )


def picture_of(
    name: str, lines: Sequence[tuple[ReadDigit, ...]], turned: bool, least_confidence: float
) -> ReadPicture:
    """Return what was scanned in the picture called `name`, digits below `least_confidence` rejected.

    Raises
    ------
    InputError
        If there is no line, or one that can not hold the digits asked for.
    """
    if not lines or not all(lines):
        why = "a line is too narrow or too wide for" if lines else "there is no line for"
        raise InputError(
            f"Nothing can be scanned in {name}: {why} the digits asked for; a digit's width goes from "
            f"{SHORTEST} to {LONGEST} of its height. Ask for another number of digits, or scan nothing."
        )
    return ReadPicture(
        tuple(
            tuple(replace(each, rejected=each.confidence < least_confidence) for each in line)
            for line in lines
        ),
        turned,
    )
