"""Training from several seeds, on several processes, with a bar."""

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from retronet.errors import InputError
from retronet.studies.seeds import QUANTITIES, SeedResult, spreads, train_seeds
from retronet_cli.forms import Form, give
from retronet_cli.terminal import (
    INTERRUPTED,
    interrupted,
    print_table,
    progress,
    talk,
    this_command,
)
from retronet_cli.views.seeds import seed_table, spread_table

if TYPE_CHECKING:
    from retronet.recipe import Recipe

PR_SET_PDEATHSIG = 1
"""Linux, prctl(2): the signal that a process gets when its parent ends."""


class _Processes(ProcessPoolExecutor):
    """Processes that end with the one that started them, and at once when interrupted.

    What they do can be cut off anywhere, and the parent speaks.
    """

    def __init__(self, workers: int) -> None:
        # Spawned: a fork would copy the state of compiled code and its threads.
        super().__init__(workers, get_context("spawn"), initializer=_begin_worker)

    def submit(self, *arguments: Any, **named: Any) -> "Future[Any]":  # noqa: ANN401 - as in the base class
        """Hand a task to a process; one that is started minds interruptions once it is ready for them."""
        if not hasattr(signal, "pthread_sigmask"):
            return super().submit(*arguments, **named)
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return super().submit(*arguments, **named)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin_worker() -> None:
    signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    if sys.platform == "linux":
        # The watch below waits while compiled code runs; the kernel does not.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(INTERRUPTED)


@contextmanager
def processes(jobs: int, tasks: int) -> Iterator[Executor | None]:
    """Give an executor of up to `jobs` processes, or None where one would do.

    Raises
    ------
    InputError
        If one of them is ended from outside.
    """
    workers = min(jobs, tasks)
    if workers == 1:
        yield None
        return
    executor = _Processes(workers)
    try:
        yield executor
    except (BrokenProcessPool, BrokenPipeError) as error:
        # A broken pipe here is not standard output's: a worker was gone before it had begun.
        raise InputError(
            "One of the processes was ended from outside, perhaps for want of memory; what they had done is "
            f"kept. Give fewer --jobs, and go on with: {this_command()}"
        ) from error
    finally:
        executor.shutdown(cancel_futures=True)


def train_with_bar(
    recipe: "Recipe", seeds: Sequence[int], runs: Path, data_dir: Path | None, jobs: int, quiet: bool
) -> list[SeedResult]:
    """Train `recipe` from each seed and return the results in order of the seeds."""
    found: list[SeedResult] = []
    try:
        with progress(enabled=not quiet) as bar, processes(jobs, len(seeds)) as executor:
            task = bar.add_task(f"{recipe.name}: seeds", total=len(seeds))
            for result in train_seeds(recipe, seeds, runs, data_dir, executor):
                found.append(result)
                bar.update(task, completed=len(found))
    except KeyboardInterrupt:
        interrupted(
            f"{len(found)} of {len(seeds)} seeds are done, and the passes of the others are kept. "
            f"Go on with: {this_command()}"
        )
    except BrokenPipeError:
        raise
    except OSError as error:
        raise InputError(
            f"The system refused: {error}. What was done is kept. Mend that, then go on with: "
            f"{this_command()}"
        ) from error
    return sorted(found, key=lambda result: result.seed)


def train_and_print_seeds(
    recipe: "Recipe",
    seeds: tuple[int, ...],
    runs: Path,
    data_dir: Path | None,
    jobs: int,
    form: Form,
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
    if form.given:
        fields: dict[str, Any] = {
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
        tables = {
            "seeds": fields["seeds"],
            "spread": [
                {"digits": half, "quantity": quantity, **msgspec.to_builtins(each)}
                for half, by_quantity in over_seeds.items()
                for quantity, each in by_quantity.items()
            ],
            "passes": [
                {"seed": result.seed, **msgspec.to_builtins(record)}
                for result in results
                for record in result.records
            ],
        }
        give(form, "seeds", fields, tables)
        return
    title = f"{recipe.name} on {name}, after pass {results[0].records[-1].number}"
    print_table(seed_table(f"{title}: each seed", results, digits.notice))
    print_table(spread_table(f"{title}: over {len(results)} seeds", over_seeds, QUANTITIES))
