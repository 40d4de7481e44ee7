"""The command `retronet prune`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from retronet_cli.forms import FORM_PARAMETERS, Form, form_options, give
from retronet_cli.options import (
    COUNT,
    PASSES,
    SEED,
    Real,
    Share,
    data_dir_option,
    force_option,
    new_run_option,
    quiet_option,
    run_argument,
    runs_option,
)

if TYPE_CHECKING:
    from retronet.datasets import DigitSets
    from retronet.runs.run import Run
    from retronet.trained import Trained

CURVE_STEPS = 20
WORD_BITS = 32
"""Of a weight where a chip states no width: a processor's floating-point word."""


@click.command(short_help="Delete the parameters that the loss depends on least.")
@run_argument
@click.option(
    "--delete",
    "share",
    type=Share(),
    default="60%",
    show_default=True,
    metavar="N|P%",
    help="How many parameters are deleted in all.",
)
@click.option(
    "--stages",
    type=COUNT,
    default=10,
    show_default=True,
    help="Equal steps in which they are deleted, with new second derivatives for each.",
)
@click.option(
    "--passes",
    type=click.IntRange(0, PASSES.max),
    default=3,
    show_default=True,
    help="Passes that the rest learns on after each step; 0 for none.",
)
@click.option(
    "--rate",
    type=Real(),
    default=0.001,
    show_default=True,
    help="The rate of the first pass of each step; it halves from pass to pass.",
)
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of the order.")
@click.option(
    "--curve",
    is_flag=True,
    help=f"Only tabulate what more and more deletions do, {CURVE_STEPS} steps without learning on.",
)
@new_run_option
@click.option(
    "--resume",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Go on with the pruned run in DIR, to the same bytes as if it had not stopped.",
)
@force_option
@data_dir_option
@runs_option
@form_options
@quiet_option
def prune(
    run: Path | None,
    share: str,
    stages: int,
    passes: int,
    rate: float,
    seed: int,
    curve: bool,
    folder: Path | None,
    resume: Path | None,
    force: bool,
    data_dir: Path | None,
    runs: Path,
    form: Form,
    quiet: bool,
) -> None:
    """Delete the parameters that the loss depends on least.

    RUN is the folder of a run; without it, the latest one. Deleting a parameter is predicted to raise the
    loss by half its second derivative times its square (optimal brain damage, 1990); those of the least rise
    are set to 0 for good, the rest learns on, and so on. The result is a new run; deleted weights stay 0 when
    it is retrained, simulated in number formats, or exported.

    \b
    Examples:
      retronet prune
      retronet prune --delete 1500 --stages 12
      retronet prune --curve
    """
    if resume is not None:
        from retronet.runs.run import open_run
        from retronet_cli.runs import refuse_beside_resume

        refuse_beside_resume(run, FORM_PARAMETERS)
        resume_pruning(open_run(resume), data_dir, form, quiet)
        return
    from retronet.runs.pruned_run import create_pruned_run
    from retronet.training.pruning import Pruning, PruningSettings, parameter_count
    from retronet_cli.runs import take_digits, take_run

    origin, checkpoint = take_run(run, runs, quiet)
    digits = take_digits(checkpoint, None, data_dir)
    trained = checkpoint.trained
    if curve:
        _print_curve(trained, digits, origin, form, quiet)
        return
    delete = Share.count(share, parameter_count(trained.network))
    settings = PruningSettings(delete, stages, passes, rate, seed=seed)
    # What can not be pruned is refused before a folder is made.
    pruning = Pruning(trained, digits, settings)
    new = create_pruned_run(pruning, origin, folder, runs, force=force)
    _prune_and_print(new, digits, data_dir, form, quiet)


def resume_pruning(run: "Run", data_dir: Path | None, form: Form, quiet: bool) -> None:
    """Go on with a run that `retronet prune` made, and print its result.

    Raises
    ------
    InputError
        If something else made the run.
    """
    from retronet.datasets import load
    from retronet.runs.pruned_run import settings_of

    settings_of(run)
    digits = load(run.data_name, run.configuration.recipe.preparation, data_dir)
    _prune_and_print(run, digits, data_dir, form, quiet)


def _prune_and_print(run: "Run", digits: "DigitSets", data_dir: Path | None, form: Form, quiet: bool) -> None:
    from retronet.runs.pruned_run import continue_pruning
    from retronet_cli.runs import going_on
    from retronet_cli.terminal import progress

    stages = run.configuration.recipe.passes
    with going_on(run, data_dir), progress(enabled=not quiet) as bar:
        task = bar.add_task("stages", total=stages, completed=run.passes)
        for record in continue_pruning(run, digits):
            bar.update(task, completed=record.stage)
    _print_result(run, digits, form, quiet)


