"""The command `retronet evaluate`."""

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


@click.command(short_help="Score a trained network on a set of digits.")
@run_argument
@other_data_option
@data_dir_option
@runs_option
@json_option
@quiet_option
def evaluate(
    run: Path | None, data: str | None, data_dir: Path | None, runs: Path, as_json: bool, quiet: bool
) -> None:
    """Score a trained network on a set of digits.

    RUN is the folder of a run; without it, the latest one.

    \b
    Examples:
      retronet evaluate
      retronet evaluate runs/20261122-093001-lecun1989-1a2b3c --data digits5k
    """
    import msgspec
    import numpy as np

    from retronet.evaluate import score
    from retronet.forward import outputs
    from retronet.machine import Workspace
    from retronet_cli.runs import take_digits, take_run
    from retronet_cli.terminal import print_json, print_table
    from retronet_cli.views.scores import score_table

    folder, checkpoint = take_run(run, runs, quiet)
    header = checkpoint.header
    digits = take_digits(checkpoint, data, data_dir)
    workspace = Workspace(header.network, np.dtype(header.recipe.precision))
    workspace.load(checkpoint.state.parameters)
    scores = {
        half.provenance.split: score(
            outputs(workspace, half.images), half.labels, header.recipe.targets, header.recipe.loss
        )
        for half in (digits.train, digits.test)
    }
    name = digits.test.provenance.name
    if as_json:
        fields = {split: msgspec.to_builtins(found) for split, found in scores.items()}
        print_json("evaluation", {"run": str(folder), "dataset": name, "passes": header.passes, **fields})
        return
    title = f"{header.recipe.name} after pass {header.passes}, on {name}"
    print_table(score_table(title, scores, digits.notice))
