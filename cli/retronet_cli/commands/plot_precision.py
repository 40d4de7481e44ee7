"""The commands `retronet plot …` that show precision: error against bits, noise, levels, maps, budgets."""

import shlex
from pathlib import Path

import click

from retronet.errors import ChoiceError, InputError
from retronet_cli.drawing import (
    Canvas,
    Source,
    canvas_options,
    check,
    digit_source,
    digits_of,
    runs_argument,
    take_runs,
    write,
)
from retronet_cli.options import (
    INDEX,
    Numbers,
    run_argument,
)
from retronet_cli.precision import Choices, chosen_plan, plan_for, precision_options


@click.command("bits")
@runs_argument
@click.option(
    "--rows",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The rows of the sweep.  [default: sweep.jsonl in the folder of each run]",
)
@click.option(
    "--other-bits",
    type=click.IntRange(2, 18),
    default=12,
    show_default=True,
    help="Bits of the weights and states that a point leaves alone, as the sweep had them.",
)
@canvas_options
@digit_source
def draw_bits(
    folders: tuple[Path, ...],
    rows: Path | None,
    other_bits: int,
    canvas: Canvas,
    source: Source,
) -> None:
    """Draw the error against the number of bits, from the rows that `retronet sweep` has kept.

    \b
    Examples:
      retronet plot bits -o bits.svg
      retronet plot bits runs/one runs/other -o bits.png --theme dark
    """
    check(canvas)
    from hw_sim.studies.sweep import read_rows
    from hw_sim.studies.testbench import Testbench
    from retronet_cli.pictures.precision import bits_figure

    series = {}
    for name, (run, checkpoint) in take_runs(folders, source).items():
        testbench = Testbench(checkpoint.trained, digits_of(checkpoint, source), other_bits)
        file = rows or run.folder / "sweep.jsonl"
        every = read_rows(file)
        own = [row for row in every if row.subject == testbench.subject]
        if not own:
            others = f"{len(every)} rows of other networks, digits or other bits" if every else "no rows"
            error = InputError if rows is None or rows.is_file() else ChoiceError
            raise error(
                f"The sweep of {run.folder} can not be drawn: {file} has {others}. Measure some first: "
                f"{shlex.join(['retronet', 'sweep', str(run.folder)])}"
            )
        series[name] = (own, testbench.reference_score)
    write(bits_figure(series, canvas.theme), canvas, f"Error against bits: {', '.join(series)}")


@click.command("noise")
@runs_argument
@click.option(
    "--bits",
    "widths",
    type=Numbers(2, 32),
    default="4,6,8",
    show_default=True,
    metavar="LIST",
    help="Numbers of bits of weights and states.",
)
@canvas_options
@digit_source
def draw_noise(
    folders: tuple[Path, ...],
    widths: tuple[int, ...],
    canvas: Canvas,
    source: Source,
) -> None:
    """Draw signal over quantisation noise, and the states that saturate, layer by layer.

    \b
    Examples:
      retronet plot noise -o noise.svg
      retronet plot noise runs/mine --bits 3-6 -o noise.svg
    """
    check(canvas)
    from hw_sim.fixed_point.simulate import simulate
    from retronet_cli.pictures.precision import noise_figure
    from retronet_cli.terminal import progress

    taken = take_runs(folders, source)
    reports = {}
    with progress(enabled=not source.quiet) as bar:
        task = bar.add_task("simulations", total=len(taken) * len(widths))
        for name, (_, checkpoint) in taken.items():
            digits, trained = digits_of(checkpoint, source), checkpoint.trained
            for width in widths:
                plan = chosen_plan(Choices(bits=width), trained, digits.train)
                words = f"{name}, {width} bits" if len(taken) > 1 else f"{width} bits"
                reports[words] = simulate(trained, digits.test, plan)
                bar.advance(task)
    write(noise_figure(reports, canvas.theme), canvas, f"Noise of {', '.join(taken)}")


