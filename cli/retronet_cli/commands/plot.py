"""The commands `retronet plot …`: pictures of runs, of the search for a rate, of chips."""

from pathlib import Path

import click

from retronet.errors import InputError
from retronet_cli.commands.plot_answers import (
    draw_confusion,
    draw_kernels,
    draw_mistakes,
    draw_rejection,
    draw_surest,
)  # fmt: skip
from retronet_cli.commands.plot_copies import draw_copies
from retronet_cli.commands.plot_formats import draw_format
from retronet_cli.commands.plot_precision import (
    draw_allocation,
    draw_bits,
    draw_levels,
    draw_maps,
    draw_noise,
)  # fmt: skip
from retronet_cli.drawing import (
    Canvas,
    Source,
    canvas_options,
    check,
    run_source,
    runs_argument,
    take_runs,
    write,
)
from retronet_cli.options import (
    COUNT,
    MOST_NUMBERS,
    Real,
    chips_option,
    data_dir_option,
    quiet_option,
)
from retronet_cli.suggesting import SuggestingGroup


@click.group(cls=SuggestingGroup, short_help="Draw runs, formats and chips as pictures.")
def plot() -> None:
    """Draw runs, formats and chips as pictures.

    Each picture goes to one file, SVG or PNG; the same command gives the same bytes. It needs the extra
    `plot`: pip install 'retronet[plot]'.

    \b
    Examples:
      retronet plot learning -o curve.svg
      retronet plot mistakes runs/mine -o mistakes.png --theme dark
    """


@plot.command("learning")
@runs_argument
@click.option(
    "--paper/--no-paper",
    default=None,
    help="Set the points of the 1989 paper's plots beside them.  [default: if a run trained its network]",
)
@canvas_options
@run_source
def draw_learning(folders: tuple[Path, ...], paper: bool | None, canvas: Canvas, source: Source) -> None:
    """Draw error and loss after each pass, or stage of pruning, beside the paper's.

    \b
    Examples:
      retronet plot learning -o curve.svg
      retronet plot learning runs/seed0 runs/seed1 -o seeds.png --no-paper
    """
    check(canvas)
    from retronet.runs.configuration import ByTraining
    from retronet.runs.makers import kept_after
    from retronet.studies.digitised import digitised_curve
    from retronet_cli.pictures.learning import curve_figure
    from retronet_cli.story import STEP_WORDS

    taken = take_runs(folders, source)
    curves = {name: run.records() for name, (run, _) in taken.items()}
    for name, records in curves.items():
        if not records:
            raise InputError(
                f"The run {taken[name][0].folder} has no learning curve: its network was not trained here. "
                "Runs that `retronet train`, `retrain` or `prune` made have one. Name one of those."
            )
    beside = paper
    if beside is None:
        beside = any(
            checkpoint.header.network.name == "lecun1989" and isinstance(run.configuration.made, ByTraining)
            for run, checkpoint in taken.values()
        )
    points = digitised_curve() if beside else ()
    steps = {STEP_WORDS[kept_after(run.configuration.made)] for run, _ in taken.values()}
    figure = curve_figure(curves, points, canvas.theme, ", or ".join(sorted(steps)))
    write(figure, canvas, f"Learning curves: {', '.join(curves)}")


@plot.command("history")
@runs_argument
@canvas_options
@run_source
def draw_history(folders: tuple[Path, ...], canvas: Canvas, source: Source) -> None:
    """Draw how activations, gradients and parameters spread while a network learns.

    The runs must have been trained with --history.

    \b
    Example:
      retronet plot history runs/watched -o history.svg
    """
    check(canvas)
    from retronet_cli.pictures.learning import history_figure

    histories = {name: run.snapshots() for name, (run, _) in take_runs(folders, source).items()}
    for name, snapshots in histories.items():
        if not snapshots:
            raise InputError(
                f"The run {name} has no history: it kept no snapshots. Runs that were trained with --history "
                "have them. Train one: retronet train --history 500"
            )
    write(history_figure(histories, canvas.theme), canvas, f"History of {', '.join(histories)}")


