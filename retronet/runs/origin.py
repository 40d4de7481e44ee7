"""The run that another was made from: which one, and whether it is still the same."""

import hashlib
from pathlib import Path

from retronet.errors import InputError
from retronet.runs.run import CHECKPOINT, Run, open_run
from retronet.trained import Trained


def checkpoint_digest(folder: Path) -> str | None:
    """Return the digest of the checkpoint file of the run in `folder`, or None if there is none."""
    path = folder / CHECKPOINT
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def trained_of_origin(run: Run, origin: Path, sha256: str | None, again: str) -> Trained:
    """Return the network that `run` was begun with.

    Parameters
    ----------
    run
        The run that was made from another.
    origin, sha256
        The folder of that other run, and the digest of its checkpoint file then.
    again
        What to do if it is gone, in the imperative: "Retrain again".

    Raises
    ------
    InputError
        If it is not there, or is another.
    """
    if sha256 is None or checkpoint_digest(origin) != sha256:
        raise InputError(
            f"The run {run.folder} was cut off before its first pass, and the run it begins with is not in "
            f"{origin} or has changed. {again}, into another folder or with --force."
        )
    return open_run(origin).trained
