"""Keeps a retrained network as a run like any other, beside the plan that it was retrained for.

==================  ========================================================================================
``plan.toml``       the formats, for people and for `--plan`; ``run.json`` holds them too, and is what counts
``before.json``     the scores before the first pass, in floating point and in the formats
==================  ========================================================================================

``run.json`` comes first and says everything: a run cut off at any moment goes on to the same bytes.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec

from hw_sim.plan.plan import PrecisionPlan
from hw_sim.plan.plan_file import load_plan, plan_toml
from hw_sim.studies.retrain import Retraining, RetrainRecord, Settings
from retronet.datasets import DigitSets
from retronet.errors import InputError
from retronet.evaluate import Score
from retronet.runs.checkpoint import MASK, write_atomically
from retronet.runs.configuration import FIRST_SCHEMA, ByRetraining
from retronet.runs.create import create_run
from retronet.runs.lines import stamped, unstamped
from retronet.runs.lock import writing
from retronet.runs.makers import other_maker
from retronet.runs.origin import checkpoint_digest, trained_of_origin
from retronet.runs.run import BEFORE, PLAN, Run, Timing
from retronet.runs.trained_run import check_digits
from retronet.training.train import PassRecord, TrainingState


class Before(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was found before the first pass: the scores in floating point and in the formats, and warnings."""

    train: Score
    test: Score
    integers: RetrainRecord
    warnings: tuple[str, ...]


def create_retrained_run(
    retraining: Retraining, origin: Path, folder: Path | None, runs: Path, *, force: bool
) -> Run:
    """Make the folder of a retrained run, with its configuration and its plan.

    Parameters
    ----------
    retraining
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
    trained, plan = retraining.trained, retraining.plan
    # As JSON has them, so that what is read back is equal.
    kept = msgspec.json.decode(msgspec.json.encode((retraining.settings, plan)))
    made = ByRetraining(str(origin), checkpoint_digest(origin), *kept)
    run = create_run(trained.recipe, trained.network, retraining.digits, folder, runs, force, made)
    _write_plan(run, plan)
    return run


def plan_of(run: Run) -> PrecisionPlan | None:
    """Return the plan that `run` was retrained under, or None if it was not retrained.

    Raises
    ------
    InputError
        If it can not be read, or ``plan.toml`` is no longer what ``run.json`` says.
    """
    made, path = run.configuration.made, run.folder / PLAN
    if not isinstance(made, ByRetraining):
        return None
    if run.configuration.schema == FIRST_SCHEMA:
        return load_plan(path, run.configuration.network)
    plan = _recorded(run, made)[0]
    if path.exists() and load_plan(path, run.configuration.network) != plan:
        raise InputError(
            f"The plan {path} is not the one that the run was retrained under, which run.json holds: it was "
            f"edited. Name it with --plan to take it all the same, or delete it to take that of run.json."
        )
    return plan


def continue_retraining(run: Run, digits: DigitSets) -> Iterator[RetrainRecord]:
    """Retrain the passes of `run` that are left and keep each; yield their records.

    The scores before the first pass are kept too, and yielded if it had not begun.

    Raises
    ------
    InputError
        If the digits are others, what is on disk does not fit, something else made the run, or another
        process writes it.
    DivergedError
        If the loss leaves the range of finite numbers.
    """
    configuration, made = run.configuration, run.configuration.made
    if not isinstance(made, ByRetraining):
        raise other_maker(run.folder, made)
    if configuration.schema == FIRST_SCHEMA:
        raise InputError(
            f"The run {run.folder} is of an earlier version, which did not keep how it was retrained: it can "
            f"be used as it is, not gone on with. Retrain {made.origin} again."
        )
    check_digits(run, digits)
    plan, settings = _recorded(run, made)
    with writing(run.folder):
        run.check_unchanged()
        state = run.rewind()
        if state is None:
            begun = trained_of_origin(run, Path(made.origin), made.origin_sha256, "Retrain again")
            begun = replace(begun, recipe=configuration.recipe)
        else:
            begun = run.trained
        if not (run.folder / PLAN).exists():
            _write_plan(run, plan)
        training = Retraining(begun, digits, plan, settings, 0 if state is None else state.passes)
        mark = time.perf_counter()
        for record in training.run():
            now = time.perf_counter()
            if record.rate is None:
                before = Before(*training.float_scores(), record, training.warnings)
                write_atomically(run.folder / BEFORE, stamped(msgspec.json.encode(before)))
            keep_pass(run, training, record, now - mark)
            mark = time.perf_counter()
            yield record


def read_before(run: Run) -> Before:
    """Return what was found before the first pass.

    Raises
    ------
    InputError
        If it is not there or damaged.
    """
    path = run.folder / BEFORE
    try:
        content = unstamped(path.read_bytes())
        if content is None:
            raise ValueError("it has no digest")
        return msgspec.json.decode(content, type=Before)
    except (ValueError, RecursionError, FileNotFoundError) as error:
        raise InputError(
            f"The file {path} is damaged or missing ({error}). The run itself can be used; to have its "
            "scores before the first pass again, retrain anew."
        ) from error


def keep_pass(run: Run, retraining: Retraining, record: RetrainRecord, seconds: float) -> None:
    """Add the pass that was just made to a retrained run; its scores are those of the network on integers."""
    if record.rate is None or record.running_loss is None:
        return
    trained = retraining.trained
    kept = PassRecord(
        number=record.number,
        presentations=len(retraining.digits.train.images) * record.number,
        rate=record.rate,
        running_loss=record.running_loss,
        train=record.train,
        test=record.test,
    )
    run.save(
        kept,
        Timing(record.number, seconds, 0.0),
        TrainingState(
            record.number, dict(trained.parameters), {MASK: dict(trained.mask)} if trained.mask else {}
        ),
    )


def _write_plan(run: Run, plan: PrecisionPlan) -> None:
    write_atomically(run.folder / PLAN, plan_toml(plan).encode())


def _recorded(run: Run, made: ByRetraining) -> tuple[PrecisionPlan, Settings]:
    try:
        return msgspec.convert(made.plan, PrecisionPlan), msgspec.convert(made.settings, Settings)
    except (ValueError, InputError) as error:
        raise InputError(
            f"The run {run.folder} is damaged: its run.json holds no usable plan or settings ({error}). "
            "Retrain again or take another run."
        ) from error