@plot.command("rates")
@click.argument("recipes", nargs=-1, metavar="[RECIPE]...")
@click.option(
    "--from", "lowest", type=Real(), default=1e-5, show_default=True, metavar="RATE", help="First rate."
)
@click.option(
    "--to", "highest", type=Real(), default=10.0, show_default=True, metavar="RATE", help="Last rate."
)
@click.option(
    "--lots", type=click.IntRange(2, MOST_NUMBERS), default=100, show_default=True, help="Number of rates."
)
@click.option("--lot", type=COUNT, default=64, show_default=True, help="Digits learnt at each rate.")
@click.option("--data", metavar="NAME", help="The digits, instead of the recipe's.")
@data_dir_option
@canvas_options
@quiet_option
def draw_rates(
    recipes: tuple[str, ...],
    lowest: float,
    highest: float,
    lots: int,
    lot: int,
    data: str | None,
    data_dir: Path | None,
    canvas: Canvas,
    quiet: bool,
) -> None:
    """Draw the loss of small lots of digits while the rate grows.

    \b
    Examples:
      retronet plot rates -o rates.svg
      retronet plot rates lecun1989 lecun1990 -o rates.svg
    """
    check(canvas)
    from retronet.datasets import load
    from retronet.network import load_network
    from retronet.recipe import load_recipe
    from retronet.training.rate_range import RatePoint, rate_range
    from retronet_cli.pictures.learning import rates_figure
    from retronet_cli.terminal import progress, talk

    series: dict[str, list[RatePoint]] = {}
    with progress(enabled=not quiet) as bar:
        for name in dict.fromkeys(recipes or ("lecun1989",)):
            recipe = load_recipe(name)
            digits = load(data or recipe.data, recipe.preparation, data_dir)
            if digits.notice:
                talk(digits.notice)
            task = bar.add_task(f"rates of {recipe.name}", total=lots)
            series[recipe.name] = []
            for point in rate_range(recipe, load_network(recipe.network), digits, lowest, highest, lots, lot):
                series[recipe.name].append(point)
                bar.advance(task)
    write(rates_figure(series, lot, canvas.theme), canvas, f"Rates of {', '.join(series)}")


@plot.command("roofline")
@click.argument("run", required=False, metavar="[RUN]", type=click.Path(file_okay=False, path_type=Path))
@chips_option
@click.option(
    "--network", metavar="NAME", help="A network by name or TOML file, without a run.  [default: lecun1989]"
)
@canvas_options
@quiet_option
def draw_roofline(
    run: Path | None, chips: tuple[str, ...], network: str | None, canvas: Canvas, quiet: bool
) -> None:
    """Draw what each chip could do at most, and what one network makes of it.

    RUN is the folder of a run, whose network is taken. All is modelled, as by `retronet report`.

    \b
    Examples:
      retronet plot roofline -o chips.svg
      retronet plot roofline --chip anna --chip net32k --network lenet1 -o chips.png
    """
    check(canvas)
    from hw_sim.chips.cost.network_cost import cost
    from hw_sim.chips.cost.roofline import roof_of
    from retronet.network import load_network
    from retronet.runs.run import open_run
    from retronet_cli.able_chips import chips_for
    from retronet_cli.pictures.chips import roofline_figure
    from retronet_cli.terminal import talk

    if run is not None and network is not None:
        raise click.UsageError("--network does not go with a run, which has its own. Leave one of them out.")
    spec = load_network(network or "lecun1989") if run is None else open_run(run).configuration.network
    specs, left_out = chips_for(chips, spec)
    for sentence in () if quiet else left_out:
        talk(sentence)
    roofs = [roof_of(chip, spec, cost(chip, spec)) for chip in specs]
    title = f"{spec.name}, one digit at a time"
    write(roofline_figure(roofs, title, canvas.theme), canvas, f"Roofline of {spec.name}")


for command in (
    draw_bits, draw_noise, draw_levels, draw_maps, draw_allocation, draw_kernels, draw_confusion,
    draw_mistakes, draw_surest, draw_rejection, draw_copies, draw_format,
):  # fmt: skip
    plot.add_command(command)
