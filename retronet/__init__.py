"""The 1989 zip-code network and its line: descriptions, training, evaluation.

What most users need can be imported from here, and is loaded when it is first asked for: numba and torch are
not before.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from retronet.curvature import diagonal_curvature
    from retronet.datasets import Dataset, DigitSets, dataset_names
    from retronet.datasets import load as load_digits
    from retronet.errors import RetronetError
    from retronet.evaluate import Score, score
    from retronet.network import NetworkSpec, load_network, network_names
    from retronet.recipe import Recipe, load_recipe, override, recipe_names
    from retronet.runs.run import Run, latest_run, open_run
    from retronet.trained import Trained
    from retronet.training.train import Training, train

__version__ = "0.1.0"

_HOMES = {
    "Dataset": "datasets",
    "DigitSets": "datasets",
    "NetworkSpec": "network",
    "Recipe": "recipe",
    "RetronetError": "errors",
    "Run": "runs.run",
    "Score": "evaluate",
    "Trained": "trained",
    "Training": "training.train",
    "dataset_names": "datasets",
    "diagonal_curvature": "curvature",
    "latest_run": "runs.run",
    "load_digits": "datasets",
    "load_network": "network",
    "load_recipe": "recipe",
    "network_names": "network",
    "open_run": "runs.run",
    "override": "recipe",
    "recipe_names": "recipe",
    "score": "evaluate",
    "train": "training.train",
}
__all__ = [
    "Dataset",
    "DigitSets",
    "NetworkSpec",
    "Recipe",
    "RetronetError",
    "Run",
    "Score",
    "Trained",
    "Training",
    "dataset_names",
    "diagonal_curvature",
    "latest_run",
    "load_digits",
    "load_network",
    "load_recipe",
    "network_names",
    "open_run",
    "override",
    "recipe_names",
    "score",
    "train",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the module has under that name
    if name not in _HOMES:
        raise AttributeError(f"module 'retronet' has no attribute '{name}'")
    return getattr(import_module(f"retronet.{_HOMES[name]}"), "load" if name == "load_digits" else name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
