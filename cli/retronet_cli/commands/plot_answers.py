"""The commands `retronet plot …` that show what a network has learnt and how it answers."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from retronet.errors import ChoiceError
from retronet_cli.drawing import (
    Canvas,
    Source,
    canvas_options,
    check,
    digit_source,
    digits_of,
    run_source,
    runs_argument,
    take_runs,
    write,
)
from retronet_cli.options import run_argument

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from retronet.analyse import Analysis, Answer
    from retronet.datasets import Dataset

most_option = click.option(
    "--most", type=click.IntRange(1, 40), default=16, show_default=True, help="Digits to draw."
)


@click.command("kernels")
@runs_argument
@click.option("--layer", metavar="NAME", help="Whose kernels to draw.  [default: the first with kernels]")
@canvas_options
@run_source
def draw_kernels(folders: tuple[Path, ...], layer: str | None, canvas: Canvas, source: Source) -> None:
    """Draw the kernels of a layer, each weight a square of grey.

    \b
    Examples:
      retronet plot kernels -o kernels.svg
      retronet plot kernels runs/mine --layer h2 -o kernels.png
    """
    check(canvas)
    from retronet.network import Conv
    from retronet_cli.pictures.network import kernels_figure

    taken = take_runs(folders, source)
    drawn, chosen = {}, layer
    for name, (run, checkpoint) in taken.items():
        known = [each.name for each in checkpoint.header.network.layers if isinstance(each, Conv)]
        chosen = chosen or (known[0] if known else "")
        if chosen not in known:
            allowed = f"{', '.join(known)} have" if known else "no layer of it has"
            raise ChoiceError(
                f"The kernels of layer '{chosen}' of {run.folder} can not be drawn: {allowed} kernels. Name "
                f"{'one of these' if known else 'a run with such layers'}."
            )
        drawn[name] = checkpoint.trained.parameters[f"{chosen}.weight"]
    title = f"Kernels of {chosen}: {', '.join(drawn)}"
    write(kernels_figure(drawn, chosen or "", canvas.theme), canvas, title)


@click.command("confusion")
@runs_argument
@canvas_options
@digit_source
def draw_confusion(
    folders: tuple[Path, ...],
    canvas: Canvas,
    source: Source,
) -> None:
    """Draw how often each test digit is taken for each other.

    \b
    Example:
      retronet plot confusion -o confusion.svg
    """
    check(canvas)
    from retronet.analyse import analyse
    from retronet_cli.pictures.answers import confusion_figure

    answered = _answered(folders, source)
    matrices = {name: analyse(outputs, test.labels) for name, (test, outputs) in answered.items()}
    write(confusion_figure(matrices, canvas.theme), canvas, f"Confusion of {', '.join(matrices)}")


def _answered(folders: Sequence[Path], source: Source) -> "dict[str, tuple[Dataset, NDArray[np.floating]]]":
    """Return the test digits of each run, by its name, and its outputs for them."""
    from retronet_cli.terminal import working

    answered = {}
    for name, (_, checkpoint) in take_runs(folders, source).items():
        test, recipe = digits_of(checkpoint, source).test, checkpoint.header.recipe
        with working(f"answers of {name}", enabled=not source.quiet):
            answered[name] = (test, checkpoint.trained.outputs(test.images, recipe.precision))
    return answered


def _draw_answers(
    run: Path | None,
    source: Source,
    canvas: Canvas,
    most: int,
    choose: "Callable[[Analysis], tuple[str, tuple[Answer, ...]]]",
) -> None:
    """Draw the answers that `choose` names and picks."""
    check(canvas)
    from retronet.analyse import analyse
    from retronet_cli.pictures.answers import answers_figure

    ((name, (test, outputs)),) = _answered((run,) if run else (), source).items()
    words, answers = choose(analyse(outputs, test.labels, most))
    title = f"{name}: {words}, test digits of {test.provenance.name}"
    write(answers_figure(test.images, answers, title, canvas.theme), canvas, title)


@click.command("mistakes")
@run_argument
@most_option
@canvas_options
@digit_source
def draw_mistakes(
    run: Path | None,
    most: int,
    canvas: Canvas,
    source: Source,
) -> None:
    """Draw the mistakes that a network is surest of, as digits.

    \b
    Example:
      retronet plot mistakes --most 24 -o mistakes.png
    """
    _draw_answers(
        run, source, canvas, most,
        lambda analysis: (f"surest of {analysis.top1_misses} mistakes", analysis.surest_wrong),
    )  # fmt: skip


@click.command("surest")
@run_argument
@most_option
@canvas_options
@digit_source
def draw_surest(
    run: Path | None,
    most: int,
    canvas: Canvas,
    source: Source,
) -> None:
    """Draw the right answers that a network is surest of, as digits.

    \b
    Example:
      retronet plot surest -o surest.png
    """
    _draw_answers(
        run, source, canvas, most,
        lambda analysis: ("surest right answers", analysis.surest_right),
    )  # fmt: skip


@click.command("rejection")
@runs_argument
@canvas_options
@digit_source
def draw_rejection(
    folders: tuple[Path, ...],
    canvas: Canvas,
    source: Source,
) -> None:
    """Draw the error on the digits kept against the share rejected, with the papers' 1 % point.

    \b
    Examples:
      retronet plot rejection -o rejection.svg
      retronet plot rejection runs/one runs/other -o rejection.svg
    """
    check(canvas)
    from retronet.evaluate import rejection_curve
    from retronet_cli.pictures.answers import rejection_figure

    answered = _answered(folders, source)
    curves = {name: rejection_curve(outputs, test.labels) for name, (test, outputs) in answered.items()}
    write(rejection_figure(curves, canvas.theme), canvas, f"Rejection: {', '.join(curves)}")
