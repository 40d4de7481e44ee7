"""The command `retronet simulate`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from retronet_cli.chip_options import ChipChoices, chip_options
from retronet_cli.chips import simulated_on_chip
from retronet_cli.forms import Form, form_options, give
from retronet_cli.options import (
    data_dir_option,
    other_data_option,
    quiet_option,
    run_argument,
    runs_option,
)
from retronet_cli.precision import Choices, plan_for, precision_options

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hw_sim.plan.plan import PrecisionPlan
    from retronet.trained import Trained


@click.command(short_help="Run a trained network in fixed point, next to itself in floating point.")
@run_argument
@precision_options
@chip_options
@other_data_option
@data_dir_option
@runs_option
@click.option("--formats", is_flag=True, help="Show every format too, with its range and step.")
@form_options
@quiet_option
def simulate(
    run: Path | None,
    choices: Choices,
    chip_choices: ChipChoices,
    data: str | None,
    data_dir: Path | None,
    runs: Path,
    formats: bool,
    form: Form,
    quiet: bool,
) -> None:
    """Run a trained network in fixed point, next to itself in floating point.

    RUN is the folder of a run; without it, the latest one. Formats are chosen on the training digits; the
    test digits are then run bit for bit. Bits count the sign. A chip has formats of its own: --chip takes
    their place. A run of `retronet retrain` runs under the plan it was retrained under, unless an option for
    formats is given.

    \b
    Examples:
      retronet simulate --bits 8
      retronet simulate --weight-bits 6 --state-bits 3
      retronet simulate --bits 8 --accumulator-bits 16 --accumulator-overflow sat
      retronet simulate --weight-format '{-1,0,1}' --scale threshold:0.7
      retronet simulate --plan hls4ml.toml
      retronet simulate --chip dsp32c-80ns --tanh sn
      retronet simulate --chip anna --chips 5 --set noise=0.05
      retronet simulate --chip net32k --precisions
    """
    if simulated_on_chip(chip_choices, run, runs, data, data_dir, form, quiet):
        return
    import msgspec

    from hw_sim.fixed_point.ahead import to_simulate, to_simulate_under
    from hw_sim.fixed_point.simulate import simulate as simulated
    from hw_sim.kernels.layer import run_integer_layer
    from retronet_cli.ahead import compile_ahead
    from retronet_cli.runs import take_digits, take_run, title_of
    from retronet_cli.terminal import print_table, talk, working
    from retronet_cli.views.simulation import (
        bounds_of,
        comparison_table,
        format_table,
        layer_work_table,
        to_json,
    )

    folder, checkpoint = take_run(run, runs, quiet)
    trained = checkpoint.trained

    def planned(guessed: "Trained", images: "NDArray[np.float32]") -> "PrecisionPlan":
        return plan_for(choices, folder, guessed, images, quiet=True)[0]

    if choices.exact_sums:
        compile_ahead(run_integer_layer, lambda: to_simulate(trained))
    else:
        compile_ahead(run_integer_layer, lambda: to_simulate_under([planned], trained))
    digits = take_digits(checkpoint, data, data_dir)
    plan, own = plan_for(choices, folder, trained, digits.train, quiet)
    with working("simulating", enabled=not quiet):
        report = simulated(trained, digits.test, plan)
    for warning in report.warnings:
        talk(f"Warning: {warning}")
    name = digits.test.provenance.name
    if form.given:
        bits = None if own or choices.plan else choices.bits or 8
        made = to_json(report)
        scores = {"fixed": report.score, "float": report.reference}
        tables = {
            "scores": [{"arithmetic": each, **msgspec.to_builtins(scores[each])} for each in scores],
            "layers": made["layers"],
            "formats": made["formats"],
        }
        give(form, "simulation", {"run": str(folder), "dataset": name, "bits": bits, **made}, tables)
        return
    if formats:
        print_table(format_table(report.plan, bounds_of(report)))
    print_table(layer_work_table(report))
    title = f"{title_of(checkpoint)}, on the test digits of {name}"
    print_table(comparison_table(title, report, digits.notice))
