"""Sets published figures beside what the recipes give here.

The figures are data, in ``published.toml``: quantity, value and source. A figure is *inside* when it lies
where one further seed of the recipe would fall with 95 %; or, for recipes whose very weights and order are
known, when it lies within the tolerance stated beside it.
"""

import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from retronet.errors import unknown_name
from retronet.studies.seeds import SeedResult, Spread, spread

FILE = Path(__file__).parent / "published.toml"


class Figure(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"number": "pass"}):
    """One published figure: `quantity` of the train or test digits after pass `number`.

    ``tolerance`` allows that much to either side. ``bound`` turns the figure into a limit that the mean must
    keep, and so asks for no spread.
    """

    number: int
    digits: Literal["train", "test"]
    quantity: Literal["misses", "error_percent", "half_mse", "reject_percent_at_1_percent_error"]
    published: float
    source: str
    tolerance: float | None = None
    bound: Literal["at most", "at least"] | None = None


class Published(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The figures of one recipe, and the seeds to run it from.

    ``changes`` are values of the recipe that the published run had otherwise, by dotted path.
    """

    recipe: str
    seeds: tuple[int, ...]
    figures: tuple[Figure, ...]
    changes: dict[str, str] = {}

    @property
    def title(self) -> str:
        """The recipe with its changes."""
        return " ".join([self.recipe, *(f"{key}={value}" for key, value in self.changes.items())])


class PublishedFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of ``published.toml``."""

    recipes: tuple[Published, ...]


class Finding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A published figure beside what was found; ``low`` to ``high`` is where it counts as inside.

    The range is absent where one seed alone gives none and no tolerance is stated; there is no verdict then.
    """

    recipe: str
    figure: Figure
    found: Spread
    low: float | None
    high: float | None
    inside: bool | None


def published() -> tuple[Published, ...]:
    """Return all recipes that have published figures."""
    return msgspec.convert(tomllib.loads(FILE.read_text(encoding="utf-8")), PublishedFile).recipes


def choose(names: Iterable[str]) -> tuple[Published, ...]:
    """Return the recipes called `names`, or all if there are none.

    Raises
    ------
    InputError
        If a name has no published figures.
    """
    every, wanted = published(), tuple(names)
    known = {each.recipe for each in every}
    for name in wanted:
        if name not in known:
            raise unknown_name("recipe with published figures", name, known, "retronet reproduce --help")
    return tuple(each for each in every if not wanted or each.recipe in wanted)


def findings(of: Published, results: Sequence[SeedResult]) -> tuple[Finding, ...]:
    """Return each published figure beside the `results`, one a seed."""
    return tuple(_finding(of.title, figure, results) for figure in of.figures)


def _finding(recipe: str, figure: Figure, results: Sequence[SeedResult]) -> Finding:
    # A run that ended early stays as it was.
    records = [result.records[min(figure.number, len(result.records)) - 1] for result in results]
    found = spread([getattr(getattr(record, figure.digits), figure.quantity) for record in records])
    value = figure.published
    if figure.bound is not None:
        kept = found.mean <= value if figure.bound == "at most" else found.mean >= value
        return Finding(recipe, figure, found, None, None, kept)
    low, high = found.next_low, found.next_high
    if figure.tolerance is not None:
        low, high = found.mean - figure.tolerance, found.mean + figure.tolerance
    inside = None if low is None or high is None else low <= value <= high
    return Finding(recipe, figure, found, low, high, inside)
