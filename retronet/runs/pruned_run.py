"""Keeps a pruned network as a run like any other.

A stage of pruning is what a pass is of other runs: a line of ``epochs.jsonl``, and then the checkpoint. That
holds, besides the parameters, the mask (:attr:`retronet.trained.Trained.mask`) and under ``pruning`` the
figures of the stages so far. A run cut off at any moment goes on to the same bytes.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
from msgspec.structs import replace

from retronet.datasets import DigitSets
from retronet.engines.workspace import Parameters
from retronet.errors import InputError
from retronet.recipe import Recipe, SdlmBatch
from retronet.runs.checkpoint import MASK, Checkpoint
from retronet.runs.configuration import ByPruning
from retronet.runs.create import create_run
from retronet.runs.lock import writing
from retronet.runs.makers import other_maker
from retronet.runs.origin import checkpoint_digest, trained_of_origin
from retronet.runs.run import Run, Timing
from retronet.runs.trained_run import check_digits
from retronet.schedule import Constant
from retronet.trained import Trained
from retronet.training.pruning import Pruning, PruningSettings, StageRecord
from retronet.training.train import PassRecord, TrainingState

FIGURES = "pruning"
COLUMNS = ("deleted", "predicted", "measured", "loss", "train_misses", "test_misses")
"""What is kept of each stage, and first of the network before them, arrays of doubles."""


def create_pruned_run(pruning: Pruning, origin: Path, folder: Path | None, runs: Path, *, force: bool) -> Run:
    """Make the folder of a pruned run, with its configuration.

    Parameters
    ----------
    pruning
        What is to be done.
    origin
        The run that the network comes from.
    folder, runs, force
        As for :func:`retronet.runs.create.create_run`.

    Raises
    ------
    InputError
        If `folder` is not empty, unless it holds a run and `force` is set.
    """
    settings = msgspec.json.decode(msgspec.json.encode(pruning.settings))
    made = ByPruning(str(origin), checkpoint_digest(origin) or "", settings)
    recipe = pruned_recipe(pruning.trained.recipe, pruning.settings)
    return create_run(recipe, pruning.trained.network, pruning.digits, folder, runs, force, made)


def pruned_recipe(recipe: Recipe, settings: PruningSettings) -> Recipe:
    """Return what was done as a recipe; that parameters were deleted is what it can not say."""
    return replace(
        recipe,
        name=f"{recipe.name}-pruned",
        title=f"{recipe.title}, pruned",
        passes=settings.stages,
        rule=SdlmBatch(settings.mu, settings.patterns),
        schedule=Constant(settings.rate),
        order="shuffled",
        seed=settings.seed,
    )


def continue_pruning(run: Run, digits: DigitSets) -> Iterator[StageRecord]:
    """Do the stages of `run` that are left and keep each; yield their records.

    Raises
    ------
    InputError
        If the digits are others, what is on disk does not fit, something else made the run, or another
        process writes it.
    DivergedError
        If the loss leaves the range of finite numbers.
    """
    configuration, made = run.configuration, run.configuration.made
    if not isinstance(made, ByPruning):
        raise other_maker(run.folder, made)
    check_digits(run, digits)
    settings = settings_of(run)
    with writing(run.folder):
        run.check_unchanged()
        state = run.rewind()
        figures: Parameters = {name: np.zeros(0) for name in COLUMNS}
        if state is None:
            origin = trained_of_origin(run, Path(made.origin), made.origin_sha256, "Prune again")
            begun = Trained(origin.network, origin.parameters, configuration.recipe, origin.mask)
            pruning = Pruning(begun, digits, settings)
        else:
            figures = dict(state.optimiser[FIGURES])
            before = int(figures["deleted"][0])
            pruning = Pruning(run.trained, digits, settings, state.passes, before)
        mark = time.perf_counter()
        for record in pruning.run():
            row = (
                record.deleted,
                record.predicted,
                record.measured,
                record.loss,
                record.train.misses,
                record.test.misses,
            )
            figures = {
                name: np.append(figures[name], value) for name, value in zip(COLUMNS, row, strict=True)
            }
            if record.stage:
                now = time.perf_counter()
                optimiser: dict[str, Parameters] = {MASK: dict(pruning.trained.mask), FIGURES: figures}
                run.save(
                    _as_pass(record, pruning),
                    Timing(record.stage, now - mark, 0.0),
                    TrainingState(record.stage, dict(pruning.trained.parameters), optimiser),
                )
                mark = now
            yield record


def settings_of(run: Run) -> PruningSettings:
    """Return how a pruned run was made.

    Raises
    ------
    InputError
        If something else made it, or ``run.json`` does not say.
    """
    made = run.configuration.made
    if not isinstance(made, ByPruning):
        raise other_maker(run.folder, made)
    try:
        return msgspec.convert(made.settings, PruningSettings)
    except ValueError as error:
        raise InputError(
            f"The run {run.folder} is damaged: its run.json holds no usable settings ({error}). "
            "Prune again or take another run."
        ) from error


def stages_of(checkpoint: Checkpoint) -> list[dict[str, float]]:
    """Return what is kept of each stage of a pruned run: `COLUMNS` by name, first before any."""
    figures = checkpoint.state.optimiser[FIGURES]
    return [
        dict(zip(COLUMNS, (float(value) for value in row), strict=True))
        for row in zip(*(figures[name] for name in COLUMNS), strict=True)
    ]


def _as_pass(record: StageRecord, pruning: Pruning) -> PassRecord:
    """Return a stage as the line that it has among the passes."""
    learnt = pruning.settings.passes * len(pruning.digits.train.labels)
    return PassRecord(
        number=record.stage,
        presentations=learnt * record.stage,
        rate=0.0 if record.rate is None else record.rate,
        running_loss=record.loss if record.running_loss is None else record.running_loss,
        train=record.train,
        test=record.test,
    )
