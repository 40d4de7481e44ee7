"""The command `retronet allocate`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from retronet_cli.forms import Form, Rows, form_options, give
from retronet_cli.options import (
    Numbers,
    Real,
    data_dir_option,
    other_data_option,
    plan_out_option,
    quiet_option,
    run_argument,
    runs_option,
)
from retronet_cli.precision import write_plan

if TYPE_CHECKING:
    from hw_sim.studies.allocate import Objective

MOST = 12


@click.command(short_help="Find how many bits each layer needs, from second derivatives of the loss.")
@run_argument
@click.option(
    "--rise",
    type=Real(),
    default=25.0,
    show_default=True,
    metavar="PERCENT",
    help="The allowed rise of the loss on the training digits, in percent of the loss in floating point.",
)
@click.option(
    "--minimise",
    type=click.Choice(["weight-bits", "mac-bits"]),
    default="weight-bits",
    show_default=True,
    help="What to make small: bits that hold the weights, or MACs times bits of weight and state.",
)
@click.option(
    "--lowest-bits",
    type=click.IntRange(2, MOST),
    default=3,
    show_default=True,
    help="The fewest bits to choose; the prediction is of no use at 2.",
)
@click.option(
    "--state-bits",
    type=click.IntRange(2, 16),
    default=8,
    show_default=True,
    help="Bits of the states that are not chosen: all with weight-bits, the outputs with mac-bits.",
)
@click.option(
    "--bits",
    type=Numbers(2, 32),
    default="2-6,8",
    show_default=True,
    metavar="LIST",
    help="Numbers of bits at which prediction and measurement are set side by side.",
)
@plan_out_option
@click.option(
    "--prune",
    is_flag=True,
    help="Also choose how many weights of each layer to delete, those of least saliency first.",
)
@other_data_option
@data_dir_option
@runs_option
@form_options
@quiet_option
def allocate(
    run: Path | None,
    rise: float,
    minimise: str,
    lowest_bits: int,
    state_bits: int,
    bits: tuple[int, ...],
    plan_out: Path | None,
    prune: bool,
    data: str | None,
    data_dir: Path | None,
    runs: Path,
    form: Form,
    quiet: bool,
) -> None:
    """Find how many bits each layer needs, from second derivatives of the loss.

    RUN is the folder of a run; without it, the latest one. The rise of the loss by rounding one tensor is
    predicted as half the sum of its second derivatives times step²/12, and measured; from the predictions
    follow the cheapest bits for an allowed rise, which are measured too, beside uniform bits of that budget.

    \b
    Examples:
      retronet allocate
      retronet allocate --rise 10 --minimise mac-bits
      retronet allocate --plan-out bits.toml
      retronet allocate --prune
    """
    if prune and plan_out is not None:
        raise click.UsageError(
            "--plan-out writes formats, and a plan says of no weight that it is deleted: it would not give "
            "what --prune reports. Leave one of them out, or delete weights first, by `retronet prune`."
        )
    import numpy as np

    from hw_sim.studies.ahead import to_allocate
    from hw_sim.studies.allocate import choose_bits, uniform_budgets
    from hw_sim.studies.allocator import Allocator
    from hw_sim.studies.testbench import Testbench
    from retronet.curvature import loss_name
    from retronet.kernels.unit_curvature import measure_unit_curvature
    from retronet_cli.ahead import compile_ahead
    from retronet_cli.runs import take_digits, take_run
    from retronet_cli.terminal import print_table, progress
    from retronet_cli.views.allocation import allocation_fields, bits_table, budget_table, estimate_table

    folder, checkpoint = take_run(run, runs, quiet)
    compile_ahead(measure_unit_curvature, lambda: to_allocate(checkpoint.trained))
    digits = take_digits(checkpoint, data, data_dir)
    other = max(MOST, max(bits) + 2)
    testbench = Testbench(checkpoint.trained, digits, other)
    allocator = Allocator(testbench)
    with progress(enabled=not quiet) as bar:
        task = bar.add_task("tensors and bits", total=len(allocator.tensors) * len(bits))
        estimates = []
        for estimate in allocator.estimates(bits):
            estimates.append(estimate)
            bar.advance(task)
        allowed = rise / 100 * allocator.float_loss
        objective: Objective = "weight-bits" if minimise == "weight-bits" else "mac-bits"
        choices = range(lowest_bits, MOST + 1)
        attempts = list(choose_bits(allocator, allowed, objective, choices, state_bits, prune=prune))
        uniform = uniform_budgets(allocator, attempts[-1], objective, range(2, MOST + 1), state_bits)
    write_plan(plan_out, allocator.plan(attempts[-1].weights, attempts[-1].states))
    name, loss = digits.test.provenance.name, loss_name(checkpoint.header.recipe)
    if form.given:
        measured = {
            "run": str(folder),
            "dataset": name,
            "loss": loss,
            "float_loss": allocator.float_loss,
            "float": {"misses": testbench.reference_score.misses, "n": testbench.reference_score.n},
            "minimised": minimise,
            "allowed_rise_percent": rise,
            "training_digits": allocator.curvature.digits,
            "other_bits": other,
        }
        tables: dict[str, Rows] = {"budgets": [*attempts, *uniform], "estimates": estimates}
        give(form, "allocation", measured | allocation_fields(estimates, attempts, uniform), tables)
        return
    on = f"{allocator.curvature.digits:,} training digits of {name}"
    title = f"{checkpoint.header.network.name}: rise of the {loss} by rounding one tensor"
    print_table(estimate_table(f"{title}\non the {on}", estimates, allocator.float_loss))
    best = attempts[-1]
    trained = [sized for sized in allocator.sized_layers if sized.trained]  # pools have no weights
    weights = {sized.name: int(np.prod(sized.weight_shape)) for sized in trained}
    macs = {sized.name: sized.macs for sized in allocator.sized_layers}
    print_table(bits_table(f"Fewest {minimise} for a rise of {rise:g} %", best, weights, macs))
    caption = (
        f"Rise: of the {loss}, {allocator.float_loss:.3e} in floating point,\non the {on};\n"
        f"misses: on its {best.score.n:,} test digits."
    )
    if len(attempts) > 1:
        caption += f"\nCheaper choices predicted to keep the rise but measured not to: {len(attempts) - 1}."
    title = "At this budget: each layer its own bits, and the same for all"
    table = budget_table(title, testbench.reference_score, allocator.float_loss, [best, *uniform], caption)
    print_table(table)
