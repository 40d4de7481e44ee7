"""The command `retronet read-back`."""

from pathlib import Path

import click

from retronet_cli.forms import Form, form_options, give
from retronet_cli.options import (
    data_dir_option,
    other_data_option,
    quiet_option,
    run_argument,
    runs_option,
)


@click.command(
    "read-back",
    short_help="Check the normaliser: draw test digits large, threshold them, normalise and recognise them.",
)
@run_argument
@other_data_option
@data_dir_option
@runs_option
@form_options
@quiet_option
def read_back(
    run: Path | None,
    data: str | None,
    data_dir: Path | None,
    runs: Path,
    form: Form,
    quiet: bool,
) -> None:
    """Check the normaliser: draw test digits large, threshold them, normalise and recognise them.

    RUN is the folder of a run; without it, the latest one. The digits are drawn as with a pen, about 128
    pixels high, and read back; misses stand beside those of the digits as the data set has them. With --data
    another data set's digits go to the same network.

    \b
    Examples:
      retronet read-back
      retronet read-back runs/1989 --data mnist
    """
    import msgspec
    import numpy as np

    from retronet.datasets import load
    from retronet.datasets.catalogue import find_source
    from retronet.evaluate import score
    from retronet.reading.back import TIMES, read_back
    from retronet.reading.forms import form_of
    from retronet_cli.runs import take_digits, take_run, title_of
    from retronet_cli.terminal import print_table, progress
    from retronet_cli.views.scores import score_table

    folder, checkpoint = take_run(run, runs, quiet)
    header = checkpoint.header
    placing = form_of(header.network, header.data[0].name, header.recipe.preparation)
    direct = take_digits(checkpoint, data, data_dir).test
    name, own_size = direct.provenance.name, find_source(direct.provenance.name).size[0]
    if own_size == 16:
        images = load(name, "none", data_dir).test.images
    else:
        images = 2 * load(name, "unit28", data_dir).test.images - 1
    times = 16 * TIMES // own_size
    with progress(not quiet) as bar:
        task = bar.add_task("Drawing and reading back", total=len(images))
        back = []
        for each in read_back(images, placing, times):
            back.append(each)
            bar.advance(task)
    trained, recipe = checkpoint.trained, header.recipe
    scores = {
        what: score(trained.outputs(given), direct.labels, recipe.targets, recipe.loss)
        for what, given in (("direct", direct.images), ("read back", np.array(back)))
    }
    if form.given:
        told = {what.replace(" ", "_"): msgspec.to_builtins(each) for what, each in scores.items()}
        rows = [{"digits": what, **fields} for what, fields in told.items()]
        give(
            form, "read-back", {"run": str(folder), "dataset": name, "times": times, **told}, {"scores": rows}
        )
        return
    title = f"{title_of(checkpoint)}: test digits of {name}, and drawn {times} times as large and read back"
    print_table(score_table(title, scores, None))
