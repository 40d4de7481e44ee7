"""Graf's chip in the slow, obvious way: one window and one template after the other, in whole numbers."""

from itertools import product
from typing import Any

import numpy as np

from hw_sim.chips.graf54.templates import Template, TemplateSet

AROUND = [(0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1)]
Place = tuple[int, int]


def matches(template: Template, frame: Any, row: int, column: int, inhibition: int) -> bool:
    half, total = len(template.rows) // 2, 0
    for down, marks in enumerate(template.rows):
        for right, mark in enumerate(marks):
            at = row + down - half, column + right - half
            if 0 <= at[0] < len(frame) and 0 <= at[1] < len(frame[0]) and frame[at[0]][at[1]]:
                total += {"+": 1, ".": 0, "-": -inhibition}[mark]
    return total >= template.threshold


def thin(templates: TemplateSet, frame: Any, inhibition: int) -> tuple[Any, int]:
    """Return the thinned frame and the scans."""
    scans = 0
    while True:
        scans += 1
        gone = [
            (row, column)
            for row, column in np.argwhere(frame)
            if any(matches(each, frame, row, column, inhibition) for each in templates.templates)
        ]
        if not gone:
            return frame, scans
        frame = frame.copy()
        for row, column in gone:
            frame[row, column] = 0


def features(templates: TemplateSet, frame: Any, inhibition: int) -> Any:
    """Return a set of (map, block row, block column) for a frame of 32 rows and 20 columns."""
    found = set()
    for row, column in product(range(32), range(20)):
        names = {t.name for t in templates.templates if matches(t, frame, row, column, inhibition)}
        for index, feature in enumerate(templates.maps):
            if any(names.issuperset(group) for group in feature.any_of):
                found.add((index, row * 5 // 32, column * 3 // 20))
    return found


def is_simple(picture: dict[Place, int], place: Place) -> bool:
    """Whether deleting a pixel cuts nothing and opens nothing: Hilditch's crossing number is 1."""
    white = [1 - picture[place[0] + row, place[1] + column] for row, column in AROUND]
    return sum(white[k] - white[k] * white[k + 1] * white[(k + 2) % 8] for k in (0, 2, 4, 6)) == 1


def wanted(template: Template, at: Place = (0, 0)) -> dict[Place, int]:
    """Return the pixels that `template` wants about a place, when it wants all of them."""
    assert template.threshold == sum(row.count("+") for row in template.rows)
    half = len(template.rows) // 2
    return {
        (row - half + at[0], column - half + at[1]): int(mark == "+")
        for row, marks in enumerate(template.rows)
        for column, mark in enumerate(marks)
        if mark != "."
    }


def joined(*pictures: dict[Place, int]) -> dict[Place, int] | None:
    """Return the pixels wanted by all, or None where they contradict each other."""
    together: dict[Place, int] = {}
    for picture in pictures:
        if any(together.setdefault(place, value) != value for place, value in picture.items()):
            return None
    return together


def completed(picture: dict[Place, int], places: set[Place]) -> Any:
    """Yield every picture that has all of `places` and agrees with `picture`."""
    free = sorted(places - set(picture))
    for values in product((0, 1), repeat=len(free)):
        yield {**picture, **dict(zip(free, values, strict=True))}