def _print_result(run: "Run", digits: "DigitSets", form: Form, quiet: bool) -> None:
    """Print what the folder holds: the same whether the run was cut off or not."""
    from retronet.curvature import loss_name
    from retronet.runs.configuration import ByPruning
    from retronet.runs.pruned_run import stages_of
    from retronet.training.pruning import parameter_count
    from retronet_cli.terminal import print_table, talk
    from retronet_cli.views.pruning import saved_table, spared_table, stages_table

    checkpoint = run.checkpoint()
    made, trained, stages = run.configuration.made, checkpoint.trained, stages_of(checkpoint)
    assert isinstance(made, ByPruning)
    name, loss, count = (
        digits.test.provenance.name,
        loss_name(trained.recipe),
        parameter_count(trained.network),
    )
    sizes = len(digits.train.labels), len(digits.test.labels)
    savings = _savings(trained)
    if form.given:
        give(
            form,
            "pruning",
            {
                "run": str(run.folder),
                "origin": made.origin,
                "dataset": name,
                "loss": loss,
                "settings": made.settings,
                "parameters": count,
                "train_digits": sizes[0],
                "test_digits": sizes[1],
                "stages": stages,
                **savings,
            },
            {"stages": stages, "layers": savings["layers"], "chips": savings["chips"]},
        )
        return
    title = f"{trained.network.name} on {name}: {trained.deleted:,} of {count:,} parameters deleted"
    print_table(saved_table(title, savings))
    print_table(spared_table(savings["chips"]))
    print_table(stages_table(f"Stage by stage, {loss}", stages, sizes, made.settings, digits.notice))
    if not quiet:
        talk(f"Run: {run.folder}")


def _savings(trained: "Trained") -> dict[str, Any]:
    """Return what the deleted parameters spare: by layer, and on each chip, where a processor skips them."""
    from retronet.network import sized_layers
    from retronet.training.pruning import macs_left

    left = macs_left(trained)
    layers = []
    for sized in sized_layers(trained.network):
        arrays = [name for name in trained.parameters if name.startswith(f"{sized.name}.")]
        layers.append(
            {
                "layer": sized.name,
                "parameters": sum(trained.parameters[array].size for array in arrays),
                "parameters_left": sum(
                    int(trained.mask[array].sum())
                    if array in trained.mask
                    else trained.parameters[array].size
                    for array in arrays
                ),
                "macs": sized.macs,
                "macs_left": left[sized.name],
            }
        )
    chips = _on_chips(trained, left)
    keys = ("chip", "dense_s", "skipping_s")
    modelled = next({key: each[key] for key in keys} for each in chips if each["chip"] == "dsp32c-80ns")
    return {"layers": layers, "modelled": modelled, "chips": chips}


def _on_chips(trained: "Trained", left: "dict[str, int]") -> list[dict[str, Any]]:
    """Return the bits of weights and the modelled seconds on each chip, of all weights and of those left."""
    from hw_sim.chips.cost.network_cost import cost, work_left
    from hw_sim.chips.load import chip_names, load_chip
    from retronet.network import sized_layers
    from retronet.training.pruning import weights_left

    network, kept = trained.network, weights_left(trained)
    weights = sum(sized.parameters - sized.biases for sized in sized_layers(network))
    chips = []
    for name in chip_names():
        chip = load_chip(name)
        dense, skipping = cost(chip, network), cost(chip, network, work=work_left(network, left))
        bits = dense.weight_bits or WORD_BITS
        chips.append(
            {
                "chip": name,
                "weight_bits_each": bits,
                "weight_bits": weights * bits,
                "weight_bits_left": sum(kept.values()) * bits,
                "dense_s": dense.seconds,
                "skipping_s": skipping.seconds,
            }
        )
    return chips


def _print_curve(trained: "Trained", digits: "DigitSets", origin: Path, form: Form, quiet: bool) -> None:
    import msgspec

    from retronet.curvature import loss_name
    from retronet.training.pruning import deletion_curve, parameter_count
    from retronet_cli.terminal import print_table, progress
    from retronet_cli.views.pruning import deletions_table

    points = []
    with progress(enabled=not quiet) as bar:
        task = bar.add_task("deletions", total=CURVE_STEPS + 1)
        for point in deletion_curve(trained, digits, CURVE_STEPS):
            points.append(point)
            bar.advance(task)
    name, loss = digits.test.provenance.name, loss_name(trained.recipe)
    count = parameter_count(trained.network)
    if form.given:
        told = {
            "run": str(origin),
            "dataset": name,
            "loss": loss,
            "parameters": count,
            "points": [msgspec.to_builtins(point) for point in points],
        }
        give(form, "deletions", told, {"points": points})
        return
    title = f"{trained.network.name} on {name}: rise of the {loss} by deletions"
    print_table(deletions_table(title, points, digits.notice))
