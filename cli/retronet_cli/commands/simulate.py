"""The command `retronet simulate`."""

from pathlib import Path

import click

from retronet_cli.chip_options import ChipChoices, chip_options
from retronet_cli.chips import simulated_on_chip
from retronet_cli.options import (
    data_dir_option,
    json_option,
    other_data_option,
    quiet_option,
    run_argument,
    runs_option,
)
from retronet_cli.precision import Choices, plan_for, precision_options


@click.command(short_help="Run a trained network in fixed point, next to itself in floating point.")
@run_argument
@precision_options
@chip_options
@other_data_option
@data_dir_option
@runs_option
@json_option
@quiet_option
def simulate(
    run: Path | None,
    choices: Choices,
    chip_choices: ChipChoices,
    data: str | None,
    data_dir: Path | None,
    runs: Path,
    as_json: bool,
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
    from hw_sim.fixed_point.simulate import simulate as simulated
    from retronet_cli.runs import take_digits, take_run, title_of
    from retronet_cli.terminal import print_json, print_table, talk
    from retronet_cli.views.simulation import (
        bounds_of,
        comparison_table,
        format_table,
        layer_work_table,
        to_json,
    )

    if simulated_on_chip(chip_choices, run, runs, data, data_dir, as_json, quiet):
        return
    folder, checkpoint = take_run(run, runs, quiet)
    digits = take_digits(checkpoint, data, data_dir)
    trained = checkpoint.trained
    plan, own = plan_for(choices, folder, trained, digits.train, quiet)
    report = simulated(trained, digits.test, plan)
    for warning in report.warnings:
        talk(f"Warning: {warning}")
    name = digits.test.provenance.name
    if as_json:
        bits = None if own or choices.plan else choices.bits or 8
        print_json("simulation", {"run": str(folder), "dataset": name, "bits": bits, **to_json(report)})
        return
    print_table(
        comparison_table(f"{title_of(checkpoint)}, on the test digits of {name}", report, digits.notice)
    )
    print_table(layer_work_table(report))
    print_table(format_table(report.plan, bounds_of(report)))
