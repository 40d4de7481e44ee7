"""Several seeds: the same bytes on one process or two, continued where cut off; intervals by the book."""

import math
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace as replace_struct

from retronet.datasets import DigitSets, load
from retronet.datasets.catalogue import SOURCES
from retronet.errors import InputError
from retronet.recipe import Recipe, load_recipe, override
from retronet.runs.run import CHECKPOINT, EPOCHS
from retronet.studies import seeds
from retronet.studies.seeds import SeedResult, seed_folder, spread, spreads, train_seed, train_seeds


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


class Threads(ThreadPoolExecutor):
    """One process that gets all the seeds, as the worker of a cluster may, two at a time."""

    def __init__(self) -> None:
        super().__init__(2)
        self.given = 0

    def submit(self, *arguments: Any, **named: Any) -> Any:
        self.given += 1
        return super().submit(*arguments, **named)


@pytest.mark.parametrize("executor", [None, Threads])
def test_a_process_loads_the_digits_once(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, executor: type[Threads] | None
) -> None:
    """Seeds share them, also where they are trained at once, and no seed leaves them otherwise."""
    loads: list[DigitSets] = []

    def counted(*words: Any) -> DigitSets:
        loads.append(load(*words))
        return loads[-1]

    seeds._digits_kept.cache_clear()
    monkeypatch.setattr(seeds, "load", counted)
    for runs in (tmp_path, tmp_path):  # the second time, all are finished
        with Threads() if executor else nullcontext() as here:
            done = sorted(train_seeds(recipe, (0, 1, 2), runs, None, here), key=lambda result: result.seed)
    assert len(loads) == (1 if executor else 2)
    for half in (loads[-1].train, loads[-1].test):
        fresh = getattr(load(recipe.data, recipe.preparation), half.provenance.split)
        assert half.images.tobytes() == fresh.images.tobytes()
        assert half.labels.tobytes() == fresh.labels.tobytes()
    known = load(recipe.data, recipe.preparation)
    assert [
        train_seed(override(recipe, {"seed": seed}), tmp_path / "anew", known).records for seed in (1, 2)
    ] == [each.records for each in done[1:]]
    loads.clear()
    list(train_seeds(recipe, (0,), tmp_path, None, None, known))
    assert not loads, "loaded already"
    with Threads() as here:
        again = list(train_seeds(recipe, (0, 1, 2), tmp_path, None, here, known))
    assert (again, here.given) == (done, 0), "finished ones are given to nobody"
    seeds._digits_kept.cache_clear()


def test_a_worker_follows_what_lies_in_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that lives long: ``auto`` is the sample as long as USPS is absent, and no longer."""
    loaded: list[Path] = []

    def noted(name: str, preparation: str | None, folder: Path) -> DigitSets:
        loaded.append(folder)
        return load("digits5k", preparation, folder) if name == "auto" else load(name, preparation, folder)

    seeds._digits_kept.cache_clear()
    monkeypatch.setattr(seeds, "load", noted)
    monkeypatch.setattr(seeds, "train_seed", lambda recipe, *_: SeedResult(recipe.seed, "", ()))
    recipe = load_recipe("lecun1989")
    assert recipe.data == "auto"

    def train(folder: Path | None, digits: DigitSets | None = None) -> int:
        loaded.clear()
        with Threads() as threads:
            list(train_seeds(recipe, (0, 1, 2), tmp_path, folder, threads, digits))
        return len(loaded)

    monkeypatch.setenv("RETRONET_DATA_DIR", str(tmp_path))
    assert (train(None), train(None), train(tmp_path)) == (1, 0, 0)
    for file in SOURCES["usps"].files:
        (tmp_path / file.folder).mkdir(exist_ok=True)
        (tmp_path / file.folder / file.names[0]).touch()
    assert (train(None), train(None)) == (1, 0)
    monkeypatch.setenv("RETRONET_DATA_DIR", str(tmp_path / "other"))
    assert train(None) == 1
    known = load("digits5k")
    assert train(None, known) == 0
    other = replace(
        known, train=replace(known.train, provenance=replace_struct(known.train.provenance, name="usps"))
    )
    with pytest.raises(
        InputError, match=r"not the same everywhere: a worker has digits5k in .* with usps\. Give"
    ):
        train(None, other)
    seeds._digits_kept.cache_clear()


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
