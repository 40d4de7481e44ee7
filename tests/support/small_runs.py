"""A training run that takes milliseconds: a small network, made-up digits and a recipe for each rule."""

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from retronet.datasets import Dataset, DigitSets, Provenance
from retronet.network import Conv, Dense, NetworkSpec, Tanh
from retronet.recipe import Recipe, load_recipe, override
from retronet.runs.checkpoint import FIRST_SCHEMA, Checkpoint
from retronet.runs.create import create_run
from retronet.runs.run import Run
from retronet.runs.trained_run import continue_run
from retronet.training.train import PassRecord

RULES: dict[str, tuple[dict[str, Any], float]] = {
    # the rule, and a rate that suits it
    "sgd": ({"kind": "sgd"}, 0.02),
    "sdlm-running": ({"kind": "sdlm-running", "mu": 0.05, "gamma": 0.05}, 2e-3),
    "sdlm-batch": ({"kind": "sdlm-batch", "mu": 0.02, "patterns": 20}, 2e-3),
    "adam": ({"kind": "adam", "batch": 7}, 3e-3),
    "adamw": ({"kind": "adamw"}, 3e-3),
}

NETWORK = NetworkSpec(
    "small",
    "",
    (1, 6, 6),
    (
        Conv("a", 3, 3, Tanh(1.7159, 2 / 3), stride=2, pad=1, border=-1.0, bias="unit"),
        Conv("b", 2, 2, Tanh(1.7159, 2 / 3), sees=((0, 2), (1,))),
        Dense("c", 6, Tanh(1.7159, 2 / 3)),
        Dense("output", 10, Tanh(1.7159, 2 / 3)),
    ),
)


def small_recipe(rule: str = "sdlm-running", passes: int = 4, **changes: object) -> Recipe:
    """Return a recipe for `NETWORK`: that of 1989 with another rule, and what else is changed."""
    kind, rate = RULES[rule]
    settings = {"name": "small", "network": "small", "data": "made-up", "passes": passes, "rule": kind}
    return override(load_recipe("lecun1989"), settings | {"schedule.rate": rate} | changes)


def small_digits(count: int = 60, seed: int = 0) -> DigitSets:
    """Return made-up digits: a picture for each class, with noise."""
    rng = np.random.default_rng(seed)
    pictures = rng.uniform(-1, 1, (10, 6, 6))

    def split(name: str, size: int) -> Dataset:
        labels = rng.integers(0, 10, size).astype(np.uint8)
        images: NDArray[np.floating] = pictures[labels] + rng.normal(0, 0.3, (size, 6, 6))
        provenance = Provenance("made-up", name, "none", f"{seed}", f"{seed}", "none", "drawn at random")
        return Dataset(images.astype(np.float32), labels, provenance)

    return DigitSets(split("train", count), split("test", 20), None)


def of_the_first_schema(checkpoint: Checkpoint) -> bytes:
    """Return the bytes that an earlier version wrote: no digest."""
    header = msgspec.to_builtins(msgspec.structs.replace(checkpoint.header, schema=FIRST_SCHEMA))
    del header["digest"]
    arrays = {
        f"{group}.{name}": array
        for group, named in {"parameter": checkpoint.state.parameters, **checkpoint.state.optimiser}.items()
        for name, array in named.items()
    }
    content = save(arrays, metadata={"retronet": json.dumps(header, sort_keys=True)})
    assert isinstance(content, bytes)
    return content


DIGITS = small_digits()


def begin(folder: Path, recipe: Recipe, force: bool = False) -> Run:
    """Begin a run on `DIGITS`."""
    return create_run(recipe, NETWORK, DIGITS, folder, folder.parent, force)


def go_on(run: Run, passes: int | None = None, digits: DigitSets = DIGITS) -> Run:
    """Train what is left, or leave after some passes as an interruption does."""
    done = 0
    for step in continue_run(run, digits):
        done += isinstance(step, PassRecord)
        if done == passes:
            break
    return run
