"""Measures how far runs part that differ by rounding alone: ten, each first weight moved by one last place.

Run it where the real digits are (``RETRONET_DATA_DIR``); it writes ``recreation_spread.json`` beside itself,
which ``test_recreations.py`` takes its tolerances from. It takes some minutes.
"""

import json
import os
from pathlib import Path

import numpy as np

from retronet.datasets import load
from retronet.engines.engine import Parameters
from retronet.network import load_network
from retronet.recipe import load_recipe, override
from retronet.training.train import PassRecord, Training

FILE = Path(__file__).with_name("recreation_spread.json")
TIMES = 10
CASES: dict[str, tuple[str, str | None, tuple[int, ...]]] = {
    # recipe, digits instead of its own, passes
    "karpathy2022 test-first": ("karpathy2022", "mnist1989-test-first", (1, 5, 10, 23)),
    "karpathy2022 train-first": ("karpathy2022", "mnist1989-train-first", (1, 2, 3, 4, 5, 6, 7, 10, 23)),
    "karpathy2022-modern-1": ("karpathy2022-modern-1", None, (23,)),
    "karpathy2022-modern-2": ("karpathy2022-modern-2", None, (46,)),
    "usps2023": ("usps2023", None, (1, 3, 5, 10, 23)),
}


def moved(parameters: Parameters, seed: int) -> Parameters:
    """Return parameters in single precision, each moved up or down to the next number."""
    rng = np.random.default_rng(seed)
    found: Parameters = {}
    for name, array in parameters.items():
        single = array.astype(np.float32)
        ends = np.where(rng.random(single.shape) < 0.5, np.float32(-np.inf), np.float32(np.inf))
        found[name] = np.nextafter(single, ends)
    return found


def measure(name: str, data: str | None, passes: tuple[int, ...], data_dir: Path) -> dict[str, object]:
    """Return by pass, and by quantity, what each of the moved runs gives."""
    recipe = override(load_recipe(name), {} if data is None else {"data": data})
    network, digits = load_network(recipe.network), load(recipe.data, recipe.preparation, data_dir)
    found: dict[str, dict[str, list[float]]] = {str(number): {} for number in passes}
    for seed in range(TIMES):
        training = Training(recipe, network, digits)
        training._engine.load(moved(training.state().parameters, seed), {}, steps=0)
        for step in training.run():
            if not isinstance(step, PassRecord):
                continue
            if step.number in passes:
                of_pass = found[str(step.number)]
                for half, score in (("train", step.train), ("test", step.test)):
                    of_pass.setdefault(f"{half} misses", []).append(score.misses)
                    assert score.loss is not None
                    of_pass.setdefault(f"{half} loss", []).append(score.loss)
            if step.number == max(passes):
                break
    return found


if __name__ == "__main__":
    folder = Path(os.environ["RETRONET_DATA_DIR"])
    spread = {case: measure(*settings, folder) for case, settings in CASES.items()}
    FILE.write_text(json.dumps(spread, indent=1) + "\n", encoding="utf-8")
