"""The command `retronet retrain`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from retronet_cli.forms import FORM_PARAMETERS, Form, form_options, give
from retronet_cli.options import (
    PASSES,
    SEED,
    Real,
    data_dir_option,
    force_option,
    new_run_option,
    plan_out_option,
    quiet_option,
    run_argument,
    runs_option,
)
from retronet_cli.precision import Choices, chosen_plan, precision_options_for, write_plan

if TYPE_CHECKING:
    from retronet.datasets import DigitSets
    from retronet.runs.run import Run


@click.command(short_help="Train on with the quantiser in the loop.")
@run_argument
@precision_options_for("3, or 8 beside another format")
@click.option(
    "--layers",
    type=click.Choice(["all", "last"]),
    default="all",
    show_default=True,
    help="What is trained; the formats hold for all layers in any case.",
)
@click.option("--passes", type=PASSES, default=5, show_default=True, help="Passes.")
@click.option(
    "--rate",
    type=Real(),
    default=0.0005,
    show_default=True,
    help="The rate of the first pass; it halves from pass to pass.",
)
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of the order.")
@new_run_option
@click.option(
    "--resume",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Go on with the retrained run in DIR, to the same bytes as if it had not stopped.",
)
@force_option
@plan_out_option
@data_dir_option
@runs_option
@form_options
@quiet_option
def retrain(
    run: Path | None,
    choices: Choices,
    layers: str,
    passes: int,
    rate: float,
    seed: int,
    folder: Path | None,
    resume: Path | None,
    force: bool,
    plan_out: Path | None,
    data_dir: Path | None,
    runs: Path,
    form: Form,
    quiet: bool,
) -> None:
    """Train on with the quantiser in the loop.

    RUN is the folder of a run; without it, the latest one. Weights and states are cast in every forward pass,
    derivatives go straight through the casts, and the steps go into weights in floating point. The result is
    a new run, with its formats in plan.toml, under which `simulate` runs it. Without any option for formats:
    3 bits, with scales of least squared error. Interrupt it at any moment, go on with --resume.

    \b
    Examples:
      retronet retrain
      retronet retrain --weight-format '{-1,0,1}' --scale threshold:0.7 --state-bits 8
      retronet retrain --weight-bits 3 --state-bits 8 --scale mse --layers last
      retronet retrain --plan-out three-bits.toml
    """
    if resume is not None:
        from retronet.runs.run import open_run
        from retronet_cli.runs import refuse_beside_resume

        refuse_beside_resume(run, FORM_PARAMETERS | {"plan_out"})
        resume_retraining(open_run(resume), data_dir, form, quiet)
        _write_plan_of(open_run(resume), plan_out)
        return
    from hw_sim.kernels.quantised_training import train_quantised
    from hw_sim.studies.ahead import to_retrain
    from hw_sim.studies.retrain import Retraining, Settings
    from hw_sim.studies.retrained_run import create_retrained_run
    from retronet_cli.ahead import compile_ahead
    from retronet_cli.runs import take_digits, take_run

    origin, checkpoint = take_run(run, runs, quiet)
    trained = checkpoint.trained
    compile_ahead(train_quantised, lambda: to_retrain(trained))
    digits = take_digits(checkpoint, None, data_dir)
    chosen = chosen_plan(choices if choices.given else Choices(bits=3, scale="mse"), trained, digits.train)
    settings = Settings("all" if layers == "all" else "last", passes, rate, seed=seed)
    # What can not be retrained is refused before a folder is made.
    training = Retraining(trained, digits, chosen, settings)
    new = create_retrained_run(training, origin, folder, runs, force=force)
    _learn_and_print(new, digits, data_dir, form, quiet)
    _write_plan_of(new, plan_out)


def _write_plan_of(run: "Run", plan_out: Path | None) -> None:
    from hw_sim.studies.retrained_run import plan_of

    plan = plan_of(run)
    assert plan is not None
    write_plan(plan_out, plan)


def resume_retraining(run: "Run", data_dir: Path | None, form: Form, quiet: bool) -> None:
    """Go on with a run that `retronet retrain` made, and print its result.

    Raises
    ------
    InputError
        If something else made the run.
    """
    from retronet.datasets import load
    from retronet.runs.configuration import ByRetraining
    from retronet.runs.makers import other_maker

    configuration = run.configuration
    if not isinstance(configuration.made, ByRetraining):
        raise other_maker(run.folder, configuration.made)
    digits = load(run.data_name, configuration.recipe.preparation, data_dir)
    _learn_and_print(run, digits, data_dir, form, quiet)


def _learn_and_print(run: "Run", digits: "DigitSets", data_dir: Path | None, form: Form, quiet: bool) -> None:
    from hw_sim.studies.retrained_run import continue_retraining
    from retronet_cli.compiling import tell_of_compiling
    from retronet_cli.runs import going_on
    from retronet_cli.terminal import progress

    if not quiet:
        tell_of_compiling()
    passes = run.configuration.recipe.passes
    with going_on(run, data_dir), progress(enabled=not quiet) as bar:
        task = bar.add_task("passes", total=passes, completed=run.passes)
        for record in continue_retraining(run, digits):
            bar.update(task, completed=record.number)
    _print_result(run, digits, form, quiet)


def _print_result(run: "Run", digits: "DigitSets", form: Form, quiet: bool) -> None:
    """Print what the folder holds: the same whether the run was cut off or not."""
    import msgspec

    from hw_sim.studies.retrain import RetrainRecord
    from hw_sim.studies.retrained_run import plan_of, read_before
    from retronet.runs.configuration import ByRetraining
    from retronet_cli.terminal import print_table, talk
    from retronet_cli.views.retraining import retraining_table

    made, recipe, before, plan = (
        run.configuration.made,
        run.configuration.recipe,
        read_before(run),
        plan_of(run),
    )
    assert isinstance(made, ByRetraining)
    assert plan is not None
    records = [before.integers] + [
        RetrainRecord(kept.number, kept.rate, kept.running_loss, kept.train, kept.test)
        for kept in run.records()
    ]
    for warning in before.warnings:
        talk(f"Warning: {warning}")
    name, layers = digits.test.provenance.name, made.settings["layers"]
    if form.given:
        told: dict[str, Any] = {
            "run": str(run.folder),
            "origin": made.origin,
            "dataset": name,
            "settings": made.settings,
            "formats": [msgspec.to_builtins(row) for row in plan.describe()],
            "float": {"train": msgspec.to_builtins(before.train), "test": msgspec.to_builtins(before.test)},
            "passes": [msgspec.to_builtins(record) for record in records],
            "warnings": list(before.warnings),
        }
        give(form, "retraining", told, {"passes": records, "formats": told["formats"]})
        return
    title = f"{recipe.name.removesuffix('-retrained')} on {name}, {layers} layers retrained"
    print_table(retraining_table(title, (before.train, before.test), records, digits.notice))
    if not quiet:
        talk(f"Run: {run.folder}; its formats: {run.folder / 'plan.toml'}")
