"""The command `retronet reproduce`."""

from pathlib import Path
from typing import Any

import click

from retronet_cli.forms import Form, form_options, give
from retronet_cli.options import data_dir_option, jobs_option, quiet_option, runs_option


@click.command(short_help="Set published figures beside what the recipes give here.")
@click.argument("recipes", nargs=-1, metavar="[RECIPE]...")
@click.option("--check", is_flag=True, help="Exit with 4 if a figure is outside.")
@jobs_option
@data_dir_option
@runs_option
@form_options
@quiet_option
def reproduce(
    recipes: tuple[str, ...],
    check: bool,
    jobs: int,
    data_dir: Path | None,
    runs: Path,
    form: Form,
    quiet: bool,
) -> None:
    """Set published figures beside what the recipes give here.

    Trains each RECIPE (without any, all that have published figures) from its seeds and prints paper or
    published figure, mean over the seeds, and whether the figure lies where one further seed would fall with
    95 %, or within the tolerance stated for it. Runs are kept: called again, it goes on where it stopped.

    \b
    Examples:
      retronet reproduce lecun1989
      retronet reproduce --json > reproduction.json
    """
    import msgspec

    from retronet.datasets import load
    from retronet.errors import CheckError
    from retronet.recipe import load_recipe, override
    from retronet.studies.reproduce import choose, findings
    from retronet_cli.main import FAILED
    from retronet_cli.seeds import train_with_bar
    from retronet_cli.terminal import print_table, stdout, talk
    from retronet_cli.views.reproduction import finding_table

    folder = runs / "reproduce"
    objects: list[dict[str, Any]] = []
    outside = 0
    asked = choose(recipes)
    for number, published in enumerate(asked, 1):
        recipe = override(load_recipe(published.recipe), dict(published.changes))
        digits = load(recipe.data, recipe.preparation, data_dir)
        if digits.notice:
            talk(digits.notice)
        name = digits.train.provenance.name
        if not quiet:
            talk(
                f"{published.title} on {name}: "
                f"seeds {', '.join(map(str, published.seeds))}, {recipe.passes} passes."
            )
        found = findings(published, train_with_bar(recipe, published.seeds, folder, data_dir, jobs, quiet))
        outside += sum(each.inside is False for each in found)
        if form.given:
            objects.append(
                {"recipe": published.title, "dataset": name, "findings": msgspec.to_builtins(found)}
            )
            continue
        title = f"{published.title} on {name}, seeds {', '.join(map(str, published.seeds))}"
        print_table(finding_table(title, found, digits.notice))
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
