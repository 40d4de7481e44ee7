"""Sets published figures beside what the recipes give here.

The figures are data, in ``published.toml``: quantity, value and source. A figure is *inside* when it lies
where one further seed of the recipe would fall with 95 %; or, for recipes whose very weights and order are
known, when it lies within the tolerance stated beside it. Where a further seed would fall is read from the
seeds themselves if there are enough of them, else from Student's distribution: figures that are counts are
not spread like it.
"""

import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from retronet.errors import unknown_name
from retronet.evaluate import wilson_percent
from retronet.studies.seeds import SeedResult, Spread, spread

FEWEST = 39
"""Seeds from which on a further one is told by the seeds themselves."""
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

    ``changes`` are values of the recipe that the published run had otherwise, by dotted path. Seeds are
    named, or the ``first_seeds`` from 0 on.
    """

    recipe: str
    figures: tuple[Figure, ...]
    seeds: tuple[int, ...] = ()
    first_seeds: int = 0
    changes: dict[str, str | int] = {}

    @property
    def chosen_seeds(self) -> tuple[int, ...]:
        """The seeds to run the recipe from."""
        return self.seeds or tuple(range(self.first_seeds))

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


class Likelihood(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many seeds do as well as what was published, or better: have a figure that is no larger.

    ``figures`` are the quantities that are to be no larger, all in one seed; ``percent_low`` to
    ``percent_high`` is Wilson's 95 % interval of the share.
    """

    figures: tuple[Figure, ...]
    seeds: int
    of: int
    percent: float
    percent_low: float
    percent_high: float


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


def likelihoods(of: Published, results: Sequence[SeedResult]) -> tuple[Likelihood, ...]:
    """Return how likely a seed does as well as published after the last pass: by figure, and last in all.

    Empty where no figure of `of` is judged by the spread over seeds, or there is one seed alone.
    """
    spread_out = [each for each in of.figures if each.tolerance is None and each.bound is None]
    last = [each for each in spread_out if each.number == max(figure.number for figure in spread_out)]
    if not last or len(results) < FEWEST:
        return ()
    kept = [
        [values_of(figure, results)[seed] <= figure.published for figure in last]
        for seed in range(len(results))
    ]
    groups = [(figure,) for figure in last] + ([tuple(last)] if len(last) > 1 else [])
    return tuple(
        _likelihood(
            group, sum(all(row[last.index(figure)] for figure in group) for row in kept), len(results)
        )
        for group in groups
    )


def _likelihood(figures: tuple[Figure, ...], seeds: int, of: int) -> Likelihood:
    return Likelihood(figures, seeds, of, 100 * seeds / of, *wilson_percent(seeds, of))


def values_of(figure: Figure, results: Sequence[SeedResult]) -> list[float]:
    """Return what `figure` is in each of `results`."""
    # A run that ended early stays as it was.
    records = [result.records[min(figure.number, len(result.records)) - 1] for result in results]
    return [getattr(getattr(record, figure.digits), figure.quantity) for record in records]


def next_of(values: Sequence[float]) -> tuple[float, float] | None:
    """Return the values between which one further would fall with 95 % or more, or None if they are too few.

    Of n values and one more, all orders are equally likely; the k-th least and the k-th largest hold it with
    the probability (n + 1 − 2k) / (n + 1).
    """
    k = (len(values) + 1) // 40
    return None if k == 0 else (sorted(values)[k - 1], sorted(values)[-k])


def _finding(recipe: str, figure: Figure, results: Sequence[SeedResult]) -> Finding:
    values = values_of(figure, results)
    over_seeds, value = spread(values), figure.published
    if figure.bound is not None:
        kept = over_seeds.mean <= value if figure.bound == "at most" else over_seeds.mean >= value
        return Finding(recipe, figure, over_seeds, None, None, kept)
    low, high = next_of(values) or (over_seeds.next_low, over_seeds.next_high)
    if figure.tolerance is not None:
        low, high = over_seeds.mean - figure.tolerance, over_seeds.mean + figure.tolerance
    inside = None if low is None or high is None else low <= value <= high
    return Finding(recipe, figure, over_seeds, low, high, inside)
