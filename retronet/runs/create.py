"""Makes the folder of a run, whatever it is to hold."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from retronet.datasets import DigitSets
from retronet.errors import InputError
from retronet.network import NetworkSpec
from retronet.recipe import Recipe
from retronet.runs.checkpoint import write_atomically
from retronet.runs.configuration import Made, configure
from retronet.runs.lock import is_own, writing
from retronet.runs.run import BEFORE, CHECKPOINT, CONFIGURATION, EPOCHS, HISTORY, PLAN, TIMING, Run


def create_run(
    recipe: Recipe,
    network: NetworkSpec,
    digits: DigitSets,
    folder: Path | None,
    runs: Path,
    force: bool,
    made: Made | None = None,
) -> Run:
    """Make the folder of a new run and write its configuration.

    Parameters
    ----------
    recipe, network, digits
        What the run depends on.
    folder
        The folder to make; if absent, one below `runs` named after date, recipe and configuration.
    runs
        The folder of all runs.
    force
        Whether to overwrite the run that is in `folder`.
    made
        What makes it; absent: training, without snapshots.

    Raises
    ------
    InputError
        If `folder` is not empty, unless it holds a run and `force` is set; or another process writes it.
    """
    configuration = configure(recipe, network, digits, made)
    content = json.dumps(msgspec.to_builtins(configuration), indent=2, sort_keys=True, ensure_ascii=False)
    if folder is None:
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        digest = hashlib.sha256(content.encode()).hexdigest()[:6]
        folder = _unused(runs / f"{stamp}-{recipe.name}-{digest}")
    folder.mkdir(parents=True, exist_ok=True)
    _check_free(folder, force)
    with writing(folder):
        _check_free(folder, force)
        for name in (CHECKPOINT, EPOCHS, TIMING, HISTORY, PLAN, BEFORE) if force else ():
            (folder / name).unlink(missing_ok=True)
        write_atomically(folder / CONFIGURATION, content.encode() + b"\n")
    return Run(folder, configuration)


def _check_free(folder: Path, force: bool) -> None:
    """Refuse a folder with something in it, unless it is a run that may be overwritten."""
    names = {path.name for path in folder.iterdir() if not is_own(path.name)}
    if names and CONFIGURATION not in names:
        raise InputError(f"The folder {folder} is not empty and holds no run. Give an empty or new one.")
    if names and not force:
        raise InputError(
            f"The folder {folder} holds a run already. Continue it with --resume, "
            "overwrite it with --force, or give another folder."
        )


def _unused(folder: Path) -> Path:
    """Make `folder`, or a numbered sibling if it exists: two runs may start in one second."""
    number, free = 2, folder
    while True:
        try:
            free.mkdir(parents=True)
        except FileExistsError:
            free = folder.with_name(f"{folder.name}-{number}")
            number += 1
        else:
            return free
