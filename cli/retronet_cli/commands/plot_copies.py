"""The command `retronet plot copies`: the distorted copies that a recipe presents."""

from pathlib import Path

import click

from retronet.errors import ChoiceError
from retronet_cli.drawing import Canvas, canvas_options, check, write
from retronet_cli.options import data_dir_option, quiet_remarks_option

MOST = 20


@click.command("copies")
@click.argument("recipe", default="lenet5-distorted", metavar="[RECIPE]")
@click.option(
    "--most",
    type=click.IntRange(1, MOST),
    default=10,
    show_default=True,
    help="Digits to draw, the first ones.",
)
@click.option("--data", metavar="NAME", help="The digits, instead of the recipe's.")
@data_dir_option
@canvas_options
@quiet_remarks_option
def draw_copies(recipe: str, most: int, data: str | None, data_dir: Path | None, canvas: Canvas) -> None:
    """Draw the distorted copies of digits that a recipe presents, 20 of each digit at most.

    \b
    Examples:
      retronet plot copies -o copies.png
      retronet plot copies ./mine.toml --most 4 -o copies.svg
    """
    check(canvas)
    import numpy as np

    from retronet.datasets import load
    from retronet.engines.batches import paper_of, pictures, split
    from retronet.recipe import load_recipe
    from retronet_cli.pictures.digits import copies_figure
    from retronet_cli.terminal import talk

    chosen = load_recipe(recipe)
    if chosen.distortion is None:
        raise ChoiceError(
            f"The copies of recipe '{chosen.name}' can not be drawn: it distorts no digits. Recipes with a "
            "`distortion` do, such as lenet5-distorted. Name one of these."
        )
    digits = load(data or chosen.data, chosen.preparation, data_dir)
    if digits.notice:
        talk(digits.notice)
    learnt, _ = split(digits.train, chosen.take, chosen.holdout)
    rows, copies = min(most, len(learnt.labels)), min(chosen.distortion.copies, MOST)
    presented = np.arange(rows)[:, np.newaxis] + np.arange(copies + 1) * len(learnt.labels)
    shown = pictures(chosen, learnt.images, presented.reshape(-1), paper_of(chosen, learnt.images))
    title = f"Distorted copies of {chosen.name}"
    figure = copies_figure(
        shown.reshape(rows, copies + 1, *shown.shape[1:]), learnt.labels[:rows].tolist(), title, canvas.theme
    )
    write(figure, canvas, title)
