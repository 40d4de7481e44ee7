"""What commands that work on a finished run have in common: which run, and which digits."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retronet.datasets import DigitSets
    from retronet.runs.checkpoint import Checkpoint


def take_run(folder: Path | None, runs: Path, quiet: bool) -> "tuple[Path, Checkpoint]":
    """Return a run's folder and checkpoint: the one named, else the latest, which is then said."""
    from retronet.runs.run import latest_run, open_run
    from retronet_cli.terminal import talk

    run = latest_run(runs) if folder is None else open_run(folder)
    if folder is None and not quiet:
        talk(f"Taking the latest run: {run.folder}")
    return run.folder, run.checkpoint()


def title_of(checkpoint: "Checkpoint") -> str:
    """Return what a network is called in tables: its own name, and its recipe's where that is another."""
    header = checkpoint.header
    recipe = "" if header.recipe.name == header.network.name else f", recipe {header.recipe.name},"
    return f"{header.network.name}{recipe} {f'after pass {header.passes}' if header.passes else '(imported)'}"


def take_digits(checkpoint: "Checkpoint", name: str | None, data_dir: Path | None) -> "DigitSets":
    """Return the digits called `name`, else those of the training, prepared as the recipe says."""
    from retronet.datasets import load
    from retronet_cli.terminal import talk

    recipe = checkpoint.header.recipe
    digits = load(name or checkpoint.header.data[0].name, recipe.preparation, data_dir)
    if digits.notice:
        talk(digits.notice)
    return digits
