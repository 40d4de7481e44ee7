"""The command `retronet retrain`."""

import time
from pathlib import Path

import click

from retronet_cli.options import data_dir_option, json_option, quiet_option, run_argument, runs_option
from retronet_cli.precision import Choices, chosen_plan, precision_options


@click.command(short_help="Train on with the quantiser in the loop.")
@run_argument
@precision_options
@click.option(
    "--layers",
    type=click.Choice(["all", "last"]),
    default="all",
    show_default=True,
    help="What is trained; the formats hold for all layers in any case.",
)
@click.option("--passes", type=click.IntRange(min=1), default=5, show_default=True, help="Passes.")
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    default=0.0005,
    show_default=True,
    help="The rate of the first pass; it halves from pass to pass.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the order.")
@click.option(
    "--run",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="The folder of the new run.  [default: a new one in the folder of all runs]",
)
@click.option("--force", is_flag=True, help="Overwrite the run that is in the folder.")
@data_dir_option
@runs_option
@json_option
@quiet_option
def retrain(
    run: Path | None,
    choices: Choices,
    layers: str,
    passes: int,
    rate: float,
    seed: int,
    folder: Path | None,
    force: bool,
    data_dir: Path | None,
    runs: Path,
    as_json: bool,
    quiet: bool,
) -> None:
    """Train on with the quantiser in the loop.

    RUN is the folder of a run; without it, the latest one. Weights and states are cast in every forward pass,
    derivatives go straight through the casts, and the steps go into weights in floating point. The result is
    a new run, with its formats in plan.toml, for `simulate --plan`. Without any option for formats: 3 bits,
    with scales of least squared error.

    \b
    Examples:
      retronet retrain
      retronet retrain --weight-format '{-1,0,1}' --scale threshold:0.7 --state-bits 8
      retronet retrain --weight-bits 3 --state-bits 8 --scale mse --layers last
    """
    import msgspec

    from hw_sim.studies.retrain import Retraining, Settings
    from hw_sim.studies.retrained_run import create_retrained_run, keep_pass
    from retronet_cli.runs import take_digits, take_run, title_of
    from retronet_cli.terminal import print_json, print_table, progress, talk
    from retronet_cli.views.retraining import retraining_table

    origin, checkpoint = take_run(run, runs, quiet)
    digits = take_digits(checkpoint, None, data_dir)
    trained = checkpoint.trained
    chosen = chosen_plan(choices if choices.given else Choices(bits=3, scale="mse"), trained, digits.train)
    settings = Settings("all" if layers == "all" else "last", passes, rate, seed=seed)
    training = Retraining(trained, digits, chosen, settings)
    floating = training.float_scores()
    new = create_retrained_run(training, origin, folder, runs, force=force)
    records, mark = [], time.perf_counter()
    with progress(enabled=not quiet) as bar:
        task = bar.add_task("passes", total=passes)
        for record in training.run():
            now = time.perf_counter()
            keep_pass(new, training, record, now - mark)
            records.append(record)
            bar.update(task, completed=record.number)
            mark = now
    for warning in training.warnings:
        talk(f"Warning: {warning}")
    if as_json:
        found = {
            "run": str(new.folder),
            "origin": str(origin),
            "dataset": digits.test.provenance.name,
            "settings": msgspec.to_builtins(settings),
            "formats": [msgspec.to_builtins(row) for row in chosen.describe()],
            "float": dict(zip(("train", "test"), map(msgspec.to_builtins, floating), strict=True)),
            "passes": [msgspec.to_builtins(record) for record in records],
            "warnings": list(training.warnings),
        }
        print_json("retraining", found)
        return
    title = f"{title_of(checkpoint)}, on {digits.test.provenance.name}, {layers} layers retrained"
    print_table(retraining_table(title, floating, records, digits.notice))
    if not quiet:
        talk(f"Run: {new.folder}; its formats: {new.folder / 'plan.toml'}")
