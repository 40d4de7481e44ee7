"""A pruned network as a run on disk: cut off anywhere, it goes on to the same bytes."""

from pathlib import Path

import numpy as np
import pytest
from support.cut_off import content, cut_off_at
from support.small_runs import DIGITS, begin, go_on, small_recipe

from retronet.errors import InputError
from retronet.runs.pruned_run import continue_pruning, create_pruned_run, settings_of, stages_of
from retronet.runs.run import Run, open_run
from retronet.runs.trained_run import continue_run
from retronet.training.pruning import Pruning, PruningSettings

SETTINGS = PruningSettings(60, 3, 1)


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return go_on(begin(tmp_path_factory.mktemp("runs") / "origin", small_recipe("sdlm-batch")))


def pruned(origin: Run, folder: Path, settings: PruningSettings = SETTINGS) -> Run:
    pruning = Pruning(origin.trained, DIGITS, settings)
    run = create_pruned_run(pruning, origin.folder, folder, folder.parent, force=False)
    for _ in continue_pruning(run, DIGITS):
        pass
    return open_run(folder)


def test_the_run_holds_what_pruning_gives(origin: Run, tmp_path: Path) -> None:
    pruning = Pruning(origin.trained, DIGITS, SETTINGS)
    records = list(pruning.run())

    run = pruned(origin, tmp_path / "pruned")

    checkpoint = run.checkpoint()
    for name, array in pruning.trained.parameters.items():
        np.testing.assert_array_equal(checkpoint.trained.parameters[name], array)
        np.testing.assert_array_equal(checkpoint.trained.mask[name], pruning.trained.mask[name])
    stages = stages_of(checkpoint)
    assert [stage["deleted"] for stage in stages] == [record.deleted for record in records] == [0, 20, 40, 60]
    for name in ("predicted", "measured", "loss"):
        assert [stage[name] for stage in stages] == [getattr(record, name) for record in records]
    assert [stage["test_misses"] for stage in stages] == [record.test.misses for record in records]
    assert [kept.test for kept in run.records()] == [record.test for record in records[1:]]
    assert settings_of(run) == SETTINGS
    assert "60 of its parameters deleted" in str(run.configuration.origin)


@pytest.mark.parametrize("stage", [0, 1, 2])
def test_a_run_cut_off_goes_on_to_the_same_bytes(origin: Run, tmp_path: Path, stage: int) -> None:
    whole = pruned(origin, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt), cut_off_at(Pruning, stage, "stage"):
        pruned(origin, tmp_path / "cut")
    cut = open_run(tmp_path / "cut")
    for _ in continue_pruning(cut, DIGITS):
        pass
    assert content(cut.folder) == content(whole.folder)


def test_a_pruned_run_is_pruned_further_and_what_is_gone_stays(origin: Run, tmp_path: Path) -> None:
    first = pruned(origin, tmp_path / "first")
    second = pruned(first, tmp_path / "second", PruningSettings(90, 2, 1))
    assert [stage["deleted"] for stage in stages_of(second.checkpoint())] == [60, 75, 90]
    for name, mask in first.trained.mask.items():
        assert not second.trained.mask[name][mask == 0].any()


def test_other_makers_are_refused_and_named(origin: Run, tmp_path: Path) -> None:
    run = pruned(origin, tmp_path / "pruned")
    with pytest.raises(InputError, match=r"was pruned.*retronet prune --resume"):
        list(continue_run(run, DIGITS))
    with pytest.raises(InputError, match=r"trained by its recipe.*retronet train --resume"):
        list(continue_pruning(origin, DIGITS))


def test_without_its_origin_a_run_can_not_begin(origin: Run, tmp_path: Path) -> None:
    pruning = Pruning(origin.trained, DIGITS, SETTINGS)
    run = create_pruned_run(pruning, tmp_path / "gone", tmp_path / "pruned", tmp_path, force=False)
    with pytest.raises(InputError, match=r"is not in .*gone or has changed\. Prune again"):
        list(continue_pruning(run, DIGITS))
