"""Keeps a retrained network as a run like any other, beside the plan that it was retrained for."""

from pathlib import Path

from msgspec.structs import replace

from hw_sim.plan.plan import PrecisionPlan
from hw_sim.plan.plan_file import plan_toml
from hw_sim.studies.retrain import Parameters, RetrainRecord, Settings
from retronet.datasets import DigitSets
from retronet.recipe import Recipe, SdlmBatch
from retronet.runs.checkpoint import Header, write_atomically
from retronet.runs.run import Run, Timing, create_run
from retronet.schedule import Steps
from retronet.training.train import PassRecord, TrainingState

PLAN = "plan.toml"


def retrained_recipe(recipe: Recipe, settings: Settings) -> Recipe:
    """Return what was done as a recipe; that weights and states were cast is what it can not say."""
    return replace(
        recipe,
        name=f"{recipe.name}-retrained",
        title=f"{recipe.title}, retrained within number formats",
        passes=settings.passes,
        rule=SdlmBatch(settings.mu, settings.patterns),
        schedule=Steps(tuple((1, settings.rate_of(number)) for number in range(1, settings.passes + 1))),
        order="shuffled",
        seed=settings.seed,
    )


def create_retrained_run(
    header: Header,
    plan: PrecisionPlan,
    digits: DigitSets,
    settings: Settings,
    origin: Path,
    folder: Path | None,
    runs: Path,
    force: bool,
) -> Run:
    """Make the folder of a retrained run, with its configuration and its plan.

    Parameters
    ----------
    header
        That of the checkpoint which is retrained.
    plan, digits, settings
        What the retraining depends on.
    origin
        The folder of the run that is retrained.
    folder, runs, force
        As for :func:`retronet.runs.run.create_run`.

    Raises
    ------
    InputError
        If `folder` is not empty, unless it holds a run and `force` is set.
    """
    text = f"{origin}, its {settings.layers} layers retrained with weights and states cast as in {PLAN}"
    recipe = retrained_recipe(header.recipe, settings)
    run = create_run(recipe, header.network, digits, folder, runs, force, text)
    write_atomically(run.folder / PLAN, plan_toml(plan).encode())
    return run


def keep_pass(
    run: Run, record: RetrainRecord, presentations: int, seconds: float, parameters: Parameters
) -> None:
    """Add a pass to a retrained run; its scores are those of the network on integers."""
    if record.rate is None or record.running_loss is None:
        return
    kept = PassRecord(
        number=record.number,
        presentations=presentations * record.number,
        rate=record.rate,
        running_loss=record.running_loss,
        train=record.train,
        test=record.test,
    )
    run.save(kept, Timing(record.number, seconds, 0.0), TrainingState(record.number, parameters, {}))
