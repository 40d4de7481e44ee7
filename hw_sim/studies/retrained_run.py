"""Keeps a retrained network as a run like any other, beside the plan that it was retrained for."""

from pathlib import Path

from hw_sim.plan.plan_file import plan_toml
from hw_sim.studies.retrain import Retraining, RetrainRecord
from retronet.runs.checkpoint import write_atomically
from retronet.runs.run import Run, Timing, create_run
from retronet.training.train import PassRecord, TrainingState

PLAN = "plan.toml"


def create_retrained_run(
    retraining: Retraining, origin: Path, folder: Path | None, runs: Path, *, force: bool
) -> Run:
    """Make the folder of a retrained run, with its configuration and its plan.

    Parameters
    ----------
    retraining
        What is kept.
    origin
        The folder of the run that is retrained.
    folder, runs, force
        As for :func:`retronet.runs.run.create_run`.

    Raises
    ------
    InputError
        If `folder` is not empty, unless it holds a run and `force` is set.
    """
    layers, trained = retraining.settings.layers, retraining.trained
    text = f"{origin}, its {layers} layers retrained with weights and states cast as in {PLAN}"
    run = create_run(trained.recipe, trained.network, retraining.digits, folder, runs, force, text)
    write_atomically(run.folder / PLAN, plan_toml(retraining.plan).encode())
    return run


def keep_pass(run: Run, retraining: Retraining, record: RetrainRecord, seconds: float) -> None:
    """Add the pass that was just made to a retrained run; its scores are those of the network on integers."""
    if record.rate is None or record.running_loss is None:
        return
    kept = PassRecord(
        number=record.number,
        presentations=len(retraining.digits.train.images) * record.number,
        rate=record.rate,
        running_loss=record.running_loss,
        train=record.train,
        test=record.test,
    )
    state = TrainingState(record.number, dict(retraining.trained.parameters), {})
    run.save(kept, Timing(record.number, seconds, 0.0), state)
