"""A run on disk, trained for a moment."""

from pathlib import Path

import numba
import pytest

from retronet.datasets import load
from retronet.network import load_network
from retronet.recipe import load_recipe, override
from retronet.runs.create import create_run
from retronet.runs.run import Run
from retronet.runs.trained_run import continue_run


def train_briefly(folder: Path, passes: int = 1, data: str = "digits5k", data_dir: Path | None = None) -> Run:
    """Return a run in `folder` of the 1989 network; skip the test where the kernels are interpreted."""
    if numba.config.DISABLE_JIT:
        pytest.skip("thousands of digits need compiled code")
    recipe = override(load_recipe("lecun1989"), {"data": data, "passes": passes})
    digits = load(recipe.data, recipe.preparation, data_dir)
    run = create_run(recipe, load_network(recipe.network), digits, folder, folder.parent, force=False)
    for _ in continue_run(run, digits):
        pass
    return run
