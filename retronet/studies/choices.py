"""What a paper leaves open: the same training with one choice changed, each from many seeds.

The choices are data, in ``choices.toml``. Means of two choices are *apart* where Welch's test says so after
Holm's correction for all the comparisons made, at 5 % for all of them together. How likely the published run
is under a choice is counted: the seeds that do as well, with Wilson's interval.
"""

import math
import tomllib
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

import msgspec
import numpy as np

from retronet.errors import unknown_name
from retronet.recipe import Recipe, load_recipe, override
from retronet.studies.reproduce import Figure, Likelihood, Published, choose, likelihoods, values_of
from retronet.studies.seeds import SeedResult

FIGURES_OF = "lecun1989"
"""The recipe whose published figures the choices are held against."""
FILE = Path(__file__).parent / "choices.toml"
LEVEL = 0.05
"""How likely any of the comparisons is called apart by chance, at most."""


class OpenChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way to read the paper: a recipe, with ``changes`` by dotted path."""

    name: str
    title: str
    recipe: str
    changes: dict[str, str | int | float | dict[str, str]] = {}

    def to_recipe(self) -> Recipe:
        """Return the recipe as it is trained."""
        return override(load_recipe(self.recipe), dict(self.changes))


class OpenChoiceFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of ``choices.toml``."""

    choices: tuple[OpenChoice, ...]


class Difference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two choices in one figure: the second's mean less the first's.

    ``p`` is Welch's, two-sided; ``p_corrected`` is Holm's, over all the differences it was made among, and
    ``apart`` says whether that is below `LEVEL`.
    """

    first: str
    second: str
    figure: Figure
    difference: float
    p: float
    p_corrected: float
    apart: bool


def choices() -> tuple[OpenChoice, ...]:
    """Return all choices, in the order of their file."""
    return msgspec.convert(tomllib.loads(FILE.read_text(encoding="utf-8")), OpenChoiceFile).choices


def choose_choices(names: Sequence[str]) -> tuple[OpenChoice, ...]:
    """Return the choices called `names`, or all if there are none.

    Raises
    ------
    InputError
        If there is no such choice.
    """
    every = choices()
    for name in names:
        if name not in (known := [each.name for each in every]):
            raise unknown_name("choice", name, known, "retronet reproduce --help")
    return tuple(each for each in every if not names or each.name in names)


def figures_held(choice: OpenChoice) -> tuple[Figure, ...]:
    """Return the published figures after the last pass that `choice` can be held against.

    A squared error from other targets has another scale, and is left out.
    """
    (published,) = choose([FIGURES_OF])
    alike = choice.to_recipe().targets == load_recipe(FIGURES_OF).targets
    last = max(each.number for each in published.figures)
    return tuple(
        each
        for each in published.figures
        if each.number == last
        and each.tolerance is None
        and each.bound is None
        and (alike or each.quantity != "half_mse")
    )


def chances(choice: OpenChoice, results: Sequence[SeedResult]) -> tuple[Likelihood, ...]:
    """Return how many seeds do as well as published: by figure, in both misses, and last in all figures.

    Empty where the seeds are too few: see `retronet.studies.reproduce.likelihoods`.
    """
    figures = figures_held(choice)
    misses = tuple(each for each in figures if each.quantity == "misses")

    def of(some: tuple[Figure, ...]) -> tuple[Likelihood, ...]:
        return likelihoods(Published(choice.recipe, some), results)

    counted = of(figures)
    return (*counted[:-1], of(misses)[-1], counted[-1]) if counted else ()


def differences(results: Mapping[str, Sequence[SeedResult]]) -> tuple[Difference, ...]:
    """Return each two choices in each figure that both can be held against.

    Parameters
    ----------
    results
        The results of each choice, by its name; at least two seeds each.
    """
    chosen = choose_choices(tuple(results))
    found = [
        (
            first.name,
            second.name,
            figure,
            *welch(values_of(figure, results[first.name]), values_of(figure, results[second.name])),
        )
        for first, second in combinations(chosen, 2)
        for figure in figures_held(first)
        if figure in figures_held(second)
    ]
    corrected = holm([each[-1] for each in found])
    return tuple(
        Difference(*each, p_corrected, p_corrected < LEVEL)
        for each, p_corrected in zip(found, corrected, strict=True)
    )


def welch(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """Return the difference of the means, second less first, and the two-sided p of Welch's test."""
    from scipy.stats import t  # slow to import, and only results need it

    difference = float(np.mean(second)) - float(np.mean(first))
    parts = [float(np.var(each, ddof=1)) / len(each) for each in (first, second)]
    if math.fsum(parts) == 0:
        return difference, float(difference == 0)
    freedom = math.fsum(parts) ** 2 / math.fsum(
        part**2 / (len(each) - 1) for part, each in zip(parts, (first, second), strict=True)
    )
    p = 2 * t.sf(abs(difference) / math.sqrt(math.fsum(parts)), freedom)
    # Twelve digits: the last ones are the C library's, which differ between processors.
    return difference, float(f"{p:.12g}")


def holm(p: Sequence[float]) -> list[float]:
    """Return `p` of several tests corrected for their number: the least one times it, and so on upwards."""
    corrected, largest = [0.0] * len(p), 0.0
    for rank, place in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        largest = max(largest, min(1.0, (len(p) - rank) * p[place]))
        corrected[place] = largest
    return corrected
