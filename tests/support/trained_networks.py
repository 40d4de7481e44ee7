"""Networks as if they had been trained: parameters drawn or given, and a recipe to go with them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retronet.datasets import Dataset, Provenance
from retronet.network import NetworkSpec
from retronet.recipe import load_recipe
from retronet.trained import Trained
from support.small_network import draw


def trained_of(network: NetworkSpec, parameters: Mapping[str, NDArray[Any]]) -> Trained:
    """Return a network with these parameters, under the recipe of 1989: targets ±1, a squared error."""
    return Trained(network, parameters, load_recipe("lecun1989"))


def drawn(
    network: NetworkSpec, seed: int, images: int, spread: float = 1.0
) -> tuple[Trained, NDArray[np.float32]]:
    """Return `network` with random parameters in ±spread (some of them 0), and images in ±1."""
    parameters, pixels = draw(network, seed, images)
    small = {name: (values * spread).astype(np.float32) for name, values in parameters.items()}
    return trained_of(network, small), pixels


def dataset_of(images: NDArray[np.float32], labels: NDArray[np.uint8] | None = None) -> Dataset:
    """Return images as digits; without labels all are noughts."""
    given = np.zeros(len(images), np.uint8) if labels is None else labels
    return Dataset(images, given, Provenance("made-up", "test", "none", "", "", "none", "drawn at random"))
