"""The command `retronet sweep`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from hw_sim.formats.modes import Rounding
from retronet.errors import InputError
from retronet_cli.forms import JSONL, Form, form_options, give
from retronet_cli.options import (
    Numbers,
    dask_option,
    data_dir_option,
    jobs_option,
    other_data_option,
    quiet_option,
    run_argument,
    runs_option,
)

if TYPE_CHECKING:
    from hw_sim.studies.points import SweepRow
    from hw_sim.studies.testbench import Testbench

PER_PROCESS = 16
"""Points that make a further process worth its start."""


class Words(click.ParamType[tuple[str, ...]]):
    """Words with commas between them."""

    name = "words"

    def convert(
        self,
        value: object,
        param: click.Parameter | None,  # noqa: ARG002
        ctx: click.Context | None,  # noqa: ARG002
    ) -> tuple[str, ...]:
        """Return the words in `value`."""
        return value if isinstance(value, tuple) else tuple(str(value).split(","))


@click.command(short_help="Tabulate accuracy against precision, over a grid of formats.")
@run_argument
@click.option(
    "--bits",
    type=Numbers(2, 32),
    default="2-8",
    show_default=True,
    metavar="LIST",
    help="Numbers of bits: 2-8,12.",
)
@click.option(
    "--tensors",
    type=Words(),
    default="all,weights,states",
    show_default=True,
    metavar="LIST",
    help="What has these bits: all (weights and states), weights, states, sums, a layer's name, or layers: "
    "each layer by itself.",
)
@click.option(
    "--rounding",
    type=Words(),
    default="RND",
    show_default=True,
    metavar="LIST",
    help=f"Rounding modes: {', '.join(Rounding)}.",
)
@click.option(
    "--scale",
    type=Words(),
    default="power-of-two",
    show_default=True,
    metavar="LIST",
    help="Rules that choose scales: power-of-two, max-abs, percentile:P, mse; /map after one gives each map "
    "of weights its own.",
)
@click.option(
    "--seeds",
    type=Numbers(),
    default="0",
    show_default=True,
    metavar="LIST",
    help="Seeds of stochastic rounding; other modes have one row for all.",
)
@click.option(
    "--other-bits",
    type=click.IntRange(2, 18),
    default=12,
    show_default=True,
    help="Bits of the weights and states that a point leaves alone.",
)
@jobs_option
@dask_option
@click.option(
    "--rows",
    "kept",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where rows are kept as they come, one JSON object a line; rows found there are not measured again. "
    "So does -o with a name in .jsonl.  [default: sweep.jsonl in the run's folder]",
)
@other_data_option
@data_dir_option
@runs_option
@form_options
@quiet_option
def sweep(
    run: Path | None,
    bits: tuple[int, ...],
    tensors: tuple[str, ...],
    rounding: tuple[str, ...],
    scale: tuple[str, ...],
    seeds: tuple[int, ...],
    other_bits: int,
    jobs: int,
    dask: str | None,
    kept: Path | None,
    data: str | None,
    data_dir: Path | None,
    runs: Path,
    form: Form,
    quiet: bool,
) -> None:
    """Tabulate accuracy against precision, over a grid of formats.

    RUN is the folder of a run; without it, the latest one. Every point of the grid is simulated bit for bit
    on the test digits, its formats calibrated on the training digits. A sweep that was cut off goes on where
    it stopped when it is called again.

    \b
    Examples:
      retronet sweep
      retronet sweep --bits 2-8 --tensors weights,layers
      retronet sweep --bits 6-16 --tensors sums --rounding TRN,RND,RND_CONV
      retronet sweep --bits 3-6 --scale power-of-two,max-abs,mse
    """
    from hw_sim.fixed_point.ahead import to_simulate
    from hw_sim.kernels.layer import run_integer_layer
    from hw_sim.studies.sweep import (
        Source,
        append_rows,
        checked,
        count_unchecked,
        grid,
        measure_all,
        read_rows,
        testbench_of,
    )
    from retronet_cli.ahead import compile_ahead
    from retronet_cli.executors import executor_of
    from retronet_cli.runs import take_run
    from retronet_cli.terminal import interrupted, progress, talk, this_command

    if form.output is not None and form.output.suffix == JSONL:
        kept, form = kept or form.output, msgspec.structs.replace(form, output=None)
    folder, checkpoint = take_run(run, runs, quiet)
    compile_ahead(run_integer_layer, lambda: to_simulate(checkpoint.trained))
    source = Source(
        str(folder.resolve()),
        data or checkpoint.header.data[0].name,
        str(data_dir.resolve()) if data_dir else None,
        other_bits,
    )
    testbench = testbench_of(source)
    if testbench.digits.notice:
        talk(testbench.digits.notice)
    points = grid(testbench.trained.network, bits, tensors, _modes(rounding), scale, seeds)
    output = kept or folder / "sweep.jsonl"
    rows = {row.point: row for row in read_rows(output) if row.subject == testbench.subject}
    left = [point for point in points if point not in rows]
    if unchecked := count_unchecked(output):
        talk(f"{unchecked} rows in {output} have no digest, as earlier versions wrote them: measured again.")
    if len(left) < len(points) and not quiet:
        talk(f"{len(points) - len(left)} of {len(points)} points are in {output} already.")
    with progress(enabled=not quiet) as bar:
        task = bar.add_task("checks", total=len(left))
        for _ in checked(testbench, left):
            bar.advance(task)
    try:
        with (
            executor_of(jobs, max(1, len(left) // PER_PROCESS), dask) as executor,
            progress(enabled=not quiet) as bar,
        ):
            done = len(points) - len(left)
            task = bar.add_task("loading digits, compiling", total=len(points), completed=done)
            for row in append_rows(output, measure_all(source, testbench.subject, left, executor)):
                rows[row.point] = row
                bar.update(task, advance=1, description="points")
    except KeyboardInterrupt:
        interrupted(f"{len(rows)} rows are kept in {output}. Go on with: {this_command()}")
    except BrokenPipeError:
        raise
    except OSError as error:
        raise InputError(
            f"The system refused: {error}. {len(rows)} rows are kept in {output}. Mend that, or name another "
            f"file with --rows, then go on with: {this_command()}"
        ) from error
    _report([rows[point] for point in points], testbench, output, folder, form, quiet)


def _modes(words: tuple[str, ...]) -> list[Rounding]:
    for word in words:
        if word.upper() not in list(Rounding):
            raise click.UsageError(f"'{word}' is no rounding mode; {', '.join(Rounding)} are allowed.")
    return [Rounding(word.upper()) for word in words]


def _report(
    rows: "list[SweepRow]",
    testbench: "Testbench",
    output: Path,
    folder: Path,
    form: Form,
    quiet: bool,
) -> None:
    from retronet_cli.terminal import print_table, talk
    from retronet_cli.views.sweep import overflow_notes, sweep_fields, sweep_records, sweep_tables

    for note in overflow_notes(rows):
        talk(f"Warning: {note}")
    name, floating = testbench.digits.test.provenance.name, testbench.reference_score
    if form.given:
        told = {"run": str(folder), "dataset": name, "rows_file": str(output), **sweep_fields(rows, floating)}
        give(
            form,
            "sweep",
            told | {"other_bits": testbench.other_bits},
            {"points": sweep_records(rows, floating)},
        )
    else:
        network, count = testbench.trained.network.name, f"{floating.n:,}"
        title = f"{network}: accuracy against precision on the {count} test digits of {name}"
        rest = (
            f"Weights and states that a row does not name have {testbench.other_bits} bits;\n"
            "sums it does not name are exact."
        )
        for table in sweep_tables(title, rows, floating, rest, testbench.digits.notice):
            print_table(table)
        if not quiet:
            talk(f"Rows: {output}")
