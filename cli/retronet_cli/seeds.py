"""Training from several seeds, on processes or a cluster, with a bar."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from retronet.errors import InputError
from retronet.studies.seeds import QUANTITIES, SeedResult, spreads, train_seeds
from retronet_cli.executors import executor_of
from retronet_cli.forms import Form, give
from retronet_cli.terminal import interrupted, print_table, progress, talk, this_command
from retronet_cli.views.quantities import passes_named
from retronet_cli.views.seeds import seed_spread_table, seed_table

if TYPE_CHECKING:
    from retronet.datasets import DigitSets
    from retronet.recipe import Recipe


class Where(msgspec.Struct, frozen=True):
    """Where seeds are trained and kept: how many processes, or which dask cluster, and the folders."""

    runs: Path
    data_dir: Path | None
    jobs: int
    dask: str | None

    @property
    def folders(self) -> tuple[Path, Path | None]:
        """The folders of runs and of data; whole paths for a cluster, whose workers may be elsewhere."""
        if self.dask is None:
            return self.runs, self.data_dir
        return self.runs.resolve(), None if self.data_dir is None else self.data_dir.resolve()


def train_with_bar(
    recipe: "Recipe", digits: "DigitSets", seeds: Sequence[int], where: Where, quiet: bool
) -> list[SeedResult]:
    """Train `recipe` on its `digits` from each seed and return the results in order of the seeds."""
    results: list[SeedResult] = []
    try:
        with (
            progress(enabled=not quiet) as bar,
            executor_of(where.jobs, len(seeds), where.dask) as executor,
        ):
            task = bar.add_task(f"{recipe.name}: seeds", total=len(seeds))
            for result in train_seeds(recipe, seeds, *where.folders, executor, digits):
                results.append(result)
                bar.update(task, completed=len(results))
    except KeyboardInterrupt:
        interrupted(
            f"{len(results)} of {len(seeds)} seeds are done, and the passes of the others are kept. "
            f"Go on with: {this_command()}"
        )
    except BrokenPipeError:
        raise
    except OSError as error:
        raise InputError(
            f"The system refused: {error}. What was done is kept. Mend that, then go on with: "
            f"{this_command()}"
        ) from error
    return sorted(results, key=lambda result: result.seed)


def train_and_print_seeds(
    recipe: "Recipe", seeds: tuple[int, ...], where: Where, form: Form, quiet: bool
) -> None:
    """Do what `retronet train --seeds` does."""
    from retronet.datasets import load

    digits = load(recipe.data, recipe.preparation, where.data_dir)
    name = digits.train.provenance.name
    if digits.notice:
        talk(digits.notice)
    if not quiet:
        talk(
            f"Training {recipe.network} on {name}: recipe {recipe.name}, {passes_named(recipe.passes)}, "
            f"{len(seeds)} seeds."
        )
        talk(f"Runs: in {where.runs}; those already there are read or continued.")
    results = train_with_bar(recipe, digits, seeds, where, quiet)
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
    print_table(seed_spread_table(f"{title}: over {len(results)} seeds", over_seeds, QUANTITIES))
