"""The same recipe from several seeds, to tell what is the recipe's from what is the seed's."""

import hashlib
import math
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, as_completed
from functools import lru_cache
from pathlib import Path
from threading import Lock

import msgspec
import numpy as np
from msgspec.structs import replace

from retronet.datasets import DigitSets, Provenance, load
from retronet.datasets.catalogue import SOURCES
from retronet.datasets.source import data_folder
from retronet.errors import InputError
from retronet.network import load_network
from retronet.recipe import Recipe, override
from retronet.runs.configuration import RunConfiguration, configure
from retronet.runs.create import create_run
from retronet.runs.run import CONFIGURATION, Run, open_run
from retronet.runs.trained_run import continue_run
from retronet.training.train import PassRecord

SINCE = ("distortion",)
"""What recipes have come to say since folders were first named by them; absent, it leaves a name alone."""
_LOADING = Lock()
"""Seeds that share a process, as threads of a worker do, wait for the one that loads."""
QUANTITIES = ("misses", "error_percent", "half_mse", "reject_percent_at_1_percent_error")


class SeedResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One seed's run: its folder, and all its passes."""

    seed: int
    run: str
    records: tuple[PassRecord, ...]


class Spread(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A quantity over seeds.

    ``mean_low`` to ``mean_high`` is Student's 95 % interval of the mean; ``next_low`` to ``next_high`` holds
    one further seed with 95 %, which is what a single published run is to be compared with. All four are
    absent for one seed.
    """

    count: int
    mean: float
    deviation: float | None
    minimum: float
    maximum: float
    mean_low: float | None
    mean_high: float | None
    next_low: float | None
    next_high: float | None


def seed_folder(runs: Path, recipe: Recipe, seed: int) -> Path:
    """Return the folder of one seed's run below `runs`; recipes that differ otherwise share none."""
    content = msgspec.to_builtins(override(recipe, {"seed": 0}))
    for key in SINCE:
        if content[key] is None:
            del content[key]
    same_for_all = msgspec.json.encode(content, order="sorted")
    return runs / f"{recipe.name}-{hashlib.sha256(same_for_all).hexdigest()[:6]}-seed{seed}"


def train_seed(recipe: Recipe, runs: Path, digits: DigitSets) -> SeedResult:
    """Train `recipe` on `digits`, or go on where an earlier call was cut off; a finished run is only read.

    A run of other digits, another network of that name or other versions is overwritten.
    """
    folder = seed_folder(runs, recipe, recipe.seed)
    run = _begun(folder, recipe, digits)
    if run is None:
        run = create_run(recipe, load_network(recipe.network), digits, folder, runs, force=True)
    if run.passes < recipe.passes:
        for _ in continue_run(run, digits):
            pass
    return SeedResult(recipe.seed, str(folder), tuple(run.records()))


def _begun(folder: Path, recipe: Recipe, digits: DigitSets) -> Run | None:
    """Return the run in `folder` if it was begun as it would be begun now."""
    if not (folder / CONFIGURATION).exists():
        return None
    run = open_run(folder)
    wanted = configure(recipe, load_network(recipe.network), digits)
    return run if _is_the_same(run.configuration, wanted) else None


def _finished(recipe: Recipe, runs: Path, digits: DigitSets) -> SeedResult | None:
    """Return the result of a run that has all its passes; None if it has not."""
    folder = seed_folder(runs, recipe, recipe.seed)
    run = _begun(folder, recipe, digits)
    records = () if run is None else tuple(run.records())
    return SeedResult(recipe.seed, str(folder), records) if len(records) >= recipe.passes else None


def _is_the_same(configuration: RunConfiguration, wanted: RunConfiguration) -> bool:
    """Return whether two configurations say the same, in whichever schema and wherever they were begun."""
    free = {"schema": wanted.schema, "sha256": wanted.sha256, "processor": wanted.processor}
    return replace(configuration, **free) == wanted


def train_seeds(
    recipe: Recipe,
    seeds: Sequence[int],
    runs: Path,
    data_dir: Path | None,
    executor: Executor | None,
    digits: DigitSets | None = None,
) -> Iterator[SeedResult]:
    """Train `recipe` from each seed; yield the results as they come, whatever their order.

    Each process loads the digits once, for all the seeds that it trains.

    Parameters
    ----------
    recipe
        What to do; its own seed is not used.
    seeds
        The seeds.
    runs
        The folder that gets one run a seed.
    data_dir
        The data folder, as for :func:`retronet.datasets.load`.
    executor
        Where to train: processes. None trains here, one after the other; the bytes are the same.
    digits
        Those of `recipe` and `data_dir`, where they are loaded already. Workers load their own.

    Raises
    ------
    InputError
        If a worker finds other digits than `digits`.
    """
    recipes = [override(recipe, {"seed": seed}) for seed in seeds]
    if executor is None:
        if digits is None:
            digits = load(recipe.data, recipe.preparation, data_dir)
        yield from (train_seed(each, runs, digits) for each in recipes)
        return
    wanted, left = None, recipes
    if digits is not None:
        wanted, left = (digits.train.provenance, digits.test.provenance), []
        for each in recipes:  # finished runs are read here: no process has to be started for them
            done = _finished(each, runs, digits)
            if done is None:
                left.append(each)
            else:
                yield done
    futures = [executor.submit(_train_there, each, runs, data_dir, wanted) for each in left]
    try:
        for future in as_completed(futures):
            yield future.result()
    finally:
        for future in futures:
            future.cancel()


def _train_there(
    recipe: Recipe, runs: Path, data_dir: Path | None, wanted: tuple[Provenance, Provenance] | None
) -> SeedResult:
    """Train one seed; what a worker runs."""
    folder = data_folder(data_dir)
    here = tuple(name for name, source in SOURCES.items() if source.state(folder) == "here")
    with _LOADING:
        digits = _digits_kept(recipe.data, recipe.preparation, folder, here)
    if wanted is not None and wanted != (digits.train.provenance, digits.test.provenance):
        raise InputError(
            f"The digits of '{recipe.data}' are not the same everywhere: a worker has "
            f"{digits.train.provenance.name} in {folder}, and the seeds were begun with {wanted[0].name}. "
            "Give all workers the same files."
        )
    return train_seed(recipe, runs, digits)


@lru_cache(maxsize=1)
def _digits_kept(
    name: str,
    preparation: str | None,
    folder: Path,
    here: tuple[str, ...],  # noqa: ARG001 - a part of the key: ``auto`` is another data set with other files
) -> DigitSets:
    """Return the digits that this process keeps: one data set, as the next seed is of the same recipe."""
    return load(name, preparation, folder)


def spread(values: Sequence[float]) -> Spread:
    """Return mean, deviation and 95 % intervals of `values`, one a seed."""
    from scipy.stats import t  # slow to import, and only results need it

    count, mean = len(values), float(np.mean(values))
    low, high = float(np.min(values)), float(np.max(values))
    if count == 1:
        return Spread(count, mean, None, low, high, None, None, None, None)
    deviation = float(np.std(values, ddof=1))
    # Twelve digits: the last ones are the C library's, which differ between processors.
    reach = float(f"{t.ppf(0.975, count - 1):.12g}") * deviation
    of_mean, of_next = reach / math.sqrt(count), reach * math.sqrt(1 + 1 / count)
    return Spread(
        count, mean, deviation, low, high, mean - of_mean, mean + of_mean, mean - of_next, mean + of_next
    )


def spreads(results: Sequence[SeedResult]) -> dict[str, dict[str, Spread]]:
    """Return for ``train`` and ``test`` the spread after the last pass of the `QUANTITIES` there are."""
    last = [result.records[-1] for result in sorted(results, key=lambda result: result.seed)]
    return {
        half: {
            quantity: spread([getattr(getattr(record, half), quantity) for record in last])
            for quantity in QUANTITIES
            if getattr(getattr(last[0], half), quantity) is not None
        }
        for half in ("train", "test")
    }
