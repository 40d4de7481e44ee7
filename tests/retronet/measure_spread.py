"""Measures how far runs part that ought to be alike, ten of each, for ``test_recreations.py``.

A re-creation from the very weights and digits of its original parts from it by rounding alone: each first
weight is moved to the number next to it. One whose digits are other roundings of the same scans has each
pixel moved within half a step of eight bits.

    RETRONET_DATA_DIR=… python tests/retronet/measure_spread.py [CASE ...]

writes ``recreation_spread.json`` beside itself, or the cases that are named into it. All take some minutes.
"""

import argparse
import json
import os
from pathlib import Path

import numpy as np

from retronet.datasets import Dataset, DigitSets, load
from retronet.engines.engine import Parameters
from retronet.network import load_network
from retronet.recipe import load_recipe, override
from retronet.training.train import PassRecord, Training, TrainingState

FILE = Path(__file__).with_name("recreation_spread.json")
TIMES = 10
Case = tuple[str, dict[str, object], tuple[int, ...]]
ROUNDING: dict[str, Case] = {
    # recipe, changes, passes
    "karpathy2022 test-first": ("karpathy2022", {"data": "mnist1989-test-first"}, (1, 5, 10, 23)),
    "karpathy2022 train-first": (
        "karpathy2022",
        {"data": "mnist1989-train-first"},
        (1, 2, 3, 4, 5, 6, 7, 10, 23),
    ),
    "karpathy2022-modern-1": ("karpathy2022-modern-1", {}, (23,)),
    "karpathy2022-modern-2": ("karpathy2022-modern-2", {}, (46,)),
}
PIXELS: dict[str, Case] = {"usps2023": ("usps2023", {}, (1, 3, 5, 10, 23))}
STEP = 2 / 255
"""Of pixels of 8 bits on −1 … 1, which the original of `PIXELS` has been read from."""


def moved(parameters: Parameters, seed: int) -> Parameters:
    """Return parameters in single precision, each moved up or down to the next number."""
    rng = np.random.default_rng(seed)
    found: Parameters = {}
    for name, array in parameters.items():
        single = array.astype(np.float32)
        ends = np.where(rng.random(single.shape) < 0.5, np.float32(-np.inf), np.float32(np.inf))
        found[name] = np.nextafter(single, ends)
    return found


def rescanned(half: Dataset, seed: int) -> Dataset:
    """Return digits whose pixels may have been these before they were rounded to eight bits."""
    moves = np.random.default_rng([seed, len(half.labels)]).uniform(-STEP / 2, STEP / 2, half.images.shape)
    images = np.clip(half.images + moves, -1, 1).astype(np.float32)
    return Dataset(images, half.labels, half.provenance)


def measure(case: str, data_dir: Path) -> dict[str, dict[str, list[float]]]:
    """Return by pass, and by quantity, what each of the ten runs gives."""
    name, changes, passes = {**ROUNDING, **PIXELS}[case]
    found: dict[str, dict[str, list[float]]] = {str(number): {} for number in passes}
    for time in range(TIMES):
        recipe = override(load_recipe(name), changes)
        digits = load(recipe.data, recipe.preparation, data_dir)
        if case in PIXELS:
            digits = DigitSets(rescanned(digits.train, time), rescanned(digits.test, time), None)
        training = Training(recipe, load_network(recipe.network), digits)
        if case in ROUNDING:
            state = training.state()
            training.restore(TrainingState(0, moved(state.parameters, time), state.optimiser))
        for step in training.run():
            if isinstance(step, PassRecord) and step.number in passes:
                of_pass = found[str(step.number)]
                for half, score in (("train", step.train), ("test", step.test)):
                    of_pass.setdefault(f"{half} misses", []).append(score.misses)
                    of_pass.setdefault(f"{half} loss", []).append(score.loss or 0.0)
                if step.number == max(passes):
                    break
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", nargs="*", metavar="CASE", help="; ".join((*ROUNDING, *PIXELS)))
    chosen = parser.parse_args().cases or (*ROUNDING, *PIXELS)
    known = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    for case in chosen:
        known[case] = measure(case, Path(os.environ["RETRONET_DATA_DIR"]))
        FILE.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
