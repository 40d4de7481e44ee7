"""The command `retronet simulate`."""

from pathlib import Path

import click

from retronet_cli.options import (
    data_dir_option,
    json_option,
    other_data_option,
    quiet_option,
    run_argument,
    runs_option,
)

BITS = click.IntRange(2, 32)


@click.command(short_help="Run a trained network in fixed point, next to itself in floating point.")
@run_argument
@click.option("--bits", type=BITS, default=8, show_default=True, help="Bits of weights, input and states.")
@click.option("--weight-bits", type=BITS, help="Bits of the weights, if other than --bits.")
@click.option("--state-bits", type=BITS, help="Bits of input and states, if other than --bits.")
@click.option(
    "--accumulator-bits",
    type=BITS,
    help="Bits of the sums, which are then cast after every MAC.  [default: exact sums]",
)
@click.option(
    "--accumulator-overflow",
    type=click.Choice(["wrap", "sat"], case_sensitive=False),
    default="wrap",
    show_default=True,
    help="What a sum does that leaves its format.",
)
@other_data_option
@data_dir_option
@runs_option
@json_option
@quiet_option
def simulate(
    run: Path | None,
    bits: int,
    weight_bits: int | None,
    state_bits: int | None,
    accumulator_bits: int | None,
    accumulator_overflow: str,
    data: str | None,
    data_dir: Path | None,
    runs: Path,
    as_json: bool,
    quiet: bool,
) -> None:
    """Run a trained network in fixed point, next to itself in floating point.

    RUN is the folder of a run; without it, the latest one. Steps are powers of two that hold the largest
    magnitude of each tensor, found on the training digits; the test digits are then run bit for bit.

    \b
    Examples:
      retronet simulate --bits 8
      retronet simulate --weight-bits 6 --state-bits 3
      retronet simulate --bits 8 --accumulator-bits 16 --accumulator-overflow sat
    """
    from hw_sim.formats import Overflow
    from hw_sim.plan import calibrate
    from hw_sim.simulate import report
    from retronet_cli.runs import take_digits, take_run
    from retronet_cli.terminal import print_json, print_table, talk
    from retronet_cli.views.simulation import comparison_table, format_table, to_json, work_table

    folder, checkpoint = take_run(run, runs, quiet)
    digits = take_digits(checkpoint, data, data_dir)
    header, parameters = checkpoint.header, checkpoint.state.parameters
    plan = calibrate(
        header.network,
        parameters,
        digits.train.images,
        bits,
        weight_bits=weight_bits,
        state_bits=state_bits,
        accumulator_bits=accumulator_bits,
        accumulator_overflow=Overflow[accumulator_overflow.upper()],
    )
    found = report(header.network, parameters, plan, digits.test, targets=header.recipe.targets)
    for warning in found.warnings:
        talk(f"Warning: {warning}")
    name = digits.test.provenance.name
    if as_json:
        print_json("simulation", {"run": str(folder), "dataset": name, "bits": bits, **to_json(found)})
        return
    title = f"{header.recipe.name} after pass {header.passes}, on the test digits of {name}"
    print_table(comparison_table(title, found, digits.notice))
    print_table(work_table(found))
    print_table(format_table(found))
