"""What made a run decides how it goes on: each maker continues its own, and names the command for others."""

import shlex
from pathlib import Path
from typing import Literal

from retronet.errors import InputError
from retronet.runs.configuration import ByImport, ByPruning, ByRetraining, Made


def go_on_command(folder: Path, made: Made) -> str:
    """Return the command that goes on with the run in `folder` where it was cut off, quoted for a shell."""
    match made:
        case ByRetraining():
            words = ["retrain", "--resume", str(folder)]
        case ByPruning():
            words = ["prune", "--resume", str(folder)]
        case _:
            words = ["train", "--resume", str(folder)]
    return shlex.join(["retronet", *words])


def kept_after(made: Made) -> Literal["pass", "stage"]:
    """Return what a run is kept after: a pass over the digits, or a stage of pruning."""
    return "stage" if isinstance(made, ByPruning) else "pass"


def other_maker(folder: Path, made: Made) -> InputError:
    """Return the error for going on with the run in `folder` by a command that did not make it."""
    match made:
        case ByImport(file=file):
            what = (
                f"imported from {file}: there is no training to go on with. Evaluate, simulate or retrain it."
            )
            return InputError(f"The run {folder} was {what}")
        case ByRetraining():
            what = "retrained within number formats, which training by its recipe would drop"
        case ByPruning():
            what = "pruned, and its deleted parameters would grow again"
        case _:
            what = "trained by its recipe, without number formats"
    return InputError(f"The run {folder} was {what}. Go on with `{go_on_command(folder, made)}`.")
