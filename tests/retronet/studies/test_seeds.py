"""Several seeds: the same bytes on one process or two, continued where cut off; intervals by the book."""

import math
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from retronet.recipe import Recipe, load_recipe, override
from retronet.runs.run import CHECKPOINT, EPOCHS
from retronet.studies.seeds import seed_folder, spread, spreads, train_seeds


@pytest.fixture
def recipe() -> Recipe:
    return override(load_recipe("lecun1989"), {"data": "digits5k", "passes": 2})


def test_processes_change_no_byte_and_finished_runs_are_kept(recipe: Recipe, tmp_path: Path) -> None:
    alone, together = tmp_path / "alone", tmp_path / "together"
    here = sorted(train_seeds(recipe, (0, 1), alone, None, None), key=lambda result: result.seed)
    with ProcessPoolExecutor(2, get_context("spawn")) as executor:
        there = sorted(train_seeds(recipe, (0, 1), together, None, executor), key=lambda result: result.seed)
    assert [result.records for result in here] == [result.records for result in there]
    assert here[0].records != here[1].records
    for seed in (0, 1):
        for name in (CHECKPOINT, EPOCHS):
            assert (seed_folder(alone, recipe, seed) / name).read_bytes() == (
                seed_folder(together, recipe, seed) / name
            ).read_bytes()
    checkpoint = seed_folder(alone, recipe, 0) / CHECKPOINT
    written = checkpoint.stat().st_mtime_ns
    again = list(train_seeds(recipe, (0,), alone, None, None))
    assert again[0].records == here[0].records
    assert checkpoint.stat().st_mtime_ns == written
    # An edited recipe is another run beside it, not a continuation.
    edited = override(recipe, {"passes": 1})
    assert len(next(iter(train_seeds(edited, (0,), alone, None, None))).records) == 1
    assert checkpoint.stat().st_mtime_ns == written
    assert spreads(here)["test"]["misses"].count == 2


def test_intervals_by_the_book() -> None:
    found = spread([1.0, 2.0, 3.0, 4.0])
    deviation = math.sqrt(5 / 3)
    t = 3.182446305  # Student's 97.5 % point for 3 degrees of freedom, from printed tables
    assert found.deviation == pytest.approx(deviation)
    assert found.mean_high == pytest.approx(2.5 + t * deviation / 2, rel=1e-8)
    assert found.next_low == pytest.approx(2.5 - t * deviation * math.sqrt(1.25), rel=1e-8)
    assert spread([7.0]).mean_low is None


def test_folders_keep_their_names_when_recipes_come_to_say_more() -> None:
    """That of the hundred seeds of NC89, before there were distortions."""
    recipe = load_recipe("lecun1989")
    assert seed_folder(Path("runs"), recipe, 3) == Path("runs/lecun1989-695f40-seed3")
    distorted = override(recipe, {"distortion": {"copies": 1, "shift": 1.0}})
    assert seed_folder(Path("runs"), distorted, 3) != seed_folder(Path("runs"), recipe, 3)
