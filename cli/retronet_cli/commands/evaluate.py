"""The command `retronet evaluate`."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from retronet_cli.forms import Form, form_options, give
from retronet_cli.options import (
    INDEX,
    NEW_FILE,
    data_dir_option,
    other_data_option,
    preparation_option,
    quiet_option,
    run_argument,
    runs_option,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from retronet.analyse import Analysis
    from retronet.datasets import Dataset
    from retronet.evaluate import Score
    from retronet.trained import Trained


@click.command(short_help="Score a trained network on a set of digits.")
@run_argument
@other_data_option
@preparation_option
@click.option(
    "--details", is_flag=True, help="Show the confusion matrix, classes and mistakes of the test digits."
)
@click.option(
    "--arrays",
    type=NEW_FILE,
    metavar="FILE",
    help="Write the test digits' outputs, the kernels, and one digit's states to an .npz file.",
)
@click.option(
    "--digit",
    type=INDEX,
    default=0,
    show_default=True,
    help="The test digit whose states are written.",
)
@data_dir_option
@runs_option
@form_options
@quiet_option
def evaluate(
    run: Path | None,
    data: str | None,
    preparation: str | None,
    details: bool,
    arrays: Path | None,
    digit: int,
    data_dir: Path | None,
    runs: Path,
    form: Form,
    quiet: bool,
) -> None:
    """Score a trained network on a set of digits.

    RUN is the folder of a run; without it, the latest one.

    \b
    Examples:
      retronet evaluate --details
      retronet evaluate runs/20261122-093001-lecun1989-1a2b3c --data digits5k
      retronet evaluate --data mnist --preparation antialiased16
    """
    import msgspec

    from retronet.analyse import analyse
    from retronet.engines.ahead import to_answer
    from retronet.engines.workspace import Workspace
    from retronet.evaluate import score
    from retronet.kernels.passes import run_forward
    from retronet_cli.ahead import compile_ahead
    from retronet_cli.runs import retrained, take_digits, take_run, title_of
    from retronet_cli.terminal import print_table, talk, working
    from retronet_cli.views.scores import score_table

    folder, checkpoint = take_run(run, runs, quiet)
    header = checkpoint.header
    if not quiet and retrained(folder):
        talk(
            "The run was retrained within number formats; its scores here are those of its weights in "
            f"floating point. `{shlex.join(['retronet', 'simulate', str(folder)])}` runs it under its plan."
        )
    trained, recipe = checkpoint.trained, header.recipe
    compile_ahead(run_forward, lambda: to_answer(Workspace(trained.network, recipe.precision)))
    digits = take_digits(checkpoint, data, data_dir, preparation)
    with working("reading the digits", enabled=not quiet):
        outputs = {
            half.provenance.split: trained.outputs(half.images, recipe.precision)
            for half in (digits.train, digits.test)
        }
    scores = {
        half.provenance.split: score(outputs[half.provenance.split], half.labels, recipe.targets, recipe.loss)
        for half in (digits.train, digits.test)
    }
    analysis = analyse(outputs["test"], digits.test.labels)
    if arrays is not None:
        _write_arrays(arrays, trained, digits.test, outputs["test"], digit)
    name = digits.test.provenance.name
    if form.given:
        fields = {split: msgspec.to_builtins(each) for split, each in scores.items()}
        fields["analysis"] = msgspec.to_builtins(analysis)
        told = {"run": str(folder), "dataset": name, "passes": header.passes, **fields}
        give(form, "evaluation", told, _tables(scores, analysis))
        return
    title = f"{title_of(checkpoint)}, on {name}"
    if details:
        _print_details(analysis, digits.test)
    print_table(score_table(title, scores, digits.notice))


def _tables(scores: "dict[str, Score]", analysis: "Analysis") -> dict[str, Any]:
    """Return what there is in rows: scores, classes, counts of answers, the answers that are named."""
    import msgspec

    kinds = ("surest_right", "surest_wrong", "least_sure_right", "least_sure_wrong")
    return {
        "scores": [{"digits": half, **msgspec.to_builtins(each)} for half, each in scores.items()],
        "classes": analysis.classes,
        "confusion": [
            {"label": label, "answer": answer, "count": count}
            for label, row in enumerate(analysis.confusion)
            for answer, count in enumerate(row)
        ],
        "answers": [
            {"kind": kind, **msgspec.to_builtins(each)} for kind in kinds for each in getattr(analysis, kind)
        ],
    }


def _print_details(analysis: "Analysis", digits: "Dataset") -> None:
    from retronet_cli.terminal import print_table, stdout
    from retronet_cli.views.analysis import answer_table, confusion_table, digit_grid

    print_table(confusion_table("Test digits and answers", analysis))
    for title, answers in (
        ("Surest right answers", analysis.surest_right),
        ("Least sure right answers", analysis.least_sure_right),
        ("Surest wrong answers", analysis.surest_wrong),
        ("Least sure wrong answers", analysis.least_sure_wrong),
    ):
        print_table(answer_table(title, answers))
    stdout.print("Surest wrong answers, drawn", style="bold")
    stdout.print(digit_grid(digits.images, analysis.surest_wrong, stdout.width), highlight=False)


def _write_arrays(
    path: Path, trained: "Trained", digits: "Dataset", outputs: "NDArray[np.floating]", digit: int
) -> None:
    """Write what a picture of the network needs; names are those of layers and parameters."""
    import io

    import numpy as np

    from retronet.errors import ChoiceError
    from retronet.runs.checkpoint import write_atomically

    if digit >= len(digits.labels):
        raise ChoiceError(
            f"There is no test digit {digit}: the set has {len(digits.labels)}, counted from 0. "
            "Give one of them."
        )
    states = trained.states(digits.images[digit : digit + 1])
    content = io.BytesIO()
    arrays: dict[str, Any] = {
        "outputs": outputs,
        "labels": digits.labels,
        "digit": digits.images[digit],
        **trained.parameters,
        **{f"{name}.states": array[0] for name, array in states.items()},
    }
    np.savez(content, **arrays)
    write_atomically(path, content.getvalue())
