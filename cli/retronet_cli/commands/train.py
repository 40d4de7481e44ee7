"""The command `retronet train`."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from retronet_cli.events import Tell, event_files
from retronet_cli.forms import Form, form_options, give
from retronet_cli.options import (
    COUNT,
    SEED,
    Numbers,
    dask_option,
    data_dir_option,
    jobs_option,
    quiet_option,
    runs_option,
)
from retronet_cli.runs import going_on

if TYPE_CHECKING:
    from retronet.datasets import DigitSets
    from retronet.recipe import Recipe
    from retronet.runs.run import Run
    from retronet.training.train import PassRecord


@click.command(short_help="Train a network as a recipe says.")
@click.argument("recipe", required=False, metavar="[RECIPE]")
@click.option("--data", metavar="NAME", help="The digits, instead of the recipe's.")
@data_dir_option
@click.option("--network", metavar="NAME", help="The network, instead of the recipe's.")
@click.option(
    "--engine",
    type=click.Choice(["numba", "torch", "torch-cuda"]),
    help="What trains: compiled loops, or torch on one thread or a graphics card.",
)
@click.option("--passes", type=COUNT, help="The number of passes, instead of the recipe's.")
@click.option("--seed", type=SEED, help="The seed, instead of the recipe's.")
@click.option(
    "--history",
    type=COUNT,
    metavar="STEPS",
    help="Keep activations, parameters and gradients in summary, every so many steps, in history.jsonl.",
)
@click.option(
    "--tensorboard",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write event files for TensorBoard to DIR as well.",
)
@click.option(
    "--seeds",
    type=Numbers(),
    metavar="LIST",
    help="Train from several seeds, such as 0-9 or 0,3,5.",
)
@jobs_option
@dask_option
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change any value of the recipe, such as rule.mu=0.02. May be given again.",
)
@click.option(
    "--run",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="The folder of this run.  [default: a new one in the folder of all runs]",
)
@runs_option
@click.option(
    "--resume",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Go on with the run in DIR, to the same bytes as if it had not stopped.",
)
@click.option("--force", is_flag=True, help="Overwrite the run that is in the folder.")
@click.option("--dry-run", is_flag=True, help="Print the recipe as resolved, and stop.")
@form_options
@quiet_option
def train(
    recipe: str | None,
    data: str | None,
    data_dir: Path | None,
    network: str | None,
    engine: str | None,
    passes: int | None,
    seed: int | None,
    history: int | None,
    tensorboard: Path | None,
    seeds: tuple[int, ...] | None,
    jobs: int,
    dask: str | None,
    settings: tuple[str, ...],
    folder: Path | None,
    runs: Path,
    resume: Path | None,
    force: bool,
    dry_run: bool,
    form: Form,
    quiet: bool,
) -> None:
    """Train a network as a recipe says.

    RECIPE is one of `retronet show recipes`, or a TOML file; without it, lecun1989: the network, rule and
    data of the paper. The run is kept in a folder of its own after every pass.

    \b
    Examples:
      retronet train
      retronet train --data digits5k --passes 5
      retronet train lecun1989 --set rule.mu=0.02 --seed 3
      retronet train --seeds 0-9
      retronet train --history 500 --tensorboard events
    """
    started = time.perf_counter()
    chosen = {"data": data, "network": network, "engine": engine, "passes": passes, "seed": seed}
    changes = {key: value for key, value in chosen.items() if value is not None} | _settings(settings)
    if resume is not None and (recipe or changes or folder or force or seeds or dry_run):
        raise click.UsageError(
            "--resume goes on with a run as it was begun: "
            "it takes no recipe, changes, --run, --force or --dry-run."
        )
    if resume is not None:
        resume_training(_watched_as_begun(resume, history), data_dir, form, quiet, history, tensorboard)
        return
    if dry_run:
        _print_recipe(_resolve(recipe, changes))
        return
    if seeds is not None:
        if folder is not None or seed is not None or force or history is not None or tensorboard:
            raise click.UsageError(
                "--seeds makes or continues a run for each seed in the folder of all runs: "
                "it takes no --run, --seed, --force, --history or --tensorboard."
            )
        from retronet_cli.seeds import Where, train_and_print_seeds

        where = Where(runs, data_dir, jobs, dask)
        train_and_print_seeds(_resolve(recipe, changes), seeds, where, form, quiet)
        return
    if dask is not None:
        raise click.UsageError("--dask is for several runs at once: give --seeds, too, or leave it out.")
    from retronet_cli.ahead import compile_training

    resolved = _resolve(recipe, changes)
    compile_training(resolved)
    run, digits = _begin(resolved, data_dir, folder, runs, force, history)
    _learn_and_print(run, digits, data_dir, form, quiet, started, tensorboard=tensorboard)


def resume_training(
    run: "Run",
    data_dir: Path | None,
    form: Form,
    quiet: bool,
    history: int | None = None,
    tensorboard: Path | None = None,
) -> None:
    """Go on with a run that `retronet train` made, and print its result.

    Raises
    ------
    InputError
        If something else made the run.
    """
    from retronet.datasets import load
    from retronet.runs.configuration import ByTraining
    from retronet.runs.makers import other_maker

    started = time.perf_counter()
    if not isinstance(run.configuration.made, ByTraining):
        raise other_maker(run.folder, run.configuration.made)
    digits = load(run.data_name, run.configuration.recipe.preparation, data_dir)
    _learn_and_print(run, digits, data_dir, form, quiet, started, history, tensorboard)


def _watched_as_begun(folder: Path, history: int | None) -> "Run":
    """Return the run in `folder`; refuse snapshots at other steps than those it was begun with."""
    from retronet.runs.configuration import FIRST_SCHEMA
    from retronet.runs.run import open_run
    from retronet.runs.trained_run import steps_watched

    run = open_run(folder)
    begun = steps_watched(run)
    if history not in (None, begun) and (begun or run.configuration.schema != FIRST_SCHEMA):
        kept = "without snapshots" if begun is None else f"with a snapshot every {begun} steps"
        raise click.UsageError(
            f"--resume goes on with a run as it was begun, this one {kept}: leave out --history."
        )
    return run


def _learn_and_print(
    run: "Run",
    digits: "DigitSets",
    data_dir: Path | None,
    form: Form,
    quiet: bool,
    started: float,
    history: int | None = None,
    tensorboard: Path | None = None,
) -> None:
    _report_start(run, quiet)
    with event_files(tensorboard) as tell, going_on(run, data_dir):
        _learn(run, digits, history, quiet, tell)
    seconds = {
        "training": sum(timing.training_seconds for timing in run.timings()),
        "total": time.perf_counter() - started,
    }
    _print_result(run, seconds, form)


def _settings(settings: tuple[str, ...]) -> dict[str, Any]:
    """Return the values of --set, each read as TOML if it is TOML and as a word otherwise."""
    from retronet.errors import InputError
    from retronet.refusals import parse_toml

    changes: dict[str, Any] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key:
            raise click.UsageError(f"--set takes KEY=VALUE, such as rule.mu=0.02; found '{setting}'.")
        changes[key] = value
        try:
            content = parse_toml(f"value = {value}")
        except InputError:
            continue
        if len(content) == 1:
            changes[key] = content["value"]
    return changes


def _resolve(name: str | None, changes: dict[str, Any]) -> "Recipe":
    from retronet.recipe import load_recipe, override

    return override(load_recipe(name or "lecun1989"), changes)


def _print_recipe(recipe: "Recipe") -> None:
    import msgspec

    from retronet_cli.terminal import print_json

    print_json("recipe", msgspec.to_builtins(recipe))


def _begin(
    recipe: "Recipe",
    data_dir: Path | None,
    folder: Path | None,
    runs: Path,
    force: bool,
    history: int | None,
) -> "tuple[Run, DigitSets]":
    from retronet.datasets import load
    from retronet.engines.forward import check_images
    from retronet.network import load_network
    from retronet.runs.configuration import ByTraining
    from retronet.runs.create import create_run

    network = load_network(recipe.network)
    digits = load(recipe.data, recipe.preparation, data_dir)
    check_images(network, digits.train.images)
    return create_run(recipe, network, digits, folder, runs, force, ByTraining(history)), digits


def _report_start(run: "Run", quiet: bool) -> None:
    from retronet_cli.terminal import talk
    from retronet_cli.views.quantities import passes_named

    if run.configuration.notice:
        talk(run.configuration.notice)
    if not quiet:
        recipe = run.configuration.recipe
        talk(
            f"Training {recipe.network} on {run.data_name}: recipe {recipe.name}, "
            f"{passes_named(recipe.passes)}, seed {recipe.seed}."
        )
        talk(f"Run: {run.folder}")
        if recipe.engine != "numba":
            talk(
                "torch adds up in an order that depends on the processor: the same seed gives the same bytes "
                "on this one. The engine numba gives them on any x86-64 processor."
            )


def _learn(run: "Run", digits: "DigitSets", history: int | None, quiet: bool, tell: Tell) -> None:
    """Train what is left, and tell each pass and snapshot."""
    from retronet.runs.trained_run import continue_run
    from retronet.training.train import PassRecord, Progress
    from retronet_cli.compiling import tell_of_compiling
    from retronet_cli.terminal import progress

    if not quiet:
        tell_of_compiling()
    with progress(enabled=not quiet) as bar:
        task = bar.add_task("compiling, or loading compiled code", total=run.configuration.recipe.passes)
        for step in continue_run(run, digits, history):
            if not isinstance(step, Progress):
                tell(step)
            if isinstance(step, PassRecord):
                bar.update(task, completed=step.number, description=_summary(step))
            elif isinstance(step, Progress):
                bar.update(task, completed=step.number - 1 + step.presented / step.of)


def _summary(record: "PassRecord") -> str:
    return f"misses {record.train.misses:,} train, {record.test.misses:,} test"


def _print_result(run: "Run", seconds: dict[str, float], form: Form) -> None:
    import msgspec

    from retronet_cli.terminal import print_table
    from retronet_cli.views.scores import curve_table, score_table

    records = run.records()
    recipe, last = run.configuration.recipe, records[-1]
    if form.given:
        fields = {
            "recipe": recipe.name,
            "network": recipe.network,
            "dataset": run.data_name,
            "notice": run.configuration.notice,
            "seed": recipe.seed,
            "passes": last.number,
            "train": msgspec.to_builtins(last.train),
            "test": msgspec.to_builtins(last.test),
            "seconds": seconds,
            "run": str(run.folder),
        }
        give(form, "train", fields, {"passes": records})
        return
    title = f"{recipe.name} on {run.data_name}, seed {recipe.seed}"
    print_table(curve_table(f"{title}: learning curve", records))
    caption = (
        f"Measured: training {seconds['training']:.1f} s, with loading and scoring {seconds['total']:.1f} s."
    )
    if run.configuration.notice:
        caption = f"{run.configuration.notice}\n{caption}"
    scores = {"train": last.train, "test": last.test}
    print_table(score_table(f"{title}: after pass {last.number}", scores, caption))
