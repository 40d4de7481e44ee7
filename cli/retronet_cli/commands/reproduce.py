"""The command `retronet reproduce`."""

from pathlib import Path
from typing import Any

import click

from retronet_cli.forms import Form, form_options, give
from retronet_cli.options import (
    Numbers,
    dask_option,
    data_dir_option,
    jobs_option,
    quiet_option,
    runs_option,
)


@click.command(short_help="Set published figures beside what the recipes give here.")
@click.argument("recipes", nargs=-1, metavar="[RECIPE]...")
@click.option(
    "--choices",
    metavar="LIST",
    help="Train what lecun1989's paper leaves open, row by row, instead: all, or names such as default,sgd.",
)
@click.option("--check", is_flag=True, help="Exit with 4 if a figure is outside.")
@click.option(
    "--seeds", type=Numbers(), metavar="LIST", help="Seeds, such as 0-9, instead of each recipe's own."
)
@jobs_option
@dask_option
@data_dir_option
@runs_option
@form_options
@quiet_option
def reproduce(
    recipes: tuple[str, ...],
    choices: str | None,
    check: bool,
    seeds: tuple[int, ...] | None,
    jobs: int,
    dask: str | None,
    data_dir: Path | None,
    runs: Path,
    form: Form,
    quiet: bool,
) -> None:
    """Set published figures beside what the recipes give here.

    Trains each RECIPE (without any, all that have published figures) from its seeds and prints paper or
    published figure, mean over the seeds, and whether the figure lies where one further seed would fall with
    95 %, or within the tolerance stated for it; of many seeds also how many do as well as published. Runs are
    kept: called again, it goes on where it stopped.

    With --choices, the rows are what the paper of lecun1989 leaves open, one choice changed at a time: means
    over the seeds, how many seeds do as well as the paper's run, and which rows differ.

    \b
    Examples:
      retronet reproduce lecun1989
      retronet reproduce lecun1989 --seeds 0-9
      retronet reproduce --choices all
      retronet reproduce --json > reproduction.json
    """
    import msgspec

    from retronet.datasets import load
    from retronet.errors import CheckError
    from retronet.recipe import load_recipe, override
    from retronet.studies.reproduce import choose, findings, likelihoods
    from retronet_cli.main import FAILED
    from retronet_cli.seeds import Where, train_with_bar
    from retronet_cli.terminal import print_table, stdout, talk
    from retronet_cli.views.quantities import passes_named
    from retronet_cli.views.reproduction import finding_table, likelihood_table, seeds_named

    where = Where(runs / "reproduce", data_dir, jobs, dask)
    if choices is not None:
        from retronet_cli.choices import train_and_print_choices

        if recipes or check:
            raise click.UsageError(
                "--choices names rows of its own: it takes no RECIPE and no --check. Leave them out."
            )
        train_and_print_choices(choices, seeds, where, form, quiet)
        return
    objects: list[dict[str, Any]] = []
    outside = 0
    asked = choose(recipes)
    for number, published in enumerate(asked, 1):
        recipe = override(load_recipe(published.recipe), dict(published.changes))
        digits = load(recipe.data, recipe.preparation, data_dir)
        if digits.notice:
            talk(digits.notice)
        name = digits.train.provenance.name
        chosen = seeds or published.chosen_seeds
        if not quiet:
            talk(f"{published.title} on {name}: {seeds_named(chosen)}, {passes_named(recipe.passes)}.")
        results = train_with_bar(recipe, digits, chosen, where, quiet)
        verdicts, likely = findings(published, results), likelihoods(published, results)
        outside += sum(each.inside is False for each in verdicts)
        if form.given:
            objects.append(
                {
                    "recipe": published.title,
                    "dataset": name,
                    "findings": msgspec.to_builtins(verdicts),
                    "likelihoods": msgspec.to_builtins(likely),
                }
            )
            continue
        title = f"{published.title} on {name}, {seeds_named(chosen)}"
        print_table(finding_table(title, verdicts, digits.notice))
        if likely:
            print_table(likelihood_table(likely))
        if stdout.quiet and number < len(asked):
            # Nobody reads what hours of training would print.
            talk(f"Stopped: standard output was closed, and {len(asked) - number} recipes are left to train.")
            raise click.exceptions.Exit(FAILED)
    if form.given:
        tables = {
            "findings": [
                {"recipe": each["recipe"], "dataset": each["dataset"], **finding}
                for each in objects
                for finding in each["findings"]
            ]
        }
        give(form, "reproduction", {"recipes": objects}, tables)
    if check and outside:
        raise CheckError(f"{outside} published figures are outside what was found; all were to be inside.")