@click.command("levels")
@run_argument
@precision_options
@canvas_options
@digit_source
def draw_levels(
    run: Path | None,
    choices: Choices,
    canvas: Canvas,
    source: Source,
) -> None:
    """Draw how often each level of a format is taken, by weights and by states on the test digits.

    \b
    Examples:
      retronet plot levels --bits 4 -o levels.svg
      retronet plot levels --weight-format '{-1,0,1}' -o levels.svg
    """
    check(canvas)
    from hw_sim.studies.level_counts import level_counts
    from retronet_cli.pictures.precision import levels_figure
    from retronet_cli.runs import title_of
    from retronet_cli.terminal import working

    ((_, (opened, checkpoint)),) = take_runs((run,) if run else (), source).items()
    digits, trained = digits_of(checkpoint, source), checkpoint.trained
    plan, _ = plan_for(choices, opened.folder, trained, digits.train, source.quiet)
    with working("counting levels", enabled=not source.quiet):
        counts = level_counts(trained, digits.test, plan)
    title = f"{title_of(checkpoint)}: levels in use"
    write(levels_figure(counts, title, canvas.theme), canvas, title)


@click.command("maps")
@run_argument
@click.option("--digit", type=INDEX, default=0, show_default=True, help="The test digit, from 0.")
@precision_options
@canvas_options
@digit_source
def draw_maps(
    run: Path | None,
    digit: int,
    choices: Choices,
    canvas: Canvas,
    source: Source,
) -> None:
    """Draw what each layer makes of a digit, in floating point and in few bits.

    \b
    Examples:
      retronet plot maps --bits 4 -o maps.png
      retronet plot maps --digit 17 --weight-bits 3 --state-bits 5 -o maps.png
    """
    check(canvas)
    from hw_sim.fixed_point.trace import trace
    from retronet_cli.pictures.network import maps_figure

    ((name, (opened, checkpoint)),) = take_runs((run,) if run else (), source).items()
    digits, trained = digits_of(checkpoint, source), checkpoint.trained
    if digit >= len(digits.test.labels):
        raise ChoiceError(
            f"There is no test digit {digit}: the set has {len(digits.test.labels)}, counted from 0. "
            "Give one of them."
        )
    plan, own = plan_for(choices, opened.folder, trained, digits.train, source.quiet)
    images = digits.test.images[digit : digit + 1]
    exact = {layer: array[0] for layer, array in trained.states(images).items()}
    traced = trace(trained, images, plan)
    few = {layer.layer: layer.values[0] for layer in traced.layers}
    for layer in exact.keys() - few.keys():  # outputs at fixed codes: they follow the states of all others
        few[layer] = traced.outputs[0].reshape(exact[layer].shape)
    uniform = set(choices.given) <= {"bits"} and not own
    words = f"{choices.bits or 8} bits" if uniform else "fixed"
    figure = maps_figure(images[0], exact, few, words, canvas.theme)
    write(figure, canvas, f"States of {name} for test digit {digit}")


@click.command("allocation")
@runs_argument
@click.option(
    "--bits",
    "widths",
    type=Numbers(2, 32),
    default="2-6,8",
    show_default=True,
    metavar="LIST",
    help="Numbers of bits at which prediction and measurement are set side by side.",
)
@canvas_options
@digit_source
def draw_allocation(
    folders: tuple[Path, ...],
    widths: tuple[int, ...],
    canvas: Canvas,
    source: Source,
) -> None:
    """Draw the rise of the loss that second derivatives predict beside the measured one.

    One point for each tensor and number of bits, as in `retronet allocate`.

    \b
    Example:
      retronet plot allocation --bits 3-6 -o allocation.svg
    """
    check(canvas)
    from hw_sim.studies.allocator import Allocator
    from hw_sim.studies.testbench import Testbench
    from retronet_cli.commands.allocate import MOST
    from retronet_cli.pictures.precision import allocation_figure
    from retronet_cli.terminal import progress

    series = {}
    other = max(MOST, max(widths) + 2)
    with progress(enabled=not source.quiet) as bar:
        for name, (_, checkpoint) in take_runs(folders, source).items():
            digits = digits_of(checkpoint, source)
            allocator = Allocator(Testbench(checkpoint.trained, digits, other))
            task = bar.add_task("tensors and bits", total=len(allocator.tensors) * len(widths))
            estimates = []
            for estimate in allocator.estimates(widths):
                estimates.append(estimate)
                bar.advance(task)
            series[name] = (estimates, allocator.float_loss)
    title = f"Predicted and measured rise of the loss: {', '.join(series)}"
    write(allocation_figure(series, canvas.theme), canvas, title)
