"""What a pruned network asks of numbers: that a deleted weight is 0 in them too."""

import numpy as np
from numpy.typing import NDArray

from retronet.connections import weight_rows
from retronet.errors import InputError
from retronet.network import SizedLayer
from retronet.trained import Trained


def check_deleted(sized: SizedLayer, trained: Trained, weights: NDArray[np.int64], form: str) -> None:
    """Refuse numbers in which a deleted weight is no longer 0.

    Parameters
    ----------
    sized
        The layer.
    trained
        The network; its mask says what was deleted.
    weights : ndarray, shape (maps, most taps)
        Its weights as whole numbers, tap by tap and plane by plane.
    form
        What the numbers are called.

    Raises
    ------
    InputError
        If a deleted weight is not 0.
    """
    kept = trained.mask.get(f"{sized.name}.weight")
    if kept is None:
        return
    changed = int(np.count_nonzero(weights[weight_rows(sized, kept) == 0]))
    if changed:
        raise InputError(
            f"Layer '{sized.name}' is pruned, and {form} has no zero: {changed:,} of its deleted weights "
            "would come back. Numbers with a zero are allowed. Choose such, or a run that is not pruned."
        )
