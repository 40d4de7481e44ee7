"""Training from several seeds, on several processes, with a bar."""

import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from retronet.errors import InputError
from retronet.studies.seeds import QUANTITIES, SeedResult, spreads, train_seeds
from retronet_cli.terminal import print_json, print_table, progress, talk
from retronet_cli.views.seeds import seed_table, spread_table

if TYPE_CHECKING:
    from retronet.recipe import Recipe


def _stop_at_once_when_interrupted() -> None:
    """Let Ctrl-C end a worker without a word: what it does can be cut off anywhere, and the parent speaks."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))


@contextmanager
def processes(jobs: int, tasks: int) -> Iterator[Executor | None]:
    """Give an executor of up to `jobs` processes, or None where one would do.

    Processes are spawned: a fork would copy the state of compiled code and its threads.
    """
    workers = min(jobs, tasks)
    if workers == 1:
        yield None
        return
    executor = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_stop_at_once_when_interrupted)
    try:
        yield executor
    except BrokenPipeError as error:
        # Not standard output: a worker that was gone before it had begun.
        raise BrokenProcessPool("a worker ended while it was started") from error
    finally:
        executor.shutdown(cancel_futures=True)


def train_with_bar(
    recipe: "Recipe", seeds: Sequence[int], runs: Path, data_dir: Path | None, jobs: int, quiet: bool
) -> list[SeedResult]:
    """Train `recipe` from each seed and return the results in order of the seeds."""
    from retronet_cli.main import INTERRUPTED

    found: list[SeedResult] = []
    try:
        with progress(enabled=not quiet) as bar, processes(jobs, len(seeds)) as executor:
            task = bar.add_task(f"{recipe.name}: seeds", total=len(seeds))
            for result in train_seeds(recipe, seeds, runs, data_dir, executor):
                found.append(result)
                bar.update(task, completed=len(found))
    except KeyboardInterrupt:
        talk(f"Interrupted. All passes done are kept in {runs}. Go on with the same command.")
        raise click.exceptions.Exit(INTERRUPTED) from None
    except BrokenProcessPool as error:
        raise InputError(
            f"A process of the training was ended from outside; all passes done are kept in {runs}. "
            "Give the same command again to go on, with fewer --jobs if memory was short."
        ) from error
    return sorted(found, key=lambda result: result.seed)


def train_and_print_seeds(
    recipe: "Recipe",
    seeds: tuple[int, ...],
    runs: Path,
    data_dir: Path | None,
    jobs: int,
    as_json: bool,
    quiet: bool,
) -> None:
    """Do what `retronet train --seeds` does."""
    from retronet.datasets import load

    digits = load(recipe.data, recipe.preparation, data_dir)
    name = digits.train.provenance.name
    if digits.notice:
        talk(digits.notice)
    if not quiet:
        talk(
            f"Training {recipe.network} on {name}: recipe {recipe.name}, {recipe.passes} passes, "
            f"{len(seeds)} seeds."
        )
        talk(f"Runs: in {runs}; those already there are read or continued.")
    results = train_with_bar(recipe, seeds, runs, data_dir, jobs, quiet)
    over_seeds = spreads(results)
    if as_json:
        fields = {
            "recipe": recipe.name,
            "dataset": name,
            "notice": digits.notice,
            "passes": recipe.passes,
            "seeds": [
                {
                    "seed": result.seed,
                    "run": result.run,
                    "train": msgspec.to_builtins(result.records[-1].train),
                    "test": msgspec.to_builtins(result.records[-1].test),
                }
                for result in results
            ],
            "spread": msgspec.to_builtins(over_seeds),
        }
        print_json("seeds", fields)
        return
    title = f"{recipe.name} on {name}, after pass {results[0].records[-1].number}"
    print_table(seed_table(f"{title}: each seed", results, digits.notice))
    print_table(spread_table(f"{title}: over {len(results)} seeds", over_seeds, QUANTITIES))
